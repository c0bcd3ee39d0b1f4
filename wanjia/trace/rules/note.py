"""Signed notes, checkpoints and cosignatures, exactly as C2SP writes them.

https://c2sp.org/signed-note · https://c2sp.org/tlog-checkpoint · https://c2sp.org/tlog-cosignature
Base64 is accepted in its one canonical spelling only: otherwise a changed byte could mean the same.
"""

import base64
import hashlib
import re
import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey, MLDSA44PublicKey

from wanjia.trace.rules.tree import HASH_BYTES, ProofWrong

ED25519 = 0x01
COSIGNED_ED25519 = 0x04
COSIGNED_MLDSA44 = 0x06
_KEY_BYTES = {ED25519: 32, COSIGNED_ED25519: 32, COSIGNED_MLDSA44: 1312}
_SIGNATURE_BYTES = {ED25519: 64, COSIGNED_ED25519: 72, COSIGNED_MLDSA44: 2428}
_SIZE = re.compile(r"0|[1-9]\d{0,18}")
_NAME = re.compile(r"[^\s+]+")
_TIME = struct.Struct(">Q")
MOST_SIGNATURES = 64


def encode(content: bytes) -> str:
    """Base64 as C2SP writes it."""
    return base64.b64encode(content).decode()


def decode(text: str) -> bytes:
    """The bytes of canonical Base64. Raises `ProofWrong` for any other spelling."""
    try:
        content = base64.b64decode(text, validate=True)
    except ValueError:
        raise ProofWrong("not Base64") from None
    if encode(content) != text:
        raise ProofWrong("not canonical Base64")
    return content


@dataclass(frozen=True)
class Key:
    """A public key that signs notes, under a name; `kind` is the signature type of the specification."""

    name: str
    kind: int
    public: bytes

    @property
    def id(self) -> bytes:
        """Four bytes that, with the name, say which key signed."""
        return hashlib.sha256(self.name.encode() + b"\n" + bytes([self.kind]) + self.public).digest()[:4]

    @property
    def vkey(self) -> str:
        """The verifier key as text: name+id+key."""
        return f"{self.name}+{self.id.hex()}+{encode(bytes([self.kind]) + self.public)}"


def parse_vkey(text: str) -> Key:
    """The key a verifier-key text names. Raises `ProofWrong`."""
    parts = text.strip().split("+", 2)
    if len(parts) != 3 or not _NAME.fullmatch(parts[0]):
        raise ProofWrong("not a verifier key")
    material = decode(parts[2])
    if not material or len(material) - 1 != _KEY_BYTES.get(material[0]):
        raise ProofWrong("a verifier key of an unknown kind")
    key = Key(parts[0], material[0], material[1:])
    if key.id.hex() != parts[1]:
        raise ProofWrong("the verifier key's id does not fit it")
    return key


@dataclass(frozen=True)
class Signature:
    """One signature line: who, under which key id, and the bytes after the id."""

    name: str
    key_id: bytes
    content: bytes

    @property
    def line(self) -> str:
        """The line as it stands in a note, with its end."""
        return f"— {self.name} {encode(self.key_id + self.content)}\n"


@dataclass(frozen=True)
class Note:
    """A text (with its last newline) and the signatures under it, not yet verified."""

    text: str
    signatures: tuple[Signature, ...]

    @property
    def whole(self) -> str:
        """The note as it is sent and stored."""
        return self.text + "\n" + "".join(signature.line for signature in self.signatures)


def parse_note(content: str) -> Note:
    """Take a signed note apart. Raises `ProofWrong` when it is none; verifies nothing."""
    text, separator, tail = content.rpartition("\n\n")
    if not separator or not tail.endswith("\n") or any(ord(sign) < 32 and sign != "\n" for sign in content):
        raise ProofWrong("not a signed note")
    return Note(text + "\n", parse_signatures(tail))


def parse_signatures(lines: str) -> tuple[Signature, ...]:
    """Signature lines, as a witness answers them. Raises `ProofWrong`."""
    found = []
    for line in lines.split("\n")[:-1]:
        parts = line.split(" ")
        if len(parts) != 3 or parts[0] != "—" or not _NAME.fullmatch(parts[1]):
            raise ProofWrong("not a signature line")
        content = decode(parts[2])
        if len(content) < 5:
            raise ProofWrong("a signature is cut short")
        found.append(Signature(parts[1], content[:4], content[4:]))
    if not 0 < len(found) <= MOST_SIGNATURES:
        raise ProofWrong("no signature, or too many")
    return tuple(found)


