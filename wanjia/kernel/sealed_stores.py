"""What must be made again when a key rotates: every context declares its own in `api.KEYED`, and the job of re-encryption works them off.

A store names the purpose whose keys it uses, tells how much is under which key, and makes what is not under the current key anew in small
transactions. Every value says itself under which key it is, so the work needs no book-keeping to go on after a kill: what is left is what is found.
Rows that somebody else holds are passed over and met again in the next pass; nobody waits for the job longer than one small batch takes.
"""

import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from django.db import connection, transaction

from wanjia.kernel.keyring import BLIND, Keyring
from wanjia.kernel.lake import Lake
from wanjia.kernel.sealing import HEAD, Sealer
from wanjia.kernel.wrapping import sync_folder

ROWS_AT_A_TIME = 2_000
Note = Callable[[int], None]


class KeyedStore(Protocol):
    """Something that depends on the keys of one purpose."""

    name: str
    purpose: str

    def under(self, keyring: Keyring, key_id: int) -> int:
        """How many values are under this key."""

    def remake(self, keyring: Keyring, note: Note) -> int:
        """One pass: make anew what is not under the current key. `note` is told each batch's size in its transaction. Returns how many."""


@dataclass(frozen=True)
class SealedColumn:
    """A column of sealed blobs. `keys` are the primary key's columns with their types; `aad` gives a row's binding from their values."""

    purpose: str
    table: str
    keys: tuple[tuple[str, str], ...]
    column: str
    aad: Callable[..., bytes]

    @property
    def name(self) -> str:
        """Table and column."""
        return f"{self.table}.{self.column}"

    def under(self, keyring: Keyring, key_id: int) -> int:
        """How many blobs name this key."""
        return _count(f"substring({self.column} from 2 for 4) = %s", [key_id.to_bytes(4, "big")], self.table)

    def remake(self, keyring: Keyring, note: Note) -> int:
        """One pass over the table in order of its key."""
        sealer = keyring.sealer(self.purpose)

        def again(row: Sequence[Any]) -> tuple[bytes]:
            *key, blob = row
            place = self.aad(*key)
            return (sealer.seal(sealer.unseal(bytes(blob), place), place),)

        head = keyring.sealer(self.purpose).head
        return _pass_over(
            self.table,
            self.keys,
            reads=[self.column],
            # an empty value stands for none: there is nothing to open
            stale=(f"length({self.column}) > 0 AND substring({self.column} from 1 for {HEAD.size}) <> %s", [head]),
            writes=[(self.column, "bytea")],
            again=again,
            note=note,
        )


@dataclass(frozen=True)
class BlindColumn:
    """A column of keyed hashes and, in `mark`, the key of each (0: the first of its purpose).

    `value` gives what is hashed from a row's `keys` and `reads`; None: it is not known any more, and `forgotten` says what stands instead.
    """

    of: str
    table: str
    keys: tuple[tuple[str, str], ...]
    reads: tuple[str, ...]
    column: str
    mark: str
    value: Callable[..., str | None]
    forgotten: Callable[[], bytes] | None = None
    rows_at_a_time: int = ROWS_AT_A_TIME

    @property
    def name(self) -> str:
        """Table and column."""
        return f"{self.table}.{self.column}"

    @property
    def purpose(self) -> str:
        """The purpose in the ring."""
        return BLIND + self.of

    def under(self, keyring: Keyring, key_id: int) -> int:
        """How many hashes are marked with this key."""
        return _count(f"{self.mark} = ANY(%s)", [marks_of(keyring, self.purpose, key_id)], self.table)

    def remake(self, keyring: Keyring, note: Note) -> int:
        """One pass over the table in order of its key."""
        blinder = keyring.blinder(self.of)

        def again(row: Sequence[Any]) -> tuple[bytes, int]:
            value = self.value(*row)
            return (
                self.forgotten() if value is None and self.forgotten else blinder.blind(value or "")
            ), blinder.key_id

        return _pass_over(
            self.table,
            self.keys,
            reads=list(self.reads),
            stale=(f"{self.mark} <> ALL(%s)", [marks_of(keyring, self.purpose, blinder.key_id)]),
            writes=[(self.column, "bytea"), (self.mark, "integer")],
            again=again,
            note=note,
            rows_at_a_time=self.rows_at_a_time,
        )


