"""The log's own name and signing keys, in the key folder: Ed25519, and ML-DSA-44 beside it as C2SP advises."""

import json
import os
import secrets
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey

from wanjia.kernel.errors import KeyUnavailable
from wanjia.kernel.keyring import HEAD, Keyring
from wanjia.kernel.wrapping import sync_folder
from wanjia.trace.rules.note import COSIGNED_MLDSA44, ED25519, Checkpoint, Key, Note, cosign, sign

PURPOSE = "trace-signing"
FILE = "trace-log.json"
SEEDS = ("ed25519", "mldsa44")


class Signer:
    """Signs the checkpoints of one log."""

    def __init__(self, origin: str, classic: Ed25519PrivateKey, lattice: MLDSA44PrivateKey) -> None:
        self.origin = origin
        self._classic, self._lattice = classic, lattice

    @property
    def keys(self) -> list[Key]:
        """The public keys, both of which sign every checkpoint."""
        return [
            Key(self.origin, ED25519, self._classic.public_key().public_bytes_raw()),
            Key(self.origin, COSIGNED_MLDSA44, self._lattice.public_key().public_bytes_raw()),
        ]

    def sign(self, checkpoint: Checkpoint, at: int) -> Note:
        """The signed checkpoint; `at` in POSIX seconds."""
        text = checkpoint.text
        return Note(text, (sign(text, self.origin, self._classic), cosign(checkpoint, self.origin, self._lattice, at)))

    @classmethod
    def open(cls, home: Path) -> "Signer":
        """The signer of the installation at `home`; its keys are made on first use. Raises `KeyUnavailable`."""
        keyring = Keyring.open(home)
        path = home / "keys" / FILE
        if not path.exists():
            _make(path, keyring)
        try:
            said = json.loads(path.read_text())
            seeds = [keyring.unseal(PURPOSE, bytes.fromhex(said[name]), _aad(name)) for name in SEEDS]
        except (ValueError, KeyError, TypeError):
            raise KeyUnavailable(reason=f"{FILE} is not readable", folder=str(path.parent)) from None
        return cls(
            said["origin"], Ed25519PrivateKey.from_private_bytes(seeds[0]), MLDSA44PrivateKey.from_seed_bytes(seeds[1])
        )


def public_keys(home: Path) -> list[str]:
    """The verifier keys of the log at `home`, without opening the secret ones; empty before the first checkpoint."""
    path = home / "keys" / FILE
    return json.loads(path.read_text())["keys"] if path.exists() else []


def seeds_under(home: Path) -> list[int]:
    """The ids of the data keys the seeds are sealed under; empty before the first checkpoint."""
    path = home / "keys" / FILE
    said = json.loads(path.read_text()) if path.exists() else {}
    return [HEAD.unpack_from(bytes.fromhex(said[name]))[1] for name in SEEDS if name in said]


def seal_seeds_again(home: Path, keyring: Keyring) -> int:
    """Seal the seeds under the current data key; how many. The file is replaced whole."""
    path = home / "keys" / FILE
    if not path.exists():
        return 0
    said = json.loads(path.read_text())
    for name in SEEDS:
        seed = keyring.unseal(PURPOSE, bytes.fromhex(said[name]), _aad(name))
        said[name] = keyring.seal(PURPOSE, seed, _aad(name)).hex()
    _written(path, said).replace(path)
    sync_folder(path.parent)
    return len(SEEDS)


def _aad(name: str) -> bytes:
    return f"trace-log.json|{name}".encode()


def _make(path: Path, keyring: Keyring) -> None:
    origin = os.environ.get("WANJIA_TRACE_ORIGIN") or f"wanjia.invalid/trace-{secrets.token_hex(6)}"
    classic, lattice = Ed25519PrivateKey.generate(), MLDSA44PrivateKey.generate()
    seeds = {"ed25519": classic.private_bytes_raw(), "mldsa44": lattice.private_bytes_raw()}
    said = {
        "origin": origin,
        "keys": [key.vkey for key in Signer(origin, classic, lattice).keys],
        **{name: keyring.seal(PURPOSE, seed, _aad(name)).hex() for name, seed in seeds.items()},
    }
    temporary = _written(path, said)
    try:
        # a link fails where the file is there already: of two processes starting together only one may name the log
        os.link(temporary, path)
    except FileExistsError:
        pass
    finally:
        temporary.unlink()


def _written(path: Path, said: dict) -> Path:
    """The content in a file beside `path`, on disk."""
    temporary = path.with_name(f".{FILE}.{os.getpid()}")
    with open(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        json.dump(said, file, indent=1)
        file.flush()
        os.fsync(file.fileno())
    return temporary
