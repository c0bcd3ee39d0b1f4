"""A resolution becomes the register's state: one PostgreSQL transaction, so that a killed load leaves the old state whole.

The first load fills empty tables and builds their indexes once, at the end. Every later load writes the difference only: rows that hold no longer get
the end of their `known` time, new ones begin, equal ones are not touched.
"""

import io
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Protocol

import pyarrow as pa
import pyarrow.csv
from django.db import connection, transaction
from django.db.models import Max

from wanjia.kernel import clock
from wanjia.kernel.database import copy_csv, without_indexes
from wanjia.privacy import api as privacy
from wanjia.register.api.resolving import FACTS, FactTable, Resolution
from wanjia.register.models import Load
from wanjia.trace import api as trace

# loads are one at a time: `known` times must follow each other, and a sole row's neighbours must not change under the trigger
LOAD_LOCK = 0x57414E4A  # "WANJ"
STAGE = "register_stage"


class Loadable(Protocol):
    """What a load asks of a resolution (or of its replay in the fast lane)."""

    persons: int

    def person_ids(self) -> pa.Table: ...

    def household_ids(self) -> pa.Table: ...

    def fact_rows(self, fact: FactTable) -> pa.Table: ...

    def dossiers(self) -> Iterator[pa.Table]: ...

    def searchable(self) -> pa.Table: ...


@dataclass(frozen=True)
class LoadResult:
    """What a load changed: `at` is the moment from which it is known; counts by table of rows begun and ended."""

    at: datetime
    persons: int
    counts: dict[str, int] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)

    @property
    def changed(self) -> int:
        """How many rows began or ended; 0 when the state was already so."""
        return sum(count for name, count in self.counts.items() if not name.endswith((".unchanged", ".searchable")))


def load(resolution: Resolution, *, by: str, why: str) -> LoadResult:
    """Make the resolution the register's state, whole: persons it does not hold leave. One transaction, one trace entry.

    Raises `PurposeMissing`; and PostgreSQL's own errors, after which nothing has changed.
    """
    return write(resolution, only=None, by=by, why=why)


@transaction.atomic
def write(
    resolution: Loadable, *, only: Sequence[int] | None, relations_of: Sequence[int] | None = None, by: str, why: str
) -> LoadResult:
    """Write the resolution as the state of the persons `only`, or of everybody. Joins the caller's transaction.

    `relations_of` widens the persons whose relations are written: a marriage also changes the spouse's row.
    """
    counts: dict[str, int] = {}
    seconds: dict[str, float] = {}

    def timed(step: str, began: float) -> None:
        seconds[step] = round(time.perf_counter() - began, 3)

    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOAD_LOCK])
        at = _moment_after_last_load()
        began = time.perf_counter()
        _keep_subjects(cursor, "register_person", resolution.person_ids(), at, only, counts)
        _keep_subjects(
            cursor, "register_household", resolution.household_ids(), at, () if only is not None else None, counts
        )
        timed("subjects", began)
        for fact in FACTS:
            began = time.perf_counter()
            scope = relations_of if fact.frame == "relations" and relations_of is not None else only
            _keep_facts(cursor, fact, resolution.fact_rows(fact), at, scope, counts)
            timed(fact.frame, began)
        began = time.perf_counter()
        vault = privacy.keep_dossiers(resolution.dossiers(), at=at, only=only)
        counts.update({f"vault.{name}": count for name, count in vault.counts().items()})
        timed("vault", began)
        began = time.perf_counter()
        if vault.added or vault.replaced or vault.closed:
            counts["blind.searchable"] = privacy.keep_searchable(resolution.searchable(), only=only)
        timed("blind", began)
        if only is None:
            # fresh statistics at once: the daemon that would collect them comes too late for the next query
            began = time.perf_counter()
            cursor.execute(
                f"ANALYZE {', '.join(('register_person', 'register_household', *(fact.table for fact in FACTS)))}"
            )
            timed("analyze", began)
    trace.record_job("register.load", persons=vault.touched(), by=by, why=why, detail=counts)
    Load.objects.create(at=at, actor=by, purpose=why, counts=counts)
    return LoadResult(at, resolution.persons, counts, seconds)


def _moment_after_last_load() -> datetime:
    """Now, or the first moment after the last load where the clock stands still or went back."""
    last = Load.objects.aggregate(last=Max("at"))["last"]
    now = clock.now()
    return max(now, last + timedelta(microseconds=1)) if last else now


def _is_empty(cursor: Any, table: str) -> bool:
    cursor.execute(f"SELECT NOT EXISTS (SELECT FROM {table})")
    return cursor.fetchone()[0]


