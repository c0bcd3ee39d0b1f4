"""Rows held in memory and found by a whole-number id, for work on a few rows of very many.

A row is read by its place in an Arrow table, so reading a hundred costs the same among a thousand as among a million; an engine would
read every column of all of them.
"""

from collections.abc import Iterable

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

PIECES_KEPT = 64
MOST_GONE = 50_000


class Held:
    """A table's rows by its column `key` (int64, each value once). Not for several threads."""

    def __init__(self, table: pa.Table, key: str) -> None:
        self._key = key
        self._begin(table)

    def _begin(self, table: pa.Table) -> None:
        """Sort the rows in: those that came first lie in one table in the order of ids, those that came since in another, as they came."""
        self._first = table.take(pc.sort_indices(table[self._key])).combine_chunks()
        self._ids = np.asarray(self._first[self._key])
        self._is_there = np.ones(len(self._ids), bool)
        self._since = self._first.slice(0, 0)
        self._place: dict[int, int] = {}

    def table(self) -> pa.Table:
        """All rows."""
        since = self._since.take(pa.array(sorted(self._place.values()), pa.int64()))
        return _together(self._first.filter(pa.array(self._is_there)), since)

    def rows(self, ids: Iterable[int]) -> pa.Table:
        """Those of the rows with these ids that there are; in no order."""
        wanted = np.unique(np.fromiter(ids, np.int64))
        return _together(self._first.take(pa.array(self._places(wanted))), self._later(wanted))

    def replace(self, gone: Iterable[int], rows: pa.Table) -> None:
        """Take the rows with the ids `gone` out and put `rows` in (columns in any order; one that is missing on either side is null there)."""
        leaving = np.unique(np.fromiter(gone, np.int64))
        self._is_there[self._places(leaving)] = False
        for one in leaving.tolist():
            self._place.pop(one, None)
        start = self._since.num_rows
        self._place.update(zip(rows[self._key].to_pylist(), range(start, start + rows.num_rows), strict=True))
        self._since = _together(self._since, rows)
        if self._since[self._key].num_chunks > PIECES_KEPT:
            self._since = self._since.combine_chunks()
        if self._since.num_rows - len(self._place) > MOST_GONE:
            self._begin(self.table())

    def _places(self, wanted: np.ndarray) -> np.ndarray:
        places = np.searchsorted(self._ids, wanted)
        inside = places < len(self._ids)
        places, wanted = places[inside], wanted[inside]
        return places[(self._ids[places] == wanted) & self._is_there[places]]

    def _later(self, wanted: np.ndarray) -> pa.Table:
        found = [self._place[one] for one in wanted.tolist() if one in self._place]
        return self._since.take(pa.array(found, pa.int64()))


def _together(one: pa.Table, two: pa.Table) -> pa.Table:
    return pa.concat_tables([one, two], promote_options="default")
