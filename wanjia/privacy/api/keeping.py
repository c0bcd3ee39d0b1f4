"""Dossiers into the vault and values into the search index, a country's at a time: sealed and hashed in lists, written by binary COPY."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import datetime
from typing import Any

import numpy as np
import pyarrow as pa
from django.db import connection

from wanjia.kernel import settings
from wanjia.kernel.ahead import Ahead, ahead
from wanjia.kernel.blinding import BLIND_BYTES, Blinder
from wanjia.kernel.database import copy_binary, filled_anew
from wanjia.kernel.keyring import Keyring
from wanjia.kernel.table_files import let_go_behind
from wanjia.privacy.adapters import (
    BLIND_ROW_BYTES,
    BLIND_ROWS_HELD,
    blind_keys,
    moment,
    one_by_one,
    texts,
    vault_rows,
)
from wanjia.privacy.api.amending import AmendmentIndex
from wanjia.privacy.api.blinding import ROWS_AT_A_TIME, ByKind, blind_pieces, blind_purpose, kinds_in
from wanjia.privacy.models import BlindKind
from wanjia.privacy.rules import FORM

VAULT = "privacy_vaultentry"
PURPOSE = "vault"
LIKENESS = "vault-likeness"
# about three quarters of a million sealed dossiers wait for the database at most
MADE_AHEAD_BYTES = 600_000_000
VAULT_COLUMNS = ("person_id", "version", "known_from", "likeness", "likeness_key", "blob")
BLIND_COLUMNS = ("person_id", "kind", "blind", "blind_key")


def vault_aad(person_id: int, version: int) -> bytes:
    """What binds a blob to its place: table, column, row, version."""
    return b"privacy_vaultentry|blob|%d|%d" % (person_id, version)


class VaultChange:
    """How many dossiers a load added, replaced, closed and left as they were."""

    def __init__(self) -> None:
        self.added = self.replaced = self.closed = self.unchanged = 0
        self._touched: list[np.ndarray] = []

    def touch(self, persons: np.ndarray) -> None:
        """Note whose dossiers were added, replaced or closed."""
        self._touched.append(persons)

    def touched(self) -> np.ndarray:
        """The persons whose dossiers were added, replaced or closed."""
        return np.concatenate(self._touched) if self._touched else np.zeros(0, np.int64)

    def counts(self) -> dict[str, int]:
        """The counts as a plain mapping."""
        return {name: count for name, count in vars(self).items() if not name.startswith("_")}


Batches = Iterable[pa.Table | pa.RecordBatch]


def keep_dossiers(batches: Batches, *, at: datetime, only: Sequence[int] | None = None) -> VaultChange:
    """Seal the dossiers in `batches` (person_id int64, dossier text: see `rules`) into the vault, as known from `at`.

    Unchanged dossiers are not touched; a changed one gets its next version. Persons without a dossier now (of `only`, or of the whole vault) have
    theirs closed. Must run in the caller's transaction.
    """
    with connection.cursor() as cursor:
        before = _current_versions(cursor, only)
        change = VaultChange()
        _write_dossiers(
            cursor, _sealed(batches, before, Keyring.open(settings.home()), moment(at), change), before, change, at
        )
    return change


def keep_searchable(values: pa.Table, *, only: Sequence[int] | None = None) -> int:
    """Replace the blind indexes (of the persons `only`, or all) by those of `values` (person_id, kind, value). Returns how many."""
    with connection.cursor() as cursor:
        return _write_searchable(cursor, blind_pieces(kinds_in(values), Keyring.open(settings.home())), only)


def lacks_searchable() -> bool:
    """Whether the search index was made before there were initials in it, or a door's blind began with its place's: then it must be made anew."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT EXISTS (SELECT FROM privacy_blindindex WHERE kind = %s) OR EXISTS (SELECT FROM privacy_blindindex WHERE kind = %s)"
            " AND NOT EXISTS (SELECT FROM privacy_blindindex WHERE kind = %s)",
            # pushes take such rows from single persons; the last of them go with the whole
            [BlindKind.PLACE, BlindKind.PINYIN, BlindKind.INITIALS],
        )
        return bool(cursor.fetchone()[0])


