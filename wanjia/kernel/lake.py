"""The lake: files of tables and bytes, every one sealed.

A file is ``WJL1 | frame*``; a frame is ``length (4) | last? (1) | sealed bytes``, at most 8 MiB of plaintext each. The AAD of a frame
holds the file's name, a random file id, the frame's number and whether it is the last, so frames cannot be dropped, reordered, or
moved to another file. Tables are Arrow IPC streams (lz4). Writing is atomic: a temporary file, fsync, then rename; a killed
writer leaves the old file or none. Files are read whole and seldom, so what the system keeps of them in memory is handed back at once.
"""

import fcntl
import io
import os
import struct
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa

from wanjia.kernel.errors import KeyUnavailable, LakeFileDamaged, LakeFileMissing
from wanjia.kernel.keyring import Keyring
from wanjia.kernel.memory import let_go_of_file
from wanjia.kernel.sealing import ADDED_BYTES, HEAD
from wanjia.kernel.wrapping import sync_folder

MAGIC = b"WJL1"
FRAME_BYTES = 8 * 1024 * 1024
FRAME_HEAD = struct.Struct(">I?")
FILE_ID_BYTES = 16
#: a frame sealed or opened; so many rooms are kept to be used again, because fresh memory costs more than the sealing
ROOM_BYTES = FRAME_BYTES + ADDED_BYTES
ROOMS_KEPT = 4
_rooms: list[memoryview] = []
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


def _room() -> memoryview:
    try:
        return _rooms.pop()
    except IndexError:
        return memoryview(bytearray(ROOM_BYTES))


def _give_back(rooms: list[memoryview]) -> None:
    while rooms and len(_rooms) < ROOMS_KEPT:
        _rooms.append(rooms.pop())


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
        self._own = [_room(), _room()]
        self._plain, self._sealed = self._own
        self._held = 0  # bytes of the next frame that lie in `_plain`
        self._number = 0

    def writable(self) -> bool:
        return True

    def write(self, content) -> int:
        left = piece = memoryview(content).cast("B")
        # a full frame waits for what comes after it: it may be the last
        while len(left) + self._held > FRAME_BYTES:
            if not self._held:
                self._frame(left[:FRAME_BYTES], is_last=False)
                left = left[FRAME_BYTES:]
                continue
            taken = FRAME_BYTES - self._held
            self._plain[self._held : FRAME_BYTES] = left[:taken]
            self._frame(self._plain[:FRAME_BYTES], is_last=False)
            self._held, left = 0, left[taken:]
        self._plain[self._held : self._held + len(left)] = left
        self._held += len(left)
        return len(piece)

    def _frame(self, plaintext: memoryview, *, is_last: bool) -> None:
        aad = _frame_aad(self._name, self._file_id, self._number, is_last)
        blob = self._sealer.seal_into(self._sealed, plaintext, aad)
        self._file.write(FRAME_HEAD.pack(len(blob), is_last))
        self._file.write(blob)
        self._number += 1

    def __enter__(self) -> "_SealedWriter":
        return self

    def __exit__(self, kind, *_) -> None:
        try:
            if kind is None:
                self._frame(self._plain[: self._held], is_last=True)
                self._file.flush()
                os.fsync(self._file.fileno())
                let_go_of_file(self._file.fileno())
                self._file.close()
                with self._lake._renaming():
                    if self._instead_of is None or _inode(self._path) == self._instead_of:
                        self._temporary.replace(self._path)
                        self.is_in_place = True
                sync_folder(self._path.parent)
        finally:
            self._file.close()
            self._temporary.unlink(missing_ok=True)
            _give_back(self._own)


class _SealedReader(io.RawIOBase):
    """A file object that opens sealed frames as it is read, and refuses a file that does not end with its last frame."""

    def __init__(self, lake: Lake, name: str) -> None:
        self._sealer, self._name = lake._sealer, name
        self._own: list[memoryview] = []  # none yet for a file that proves damaged
        try:
            self._file = open(lake._path(name), "rb")
        except FileNotFoundError:
            raise LakeFileMissing(name=name) from None
        head = self._file.read(len(MAGIC) + FILE_ID_BYTES)
        if len(head) != len(MAGIC) + FILE_ID_BYTES or not head.startswith(MAGIC):
            self._file.close()
            raise LakeFileDamaged(name=name)
        self._file_id = head[len(MAGIC) :]
        self._own += [_room(), _room()]
        self._sealed, self._plain = self._own
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
        wanted = size if size >= 0 else sys.maxsize
        if wanted <= len(self._held):
            return bytes(self._taken(wanted))
        # gathered in one place: what lies in a room is gone with the next frame
        found = io.BytesIO()
        while wanted > 0 and (self._held or not self._ended):
            if not self._held:
                self._next_frame()
            wanted -= found.write(self._taken(wanted))
        return found.getvalue()

    def _taken(self, count: int) -> memoryview:
        taken, self._held = self._held[:count], self._held[count:]
        return taken

    def _next_frame(self) -> None:
        head = self._file.read(FRAME_HEAD.size)
        if len(head) != FRAME_HEAD.size:
            raise LakeFileDamaged(name=self._name)
        length, is_last = FRAME_HEAD.unpack(head)
        # a damaged length must not make us ask for gigabytes
        blob = self._sealed[: min(length, ROOM_BYTES)]
        if self._file.readinto(blob) != length or (is_last and self._file.read(1)):
            raise LakeFileDamaged(name=self._name)
        aad = _frame_aad(self._name, self._file_id, self._number, is_last)
        try:
            self._held = self._sealer.unseal_into(self._plain, blob, aad)
        except KeyUnavailable:
            raise LakeFileDamaged(name=self._name) from None
        self._ended = is_last
        self._number += 1

    def close(self) -> None:
        if not self._file.closed:
            let_go_of_file(self._file.fileno())
        self._file.close()
        self._held = memoryview(b"")
        _give_back(self._own)
        super().close()
