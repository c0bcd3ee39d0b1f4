"""The lake: files of tables and bytes, every one sealed.

A file is ``WJL1 | frame*``; a frame is ``length (4) | last? (1) | sealed bytes``, at most 8 MiB of plaintext each. The AAD of a frame
holds the file's name, a random file id, the frame's number and whether it is the last, so frames cannot be dropped, reordered, or
moved to another file. Tables are Arrow IPC streams (lz4). Writing is atomic: a temporary file, fsync, then rename; a killed
writer leaves the old file or none.
"""

import fcntl
import io
import os
import struct
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa

from wanjia.kernel.errors import KeyUnavailable, LakeFileDamaged, LakeFileMissing
from wanjia.kernel.keyring import HEAD, Keyring
from wanjia.kernel.wrapping import sync_folder

MAGIC = b"WJL1"
FRAME_BYTES = 8 * 1024 * 1024
FRAME_HEAD = struct.Struct(">I?")
FILE_ID_BYTES = 16
SUFFIX = ".sealed"


class Lake:
    """Sealed files under one folder. Names are like "assertions/17"; they must hold no personal value."""

    def __init__(self, folder: Path, keyring: Keyring) -> None:
        self.folder = folder
        self._sealer = keyring.sealer("lake")

    @classmethod
    def open(cls, home: Path) -> "Lake":
        """The lake of the installation at `home`; made on first use."""
        folder = home / "lake"
        folder.mkdir(parents=True, exist_ok=True)
        return cls(folder, Keyring.open(home))

    def write(self, name: str, table: pa.Table | Iterable[pa.RecordBatch]) -> None:
        """Write a table (or a stream of record batches, all of one schema) as `name`, replacing what was there."""
        if isinstance(table, pa.Table):
            schema, batches = table.schema, iter(table.to_batches(max_chunksize=200_000))
        else:
            schema, batches = _schema_of(table)
        with _SealedWriter(self, name) as sink:
            options = pa.ipc.IpcWriteOptions(compression="lz4")
            with pa.ipc.new_stream(pa.PythonFile(sink, mode="w"), schema, options=options) as stream:
                for batch in batches:
                    stream.write_batch(batch)

    def read(self, name: str) -> pa.Table:
        """The whole table `name`. Raises `LakeFileMissing`, `LakeFileDamaged`."""
        source = _SealedReader(self, name)
        with source, pa.ipc.open_stream(pa.PythonFile(source, mode="r")) as stream:
            return stream.read_all()

    def write_bytes(self, name: str, content: bytes | io.BufferedIOBase) -> None:
        """Write bytes, or everything a binary file still holds, as `name`."""
        with _SealedWriter(self, name) as sink:
            if isinstance(content, bytes | bytearray | memoryview):
                sink.write(content)
            else:
                while piece := content.read(FRAME_BYTES):
                    sink.write(piece)

    def read_bytes(self, name: str) -> bytes:
        """All bytes of `name`. Raises `LakeFileMissing`, `LakeFileDamaged`."""
        with _SealedReader(self, name) as source:
            return source.read()

    def exists(self, name: str) -> bool:
        """Is there a file `name`?"""
        return self._path(name).exists()

    def names(self, prefix: str = "") -> list[str]:
        """All names that start with `prefix`, in order."""
        found = (str(p.relative_to(self.folder))[: -len(SUFFIX)] for p in self.folder.rglob(f"*{SUFFIX}"))
        return sorted(name for name in found if name.startswith(prefix))

    def delete(self, name: str) -> None:
        """Remove `name`; nothing happens when it is not there."""
        with self._renaming():
            self._path(name).unlink(missing_ok=True)

    def key_ids(self, name: str) -> set[int]:
        """The data keys under which the frames of `name` are sealed; nothing is opened. Raises `LakeFileMissing`, `LakeFileDamaged`."""
        with _SealedReader(self, name) as source:
            return source.key_ids()

    def reseal(self, name: str) -> bool:
        """Seal `name` again under the current key. False when it was replaced or deleted meanwhile: then nothing was done.

        Readers go on with the file they opened. Raises `LakeFileDamaged`: what does not open is left as it is.
        """
        try:
            source = _SealedReader(self, name)
        except LakeFileMissing:
            return False
        with source, _SealedWriter(self, name, instead_of=source.inode) as sink:
            while piece := source.read(FRAME_BYTES):
                sink.write(piece)
        return sink.is_in_place

    def unfinished(self) -> list[str]:
        """Files that living processes are writing now."""
        found = (path.name.split(".")[-2] for path in self.folder.rglob("*.writing"))
        return [pid for pid in found if pid.isdigit() and Path(f"/proc/{pid}").exists()]

    @contextmanager
    def _renaming(self) -> Iterator[None]:
        """One at a time: a file sealed again must not take the place of a newer one, nor bring a deleted one back."""
        with open(self.folder / ".lock", "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _path(self, name: str) -> Path:
        parts = name.split("/")
        if not name or any(part in ("", ".", "..") for part in parts):
            raise ValueError(f"not a lake name: {name!r}")
        return self.folder.joinpath(*parts[:-1], parts[-1] + SUFFIX)


def _schema_of(batches: Iterable[pa.RecordBatch]) -> tuple[pa.Schema, Iterator[pa.RecordBatch]]:
    if isinstance(batches, pa.RecordBatchReader):
        return batches.schema, iter(batches)
    batches = iter(batches)
    try:
        first = next(batches)
    except StopIteration:
        raise ValueError("a stream of no batches has no schema: write an empty table instead") from None

    def chained() -> Iterator[pa.RecordBatch]:
        yield first
        yield from batches

    return first.schema, chained()


def _frame_aad(name: str, file_id: bytes, number: int, is_last: bool) -> bytes:
    return f"lake|{name}|{number}|{int(is_last)}|".encode() + file_id


def _inode(path: Path) -> int | None:
    try:
        return path.stat().st_ino
    except FileNotFoundError:
        return None


class _SealedWriter(io.RawIOBase):
    """A file object that seals what is written; the file appears under its name only when the block ends well."""

    def __init__(self, lake: Lake, name: str, *, instead_of: int | None = None) -> None:
        self._lake, self._sealer, self._name = lake, lake._sealer, name
        self._instead_of = instead_of
        self.is_in_place = False
        self._path = lake._path(name)
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._temporary = self._path.with_name(f"{self._path.name}.{os.getpid()}.writing")
        self._file = open(self._temporary, "wb")
        self._file_id = os.urandom(FILE_ID_BYTES)
        self._file.write(MAGIC + self._file_id)
        self._held = bytearray()
        self._number = 0

    def writable(self) -> bool:
        return True

    def write(self, content) -> int:
        piece = memoryview(content).cast("B")
        self._held += piece
        while len(self._held) > FRAME_BYTES:
            self._frame(bytes(self._held[:FRAME_BYTES]), is_last=False)
            del self._held[:FRAME_BYTES]
        return len(piece)

    def _frame(self, plaintext: bytes, *, is_last: bool) -> None:
        blob = self._sealer.seal(plaintext, _frame_aad(self._name, self._file_id, self._number, is_last))
        self._file.write(FRAME_HEAD.pack(len(blob), is_last))
        self._file.write(blob)
        self._number += 1

    def __enter__(self) -> "_SealedWriter":
        return self

    def __exit__(self, kind, *_) -> None:
        try:
            if kind is None:
                self._frame(bytes(self._held), is_last=True)
                self._file.flush()
                os.fsync(self._file.fileno())
                self._file.close()
                with self._lake._renaming():
                    if self._instead_of is None or _inode(self._path) == self._instead_of:
                        self._temporary.replace(self._path)
                        self.is_in_place = True
                sync_folder(self._path.parent)
        finally:
            self._file.close()
            self._temporary.unlink(missing_ok=True)


class _SealedReader(io.RawIOBase):
    """A file object that opens sealed frames as it is read, and refuses a file that does not end with its last frame."""

    def __init__(self, lake: Lake, name: str) -> None:
        self._sealer, self._name = lake._sealer, name
        try:
            self._file = open(lake._path(name), "rb")
        except FileNotFoundError:
            raise LakeFileMissing(name=name) from None
        head = self._file.read(len(MAGIC) + FILE_ID_BYTES)
        if len(head) != len(MAGIC) + FILE_ID_BYTES or not head.startswith(MAGIC):
            self._file.close()
            raise LakeFileDamaged(name=name)
        self._file_id = head[len(MAGIC) :]
        self._held = memoryview(b"")
        self._number = 0
        self._ended = False

    @property
    def inode(self) -> int:
        """Which file this is, whatever its name stands for by now."""
        return os.fstat(self._file.fileno()).st_ino

    def key_ids(self) -> set[int]:
        """The key each frame names, read from the frames' heads alone."""
        found, is_last = set(), False
        while not is_last:
            head = self._file.read(FRAME_HEAD.size + HEAD.size)
            if len(head) != FRAME_HEAD.size + HEAD.size:
                raise LakeFileDamaged(name=self._name)
            length, is_last = FRAME_HEAD.unpack_from(head)
            found.add(HEAD.unpack_from(head, FRAME_HEAD.size)[1])
            self._file.seek(length - HEAD.size, os.SEEK_CUR)
        return found

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        pieces, wanted = [], size
        while wanted != 0:
            if not self._held:
                if self._ended:
                    break
                self._next_frame()
                continue
            piece = self._held[:wanted] if wanted > 0 else self._held
            self._held = self._held[len(piece) :]
            pieces.append(piece)
            if wanted > 0:
                wanted -= len(piece)
        return b"".join(pieces)

    def _next_frame(self) -> None:
        head = self._file.read(FRAME_HEAD.size)
        if len(head) != FRAME_HEAD.size:
            raise LakeFileDamaged(name=self._name)
        length, is_last = FRAME_HEAD.unpack(head)
        # a damaged length must not make us ask for gigabytes
        blob = self._file.read(min(length, 2 * FRAME_BYTES))
        if len(blob) != length or (is_last and self._file.read(1)):
            raise LakeFileDamaged(name=self._name)
        try:
            plaintext = self._sealer.unseal(blob, _frame_aad(self._name, self._file_id, self._number, is_last))
        except KeyUnavailable:
            raise LakeFileDamaged(name=self._name) from None
        self._held, self._ended = memoryview(plaintext), is_last
        self._number += 1

    def close(self) -> None:
        self._file.close()
        super().close()