class Keeping:
    """What `keeping` gives: dossiers and look-up values on their way into the vault and the search index."""

    pieces: Ahead[bytes | None]

    def __init__(
        self, cursor: Any, searchable: Callable[[], ByKind], before: "_Versions", change: VaultChange, at: datetime
    ) -> None:
        self._cursor, self._searchable, self._before, self._change, self._at = cursor, searchable, before, change, at
        #: the vault's table while it is filled for the first time
        self.filling, self._is_filling = ExitStack(), False

    @property
    def is_first(self) -> bool:
        """Whether the vault holds nothing yet: then look-up values are hashed first, and `searchable` comes before `dossiers`; else after."""
        return self._before.is_vault_empty

    def dossiers(self) -> VaultChange:
        """Write the dossiers; see `keep_dossiers`."""
        if self.is_first:
            self._fill(waits=True)
            self.filling.close()
        else:
            _write_dossiers(self._cursor, self._next_pieces(waits=True), self._before, self._change, self._at)
        return self._change

    def searchable(self) -> int:
        """Replace the search index; see `keep_searchable`."""
        if self.is_first:
            # sealed dossiers have limited room to wait in: they are written whenever there are any, so that sealing goes on
            return _write_searchable(self._cursor, self._next_pieces(waits=True), None, between=self._write_waiting)
        # until the thread is done with everything the engine is not ours
        for _ in self.pieces:
            pass
        return _write_searchable(self._cursor, blind_pieces(self._searchable(), Keyring.open(settings.home())), None)

    def _write_waiting(self) -> None:
        if self.pieces.has_made():
            self._fill(waits=False)

    def _fill(self, *, waits: bool) -> None:
        if not self._is_filling:
            self.filling.enter_context(filled_anew(self._cursor, VAULT, in_order=True))
            self._is_filling = True
        pieces = let_go_behind(self._cursor, VAULT, self._next_pieces(waits=waits))
        copy_binary(self._cursor, VAULT, VAULT_COLUMNS, pieces, is_anew=True)

    def _next_pieces(self, *, waits: bool) -> Iterator[bytes]:
        """The pieces of one kind, to their end, or (not `waits`) as far as they are made."""
        while waits or self.pieces.has_made():
            if (piece := next(self.pieces, None)) is None:
                return
            yield piece


@contextmanager
def keeping(
    batches: Batches, searchable: Callable[[], ByKind], *, at: datetime, beside: Callable[[], None] | None = None
) -> Iterator[Keeping]:
    """Keep everybody's dossiers (see `keep_dossiers`) and look-up values; they are sealed and hashed from now on, while the caller and the
    database are busy with other tables. `searchable` gives (kind, its (person_id, value)) in the order of the kinds' numbers, each kind once, as
    late as it is asked for. `beside` is called last, by the same thread, while the database still writes; it raises nothing.

    Inside the block nobody else may use the engine that makes `batches` and values.
    """
    keyring = Keyring.open(settings.home())
    change = VaultChange()

    def pieces(before: "_Versions") -> Iterator[bytes | None]:
        # the search index has the longest to build, and dossiers are sealed meanwhile. But a vault that holds something may turn out to hold all of
        # it already: then the search index stands as it is
        if before.is_vault_empty:
            yield from blind_pieces(searchable(), keyring)
            yield None
        yield from _sealed(batches, before, keyring, moment(at), change)
        yield None
        if beside is not None:
            beside()

    with connection.cursor() as cursor:
        before = _current_versions(cursor, None)
        kept = Keeping(cursor, searchable, before, change, at)
        making = ahead(pieces(before), size=lambda piece: len(piece or b""), room=MADE_AHEAD_BYTES)
        with making as kept.pieces, kept.filling:
            yield kept


