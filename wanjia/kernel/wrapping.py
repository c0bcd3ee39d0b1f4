"""Key wrapping: where key-encryption keys live, and how they seal data keys. The protocol is docs/reference/key-wrapping.md.

A key-encryption key has a name "<holder>:<key>" ("file:kek-2", "pkcs11:wanjia-kek-1"). The keyring notes beside every data key which one wraps it, so
holders can be changed one into the other while everything goes on: that is what rotating the key-encryption key does. A wrapped data key is
``nonce (12) | AES-256-GCM ciphertext + tag``; the AAD is ``wanjia-keyring|<id>|<purpose>``, so one entry cannot pose as another.
"""

import os
import secrets
import threading
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import unquote

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from wanjia.kernel import settings
from wanjia.kernel.errors import KeyUnavailable

NONCE_BYTES = 12
TAG_BITS = 128
KEK_BYTES = 32
FIRST_FILE = "file:kek"


class KeyWrapper(Protocol):
    """What a holder of key-encryption keys can do. A key that it holds never has to leave it."""

    holder: str

    def make(self) -> str:
        """Make a key and keep it durably before returning; its name."""

    def held(self) -> list[str]:
        """The names of all keys it holds."""

    def wrap(self, name: str, secret: bytes, aad: bytes) -> bytes:
        """`secret` sealed under the key `name`, bound to `aad`. Raises `KeyUnavailable`."""

    def unwrap(self, name: str, wrapped: bytes, aad: bytes) -> bytes:
        """What `wrap` sealed. Raises `KeyUnavailable`: no such key, another key, another place, altered."""

    def destroy(self, name: str) -> None:
        """Destroy the key for good. What is still wrapped by it never opens again."""


