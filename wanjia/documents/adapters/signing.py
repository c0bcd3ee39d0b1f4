"""Signatures in PDF (PAdES, ECDSA on P-256) by pyHanko, and the public list's JWS."""

import base64
from collections.abc import Mapping
from datetime import datetime
from io import BytesIO
from typing import Any

from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from wanjia.keys.api import SigningIdentity

FIELD = "Registry"


def signature(pdf: bytes, identity: SigningIdentity, *, at: datetime, reason: str) -> bytes:
    """What signing appends to the file: `pdf` followed by it is the signed document (an incremental update)."""
    from asn1crypto import keys, x509
    from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
    from pyhanko.sign.fields import SigSeedSubFilter
    from pyhanko.sign.signers import PdfSignatureMetadata, PdfSigner, SimpleSigner
    from pyhanko_certvalidator.registry import SimpleCertificateStore

    store = SimpleCertificateStore()
    certificates = [x509.Certificate.load(one.public_bytes(Encoding.DER)) for one in identity.chain]
    store.register_multiple(certificates)
    private = identity.key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    signer = SimpleSigner(certificates[0], keys.PrivateKeyInfo.load(private), store)
    said = PdfSignatureMetadata(
        field_name=FIELD, md_algorithm="sha256", subfilter=SigSeedSubFilter.PADES, reason=reason, name="Wanjia"
    )
    signed = PdfSigner(said, signer).sign_pdf(IncrementalPdfFileWriter(BytesIO(pdf)), output=BytesIO()).getvalue()
    # an incremental update by its definition; were it not, a file made again would not be the one that was issued
    assert signed.startswith(pdf)
    return signed[len(pdf) :]


def jws(payload: Mapping[str, Any], identity: SigningIdentity) -> str:
    """The payload as a compact JWS (RFC 7515, ES256) that carries its certificates."""
    import jwt

    header = {"x5c": [base64.b64encode(one.public_bytes(Encoding.DER)).decode() for one in identity.chain]}
    return jwt.encode(dict(payload), identity.key, algorithm="ES256", headers=header)


def verdict(file: bytes, identity: SigningIdentity) -> bool:
    """Whether the file is whole and was signed under this chain: nothing was added or altered after signing."""
    from asn1crypto import x509
    from pyhanko.pdf_utils.misc import PdfError
    from pyhanko.pdf_utils.reader import PdfFileReader
    from pyhanko.sign.validation import validate_pdf_signature
    from pyhanko_certvalidator import ValidationContext

    certificates = [x509.Certificate.load(one.public_bytes(Encoding.DER)) for one in identity.chain]
    context = ValidationContext(trust_roots=certificates[-1:], other_certs=certificates[:-1], allow_fetching=False)
    try:
        found = PdfFileReader(BytesIO(file)).embedded_signatures
        # `valid` alone stays true when a byte is flipped; the bottom line counts integrity and trust too; and the last signed byte is the file's last
        is_to_the_end = len(found) == 1 and sum([int(one) for one in found[0].byte_range][2:]) == len(file)
        return is_to_the_end and bool(validate_pdf_signature(found[0], context).bottom_line)
    except (PdfError, ValueError, KeyError):
        return False
