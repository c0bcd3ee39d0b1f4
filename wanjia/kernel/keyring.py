"""Keys: key-encryption keys wrap data keys, and data keys seal bytes.

A sealed blob is ``suite (1) | key id (4) | nonce (12) | ciphertext + tag``. The key id names a data key of one purpose
("lake", "vault", …) and one period, so that keys rotate while old blobs still open. AAD binds a blob to its place: moved
elsewhere it does not open. Random 96-bit nonces allow 2^32 blobs a key: rotate far below that (NIST SP 800-38D 8.3).

Every process looks at the ring's file again at least once a second while it seals, so a rotation reaches long-lived workers; what was sealed before
is opened by the key its blob names, until that key is destroyed. Sealing is in sealing.py, suites in suites.py, key-encryption keys in
wrapping.py.
"""

import os
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from wanjia.kernel import clock, sealing, settings
from wanjia.kernel.blinding import Blinder
from wanjia.kernel.errors import KeyUnavailable
from wanjia.kernel.ring_file import Draft, RingFile
from wanjia.kernel.sealing import HEAD, Sealer
from wanjia.kernel.suites import SUITE_NAMES, SUITES, Aead
from wanjia.kernel.wrapping import FileWrapper, chosen_wrapper, wrapper_of

SECRET_BYTES = 32
#: purposes that need no suite: keyed hashes and signatures
BLIND, SIGN = "blind:", "sign:"
#: signatures that other people's programs check (PDF, JOSE): they know P-256, few know Ed25519
SIGN_P256 = "sign-p256:"
P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


@dataclass(frozen=True)
class Key:
    """One key of the ring as it may be shown: never its secret. `kek` is the key-encryption key that wraps it; None once destroyed."""

    id: int
    purpose: str
    suite: int
    kek: str | None
    made_at: str | None
    replaced_at: str | None
    destroyed_at: str | None
    is_current: bool

    @property
    def suite_name(self) -> str:
        """What it computes with."""
        kind = self.purpose.partition(":")[0] + ":"
        return {BLIND: "hmac-sha-256", SIGN: "ed25519", SIGN_P256: "ecdsa-p-256"}.get(kind, SUITE_NAMES[self.suite])

    @property
    def state(self) -> str:
        """current (seals), opening (opens what it sealed), or destroyed."""
        return "current" if self.is_current else "destroyed" if self.destroyed_at else "opening"


