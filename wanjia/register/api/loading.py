"""A resolution becomes the register's state: one PostgreSQL transaction, so that a killed load leaves the old state whole.

The first load fills empty tables and builds their indexes once, at the end. Every later load writes the difference only: rows that hold no longer get
the end of their `known` time, new ones begin, equal ones are not touched.
"""

import io
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
from django.db import connection, transaction
from django.db.models import Max

from wanjia.kernel import clock
from wanjia.kernel.database import copy_csv, filled_anew
from wanjia.kernel.ordering import order_by
from wanjia.privacy import api as privacy
from wanjia.register.api.overlaying import with_events
from wanjia.register.api.renewing import followed
from wanjia.register.api.resolving import FACTS, FactTable, Resolution
from wanjia.register.api.settling import LOAD_LOCK
from wanjia.register.models import Event, Load
from wanjia.trace import api as trace

STAGE = "stage"
FEW_ROWS = 10_000
# so few that their text lies in memory that was used before
COPY_ROWS = 20_000
FACTS_BEFORE_SEARCH = 3


class Loadable(Protocol):
    """What a load asks of a resolution (or of its replay in the fast lane, of which `searchable_by_kind` is not asked: it never holds everybody)."""

    persons: int

    def person_ids(self) -> pa.Table: ...

    def household_ids(self) -> pa.Table: ...

    def fact_rows(self, fact: FactTable) -> pa.Table: ...

    def dossiers(self) -> Iterator[pa.Table]: ...

    def searchable(self) -> pa.Table: ...

    def searchable_by_kind(self) -> Iterator[tuple[str, pa.Table]]: ...


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


def load(resolution: Resolution, *, beside: Callable[[], None] | None = None, by: str, why: str) -> LoadResult:
    """Make the resolution the register's state, whole: persons it does not hold leave. One transaction, one trace entry.

    `beside` is called in another thread when the resolution has been asked everything, while the database still writes; it has the engine to itself,
    and raises nothing. It may also not be called at all. Raises `PurposeMissing`; and PostgreSQL's own errors, after which nothing has changed.
    """
    return write(resolution, only=None, beside=beside, by=by, why=why)


@transaction.atomic
def write(
    resolution: Loadable,
    *,
    only: Sequence[int] | None,
    relations_of: Sequence[int] | None = None,
    beside: Callable[[], None] | None = None,
    by: str,
    why: str,
) -> LoadResult:
    """Write the resolution as the state of the persons `only`, or of everybody (`beside`: see `load`). Joins the caller's transaction.

    `relations_of` widens the persons whose relations are written: a marriage also changes the spouse's row.
    """
    counts: dict[str, int] = {}
    seconds: dict[str, float] = {}

    @contextmanager
    def timed(step: str) -> Iterator[None]:
        began = time.perf_counter()
        yield
        seconds[step] = round(time.perf_counter() - began, 3)

    with connection.cursor() as cursor, ExitStack() as stack:
        # loads are one at a time: `known` times must follow each other, and a sole row's neighbours must not change under the trigger
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOAD_LOCK])
        at = _moment_after_last_change()
        with timed("events"):
            resolution = with_events(resolution, only=only)
            if only is not None:
                only = getattr(resolution, "only", only)
        with timed("ask"):
            persons, households = resolution.person_ids(), resolution.household_ids()
            facts = [(fact, _today(fact, resolution.fact_rows(fact))) for fact in FACTS]
        kept = None
        if only is None:
            # everybody's dossiers are sealed while PostgreSQL reads the facts and builds their indexes
            kept = stack.enter_context(
                privacy.keeping(resolution.dossiers(), resolution.searchable_by_kind, at=at, beside=beside)
            )
        with timed("subjects"):
            _keep_subjects(cursor, "register_person", persons, at, only, counts)
            _keep_subjects(cursor, "register_household", households, at, () if only is not None else None, counts)
            if only is None:
                _fresh_statistics(cursor, "register_person", "register_household")

        def keep_facts(some: Sequence[tuple[FactTable, pa.Table]]) -> None:
            for fact, rows in some:
                with timed(fact.frame):
                    scope = relations_of if fact.frame == "relations" and relations_of is not None else only
                    _keep_facts(cursor, fact, rows, at, scope, counts)
                    if only is None:
                        _fresh_statistics(cursor, fact.table)

        # in turns, so that PostgreSQL has facts to write while look-up values are hashed, and indexes to build while dossiers are sealed
        keep_facts(facts[:FACTS_BEFORE_SEARCH])
        if kept is not None and kept.is_first:
            with timed("blind"):
                counts["blind.searchable"] = kept.searchable()
        keep_facts(facts[FACTS_BEFORE_SEARCH:])
        del facts
        with timed("vault"):
            vault = kept.dossiers() if kept else privacy.keep_dossiers(resolution.dossiers(), at=at, only=only)
            counts.update({f"vault.{name}": count for name, count in vault.counts().items()})
        is_stale = vault.added or vault.replaced or vault.closed or (only is None and privacy.lacks_searchable())
        if "blind.searchable" not in counts and is_stale:
            with timed("blind"):
                counts["blind.searchable"] = (
                    kept.searchable() if kept else privacy.keep_searchable(resolution.searchable(), only=only)
                )
    trace.record_job("register.load", persons=vault.touched(), by=by, why=why, detail=counts)
    Load.objects.create(at=at, actor=by, purpose=why, counts=counts)
    return LoadResult(at, resolution.persons, counts, seconds)


