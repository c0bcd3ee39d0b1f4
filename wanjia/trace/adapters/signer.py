"""The log's own name and signing keys, in the key folder: Ed25519, and ML-DSA-44 beside it as C2SP advises."""

import contextlib
import fcntl
import json
import os
import secrets
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey

from wanjia.kernel.errors import KeyUnavailable
from wanjia.kernel.keyring import Keyring
from wanjia.kernel.sealing import HEAD
from wanjia.kernel.wrapping import sync_folder
from wanjia.trace.rules.handover import Generation, Handover, generations, parse_handovers, signed_by
from wanjia.trace.rules.note import COSIGNED_MLDSA44, ED25519, Checkpoint, Key, Note, cosign, parse_vkey, sign
from wanjia.trace.rules.tree import ProofWrong

PURPOSE = "trace-signing"
FILE = "trace-log.json"
SEEDS = ("ed25519", "mldsa44")
#: in the file: the keys that are announced and not yet in force
NEXT = "next"


class Signer:
    """Signs the checkpoints of one log."""

    def __init__(
        self,
        origin: str,
        classic: Ed25519PrivateKey,
        lattice: MLDSA44PrivateKey,
        handovers: Sequence[Handover] = (),
        stamp: tuple[int, int] = (0, 0),
    ) -> None:
        self.origin, self.handovers = origin, tuple(handovers)
        self._classic, self._lattice, self._stamp = classic, lattice, stamp

    @property
    def keys(self) -> list[Key]:
        """The public keys in force, both of which sign every checkpoint."""
        return [
            Key(self.origin, ED25519, self._classic.public_key().public_bytes_raw()),
            Key(self.origin, COSIGNED_MLDSA44, self._lattice.public_key().public_bytes_raw()),
        ]

    @property
    def generations(self) -> list[Generation]:
        """The keys in force and those before them. Raises `ProofWrong` when a handover of the own file does not hold."""
        return generations(self.keys, self.handovers)

    def sign(self, checkpoint: Checkpoint, at: int) -> Note:
        """The signed checkpoint; `at` in POSIX seconds."""
        text = checkpoint.text
        return Note(text, (sign(text, self.origin, self._classic), cosign(checkpoint, self.origin, self._lattice, at)))

    def own_head(self, note: Note) -> Checkpoint:
        """The head of a note that the own keys signed, those in force or those of its time. Raises `ProofWrong`."""
        return signed_by(note, self.generations)[1]

    def fresh(self, home: Path) -> "Signer":
        """This signer, or the one in force now: another process may have taken up new keys."""
        return self if _stamp(home / "keys" / FILE) == self._stamp else Signer.open(home)

    def sealed(self, keyring: Keyring) -> dict[str, str]:
        """The secrets, sealed for the file."""
        seeds = {"ed25519": self._classic.private_bytes_raw(), "mldsa44": self._lattice.private_bytes_raw()}
        return {name: keyring.seal(PURPOSE, seed, _aad(name)).hex() for name, seed in seeds.items()}

    @classmethod
    def open(cls, home: Path, *, announced: bool = False) -> "Signer":
        """The signer of the installation at `home`; its keys are made on first use. `announced`: of the keys that come next.

        Raises `KeyUnavailable`.
        """
        keyring = Keyring.open(home)
        path = home / "keys" / FILE
        if not path.exists():
            _make(path, keyring)
        stamp, said = _stamp(path), _read(path)
        try:
            held = said[NEXT] if announced else said
            seeds = [keyring.unseal(PURPOSE, bytes.fromhex(held[name]), _aad(name)) for name in SEEDS]
            handed = parse_handovers("".join(said.get("handovers", [])))
        except (ValueError, KeyError, TypeError, ProofWrong):
            raise KeyUnavailable(reason=f"{FILE} is not readable", folder=str(path.parent)) from None
        classic, lattice = Ed25519PrivateKey.from_private_bytes(seeds[0]), MLDSA44PrivateKey.from_seed_bytes(seeds[1])
        return cls(said["origin"], classic, lattice, handed, stamp)