class Keyring:
    """The data keys of one installation. `Keyring.open(home)` is the one this process shares."""

    def __init__(self, folder: Path, suite: int | None = None) -> None:
        self.folder = folder
        self._suite = suite or _suite_named(settings.cipher())
        self._ring = RingFile(folder)
        self._look_at = 0.0
        self._ready: dict[int, Aead] = {}
        self._secrets: dict[int, bytes] = {}
        self._blinders: dict[str, Blinder] = {}
        if self._ring.kek.startswith(FileWrapper.holder):
            # a lost key is better told at the start than at the first read; a token is asked when it is needed
            FileWrapper(folder).check(self._ring.kek)

    @classmethod
    def open(cls, home: Path, suite: int | None = None) -> "Keyring":
        """The keyring of the installation at `home`; made on first use. Raises `KeyUnavailable`."""
        folder = home / "keys"
        place = (folder, suite, os.getpid())
        ring = _shared.get(place)
        if ring is None:
            folder.mkdir(parents=True, exist_ok=True)
            folder.chmod(0o700)
            ring = _shared[place] = cls(folder, suite)
        return ring

    def seal(self, purpose: str, plaintext: bytes, aad: bytes) -> bytes:
        """Encrypt one value for `purpose`, bound to `aad`."""
        return self.sealer(purpose).seal(plaintext, aad)

    def unseal(self, purpose: str, blob: bytes, aad: bytes) -> bytes:
        """Open one value. Raises `KeyUnavailable`."""
        return self.sealer(purpose).unseal(blob, aad)

    def sealer(self, purpose: str) -> Sealer:
        """A `Sealer` for many values of one purpose."""
        return Sealer(self, purpose)

    def blinder(self, purpose: str) -> Blinder:
        """Hashes for `purpose` under the key that is current now: HMAC-SHA-256 under a key of its own."""
        self._look()
        found = self._blinders.get(purpose)
        if found is None:
            entry = self._entry_for(BLIND + purpose)
            found = self._blinders[purpose] = Blinder(entry["id"], self._secret_of(entry))
        return found

    def blind(self, purpose: str, value: str) -> bytes:
        """A 16-byte blind index of `value` under the current key, so that equal values meet without being read."""
        return self.blinder(purpose).blind(value)

    def blinders(self, purpose: str) -> list[Blinder]:
        """Every key of `purpose` that exists, newest first: while a rotation is under way, look for the hashes under all of them."""
        self._refresh()
        self._entry_for(BLIND + purpose)
        live = [e for e in reversed(self._ring.entries) if e["purpose"] == BLIND + purpose and "wrapped" in e]
        return [Blinder(entry["id"], self._secret_of(entry)) for entry in live]

    def signing_key(self, purpose: str) -> Ed25519PrivateKey:
        """The key with which this installation signs for `purpose`."""
        self._look()
        return Ed25519PrivateKey.from_private_bytes(self._secret_of(self._entry_for(SIGN + purpose)))

    def p256_key(self, purpose: str) -> tuple[int, ec.EllipticCurvePrivateKey]:
        """(id in the ring, key) with which this installation signs for `purpose` by ECDSA on P-256.

        The scalar is drawn from the secret with 128 bits to spare, so that no value is likelier than another (FIPS 186-5, A.2.1).
        """
        self._look()
        entry = self._entry_for(SIGN_P256 + purpose)
        drawn = HKDF(SHA256(), 48, None, b"wanjia p-256").derive(self._secret_of(entry))
        scalar = int.from_bytes(drawn, "big") % (P256_ORDER - 1) + 1
        return entry["id"], ec.derive_private_key(scalar, ec.SECP256R1())

    def listed(self) -> list[Key]:
        """All keys ever made, in order, without their secrets."""
        self._refresh()
        entries = self._ring.entries
        return [
            Key(
                id=entry["id"],
                purpose=entry["purpose"],
                suite=entry["suite"],
                kek=entry.get("kek"),
                made_at=entry.get("made_at"),
                replaced_at=entry.get("replaced_at"),
                destroyed_at=entry.get("destroyed_at"),
                is_current=_current(entries, entry["purpose"]) is entry,
            )
            for entry in entries
        ]

    @property
    def kek(self) -> str:
        """The name of the key-encryption key in force."""
        self._refresh()
        return self._ring.kek

    def keks(self) -> list[str]:
        """The key-encryption keys that exist, with the holder in force and with the one new ones are made in."""
        holders = {one.holder: one for one in (wrapper_of(self.kek, self.folder), chosen_wrapper(self.folder))}
        return [name for holder in holders.values() for name in holder.held()]

    def rotate(self, purpose: str, suite: int | None = None) -> int:
        """Give `purpose` a new data key from now on; old blobs still open. Returns the new key's id. `suite`: another one than before."""
        with self._changing() as draft:
            return self._add(draft, purpose, suite)

    def rotate_kek(self) -> str:
        """A new key-encryption key, with the holder WANJIA_KEK names, wraps every data key. Returns its name; the old one still exists.

        Killed half-way the ring is the old one, whole; a key made for nothing is listed and may be destroyed.
        """
        with self._changing() as draft:
            holder = chosen_wrapper(self.folder)
            name = holder.make()
            for entry in draft.entries:
                if "wrapped" in entry:
                    secret, aad = self._secret_of(entry), _wrap_aad(entry)
                    entry.update(kek=name, wrapped=holder.wrap(name, secret, aad).hex())
            draft.kek = name
        return name

    def destroy(self, key_id: int) -> None:
        """Destroy an old key's secret: what it sealed never opens again. The caller has made sure that nothing is left under it.

        Raises `KeyUnavailable` when it is not an old key of this ring.
        """
        with self._changing() as draft:
            entry = next((e for e in draft.entries if e["id"] == key_id), None)
            if entry is None or "wrapped" not in entry or _current(draft.entries, entry["purpose"]) is entry:
                raise KeyUnavailable(reason=f"key {key_id} is not an old key of this ring", folder=str(self.folder))
            del entry["wrapped"], entry["kek"]
            entry["destroyed_at"] = _now()

    def destroy_kek(self, name: str) -> None:
        """Destroy a key-encryption key that wraps nothing. Raises `KeyUnavailable` when it is in force, or is none of ours."""
        with self._changing() as draft:
            holder = wrapper_of(name, self.folder)
            wraps = {entry["kek"] for entry in draft.entries if "wrapped" in entry} | {draft.kek}
            if name in wraps or name not in holder.held():
                raise KeyUnavailable(reason=f"{name} is in use, or is not ours", folder=str(self.folder))
            holder.destroy(name)

    def _current(self, purpose: str) -> tuple[int, int, Aead]:
        entry = self._entry_for(purpose)
        return entry["suite"], entry["id"], self._aead_of(entry)

    def _named(self, purpose: str, blob: bytes) -> Aead:
        suite, key_id = HEAD.unpack_from(blob)
        entry = self._find(purpose, key_id)
        if entry is None:
            # another process may have rotated the key since this one read the file
            self._refresh()
            entry = self._find(purpose, key_id)
        if entry is None or entry["suite"] != suite:
            raise KeyUnavailable(reason=f"data key {key_id} is not in the keyring", folder=str(self.folder))
        return self._aead_of(entry)

    def _find(self, purpose: str, key_id: int) -> dict | None:
        return next(
            (e for e in self._ring.entries if e["id"] == key_id and e["purpose"] == purpose and "wrapped" in e), None
        )

    def _entry_for(self, purpose: str) -> dict:
        entry = _current(self._ring.entries, purpose)
        if entry is None:
            with self._changing() as draft:
                # two processes must not both make the first key
                if _current(draft.entries, purpose) is None:
                    self._add(draft, purpose)
            entry = _current(self._ring.entries, purpose)
        return entry

    def _add(self, draft: Draft, purpose: str, suite: int | None = None) -> int:
        """A new data key in the draft; its id."""
        before = _current(draft.entries, purpose)
        suite = suite or (before["suite"] if before else self._suite)
        secret = secrets.token_bytes(SECRET_BYTES if purpose.startswith((BLIND, SIGN, SIGN_P256)) else SUITES[suite][1])
        entry = {
            "id": max((entry["id"] for entry in draft.entries), default=0) + 1,
            "purpose": purpose,
            "suite": suite,
            "kek": draft.kek,
            "made_at": _now(),
        }
        holder = wrapper_of(draft.kek, self.folder)
        entry["wrapped"] = holder.wrap(draft.kek, secret, _wrap_aad(entry)).hex()
        if before:
            entry["replaces"] = before["id"]
            before["replaced_at"] = entry["made_at"]
        draft.entries.append(entry)
        return entry["id"]

    def _aead_of(self, entry: dict) -> Aead:
        ready = self._ready.get(entry["id"])
        if ready is None:
            ready = self._ready[entry["id"]] = SUITES[entry["suite"]][0](self._secret_of(entry))
        return ready

    def _secret_of(self, entry: dict) -> bytes:
        secret = self._secrets.get(entry["id"])
        if secret is None:
            secret = self._secrets[entry["id"]] = self._unwrapped(entry)
        return secret

    def _unwrapped(self, entry: dict) -> bytes:
        try:
            return _unwrap(entry, self.folder)
        except KeyUnavailable:
            if self._ring.is_changing:
                raise
            # the key-encryption key may have been rotated, and the old one destroyed, since the ring was read
            self._refresh()
            newer = self._find(entry["purpose"], entry["id"])
            if newer is None or newer["kek"] == entry["kek"]:
                raise
            return _unwrap(newer, self.folder)

    def _look(self) -> None:
        """See changes others made, asking the file at most once a second."""
        if time.monotonic() >= self._look_at:
            self._refresh()

    def _refresh(self) -> None:
        self._look_at = time.monotonic() + sealing.LOOK_SECONDS
        if self._ring.refresh():
            self._forget()

    @contextmanager
    def _changing(self) -> Iterator[Draft]:
        with self._ring.changing() as draft:
            yield draft
        self._forget()

    def _forget(self) -> None:
        """Let go of what was made ready of keys that are no more, and of which blind key is current."""
        live = {entry["id"] for entry in self._ring.entries if "wrapped" in entry}
        self._ready = {key_id: one for key_id, one in self._ready.items() if key_id in live}
        self._secrets = {key_id: one for key_id, one in self._secrets.items() if key_id in live}
        self._blinders = {}


_shared: dict[tuple[Path, int | None, int], Keyring] = {}


def _current(entries: list[dict], purpose: str) -> dict | None:
    return next((e for e in reversed(entries) if e["purpose"] == purpose and "wrapped" in e), None)


def _unwrap(entry: dict, folder: Path) -> bytes:
    return wrapper_of(entry["kek"], folder).unwrap(entry["kek"], bytes.fromhex(entry["wrapped"]), _wrap_aad(entry))


def _wrap_aad(entry: dict) -> bytes:
    return f"wanjia-keyring|{entry['id']}|{entry['purpose']}".encode()


def _suite_named(name: str) -> int:
    for suite, known in SUITE_NAMES.items():
        if known == name:
            return suite
    raise KeyUnavailable(
        reason=f"WANJIA_CIPHER must be one of {', '.join(SUITE_NAMES.values())}", folder="WANJIA_CIPHER"
    )


def _now() -> str:
    return clock.now().isoformat(timespec="milliseconds")