def _today(fact: FactTable, rows: pa.Table) -> pa.Table:
    return followed(rows) if fact.frame == "residences" else rows


def _moment_after_last_change() -> datetime:
    """Now, or the first moment after the last load or event where the clock stands still or went back."""
    known = (Load.objects.aggregate(last=Max("at"))["last"], Event.objects.aggregate(last=Max("registered_at"))["last"])
    last = max((at for at in known if at), default=None)
    now = clock.now()
    return max(now, last + timedelta(microseconds=1)) if last else now


def _fresh_statistics(cursor: Any, *tables: str) -> None:
    """At once: the daemon that would collect them comes too late for the next query. Table by table, because at the end nothing goes on beside it."""
    cursor.execute(f"ANALYZE {', '.join(tables)}")


def _is_empty(cursor: Any, table: str) -> bool:
    cursor.execute(f"SELECT NOT EXISTS (SELECT FROM {table})")
    return cursor.fetchone()[0]


def _keep_subjects(
    cursor: Any, table: str, ids: pa.Table, at: datetime, only: Sequence[int] | None, counts: dict
) -> None:
    """Persons or households: new ones are founded, absent ones leave, those who come back are here again."""
    if only is None and _is_empty(cursor, table):
        cursor.execute(f"ALTER TABLE {table} ALTER COLUMN founded_at SET DEFAULT '{at.isoformat()}'")
        if table == "register_person":
            cursor.execute(f"ALTER TABLE {table} ALTER COLUMN is_sealed SET DEFAULT false")
        with filled_anew(cursor, table):
            _copy(cursor, table, ("id",), ids.sort_by("id"), is_anew=True)
        cursor.execute(f"ALTER TABLE {table} ALTER COLUMN founded_at DROP DEFAULT")
        counts[f"{table}.begun"] = ids.num_rows
        return
    with _staged(cursor, table, ("id",), ids) as stage:
        _keep_staged_subjects(cursor, table, stage, ids, at, only, counts)


def _keep_staged_subjects(
    cursor: Any, table: str, stage: str, ids: pa.Table, at: datetime, only: Sequence[int] | None, counts: dict
) -> None:
    scope = "" if only is None else " AND t.id = ANY(%(only)s)"
    cursor.execute(
        f"UPDATE {table} t SET left_at = %(at)s WHERE left_at IS NULL AND NOT EXISTS (SELECT FROM {stage} s WHERE s.id = t.id)"
        + scope,
        {"at": at, "only": list(only or [])},
    )
    counts[f"{table}.ended"] = cursor.rowcount
    cursor.execute(
        f"UPDATE {table} t SET left_at = NULL FROM {stage} s WHERE s.id = t.id AND t.left_at IS NOT NULL"
        + ("" if only is None else " AND t.id = ANY(%(ids)s)"),
        {"ids": ids["id"].to_pylist() if only is not None else None},
    )
    returned = cursor.rowcount
    sealed = ("is_sealed, ", "false, ") if table == "register_person" else ("", "")
    cursor.execute(
        f"INSERT INTO {table} (id, {sealed[0]}founded_at) SELECT s.id, {sealed[1]}%s FROM {stage} s ON CONFLICT (id) DO NOTHING",
        [at],
    )
    counts[f"{table}.begun"] = cursor.rowcount + returned


def _keep_facts(
    cursor: Any, fact: FactTable, rows: pa.Table, at: datetime, only: Sequence[int] | None, counts: dict
) -> None:
    if only is None and _is_empty(cursor, fact.table):
        _first_rows(cursor, fact, rows, at)
        counts[f"{fact.table}.begun"] = rows.num_rows
        return
    with _staged(cursor, fact.table, fact.columns, rows) as stage:
        ended, begun = _difference(cursor, fact, stage, at, only)
    counts[f"{fact.table}.ended"], counts[f"{fact.table}.begun"] = ended, begun


