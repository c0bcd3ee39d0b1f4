"""Suites that seal: AES-256-GCM, and SM4-GCM on the same code path (GB/T 32907; a key in software is never a certified module)."""

from collections.abc import Callable
from typing import Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

AES_256_GCM = 1
SM4_GCM = 2
SUITE_NAMES = {AES_256_GCM: "aes-256-gcm", SM4_GCM: "sm4-gcm"}
NONCE_BYTES = 12
TAG_BYTES = 16


class Aead(Protocol):
    """Authenticated encryption with one key."""

    def encrypt(self, nonce: bytes, data: bytes, associated_data: bytes) -> bytes:
        """Ciphertext and tag."""

    def decrypt(self, nonce: bytes, data: bytes, associated_data: bytes) -> bytes:
        """The plaintext. Raises `InvalidTag`."""

    def encrypt_into(self, nonce: bytes, data: memoryview, associated_data: bytes, buf: memoryview) -> int:
        """The same as `encrypt`, into `buf`, which is exactly as long as ciphertext and tag: for megabytes, into memory that is used again."""

    def decrypt_into(self, nonce: bytes, data: memoryview, associated_data: bytes, buf: memoryview) -> int:
        """The same as `decrypt`, into `buf`, which is exactly as long as the plaintext. Raises `InvalidTag`."""


class Sm4Gcm:
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

    def encrypt_into(self, nonce: bytes, plaintext: memoryview, aad: bytes, room: memoryview) -> int:
        room[:] = self.encrypt(nonce, plaintext, aad)
        return len(room)

    def decrypt_into(self, nonce: bytes, sealed: memoryview, aad: bytes, room: memoryview) -> int:
        room[:] = self.decrypt(nonce, bytes(sealed), aad)
        return len(room)


#: suite → (its cipher, bytes of a key)
SUITES: dict[int, tuple[Callable[[bytes], Aead], int]] = {AES_256_GCM: (AESGCM, 32), SM4_GCM: (Sm4Gcm, 16)}