def _keep_subjects(
    cursor: Any, table: str, ids: pa.Table, at: datetime, only: Sequence[int] | None, counts: dict
) -> None:
    """Persons or households: new ones are founded, absent ones leave, those who come back are here again."""
    if _is_empty(cursor, table):
        cursor.execute(f"ALTER TABLE {table} ALTER COLUMN founded_at SET DEFAULT '{at.isoformat()}'")
        if table == "register_person":
            cursor.execute(f"ALTER TABLE {table} ALTER COLUMN is_sealed SET DEFAULT false")
        with without_indexes(cursor, table):
            _copy(cursor, table, ("id",), ids)
        cursor.execute(f"ALTER TABLE {table} ALTER COLUMN founded_at DROP DEFAULT")
        counts[f"{table}.begun"] = ids.num_rows
        return
    cursor.execute(f"CREATE TEMP TABLE {STAGE} (id bigint) ON COMMIT DROP")
    _copy(cursor, STAGE, ("id",), ids)
    scope = "" if only is None else " AND t.id = ANY(%(only)s)"
    cursor.execute(
        f"UPDATE {table} t SET left_at = %(at)s WHERE left_at IS NULL AND NOT EXISTS (SELECT FROM {STAGE} s WHERE s.id = t.id)"
        + scope,
        {"at": at, "only": list(only or [])},
    )
    counts[f"{table}.ended"] = cursor.rowcount
    cursor.execute(f"UPDATE {table} t SET left_at = NULL FROM {STAGE} s WHERE s.id = t.id AND t.left_at IS NOT NULL")
    returned = cursor.rowcount
    sealed = ("is_sealed, ", "false, ") if table == "register_person" else ("", "")
    cursor.execute(
        f"INSERT INTO {table} (id, {sealed[0]}founded_at) SELECT s.id, {sealed[1]}%s FROM {STAGE} s ON CONFLICT (id) DO NOTHING",
        [at],
    )
    counts[f"{table}.begun"] = cursor.rowcount + returned
    cursor.execute(f"DROP TABLE {STAGE}")


def _keep_facts(
    cursor: Any, fact: FactTable, rows: pa.Table, at: datetime, only: Sequence[int] | None, counts: dict
) -> None:
    if _is_empty(cursor, fact.table):
        _first_rows(cursor, fact, rows, at)
        counts[f"{fact.table}.begun"] = rows.num_rows
        return
    cursor.execute(
        f"CREATE TEMP TABLE {STAGE} ON COMMIT DROP AS SELECT {', '.join(fact.columns)} FROM {fact.table} WITH NO DATA"
    )
    _copy(cursor, STAGE, fact.columns, rows)
    ended, begun = _difference(cursor, fact, at, only)
    cursor.execute(f"DROP TABLE {STAGE}")
    counts[f"{fact.table}.ended"], counts[f"{fact.table}.begun"] = ended, begun


def _first_rows(cursor: Any, fact: FactTable, rows: pa.Table, at: datetime) -> None:
    # a default instead of a column of equal values: the known time is the same for all
    cursor.execute(f"ALTER TABLE {fact.table} ALTER COLUMN known SET DEFAULT tstzrange('{at.isoformat()}', NULL)")
    with without_indexes(cursor, fact.table):
        _copy(cursor, fact.table, fact.columns, rows)
    cursor.execute(f"ALTER TABLE {fact.table} ALTER COLUMN known DROP DEFAULT")


def _difference(cursor: Any, fact: FactTable, at: datetime, only: Sequence[int] | None) -> tuple[int, int]:
    """Ends the rows that the stage does not hold, begins those that it holds alone. Returns (ended, begun)."""
    same_keys = " AND ".join(f"s.{key} = t.{key}" for key in fact.keys)
    same_values = " AND ".join(f"s.{value} IS NOT DISTINCT FROM t.{value}" for value in fact.values)
    same = f"{same_keys} AND s.valid = t.valid AND {same_values}"
    scope = "" if only is None else " AND t.person_id = ANY(%(only)s)"
    given = {"at": at, "only": list(only or [])}
    cursor.execute(
        f"UPDATE {fact.table} t SET known = tstzrange(lower(known), %(at)s)"
        f" WHERE upper_inf(known) AND NOT EXISTS (SELECT FROM {STAGE} s WHERE {same})" + scope,
        given,
    )
    ended = cursor.rowcount
    cursor.execute(f"DELETE FROM {STAGE} s USING {fact.table} t WHERE upper_inf(t.known) AND {same}")
    cursor.execute(f"UPDATE {fact.table} t SET sole = false FROM {STAGE} s WHERE {same_keys} AND t.sole")
    listed = ", ".join(fact.columns[:-1])
    staged = ", ".join(f"s.{column}" for column in fact.columns[:-1])
    cursor.execute(
        f"INSERT INTO {fact.table} ({listed}, sole, known) SELECT {staged},"
        f" s.sole AND NOT EXISTS (SELECT FROM {fact.table} t WHERE {same_keys}), tstzrange(%(at)s, NULL) FROM {STAGE} s",
        given,
    )
    return ended, cursor.rowcount


def _copy(cursor: Any, table: str, columns: Sequence[str], rows: pa.Table) -> None:
    """COPY an Arrow table as CSV: written and read by compiled code, with no Python per row."""

    def pieces():
        options = pyarrow.csv.WriteOptions(include_header=False)
        for batch in rows.to_batches(max_chunksize=100_000):
            text = io.BytesIO()
            pyarrow.csv.write_csv(batch, text, options)
            yield text.getvalue()

    copy_csv(cursor, table, columns, pieces())