class FileWrapper:
    """Keys in files of 32 bytes that only their owner may read: the default, as safe as the disk they lie on."""

    holder = "file"

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def make(self) -> str:
        """A new key in the next free file; written whole before it has its name."""
        temporary = self.folder / f"kek.{os.getpid()}.{threading.get_ident()}.writing"
        with open(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(secrets.token_bytes(KEK_BYTES))
            file.flush()
            os.fsync(file.fileno())
        try:
            number = 1
            while True:
                path = self.folder / ("kek" if number == 1 else f"kek-{number}")
                try:
                    # a link fails where the name is taken: of two processes each gets a key of its own, and none is ever overwritten
                    os.link(temporary, path)
                    break
                except FileExistsError:
                    number += 1
        finally:
            temporary.unlink()
        sync_folder(self.folder)
        return f"{self.holder}:{path.name}"

    def held(self) -> list[str]:
        """The keys in the folder, oldest first."""
        found = [path.name for path in self.folder.glob("kek*") if path.name == "kek" or path.name[4:].isdigit()]
        return [f"{self.holder}:{name}" for name in sorted(found, key=lambda name: int(name[4:] or 1))]

    def wrap(self, name: str, secret: bytes, aad: bytes) -> bytes:
        """See `KeyWrapper`."""
        nonce = os.urandom(NONCE_BYTES)
        return nonce + AESGCM(self._key(name)).encrypt(nonce, secret, aad)

    def unwrap(self, name: str, wrapped: bytes, aad: bytes) -> bytes:
        """See `KeyWrapper`."""
        try:
            return AESGCM(self._key(name)).decrypt(wrapped[:NONCE_BYTES], wrapped[NONCE_BYTES:], aad)
        except InvalidTag:
            raise KeyUnavailable(
                reason="the key-encryption key does not open the keyring", folder=str(self.folder)
            ) from None

    def destroy(self, name: str) -> None:
        """Overwrite the file, then remove it. Copies in backups are the operator's to destroy; flash may keep old cells."""
        path = self.folder / name.partition(":")[2]
        with open(path, "r+b") as file:
            file.write(secrets.token_bytes(KEK_BYTES))
            file.flush()
            os.fsync(file.fileno())
        path.unlink()
        sync_folder(self.folder)

    def check(self, name: str) -> None:
        """Pass when the key is there and whole. Raises `KeyUnavailable`."""
        self._key(name)

    def _key(self, name: str) -> bytes:
        try:
            key = (self.folder / name.partition(":")[2]).read_bytes()
        except OSError:
            raise KeyUnavailable(
                reason=f"the key-encryption key {name} is gone or not readable", folder=str(self.folder)
            ) from None
        if len(key) != KEK_BYTES:
            raise KeyUnavailable(reason="the key-encryption key must be 32 bytes", folder=str(self.folder))
        return key


class Pkcs11Wrapper:
    """Keys inside a token that speaks PKCS#11 (an HSM, SoftHSM): made there, not extractable; only data keys go in and out.

    Named by an RFC 7512 address in WANJIA_KEK: ``pkcs11:token=NAME?module-path=/usr/lib/…/module.so&pin-source=file:/etc/wanjia/pin``.
    """

    holder = "pkcs11"
    label = "wanjia-kek-"

    def __init__(self, address: str) -> None:
        path, _, query = address.removeprefix("pkcs11:").partition("?")
        self._token = _attributes(path, ";").get("token", "")
        asked = _attributes(query, "&")
        self._module = asked.get("module-path", "")
        self._pin_source = asked.get("pin-source", "").removeprefix("file:")
        self._lock = threading.RLock()
        self._session: Any = None
        self._owner = 0

    def make(self) -> str:
        """A new AES-256 key in the token: sensitive, not extractable."""
        import pkcs11

        with self._lock:
            number = 1 + max((int(name.rpartition("-")[2]) for name in self.held()), default=0)
            self._open().generate_key(
                pkcs11.KeyType.AES,
                256,
                label=f"{self.label}{number}",
                id=str(number).encode(),
                store=True,
                capabilities=pkcs11.MechanismFlag.ENCRYPT | pkcs11.MechanismFlag.DECRYPT,
                template={pkcs11.Attribute.SENSITIVE: True, pkcs11.Attribute.EXTRACTABLE: False},
            )
            return f"{self.holder}:{self.label}{number}"

    def held(self) -> list[str]:
        """The keys in the token that are ours, oldest first."""
        import pkcs11

        with self._lock:
            found = self._open().get_objects({pkcs11.Attribute.CLASS: pkcs11.ObjectClass.SECRET_KEY})
            labels = [key.label for key in found]
        ours = [label for label in labels if label.startswith(self.label) and label[len(self.label) :].isdigit()]
        return [f"{self.holder}:{label}" for label in sorted(ours, key=lambda label: int(label[len(self.label) :]))]

    def wrap(self, name: str, secret: bytes, aad: bytes) -> bytes:
        """See `KeyWrapper`. The nonce is ours: not every token makes one."""
        import pkcs11

        nonce = os.urandom(NONCE_BYTES)
        with self._lock:
            sealed = self._key(name).encrypt(
                secret, mechanism=pkcs11.Mechanism.AES_GCM, mechanism_param=pkcs11.GCMParams(nonce, aad, TAG_BITS)
            )
        return nonce + sealed

    def unwrap(self, name: str, wrapped: bytes, aad: bytes) -> bytes:
        """See `KeyWrapper`."""
        import pkcs11

        params = pkcs11.GCMParams(wrapped[:NONCE_BYTES], aad, TAG_BITS)
        with self._lock:
            key = self._key(name)
            try:
                return key.decrypt(wrapped[NONCE_BYTES:], mechanism=pkcs11.Mechanism.AES_GCM, mechanism_param=params)
            except pkcs11.PKCS11Error:
                raise KeyUnavailable(
                    reason="the key-encryption key does not open the keyring", folder=self._token
                ) from None

    def destroy(self, name: str) -> None:
        """Remove the key from the token."""
        with self._lock:
            self._key(name).destroy()

    def _key(self, name: str) -> Any:
        import pkcs11

        try:
            return self._open().get_key(object_class=pkcs11.ObjectClass.SECRET_KEY, label=name.partition(":")[2])
        except pkcs11.PKCS11Error:
            raise KeyUnavailable(reason=f"the token does not hold {name}", folder=self._token) from None

    def _open(self) -> Any:
        """The session with the token; made anew in a forked child, as the standard asks."""
        if self._session is not None and self._owner == os.getpid():
            return self._session
        try:
            import pkcs11
        except ImportError:
            raise KeyUnavailable(reason="PKCS#11 needs: pip install 'wanjia[hsm]'", folder=self._token) from None
        try:
            pin = Path(self._pin_source).read_text().strip()
        except OSError:
            raise KeyUnavailable(reason="the file with the token's PIN is not readable", folder=self._token) from None
        try:
            library = pkcs11.lib(self._module)
            if self._session is not None:
                library.reinitialize()
            self._session = library.get_token(token_label=self._token).open(rw=True, user_pin=pin)
        except (pkcs11.PKCS11Error, RuntimeError) as wrong:
            raise KeyUnavailable(
                reason=f"the PKCS#11 token cannot be opened ({type(wrong).__name__})", folder=self._token
            ) from None
        self._owner = os.getpid()
        return self._session


def chosen_wrapper(folder: Path) -> KeyWrapper:
    """The holder in which new key-encryption keys are made: WANJIA_KEK, else files in `folder`. Raises `KeyUnavailable`."""
    address = settings.kek_address()
    return FileWrapper(folder) if address == "file" else _token_wrapper(address)


def wrapper_of(name: str, folder: Path) -> KeyWrapper:
    """The holder of the key-encryption key `name`. Raises `KeyUnavailable` when it is one this installation does not name."""
    holder = name.partition(":")[0]
    if holder == FileWrapper.holder:
        return FileWrapper(folder)
    if holder == Pkcs11Wrapper.holder:
        return _token_wrapper(settings.kek_address())
    raise KeyUnavailable(reason=f"no holder of keys is called {holder}", folder=str(folder))


def sync_folder(folder: Path) -> None:
    """Make names in the folder durable: a renamed file may otherwise lose its name when the power fails."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


_tokens: dict[str, Pkcs11Wrapper] = {}


def _token_wrapper(address: str) -> Pkcs11Wrapper:
    if not address.startswith("pkcs11:"):
        raise KeyUnavailable(reason="WANJIA_KEK must be 'file' or a pkcs11: address", folder="WANJIA_KEK")
    # one session for the whole process: logging in to a token takes long
    return _tokens.setdefault(address, Pkcs11Wrapper(address))


def _attributes(text: str, between: str) -> dict[str, str]:
    pairs = (part.partition("=") for part in text.split(between) if part)
    return {name: unquote(value) for name, _, value in pairs}