@dataclass(frozen=True)
class Checkpoint:
    """A tree head: whose log, how many leaves, which root."""

    origin: str
    size: int
    root: bytes

    @property
    def text(self) -> str:
        """The note text."""
        return f"{self.origin}\n{self.size}\n{encode(self.root)}\n"


def parse_checkpoint(note: Note) -> Checkpoint:
    """The tree head of a note. Raises `ProofWrong`; we write no extension lines and accept none, because nobody can audit them."""
    lines = note.text.split("\n")
    if len(lines) != 4 or not lines[0] or not _SIZE.fullmatch(lines[1]):
        raise ProofWrong("not a checkpoint")
    root = decode(lines[2])
    if len(root) != HASH_BYTES:
        raise ProofWrong("a root must be 32 bytes")
    return Checkpoint(lines[0], int(lines[1]), root)


def verified(note: Note, keys: Iterable[Key]) -> list[Signature]:
    """The signatures of `keys`, all of which must have signed: what is asked for is never optional.

    Signatures of other keys are ignored, as the specification says. Raises `ProofWrong` when a key did not sign, signed wrongly or twice.
    """
    wanted = list(keys)
    if not wanted:
        raise ProofWrong("no key to verify with")
    found = []
    for key in wanted:
        own = [one for one in note.signatures if (one.name, one.key_id) == (key.name, key.id)]
        if len(own) != 1:
            raise ProofWrong(f"{key.name} did not sign once")
        if not is_signed(note, key, own[0].content):
            raise ProofWrong(f"the signature of {key.name} is wrong")
        found.append(own[0])
    return found


def is_signed(note: Note, key: Key, signature: bytes) -> bool:
    """Whether `signature` (the bytes after the key id) is the key's signature of the note."""
    if len(signature) != _SIGNATURE_BYTES[key.kind]:
        return False
    try:
        if key.kind == ED25519:
            Ed25519PublicKey.from_public_bytes(key.public).verify(signature, note.text.encode())
            return True
        (at,) = _TIME.unpack_from(signature)
        # zero would say nothing about when, and so nothing about this being the newest
        if not 0 < at < 1 << 63:
            return False
        if key.kind == COSIGNED_ED25519:
            Ed25519PublicKey.from_public_bytes(key.public).verify(signature[8:], _timed(note.text, at))
        else:
            MLDSA44PublicKey.from_public_bytes(key.public).verify(
                signature[8:], _subtree(key.name, at, parse_checkpoint(note))
            )
    except (InvalidSignature, UnsupportedAlgorithm, ValueError):
        return False
    return True


def signed_at(signature: Signature) -> int:
    """When a cosignature says it was made (POSIX seconds)."""
    return _TIME.unpack_from(signature.content)[0]


def sign(text: str, name: str, secret: Ed25519PrivateKey) -> Signature:
    """A plain Ed25519 signature of a note text."""
    key = Key(name, ED25519, secret.public_key().public_bytes_raw())
    return Signature(name, key.id, secret.sign(text.encode()))


def cosign(checkpoint: Checkpoint, name: str, secret: Ed25519PrivateKey | MLDSA44PrivateKey, at: int) -> Signature:
    """A timed statement that this is the newest head the signer saw and that it follows from all earlier ones."""
    is_classic = isinstance(secret, Ed25519PrivateKey)
    kind = COSIGNED_ED25519 if is_classic else COSIGNED_MLDSA44
    key = Key(name, kind, secret.public_key().public_bytes_raw())
    message = _timed(checkpoint.text, at) if is_classic else _subtree(name, at, checkpoint)
    return Signature(name, key.id, _TIME.pack(at) + secret.sign(message))


def _timed(text: str, at: int) -> bytes:
    return f"cosignature/v1\ntime {at}\n{text}".encode()


def _subtree(name: str, at: int, checkpoint: Checkpoint) -> bytes:
    signer, origin = name.encode(), checkpoint.origin.encode()
    if not (0 < len(signer) < 256 and 0 < len(origin) < 256):
        raise ProofWrong("a name is too long to cosign")
    return (
        b"subtree/v1\n\0" + bytes([len(signer)]) + signer + _TIME.pack(at) + bytes([len(origin)]) + origin
        + _TIME.pack(0) + _TIME.pack(checkpoint.size) + checkpoint.root
    )  # fmt: skip


def joined(note: Note, more: Sequence[Signature]) -> Note:
    """The note with further signatures; one that is there already is replaced."""
    fresh = {(one.name, one.key_id) for one in more}
    kept = tuple(one for one in note.signatures if (one.name, one.key_id) not in fresh)
    return Note(note.text, (*kept, *more))