def public_keys(home: Path) -> list[str]:
    """The verifier keys of the log at `home`, without opening the secret ones; empty before the first checkpoint."""
    return _read(home / "keys" / FILE).get("keys", [])


def handovers(home: Path) -> str:
    """How the log came to its present keys: a list of handovers, as public as the keys; empty when they are its first."""
    return "".join(_read(home / "keys" / FILE).get("handovers", []))


def announced_keys(home: Path) -> tuple[list[Key], int] | None:
    """The keys that come next and the entry that announces them; None when none are announced."""
    held = _read(home / "keys" / FILE).get(NEXT)
    return ([parse_vkey(key) for key in held["keys"]], held["entry"]) if held else None


def announce_keys(home: Path, keyring: Keyring, entry: int, made: Signer) -> None:
    """Keep the keys of `made` as those that come next, announced by the entry of that id."""
    with _changing(home) as said:
        said[NEXT] = {"keys": [key.vkey for key in made.keys], "entry": entry, **made.sealed(keyring)}


def take_up(home: Path, handover: Handover) -> None:
    """The announced keys are in force from here on, and the secrets of the old ones are gone."""
    with _changing(home) as said:
        held = said.pop(NEXT)
        said |= {"keys": held["keys"], **{name: held[name] for name in SEEDS}}
        said["handovers"] = [*said.get("handovers", []), handover.whole]


def seeds_under(home: Path) -> list[int]:
    """The ids of the data keys the seeds are sealed under; empty before the first checkpoint."""
    said = _read(home / "keys" / FILE)
    return [
        HEAD.unpack_from(bytes.fromhex(held[name]))[1]
        for held in (said, said.get(NEXT, {}))
        for name in SEEDS
        if name in held
    ]


def seal_seeds_again(home: Path, keyring: Keyring) -> int:
    """Seal the seeds under the current data key; how many. The file is replaced whole."""
    if not (home / "keys" / FILE).exists():
        return 0
    done = 0
    with _changing(home) as said:
        for held in (said, said.get(NEXT, {})):
            for name in SEEDS:
                if name not in held:
                    continue
                before = bytes.fromhex(held[name])
                after = keyring.seal(PURPOSE, keyring.unseal(PURPOSE, before, _aad(name)), _aad(name))
                if HEAD.unpack_from(after)[1] != HEAD.unpack_from(before)[1]:
                    held[name], done = after.hex(), done + 1
    return done


def _aad(name: str) -> bytes:
    return f"trace-log.json|{name}".encode()


def _stamp(path: Path) -> tuple[int, int]:
    try:
        found = path.stat()
    except FileNotFoundError:
        return 0, 0
    return found.st_mtime_ns, found.st_ino


def _read(path: Path) -> dict[str, Any]:
    try:
        return json.loads(path.read_text())
    except FileNotFoundError:
        return {}
    except ValueError:
        raise KeyUnavailable(reason=f"{FILE} is not readable", folder=str(path.parent)) from None


@contextlib.contextmanager
def _changing(home: Path) -> Iterator[dict[str, Any]]:
    """The file's content to be changed by one at a time; replaced whole, and on disk when this ends."""
    path = home / "keys" / FILE
    with open(path.with_name(f".{FILE}.lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        said = _read(path)
        yield said
        _written(path, said).replace(path)
        sync_folder(path.parent)


def new_signer(origin: str) -> Signer:
    """A signer for this log with new keys, kept nowhere yet."""
    return Signer(origin, Ed25519PrivateKey.generate(), MLDSA44PrivateKey.generate())


def _make(path: Path, keyring: Keyring) -> None:
    made = new_signer(os.environ.get("WANJIA_TRACE_ORIGIN") or f"wanjia.invalid/trace-{secrets.token_hex(6)}")
    said = {"origin": made.origin, "keys": [key.vkey for key in made.keys], **made.sealed(keyring)}
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
