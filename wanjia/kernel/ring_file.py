"""The file of the keyring: keyring.json, replaced whole under a file lock, so that a killed or racing process leaves it whole."""

import fcntl
import json
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from wanjia.kernel.errors import KeyUnavailable
from wanjia.kernel.wrapping import FIRST_FILE, FileWrapper, chosen_wrapper, sync_folder

FORM = 2
RING = "keyring.json"


@dataclass
class Draft:
    """What the file holds, or is about to."""

    kek: str
    entries: list[dict]


class RingFile:
    """The ring as last read: `kek` is the key-encryption key in force, `entries` the data keys in the order they were made.

    An entry has id, purpose, suite, made_at; kek and wrapped until it is destroyed (destroyed_at); replaced_at once a newer one is there.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.kek = ""
        self.entries: list[dict] = []
        self.is_changing = False
        self._lock = threading.RLock()
        self._seen = self._stamp()
        if self._seen is None:
            self._found()
        else:
            self._read()

    def refresh(self) -> bool:
        """Read the file again if it was replaced; whether it was. Raises `KeyUnavailable` when it is gone."""
        with self._lock:
            if self.is_changing:
                return False
            stamp = self._stamp()
            if stamp is None:
                raise KeyUnavailable(reason="keyring.json is gone", folder=str(self.folder))
            if stamp == self._seen:
                return False
            self._seen = stamp
            self._read()
            return True

    @contextmanager
    def changing(self) -> Iterator[Draft]:
        """A draft of the ring, freshly read and this process's alone; when the block ends well it is written and becomes the ring. Not to be nested.

        Other threads go on with the ring as it was: nobody must seal with a key that is not in the file yet.
        """
        with self._lock, open(self.folder / "lock", "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            self.is_changing = True
            try:
                draft = self._content()
                yield draft
                self._write(draft)
            finally:
                self.is_changing = False
            self._seen = self._stamp()
            self._read()

    def _found(self) -> None:
        """Make the ring of a new installation; of two processes starting together one does."""
        with open(self.folder / "lock", "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if self._stamp() is None:
                holder = chosen_wrapper(self.folder)
                waiting = holder.held() if holder.holder == FileWrapper.holder else []
                self._write(Draft(waiting[0] if waiting else holder.make(), []))
            self._seen = self._stamp()
            self._read()

    def _stamp(self) -> tuple[int, int, int] | None:
        try:
            found = (self.folder / RING).stat()
        except FileNotFoundError:
            return None
        # replaced whole each time, so the inode is another one even within one tick of the clock
        return found.st_ino, found.st_mtime_ns, found.st_size

    def _read(self) -> None:
        content = self._content()
        self.kek, self.entries = content.kek, content.entries

    def _content(self) -> Draft:
        try:
            content = json.loads((self.folder / RING).read_text())
        except (OSError, ValueError):
            raise KeyUnavailable(reason="keyring.json is not readable", folder=str(self.folder)) from None
        if isinstance(content, list):  # form 1 knew one key-encryption key
            content = {"kek": FIRST_FILE, "keys": [{"kek": FIRST_FILE, **entry} for entry in content]}
        return Draft(content["kek"], content["keys"])

    def _write(self, draft: Draft) -> None:
        path = self.folder / RING
        temporary = path.with_suffix(".writing")
        with open(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(json.dumps({"form": FORM, "kek": draft.kek, "keys": draft.entries}, indent=1).encode())
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
        # before anybody seals with a key, its place in the ring must outlast a power cut
        sync_folder(self.folder)
