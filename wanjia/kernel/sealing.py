"""Sealing under the keys of a ring: what a blob looks like, and the object that seals and opens for one purpose (see keyring.py)."""

import os
import struct
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from cryptography.exceptions import InvalidTag

from wanjia.kernel.errors import KeyUnavailable
from wanjia.kernel.suites import NONCE_BYTES, TAG_BYTES, Aead

if TYPE_CHECKING:
    from wanjia.kernel.keyring import Keyring

HEAD = struct.Struct(">BI")
HEAD_BYTES = HEAD.size + NONCE_BYTES
#: by so many bytes a blob is longer than what is sealed in it
ADDED_BYTES = HEAD_BYTES + TAG_BYTES
#: a process notices a rotation within this time; a key is destroyed only long after
LOOK_SECONDS = 1.0


class Sealer:
    """Seals and opens for one purpose with the key objects kept ready: for millions of small blobs, and for large ones piece by piece."""

    def __init__(self, keyring: "Keyring", purpose: str) -> None:
        self._keyring = keyring
        self._purpose = purpose
        self._follow()

    @property
    def head(self) -> bytes:
        """The first five bytes of what is sealed now: suite and key."""
        return self._head

    def seal(self, plaintext: bytes, aad: bytes) -> bytes:
        """Encrypt `plaintext`, bound to `aad`."""
        if time.monotonic() >= self._look_at:
            self._follow()
        nonce = os.urandom(NONCE_BYTES)
        return self._head + nonce + self._aead.encrypt(nonce, plaintext, aad)

    def seal_many(self, plaintexts: Sequence[bytes], aads: Sequence[bytes]) -> list[bytes]:
        """Encrypt each, bound to its `aad`, all under one key: for pieces of some ten thousand values."""
        if time.monotonic() >= self._look_at:
            self._follow()
        head, encrypt = self._head, self._aead.encrypt
        drawn = os.urandom(NONCE_BYTES * len(plaintexts))
        nonces = [drawn[at : at + NONCE_BYTES] for at in range(0, len(drawn), NONCE_BYTES)]
        return [
            head + nonce + encrypt(nonce, plaintext, aad)
            for nonce, plaintext, aad in zip(nonces, plaintexts, aads, strict=True)
        ]

    def seal_into(self, room: memoryview, plaintext: memoryview, aad: bytes) -> memoryview:
        """Encrypt `plaintext` into `room`; the part of it that is the blob. For megabytes: fresh memory costs more than encrypting does."""
        if time.monotonic() >= self._look_at:
            self._follow()
        blob = room[: len(plaintext) + ADDED_BYTES]
        nonce = os.urandom(NONCE_BYTES)
        blob[:HEAD_BYTES] = self._head + nonce
        self._aead.encrypt_into(nonce, plaintext, aad, blob[HEAD_BYTES:])
        return blob

    def unseal(self, blob: bytes, aad: bytes) -> bytes:
        """Open `blob`. Raises `KeyUnavailable` when it was altered, moved, or sealed under a key that is gone."""
        aead = self._aead_of(blob)
        try:
            return aead.decrypt(bytes(blob[HEAD.size : HEAD_BYTES]), bytes(blob[HEAD_BYTES:]), aad)
        except InvalidTag:
            raise self._altered() from None

    def unseal_into(self, room: memoryview, blob: memoryview, aad: bytes) -> memoryview:
        """Open `blob` into `room`; the part of it that was sealed. Raises as `unseal` does; then `room` holds nothing to go by."""
        aead = self._aead_of(blob)
        plaintext = room[: len(blob) - ADDED_BYTES]
        try:
            aead.decrypt_into(bytes(blob[HEAD.size : HEAD_BYTES]), blob[HEAD_BYTES:], aad, plaintext)
        except InvalidTag:
            raise self._altered() from None
        return plaintext

    def _aead_of(self, blob: bytes | memoryview) -> Aead:
        if len(blob) < ADDED_BYTES:
            raise KeyUnavailable(reason="a sealed value is cut short", folder=str(self._keyring.folder))
        if blob[: HEAD.size] == self._head:
            return self._aead
        return self._keyring._named(self._purpose, bytes(blob[: HEAD.size]))

    def _altered(self) -> KeyUnavailable:
        return KeyUnavailable(reason="a sealed value was altered or moved", folder=str(self._keyring.folder))

    def _follow(self) -> None:
        """Seal with the key that is current now."""
        self._keyring._look()
        self._look_at = time.monotonic() + LOOK_SECONDS
        suite, key_id, self._aead = self._keyring._current(self._purpose)
        self._head = HEAD.pack(suite, key_id)