@contextmanager
def _staged(cursor: Any, table: str, columns: Sequence[str], rows: pa.Table) -> Iterator[str]:
    """Rows for `table` in a temporary table, whose name is given; empty again afterwards.

    It stays with the connection: made and dropped for each push, tables' entries in PostgreSQL's catalogue would cost more than their rows.
    """
    stage = f"{STAGE}_{table}"
    cursor.execute(
        f"CREATE TEMP TABLE IF NOT EXISTS {stage} ON COMMIT DELETE ROWS AS SELECT {', '.join(columns)} FROM {table} WITH NO DATA"
    )
    _copy(cursor, stage, columns, rows)
    yield stage
    # the transaction may go on, and write again
    cursor.execute(f"DELETE FROM {stage}" if rows.num_rows <= FEW_ROWS else f"TRUNCATE {stage}")


def _first_rows(cursor: Any, fact: FactTable, rows: pa.Table, at: datetime) -> None:
    # a default instead of a column of equal values: the known time is the same for all
    cursor.execute(f"ALTER TABLE {fact.table} ALTER COLUMN known SET DEFAULT tstzrange('{at.isoformat()}', NULL)")
    # numbered here: asking the sequence for each row takes PostgreSQL longer than reading the number
    cursor.execute("SELECT nextval(pg_get_serial_sequence(%s, 'id'))", [fact.table])
    first = cursor.fetchone()[0]
    ordered = rows.take(_by_person(rows))
    numbered = ordered.append_column("id", pa.array(np.arange(first, first + rows.num_rows)))
    with filled_anew(cursor, fact.table):
        _copy(cursor, fact.table, (*fact.columns, "id"), numbered, is_anew=True)
    cursor.execute("SELECT setval(pg_get_serial_sequence(%s, 'id'), %s)", [fact.table, first + rows.num_rows])
    cursor.execute(f"ALTER TABLE {fact.table} ALTER COLUMN known DROP DEFAULT")


def _by_person(rows: pa.Table) -> np.ndarray:
    """The places of rows in order of persons and kinds: PostgreSQL need not sort what it finds sorted, and what is asked together lies together."""
    persons = np.asarray(rows["person_id"])
    if "kind" not in rows.column_names:
        return order_by(persons)
    kinds = rows["kind"].combine_chunks().dictionary_encode()
    rank = np.asarray(pc.rank(kinds.dictionary), np.int64)
    return order_by(persons, rank[np.asarray(kinds.indices)])


def _difference(cursor: Any, fact: FactTable, stage: str, at: datetime, only: Sequence[int] | None) -> tuple[int, int]:
    """Ends the rows that the stage does not hold, begins those that it holds alone. Returns (ended, begun)."""
    same_keys = " AND ".join(f"s.{key} = t.{key}" for key in fact.keys)
    same_values = " AND ".join(f"s.{value} IS NOT DISTINCT FROM t.{value}" for value in fact.values)
    same = f"{same_keys} AND s.valid = t.valid AND {same_values}"
    scope = "" if only is None else " AND t.person_id = ANY(%(only)s)"
    given = {"at": at, "only": list(only or [])}
    cursor.execute(
        f"UPDATE {fact.table} t SET known = tstzrange(lower(known), %(at)s)"
        f" WHERE upper_inf(known) AND NOT EXISTS (SELECT FROM {stage} s WHERE {same})" + scope,
        given,
    )
    ended = cursor.rowcount
    cursor.execute(f"DELETE FROM {stage} s USING {fact.table} t WHERE upper_inf(t.known) AND {same}")
    cursor.execute(f"UPDATE {fact.table} t SET sole = false FROM {stage} s WHERE {same_keys} AND t.sole")
    listed = ", ".join(fact.columns[:-1])
    staged = ", ".join(f"s.{column}" for column in fact.columns[:-1])
    before = f"SELECT true AS found FROM {fact.table} t WHERE {same_keys}"
    # many rows are looked for in one pass over the table, few one by one
    is_new, beside = (
        (f"NOT EXISTS ({before})", "")
        if only is None
        else ("b.found IS NULL", f" LEFT JOIN LATERAL ({before} LIMIT 1) b ON true")
    )
    cursor.execute(
        f"INSERT INTO {fact.table} ({listed}, sole, known) SELECT {staged}, s.sole AND {is_new}, tstzrange(%(at)s, NULL)"
        f" FROM {stage} s{beside}",
        given,
    )
    return ended, cursor.rowcount


def _copy(cursor: Any, table: str, columns: Sequence[str], rows: pa.Table, *, is_anew: bool = False) -> None:
    """COPY an Arrow table as CSV: written and read by compiled code, with no Python per row."""

    def pieces():
        options = pyarrow.csv.WriteOptions(include_header=False)
        for batch in rows.to_batches(max_chunksize=COPY_ROWS):
            text = io.BytesIO()
            pyarrow.csv.write_csv(batch, text, options)
            yield text.getvalue()

    copy_csv(cursor, table, columns, pieces(), is_anew=is_anew)