def _write_dossiers(
    cursor: Any, sealed: Iterable[bytes], before: "_Versions", change: VaultChange, at: datetime
) -> None:
    if before.is_vault_empty:
        with filled_anew(cursor, VAULT, in_order=True):
            copy_binary(cursor, VAULT, VAULT_COLUMNS, sealed, is_anew=True)
        return
    # it stays with the connection, empty: made and dropped for each push it would cost PostgreSQL's catalogue more than its rows
    cursor.execute("CREATE TEMP TABLE IF NOT EXISTS vault_incoming (LIKE privacy_vaultentry) ON COMMIT DELETE ROWS")
    copy_binary(cursor, "vault_incoming", VAULT_COLUMNS, sealed)
    gone = _close_gone(cursor, before, at)
    change.closed = len(gone)
    change.touch(gone)
    cursor.execute(
        "UPDATE privacy_vaultentry v SET known_to = %s FROM vault_incoming i"
        " WHERE v.person_id = i.person_id AND v.known_to IS NULL",
        [at],
    )
    cursor.execute("INSERT INTO privacy_vaultentry SELECT * FROM vault_incoming")
    cursor.execute("TRUNCATE vault_incoming" if before.is_many else "DELETE FROM vault_incoming")


def _write_searchable(
    cursor: Any, pieces: Iterable[bytes], only: Sequence[int] | None, *, between: Callable[[], None] | None = None
) -> int:
    count = 0

    def counted() -> Iterator[bytes]:
        nonlocal count
        for piece in pieces:
            count += len(piece) // BLIND_ROW_BYTES
            yield piece

    if only is not None:
        _write_difference(cursor, one_by_one(b"".join(counted())), only)
        return count
    with filled_anew(cursor, "privacy_blindindex", between=between):
        copy_binary(cursor, "privacy_blindindex", BLIND_COLUMNS, counted(), is_anew=True)
    AmendmentIndex(blind_purpose(BlindKind.DOOR)).remake(Keyring.open(settings.home()), lambda count: None)
    return count


def _write_difference(cursor: Any, wanted: set[bytes], only: Sequence[int]) -> None:
    """Make `wanted` (rows in binary form) the index rows of the persons `only`: what somebody is looked for by seldom changes with a record."""
    cursor.execute(BLIND_ROWS_HELD, [list(only)])
    held = one_by_one(bytes(cursor.fetchone()[0] or b""))
    if gone := list(held - wanted):
        cursor.execute(
            "DELETE FROM privacy_blindindex b USING unnest(%s::bigint[], %s::int[], %s::bytea[]) g(person_id, kind, blind)"
            " WHERE b.person_id = g.person_id AND b.kind = g.kind AND b.blind = g.blind",
            list(blind_keys(gone)),
        )
    if fresh := wanted - held:
        copy_binary(cursor, "privacy_blindindex", BLIND_COLUMNS, fresh)