@dataclass(frozen=True)
class SealedFile:
    """One sealed file in the key folder; it may not be there yet."""

    purpose: str
    name: str
    place: bytes

    def under(self, keyring: Keyring, key_id: int) -> int:
        """1 when it is under this key."""
        path = keyring.folder / self.name
        return int(path.exists() and HEAD.unpack_from(path.read_bytes())[1] == key_id)

    def remake(self, keyring: Keyring, note: Note) -> int:
        """Seal it again; the file is replaced whole."""
        path, sealer = keyring.folder / self.name, keyring.sealer(self.purpose)
        if not path.exists() or path.read_bytes().startswith(sealer.head):
            return 0
        plain = sealer.unseal(path.read_bytes(), self.place)
        temporary = path.with_name(f"{path.name}.{os.getpid()}.writing")
        with open(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(sealer.seal(plain, self.place))
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
        sync_folder(path.parent)
        note(1)
        return 1


class SealedLake:
    """All files of the lake. One file is one value here; a file may hold frames of two keys when the key rotated while it was written."""

    name, purpose = "lake", "lake"

    def __init__(self, lake: Callable[[], Lake]) -> None:
        self._lake = lake

    def under(self, keyring: Keyring, key_id: int) -> int:
        """How many files have a frame under this key."""
        return sum(key_id in ids for _, ids in self._each())

    def remake(self, keyring: Keyring, note: Note) -> int:
        """One pass over all files."""
        lake, done = self._lake(), 0
        for name, ids in self._each():
            if ids != {_key_id(keyring.sealer(self.purpose))} and lake.reseal(name):
                done += 1
                note(1)
        return done

    def _each(self) -> Iterable[tuple[str, set[int]]]:
        lake = self._lake()
        for name in lake.names():
            if lake.exists(name):
                yield name, lake.key_ids(name)


def marks_of(keyring: Keyring, purpose: str, key_id: int) -> list[int]:
    """The marks that stand for this key: its id, and 0 for the first key of the purpose."""
    first = min(key.id for key in keyring.listed() if key.purpose == purpose)
    return [key_id, 0] if key_id == first else [key_id]


def _key_id(sealer: Sealer) -> int:
    return HEAD.unpack(sealer.head)[1]


def _count(where: str, given: list[Any], table: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(f'SELECT count(*) FROM "{table}" WHERE {where}', given)
        return cursor.fetchone()[0]


def _pass_over(
    table: str,
    keys: Sequence[tuple[str, str]],
    *,
    reads: list[str],
    stale: tuple[str, list[Any]],
    writes: list[tuple[str, str]],
    again: Callable[[Sequence[Any]], Sequence[Any]],
    note: Note,
    rows_at_a_time: int = ROWS_AT_A_TIME,
) -> int:
    names = [name for name, _ in keys]
    listed = ", ".join(f'"{name}"' for name in [*names, *reads])
    place = ", ".join(f'"{name}"' for name in names)
    beyond = f"({place}) > ({', '.join(['%s'] * len(names))})"
    types = [kind for _, kind in [*keys, *writes]]
    incoming = [f"k{number}" for number in range(len(names))] + [f"w{number}" for number in range(len(writes))]
    update = (
        f'UPDATE "{table}" t SET {", ".join(f"{column} = u.w{number}" for number, (column, _) in enumerate(writes))}'
        f" FROM unnest({', '.join(f'%b::{kind}[]' for kind in types)}) u({', '.join(incoming)})"
        f" WHERE {' AND '.join(f't.{name} = u.k{number}' for number, name in enumerate(names))}"
    )
    done, after = 0, None
    while True:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(
                f'SELECT {listed} FROM "{table}" WHERE {stale[0]} {"AND " + beyond if after else ""}'
                f" ORDER BY {place} LIMIT {rows_at_a_time} FOR UPDATE SKIP LOCKED",
                [*stale[1], *(after or [])],
            )
            rows = cursor.fetchall()
            if not rows:
                return done
            made = [(*row[: len(names)], *again(row)) for row in rows]
            cursor.execute(update, [list(column) for column in zip(*made, strict=True)])
            note(len(rows))
        done += len(rows)
        after = list(rows[-1][: len(names)])
