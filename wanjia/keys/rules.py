"""Decisions about keys, and the form of a certificate (pure)."""

import base64
import itertools
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import NameOID

#: a process notices a rotation within a second; a minute leaves room for what it had sealed and not yet written
YOUNG_SECONDS = 60
#: what is sealed for a session lives no longer than a session does (settings.SESSION_COOKIE_AGE)
SESSION = "session-"
SESSION_SECONDS = 8 * 3600
FORM = "wanjia-erasure-certificate/1"


@dataclass(frozen=True)
class Obstacle:
    """What stands against destroying a key: content left under it, or seconds to wait."""

    count: int = 0
    where: str = ""
    seconds: int = 0


def waiting_time(purpose: str, replaced_at: datetime, now: datetime, young: int = YOUNG_SECONDS) -> int:
    """Seconds until a replaced key may be destroyed, 0 when it may be now as far as time goes."""
    least = SESSION_SECONDS if purpose.startswith(SESSION) else young
    return max(0, round(least - (now - replaced_at).total_seconds()))


def canonical(content: Mapping[str, Any]) -> bytes:
    """The bytes that are signed: JSON with sorted keys, no spaces, UTF-8 as it is."""
    return json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def signed(content: Mapping[str, Any], key: Ed25519PrivateKey) -> str:
    """The certificate's document: {form, content, key, signature}, the last two in base64."""
    public = key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    document = {
        "form": FORM,
        "content": dict(content),
        "key": base64.b64encode(public).decode(),
        "signature": base64.b64encode(key.sign(_to_sign(content))).decode(),
    }
    return json.dumps(document, ensure_ascii=False, indent=1, sort_keys=True)


def verified(document: str, public_key: str) -> dict[str, Any] | None:
    """The content of a certificate that was signed with `public_key` (base64), or None when it was not, or anything was altered."""
    try:
        read = json.loads(document)
        if read["form"] != FORM or read["key"] != public_key:
            return None
        key = Ed25519PublicKey.from_public_bytes(base64.b64decode(public_key, validate=True))
        key.verify(base64.b64decode(read["signature"], validate=True), _to_sign(read["content"]))
    except (InvalidSignature, ValueError, KeyError, TypeError):
        return None
    return read["content"]


def _to_sign(content: Mapping[str, Any]) -> bytes:
    # the form is signed too: a signature for another kind of document must not fit
    return FORM.encode() + b"\n" + canonical(content)


_WORDS = {
    "zh": {
        "title": "销毁证明", "number": "编号", "issued": "签发时间", "subject": "对象", "person": "人员编号", "key": "密钥编号",
        "basis": "依据", "destroyed": "已销毁", "left": "未销毁及原因", "nothing": "无",
        "proofs": "他人的证明", "signature": "签名", "public": "公钥",
    },
    "en": {
        "title": "Certificate of erasure", "number": "Number", "issued": "Issued", "subject": "Subject", "person": "person id", "key": "key id",
        "basis": "Basis", "destroyed": "Destroyed", "left": "Not destroyed, and why", "nothing": "nothing", "proofs": "Proofs of others",
        "signature": "Signature", "public": "Public key",
    },
}  # fmt: skip


def as_text(document: str, lang: str = "en") -> str:
    """The certificate for people, in one language. It says what the signed document says; the document is what counts."""
    read = json.loads(document)
    content, words = read["content"], _WORDS["zh" if lang.startswith("zh") else "en"]
    chosen = "zh" if lang.startswith("zh") else "en"
    lines = [
        f"{words['title']}  {words['number']} {content['number']}",
        f"{words['issued']}: {content['issued_at']}",
        f"{words['subject']}: {words[content['kind']]} {content['subject']}",
        f"{words['basis']}: {content['basis']}",
        "",
        f"{words['destroyed']}:",
        *_listed(content["destroyed"], chosen, words["nothing"]),
        f"{words['left']}:",
        *_listed(content["left"], chosen, words["nothing"]),
    ]
    if content.get("proofs"):
        lines += [f"{words['proofs']}:", *(f"  {name}: {value}" for name, value in content["proofs"].items())]
    return "\n".join([*lines, "", f"{words['public']}: {read['key']}", f"{words['signature']}: {read['signature']}"])


def _listed(items: Sequence[Mapping[str, Any]], lang: str, nothing: str) -> list[str]:
    return [f"  {item['count']:>8,}  {item[lang]}" for item in items] or [f"  {nothing}"]


TEST_ROOT = "Wanjia TEST root, do not trust"
#: years that each certificate of a test chain holds: root, office, signer
TEST_YEARS = (20, 10, 3)
Pem = str


def named(common_name: str) -> x509.Name:
    """A certificate's name."""
    organisation = x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Wanjia")
    return x509.Name([organisation, x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def chain_for_trials(
    purpose: str, keys: Sequence[ec.EllipticCurvePrivateKey], serials: Sequence[int], now: datetime
) -> Pem:
    """A root, an office below it and the signer's certificate: `keys` and `serials` in that order. The signer's stands first in the PEM."""
    names = [named(TEST_ROOT), named("Wanjia TEST office"), named(f"Wanjia TEST {purpose}")]
    made: list[x509.Certificate] = []
    for place, (name, key, serial, years) in enumerate(zip(names, keys, serials, TEST_YEARS, strict=True)):
        above = max(0, place - 1)
        is_signer = place == len(names) - 1
        builder = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(names[above])
            .public_key(key.public_key())
            .serial_number(serial)
            .not_valid_before(now - timedelta(minutes=5))
            .not_valid_after(now + timedelta(days=365 * years))
            .add_extension(x509.BasicConstraints(ca=not is_signer, path_length=None if is_signer else 1 - place), True)
            .add_extension(_usage(is_signer), True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(keys[above].public_key()), False)
        )
        made.append(builder.sign(keys[above], SHA256()))
    return "".join(one.public_bytes(Encoding.PEM).decode() for one in reversed(made))


def _usage(is_signer: bool) -> x509.KeyUsage:
    rest = dict.fromkeys(
        ("key_encipherment", "data_encipherment", "key_agreement", "encipher_only", "decipher_only"), False
    )
    return x509.KeyUsage(
        digital_signature=is_signer, content_commitment=is_signer, key_cert_sign=not is_signer, crl_sign=not is_signer, **rest
    )  # fmt: skip


def request_for(purpose: str, key: ec.EllipticCurvePrivateKey) -> Pem:
    """What a certificate authority is sent (PKCS #10)."""
    made = x509.CertificateSigningRequestBuilder().subject_name(named(f"Wanjia {purpose}")).sign(key, SHA256())
    return made.public_bytes(Encoding.PEM).decode()


def unfit(chain: Pem, public: ec.EllipticCurvePublicKey, now: datetime) -> str | None:
    """Why a chain (the signer's certificate first) is not one for the key `public`, or None when it is.

    Whether the last one is to be trusted, those decide who check signatures.
    """
    try:
        found = x509.load_pem_x509_certificates(chain.encode())
    except ValueError:
        return "it is no PEM"
    if found[0].public_key() != public:
        return "the first certificate is of another key"
    for lower, upper in itertools.pairwise(found):
        try:
            lower.verify_directly_issued_by(upper)
        except (InvalidSignature, ValueError, TypeError):
            return f"certificate {lower.serial_number} was not issued by the next one"
    if any(not one.not_valid_before_utc <= now < one.not_valid_after_utc for one in found):
        return "a certificate is not in force"
    return None