class _Versions:
    """The newest version and likeness of many persons, in sorted arrays (a dict of a million would take four times the memory).

    A person who left has no likeness, so that coming back makes the next version.
    """

    def __init__(self, rows: list[tuple[int, int, bytes | None]], is_vault_empty: bool) -> None:
        self.persons = np.array([row[0] for row in rows], np.int64)
        self.versions = np.array([row[1] for row in rows], np.int32)
        self.likenesses = _halves(b"".join(bytes(row[2]) if row[2] else _NO_LIKENESS for row in rows))
        self.is_current = np.array([row[2] is not None for row in rows], bool)
        self.seen = np.zeros(len(rows), bool)
        self.is_vault_empty = is_vault_empty
        self.is_many = len(rows) > ROWS_AT_A_TIME

    def places_of(self, persons: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(where each person is here, is the person here at all); a place means nothing where the person is not here."""
        if not len(self.persons):
            return np.zeros(len(persons), np.int64), np.zeros(len(persons), bool)
        places = np.minimum(np.searchsorted(self.persons, persons), len(self.persons) - 1)
        return places, self.persons[places] == persons


_NO_LIKENESS = bytes(BLIND_BYTES)


def _halves(hashes: bytes) -> np.ndarray:
    """Hashes of 16 bytes each as an array (n, 2) of whole numbers, to be compared all at once."""
    return np.frombuffer(hashes, np.uint64).reshape(-1, 2)


def _current_versions(cursor, only: Sequence[int] | None) -> _Versions:
    cursor.execute("SELECT NOT EXISTS (SELECT FROM privacy_vaultentry)")
    is_empty = cursor.fetchone()[0]
    rows: list = []
    if not is_empty:
        cursor.execute(
            "SELECT DISTINCT ON (person_id) person_id, version, CASE WHEN known_to IS NULL THEN likeness END FROM privacy_vaultentry"
            " WHERE %(all)s OR person_id = ANY(%(only)s) ORDER BY person_id, version DESC",
            {"all": only is None, "only": list(only or [])},
        )
        rows = cursor.fetchall()
    return _Versions(rows, is_empty)


def _sealed(
    batches: Iterable[pa.Table | pa.RecordBatch],
    before: _Versions,
    keyring: Keyring,
    known_from: int,
    change: VaultChange,
) -> Iterator[bytes]:
    """Binary COPY pieces of the dossiers that are not in the vault as they are."""
    sealer = keyring.sealer(PURPOSE)
    likeness_of, *older = keyring.blinders(LIKENESS)
    for batch in batches:
        for start in range(0, batch.num_rows, ROWS_AT_A_TIME):
            piece = batch.slice(start, ROWS_AT_A_TIME)
            persons = np.asarray(piece["person_id"])
            said = texts(piece["dossier"])
            likenesses = likeness_of.blind_many(said)
            places, is_known = before.places_of(persons)
            is_same = _is_same(before, places, is_known, said, likenesses, older)
            before.seen[places[is_known]] = True
            chosen = np.flatnonzero(~is_same)
            versions = np.ones(len(persons), np.int32)
            versions[is_known] = before.versions[places[is_known]] + 1
            change.unchanged += len(persons) - len(chosen)
            change.replaced += int(np.count_nonzero(is_known & ~is_same))
            change.added += int(np.count_nonzero(~is_known))
            change.touch(persons[chosen])
            if len(chosen) < len(persons):
                persons, versions, said = persons[chosen], versions[chosen], [said[n] for n in chosen.tolist()]
                likenesses = _halves(likenesses)[chosen].tobytes()
            aads = [vault_aad(*one) for one in zip(persons.tolist(), versions.tolist(), strict=True)]
            blobs = sealer.seal_many([FORM + one for one in said], aads)
            yield vault_rows(persons, versions, known_from, likenesses, likeness_of.key_id, blobs)


def _is_same(
    before: _Versions,
    places: np.ndarray,
    is_known: np.ndarray,
    said: list[bytes],
    likenesses: bytes,
    older: Sequence[Blinder],
) -> np.ndarray:
    """Which dossiers are in the vault as they are: by their likeness under the current key, or an older one."""
    is_same = np.zeros(len(said), bool)
    compared = np.flatnonzero(is_known)
    compared = compared[before.is_current[places[compared]]]
    held = before.likenesses[places[compared]]
    is_same[compared] = (_halves(likenesses)[compared] == held).all(axis=1)
    for key in older:
        rest = np.flatnonzero(~is_same[compared])
        again = _halves(key.blind_many([said[n] for n in compared[rest].tolist()]))
        is_same[compared[rest]] = (again == held[rest]).all(axis=1)
    return is_same


def _close_gone(cursor, before: _Versions, at: datetime) -> np.ndarray:
    gone = before.persons[~before.seen & before.is_current]
    if len(gone):
        cursor.execute(
            "UPDATE privacy_vaultentry SET known_to = %s WHERE known_to IS NULL AND person_id = ANY(%s)",
            [at, gone.tolist()],
        )
    return gone
