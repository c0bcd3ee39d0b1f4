"""Rows held in memory and found by a whole-number id or by what they say, for work on a few rows of very many.

A row is read by its place in an Arrow table, so reading a hundred costs the same among a thousand as among a million; an engine would
read every column of all of them. Rows are found by a value in a sorted list of hashes, for the same reason.
"""

from collections.abc import Iterable, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

PIECES_KEPT = 16
MOST_GONE = 50_000


class Held:
    """A table's rows by its column `key` (int64, each value once), and by the values of the columns `sought`. Not for several threads."""

    def __init__(self, table: pa.Table, key: str, *, sought: Sequence[str] = ()) -> None:
        self._key, self._sought = key, tuple(sought)
        self._begin(table)

    def _begin(self, table: pa.Table) -> None:
        """Sort the rows in: those that came first lie in one table in the order of ids, those that came since in another, as they came."""
        self._first = table.take(pc.sort_indices(table[self._key])).combine_chunks()
        self._ids = np.asarray(self._first[self._key])
        self._is_there = np.ones(len(self._ids), bool)
        self._since = self._first.slice(0, 0)
        self._place: dict[int, int] = {}
        self._by_value = {column: _Sorted(self._first[column]) for column in self._sought}
        # of the rows that came since: column → hash → ids, and id → its hashes, so that they can be taken out again
        self._later_ids: dict[str, dict[int, set[int]]] = {column: {} for column in self._sought}
        self._later_hashes: dict[int, list[int | None]] = {}

    @property
    def columns(self) -> list[str]:
        """The names of all columns."""
        return self._since.column_names

    def table(self) -> pa.Table:
        """All rows."""
        since = self._since.take(pa.array(sorted(self._place.values()), pa.int64()))
        return _together(self._first.filter(pa.array(self._is_there)), since)

    def rows(self, ids: Iterable[int], columns: Sequence[str] | None = None) -> pa.Table:
        """Those of the rows with these ids that there are, in no order; all columns, or those named."""
        wanted = _ids_of(ids)
        first, since = (
            table if columns is None else table.select(list(columns)) for table in (self._first, self._since)
        )
        places = self._places(wanted)
        later = [self._place[one] for one in wanted.tolist() if one in self._place]
        # to take nothing from a wide table costs as much as to take something
        if not later and first.schema == since.schema:
            return first.take(pa.array(places)) if len(places) else first.slice(0, 0)
        if not len(places):
            return since.take(pa.array(later, pa.int64()))
        return _together(first.take(pa.array(places)), since.take(pa.array(later, pa.int64())))

    def matches(self, column: str, values: pa.Array | pa.ChunkedArray) -> tuple[np.ndarray, np.ndarray]:
        """Rows whose `column`, one of those sought, says one of `values`: (place in `values`, id of the row), each pair once.

        Whole numbers match exactly. Texts are compared by a hash of 64 bits: whoever cannot bear a wrong row in 10^18 compares again.
        A null matches nothing.
        """
        hashes, filled = _hashes(values)
        asked, places = self._by_value[column].matches(hashes)
        there = self._is_there[places]
        asked, found = asked[there], self._ids[places[there]]
        later = self._later_ids[column]
        more = [(at, one) for at, value in enumerate(hashes.tolist()) for one in later.get(value, ())] if later else []
        if more:
            asked = np.concatenate([asked, np.fromiter((at for at, _ in more), np.int64)])
            found = np.concatenate([found, np.fromiter((one for _, one in more), np.int64)])
        return filled[asked], found

    def find(self, column: str, values: pa.Array | pa.ChunkedArray) -> np.ndarray:
        """The ids of `matches`, each once, in order."""
        return np.unique(self.matches(column, values)[1])

    def replace(self, gone: Iterable[int], rows: pa.Table) -> None:
        """Take the rows with the ids `gone` out and put `rows` in (columns in any order; one that is missing on either side is null there)."""
        leaving = _ids_of(gone)
        self._is_there[self._places(leaving)] = False
        for one in leaving.tolist():
            if self._place.pop(one, None) is not None:
                self._unlist(one)
        start = self._since.num_rows
        coming = rows[self._key].to_pylist()
        self._place.update(zip(coming, range(start, start + rows.num_rows), strict=True))
        self._list(coming, rows)
        self._since = _together(self._since, rows)
        if self._since[self._key].num_chunks > PIECES_KEPT:
            self._since = self._since.combine_chunks()
        if self._since.num_rows - len(self._place) > MOST_GONE:
            self._begin(self.table())

    def _list(self, ids: list[int], rows: pa.Table) -> None:
        for at, column in enumerate(self._sought):
            listed = self._later_ids[column]
            hashes, filled = _hashes(rows[column])
            for value, place in zip(hashes.tolist(), filled.tolist(), strict=True):
                listed.setdefault(value, set()).add(ids[place])
                self._later_hashes.setdefault(ids[place], [None] * len(self._sought))[at] = value

    def _unlist(self, one: int) -> None:
        for column, value in zip(self._sought, self._later_hashes.pop(one, ()), strict=False):
            if value is not None:
                listed = self._later_ids[column]
                listed[value].discard(one)
                if not listed[value]:
                    del listed[value]

    def _places(self, wanted: np.ndarray) -> np.ndarray:
        places = np.searchsorted(self._ids, wanted)
        inside = places < len(self._ids)
        places, wanted = places[inside], wanted[inside]
        return places[(self._ids[places] == wanted) & self._is_there[places]]


class _Sorted:
    """The places of a column's values in the order of their hashes."""

    def __init__(self, values: pa.ChunkedArray) -> None:
        hashes, filled = _hashes(values)
        order = np.argsort(hashes, kind="stable")
        self._hashes, self._places = hashes[order], filled[order].astype(np.int32)

    def matches(self, hashes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(place in `hashes`, place in the column) of all that are equal."""
        start = np.searchsorted(self._hashes, hashes, "left")
        count = np.searchsorted(self._hashes, hashes, "right") - start
        asked = np.repeat(np.arange(len(hashes)), count)
        # the numbers 0 … count-1 of every value, one after the other
        within = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count)
        return asked, self._places[np.repeat(start, count) + within]


def _hashes(values: pa.Array | pa.ChunkedArray) -> tuple[np.ndarray, np.ndarray]:
    """(64-bit hashes of the values that are there, their places). A whole number is its own hash."""
    if isinstance(values, pa.ChunkedArray):
        values = values.combine_chunks()
    filled = np.flatnonzero(np.asarray(values.is_valid()))
    there = values.drop_null()
    if pa.types.is_integer(there.type):
        # what does not fit a signed number wraps around: equal stays equal
        return there.to_numpy(zero_copy_only=False).astype(np.int64, copy=False), filled
    return np.fromiter((hash(value) for value in there.to_pylist()), np.int64, len(there)), filled


def _ids_of(ids: Iterable[int]) -> np.ndarray:
    return np.unique(ids if isinstance(ids, np.ndarray) else np.fromiter(ids, np.int64))


def _together(one: pa.Table, two: pa.Table) -> pa.Table:
    return pa.concat_tables([one, two], promote_options="default")
