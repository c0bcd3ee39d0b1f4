"""The log's files: written whole or not at all, read from a folder or an address."""

import os
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path
from typing import Protocol

from wanjia.trace.errors import PublicFileMissing

TIMEOUT_SECONDS = 20
#: the longest public file is a checkpoint with many cosignatures; an entry bundle has 8.7 kB
MOST_BYTES = 1 << 20


def write_atomically(path: Path, content: bytes, *, mode: int = 0o644) -> None:
    """Write `content` so that a crash at any moment leaves the old file or the new one, on disk when this returns."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.writing")
    try:
        with open(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode), "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError:
        temporary.unlink(missing_ok=True)
        raise
    handle = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


class Source(Protocol):
    """Where a log's public files are read."""

    def read(self, name: str) -> bytes:
        """The file. Raises `PublicFileMissing`."""


class Folder:
    """Public files in a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def read(self, name: str) -> bytes:
        """The file. Raises `PublicFileMissing`."""
        try:
            return (self._folder / name).read_bytes()
        except OSError:
            raise PublicFileMissing(name=name) from None


class Address:
    """Public files below a URL."""

    def __init__(self, prefix: str) -> None:
        self._prefix = prefix.rstrip("/")

    def read(self, name: str) -> bytes:
        """The file. Raises `PublicFileMissing`."""
        try:
            with urllib.request.urlopen(
                f"{self._prefix}/{urllib.parse.quote(name)}", timeout=TIMEOUT_SECONDS
            ) as answer:
                return answer.read(MOST_BYTES)
        except (OSError, ValueError, urllib.error.URLError):
            raise PublicFileMissing(name=name) from None


def source_at(place: str) -> Source:
    """The public files at `place`, a folder or an http(s) address."""
    return Address(place) if place.startswith(("http://", "https://")) else Folder(Path(place))
