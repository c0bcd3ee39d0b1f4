"""An auditor's search through the entries: any filter, any mix of filters, at ten million entries."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from django.db import connection, transaction

from wanjia.trace.api.reading import COLUMNS, jobs_about, rows_of
from wanjia.trace.api.recording import record

#: whether one person was worked on, or many at once
SINGLE, BULK = "single", "bulk"
#: a search says how many it found up to this many
COUNTED = 1000


@dataclass(frozen=True)
class Wanted:
    """What is looked for; what is empty or None does not narrow.

    `purpose` is a purpose with all its cases, or one case ("case:A-17"). `subject` finds bulk work about the person too. `work`: `SINGLE` or `BULK`.
    """

    kind: str = ""
    actor: str = ""
    department: str = ""
    purpose: str = ""
    subject: int | None = None
    since: datetime | None = None
    until: datetime | None = None
    work: str = ""

    @property
    def is_anything(self) -> bool:
        """Whether anything narrows the search."""
        return self != Wanted()


@dataclass(frozen=True)
class Found:
    """Entries, newest first (keys as in `who_looked`); `older`: where to go on, None at the end.

    `count`: how many there are in all, at most `COUNTED`; None on later pages and where nothing narrows.
    """

    rows: list[dict[str, Any]]
    older: int | None
    count: int | None


def entries(*, before: int | None = None, limit: int = 50, **wanted: Any) -> list[dict[str, Any]]:
    """The newest entries of whom and what is `wanted` (see `Wanted`), sealed ones too; `before`: only what is older than the entry of this id.

    Pages go by entry, not by number of pages: the trace grows while it is read, and an offset into millions is slow.
    """
    return _read(_ids(Wanted(**wanted), before, limit))


def entries_by_id(entry_ids: Sequence[int]) -> list[dict[str, Any]]:
    """These entries, in this order, sealed ones too; those erased or unknown are left out. Keys as in `who_looked`."""
    return _read(list(entry_ids))


@transaction.atomic
def search(wanted: Wanted, *, before: int | None = None, limit: int = 50, by: str, why: str) -> Found:
    """One page of an auditor's search. Asking about one person stands in the trace, for that person to see."""
    is_counted = before is None and wanted.is_anything
    ids = _ids(wanted, before, max(COUNTED, limit + 1) if is_counted else limit + 1)
    rows = _read(ids[:limit])
    if wanted.subject is not None:
        asked = [name for name in (field.name for field in fields(wanted)) if getattr(wanted, name) not in ("", None)]
        record("trace.search", subject_ids=[wanted.subject], by=by, why=why, detail={"by": asked, "found": len(rows)})
    return Found(rows, ids[limit - 1] if len(ids) > limit else None, min(len(ids), COUNTED) if is_counted else None)


def purposes(*, limit: int = 50) -> list[str]:
    """Purposes that stand in the trace, without their cases, in the order of the alphabet."""
    return _distinct("split_part(purpose, ':', 1)", "true", limit)


def departments(*, limit: int = 200) -> list[str]:
    """Departments that stand in the trace, in the order of the alphabet."""
    return _distinct("department", "department <> ''", limit)


def kinds(*, limit: int = 1000) -> list[str]:
    """Every kind of act that stands in the trace."""
    return _distinct("kind", "true", limit)


def _distinct(column: str, where: str, limit: int) -> list[str]:
    """By skipping from one value to the next in the index: a plain DISTINCT reads the whole trace."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"WITH RECURSIVE skip AS ((SELECT {column} AS one FROM trace_entry WHERE {where} ORDER BY 1 LIMIT 1) UNION ALL"
            f" SELECT (SELECT {column} FROM trace_entry WHERE {where} AND {column} > skip.one ORDER BY 1 LIMIT 1)"
            " FROM skip WHERE skip.one IS NOT NULL) SELECT one FROM skip WHERE one IS NOT NULL LIMIT %s",
            [limit],
        )
        return [row[0] for row in cursor.fetchall()]


def _ids(wanted: Wanted, before: int | None, limit: int) -> list[int]:
    """Ids of the newest entries that fit, newest first.

    Ids alone: each filter's index holds the other filters' columns as well (migration 0007), so that filters which rarely meet are told apart
    within one index and no entry is fetched in vain.
    """
    values = {field.name: getattr(wanted, field.name) for field in fields(wanted)} | {"before": before, "limit": limit}
    conditions = [
        condition
        for condition, is_asked in (
            ("e.kind = %(kind)s", wanted.kind),
            ("e.actor = %(actor)s", wanted.actor),
            ("e.department = %(department)s AND e.department <> ''", wanted.department),
            # the second half lets the planner see that cases have an index of their own
            ("e.purpose = %(purpose)s AND strpos(e.purpose, ':') > 0", ":" in wanted.purpose),
            ("split_part(e.purpose, ':', 1) = %(purpose)s", wanted.purpose and ":" not in wanted.purpose),
            ("e.reach = 0", wanted.work == SINGLE),
            ("e.reach > 0", wanted.work == BULK),
            ("e.at >= %(since)s", wanted.since),
            ("e.at < %(until)s", wanted.until),
            ("(e.at, e.id) < (SELECT b.at, b.id FROM trace_entry b WHERE b.id = %(before)s)", before is not None),
        )
        if is_asked
    ]
    newest = "ORDER BY e.at DESC, e.id DESC LIMIT %(limit)s"
    with connection.cursor() as cursor:
        if wanted.subject is None:
            where = f"WHERE {' AND '.join(conditions)}" if conditions else ""
            cursor.execute(f"SELECT e.id FROM trace_entry e {where} {newest}", values)
        else:
            values["jobs"] = jobs_about(cursor, wanted.subject)
            narrowed = "".join(f" AND {condition}" for condition in conditions)
            cursor.execute(
                f"""
                WITH found AS (
                    (SELECT e.id, e.at FROM trace_entry e WHERE e.subject = %(subject)s{narrowed} {newest})
                    UNION ALL (SELECT e.id, e.at FROM trace_entry e WHERE e.reach = 2{narrowed} {newest})
                    UNION ALL (SELECT e.id, e.at FROM trace_jobperson j JOIN trace_entry e ON e.id = j.entry_id
                        WHERE j.person_id = %(subject)s{narrowed} {newest})
                    UNION ALL (SELECT e.id, e.at FROM trace_entry e WHERE e.id = ANY(%(jobs)s){narrowed} {newest})
                )
                SELECT e.id FROM found e {newest}
                """,
                values,
            )
        return [row[0] for row in cursor.fetchall()]


def _read(ids: list[int]) -> list[dict[str, Any]]:
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {COLUMNS} FROM unnest(%s::bigint[]) WITH ORDINALITY AS wanted(id, n) JOIN trace_entry e USING (id)"
            " LEFT JOIN trace_place p ON p.entry_id = e.id ORDER BY wanted.n",
            [ids],
        )
        return rows_of(cursor)
