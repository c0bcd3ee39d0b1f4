"""Keys: one key-encryption key, data keys wrapped by it, and the sealing of bytes with them.

A sealed blob is ``suite (1) | key id (4) | nonce (12) | ciphertext + tag``. The key id names a data key of one purpose
("lake", "vault", …) and one period, so that keys rotate while old blobs still open. AAD binds a blob to its place: moved
elsewhere it does not open. Suites: AES-256-GCM, and SM4-GCM on the same path (GB/T 32907; a software key is never a certified
module). Random 96-bit nonces allow 2^32 blobs a key; the keyring changes the data key far below that (NIST SP 800-38D 8.3).
"""

import hashlib
import hmac
import json
import os
import secrets
import struct
import threading
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from wanjia.kernel.errors import KeyUnavailable

AES_256_GCM = 1
SM4_GCM = 2
NONCE_BYTES = 12
TAG_BYTES = 16
HEAD = struct.Struct(">BI")
HEAD_BYTES = HEAD.size + NONCE_BYTES
BLIND_BYTES = 16


class _Sm4Gcm:
    """SM4-GCM with the interface of AESGCM; the tag length is checked here because `Cipher` leaves it to the caller."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def encrypt(self, nonce: bytes, plaintext: bytes, aad: bytes) -> bytes:
        encryptor = Cipher(algorithms.SM4(self._key), modes.GCM(nonce)).encryptor()
        encryptor.authenticate_additional_data(aad)
        return encryptor.update(plaintext) + encryptor.finalize() + encryptor.tag

    def decrypt(self, nonce: bytes, sealed: bytes, aad: bytes) -> bytes:
        if len(sealed) < TAG_BYTES:
            raise InvalidTag
        decryptor = Cipher(algorithms.SM4(self._key), modes.GCM(nonce, sealed[-TAG_BYTES:])).decryptor()
        decryptor.authenticate_additional_data(aad)
        return decryptor.update(sealed[:-TAG_BYTES]) + decryptor.finalize()


_SUITES = {AES_256_GCM: (AESGCM, 32), SM4_GCM: (_Sm4Gcm, 16)}


class Sealer:
    """Seals and opens for one purpose with the key objects kept ready: for millions of small blobs."""

    def __init__(self, keyring: "Keyring", purpose: str) -> None:
        self._keyring = keyring
        self._purpose = purpose
        self._suite, self._key_id, self._aead = keyring._current(purpose)
        self._head = HEAD.pack(self._suite, self._key_id)

    def seal(self, plaintext: bytes, aad: bytes) -> bytes:
        """Encrypt `plaintext`, bound to `aad`."""
        nonce = os.urandom(NONCE_BYTES)
        return self._head + nonce + self._aead.encrypt(nonce, plaintext, aad)

    def unseal(self, blob: bytes, aad: bytes) -> bytes:
        """Open `blob`. Raises `KeyUnavailable` when it was altered, moved, or sealed under a key that is gone."""
        if len(blob) < HEAD_BYTES + TAG_BYTES:
            raise KeyUnavailable(reason="a sealed value is cut short", folder=str(self._keyring.folder))
        if blob[: HEAD.size] == self._head:
            aead = self._aead
        else:
            aead = self._keyring._named(self._purpose, blob)
        try:
            return aead.decrypt(bytes(blob[HEAD.size : HEAD_BYTES]), bytes(blob[HEAD_BYTES:]), aad)
        except InvalidTag:
            raise KeyUnavailable(
                reason="a sealed value was altered or moved", folder=str(self._keyring.folder)
            ) from None


class Keyring:
    """The data keys of one installation. Open it with `Keyring.open(home)`."""

    def __init__(self, folder: Path, suite: int = AES_256_GCM) -> None:
        self.folder = folder
        self._suite = suite
        self._lock = threading.Lock()
        self._kek = AESGCM(self._key_encryption_key())
        self._entries: list[dict] = self._read_entries()
        self._ready: dict[int, tuple[str, int, AESGCM | _Sm4Gcm]] = {}
        self._blind_keys: dict[str, bytes] = {}

    @classmethod
    def open(cls, home: Path, suite: int = AES_256_GCM) -> "Keyring":
        """The keyring of the installation at `home`; made on first use. Raises `KeyUnavailable`."""
        folder = home / "keys"
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o700)
        return cls(folder, suite)

    def seal(self, purpose: str, plaintext: bytes, aad: bytes) -> bytes:
        """Encrypt one value for `purpose`, bound to `aad`."""
        return self.sealer(purpose).seal(plaintext, aad)

    def unseal(self, purpose: str, blob: bytes, aad: bytes) -> bytes:
        """Open one value. Raises `KeyUnavailable`."""
        return self.sealer(purpose).unseal(blob, aad)

    def sealer(self, purpose: str) -> Sealer:
        """A `Sealer` for many values of one purpose."""
        return Sealer(self, purpose)

    def blind(self, purpose: str, value: str) -> bytes:
        """A 16-byte blind index of `value`: HMAC-SHA-256 under a key of its own, so equal values meet without being read."""
        key = self._blind_keys.get(purpose)
        if key is None:
            key = self._blind_keys[purpose] = self._secret_of(self._entry_for(f"blind:{purpose}"))
        return hmac.digest(key, value.encode(), hashlib.sha256)[:BLIND_BYTES]

    def rotate(self, purpose: str) -> int:
        """Give `purpose` a new data key from now on; old blobs still open. Returns the new key's id."""
        with self._lock:
            return self._add(purpose)["id"]

    def _current(self, purpose: str) -> tuple[int, int, AESGCM | _Sm4Gcm]:
        entry = self._entry_for(purpose)
        return entry["suite"], entry["id"], self._aead_of(entry)

    def _named(self, purpose: str, blob: bytes) -> AESGCM | _Sm4Gcm:
        suite, key_id = HEAD.unpack_from(blob)
        entry = self._find(purpose, key_id)
        if entry is None:
            # another process may have rotated the key since this one read the file
            self._entries = self._read_entries()
            entry = self._find(purpose, key_id)
        if entry is None or entry["suite"] != suite:
            raise KeyUnavailable(reason=f"data key {key_id} is not in the keyring", folder=str(self.folder))
        return self._aead_of(entry)

    def _find(self, purpose: str, key_id: int) -> dict | None:
        return next((e for e in self._entries if e["id"] == key_id and e["purpose"] == purpose), None)

    def _entry_for(self, purpose: str) -> dict:
        with self._lock:
            for entry in reversed(self._entries):
                if entry["purpose"] == purpose:
                    return entry
            return self._add(purpose)

    def _add(self, purpose: str) -> dict:
        """Append a new data key to the file, under a file lock: two processes must not both make key N."""
        import fcntl

        with open(self.folder / "lock", "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            self._entries = self._read_entries()
            key_id = max((entry["id"] for entry in self._entries), default=0) + 1
            secret = secrets.token_bytes(_SUITES[self._suite][1] if not purpose.startswith("blind:") else 32)
            nonce = os.urandom(NONCE_BYTES)
            entry = {
                "id": key_id,
                "purpose": purpose,
                "suite": self._suite,
                "wrapped": (nonce + self._kek.encrypt(nonce, secret, self._wrap_aad(key_id, purpose))).hex(),
            }
            if existing := next((e for e in self._entries if e["purpose"] == purpose), None):
                entry["replaces"] = existing["id"]
            self._entries.append(entry)
            _write_atomically(self.folder / "keyring.json", json.dumps(self._entries, indent=1).encode())
        return entry

    def _aead_of(self, entry: dict) -> AESGCM | _Sm4Gcm:
        ready = self._ready.get(entry["id"])
        if ready is None:
            aead = _SUITES[entry["suite"]][0](self._secret_of(entry))
            ready = self._ready[entry["id"]] = (entry["purpose"], entry["suite"], aead)
        return ready[2]

    def _secret_of(self, entry: dict) -> bytes:
        wrapped = bytes.fromhex(entry["wrapped"])
        try:
            return self._kek.decrypt(
                wrapped[:NONCE_BYTES], wrapped[NONCE_BYTES:], self._wrap_aad(entry["id"], entry["purpose"])
            )
        except InvalidTag:
            raise KeyUnavailable(
                reason="the key-encryption key does not open the keyring", folder=str(self.folder)
            ) from None

    @staticmethod
    def _wrap_aad(key_id: int, purpose: str) -> bytes:
        return f"wanjia-keyring|{key_id}|{purpose}".encode()

    def _read_entries(self) -> list[dict]:
        path = self.folder / "keyring.json"
        if not path.exists():
            return []
        try:
            return json.loads(path.read_text())
        except ValueError:
            raise KeyUnavailable(reason="keyring.json is not readable", folder=str(self.folder)) from None

    def _key_encryption_key(self) -> bytes:
        path = self.folder / "kek"
        if not path.exists():
            if (self.folder / "keyring.json").exists():
                raise KeyUnavailable(reason="the key-encryption key is gone", folder=str(self.folder))
            try:
                # exclusive: of two processes starting together only one may make the key
                handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            except FileExistsError:
                pass
            else:
                with os.fdopen(handle, "wb") as file:
                    file.write(secrets.token_bytes(32))
                    file.flush()
                    os.fsync(file.fileno())
        for _ in range(100):
            key = path.read_bytes()
            if len(key) == 32:
                return key
            threading.Event().wait(0.02)
        raise KeyUnavailable(reason="the key-encryption key must be 32 bytes", folder=str(self.folder))


def _write_atomically(path: Path, content: bytes) -> None:
    temporary = path.with_suffix(".writing")
    with open(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
