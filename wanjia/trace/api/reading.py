"""Reading entries: what a person may see of their own, and what jobs go through."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any

import numpy as np
from django.db import connection

from wanjia.kernel import clock

COLUMNS = "e.id, e.at, e.kind, e.actor, e.department, e.purpose, e.basis, e.subject, e.reach, e.detail, p.seq"
#: not (or no longer) kept from the person
_SHOWN = (
    "NOT EXISTS (SELECT FROM trace_seal s WHERE s.entry_id = e.id AND s.opened_at IS NULL AND s.opens_on > %(today)s)"
)


@dataclass(frozen=True)
class LeftOut:
    """What is not listed to a person: entries of these kinds, for these purposes (codes, with all their cases), by these accounts."""

    kinds: Sequence[str] = ()
    purposes: Sequence[str] = ()
    actors: Sequence[str] = ()


#: meets `LeftOut` field by field; cheap, because the index by person finds the rows
_LISTED = (
    "e.kind <> ALL(%(kinds)s) AND split_part(e.purpose, ':', 1) <> ALL(%(purposes)s) AND e.actor <> ALL(%(actors)s)"
)


def who_looked(
    person_id: int,
    *,
    limit: int = 100,
    before: int | None = None,
    former: Sequence[int] = (),
    left_out: LeftOut | None = None,
) -> list[dict[str, Any]]:
    """What was done with one person's record, newest first, bulk work included, as the person may see it.

    Each is {id, at, kind, actor, department, purpose, basis, fields, detail, seq, is_job}; `seq` is the place in the public log, None for some
    seconds. Reads that a law still seals are not among them. `before`: only what is older than the entry of this id (for paging). `former`: ids the
    person had before, which are looked under too.
    """
    not_listed = left_out or LeftOut()
    values: dict[str, Any] = {"limit": limit, "today": clock.today(), "before": before}
    values |= {name: list(given) for name, given in asdict(not_listed).items()}
    older = "AND (e.at, e.id) < (SELECT b.at, b.id FROM trace_entry b WHERE b.id = %(before)s)" if before else ""
    listed = f"AND {_LISTED}" if left_out else ""
    newest = f"AND {_SHOWN} {listed} {older} ORDER BY e.at DESC, e.id DESC LIMIT %(limit)s"
    branches = [
        f"(SELECT e.id FROM trace_entry e WHERE e.reach = 2 {newest})",
        f"(SELECT e.id FROM trace_entry e WHERE e.id = ANY(%(jobs)s) {newest})",
    ]
    with connection.cursor() as cursor:
        values["jobs"] = []
        # a branch for each id, not one for all: so each is read in the order of its index, and no further than the page goes
        for number, one in enumerate((person_id, *former)):
            values[f"person{number}"] = one
            values["jobs"] += jobs_about(cursor, one)
            branches += [
                f"(SELECT e.id FROM trace_entry e WHERE e.subject = %(person{number})s {newest})",
                "(SELECT e.id FROM trace_jobperson j JOIN trace_entry e ON e.id = j.entry_id"
                f" WHERE j.person_id = %(person{number})s {newest})",
            ]
        cursor.execute(
            # UNION, not UNION ALL: bulk work may be about somebody under two ids
            f"WITH found AS ({' UNION '.join(branches)}) SELECT {COLUMNS} FROM found JOIN trace_entry e USING (id)"
            " LEFT JOIN trace_place p ON p.entry_id = e.id ORDER BY e.at DESC, e.id DESC LIMIT %(limit)s",
            values,
        )
        return rows_of(cursor)


def months_of(
    person_ids: Sequence[int], only: LeftOut, *, until: datetime, without: str = ""
) -> list[tuple[date, int]]:
    """How many entries about a person fall under `only` (a kind or a purpose of it), month by month in UTC, newest first, before `until`.

    `without`: an account whose entries do not count. Reads that a law still seals do not count.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT date_trunc('month', e.at AT TIME ZONE 'UTC')::date, count(*) FROM trace_entry e"
            " WHERE e.subject = ANY(%(persons)s) AND e.at < %(until)s AND e.actor <> %(without)s"
            " AND (e.kind = ANY(%(kinds)s) OR split_part(e.purpose, ':', 1) = ANY(%(purposes)s))"
            f" AND {_SHOWN} GROUP BY 1 ORDER BY 1 DESC",
            {
                "persons": list(person_ids),
                "until": until,
                "without": without,
                "kinds": list(only.kinds),
                "purposes": list(only.purposes),
                "today": clock.today(),
            },
        )
        return cursor.fetchall()


def kept_since() -> datetime | None:
    """From when on the trace is kept: its first entry."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT at FROM trace_entry ORDER BY at, id LIMIT 1")
        row = cursor.fetchone()
    return row[0] if row else None


def is_about(entry_id: int, person_id: int, *, left_out: LeftOut | None = None) -> bool:
    """Whether the person may see this entry: it is about them, not sealed any more and not `left_out`. Ask before giving them its receipt."""
    values: dict[str, Any] = {"entry": entry_id, "person": person_id, "today": clock.today()}
    values |= {name: list(given) for name, given in asdict(left_out or LeftOut()).items()}
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT e.subject = %(person)s OR e.reach = 2
                OR EXISTS (SELECT FROM trace_jobperson j WHERE j.person_id = %(person)s AND j.entry_id = e.id)
            FROM trace_entry e WHERE e.id = %(entry)s AND {_SHOWN} AND {_LISTED}
            """,
            values,
        )
        row = cursor.fetchone()
        return row is not None and (bool(row[0]) or entry_id in jobs_about(cursor, person_id))


def jobs_about(cursor: Any, person_id: int) -> list[int]:
    """The entries of large bulk work that a person was part of."""
    cursor.execute("SELECT entry_id, persons FROM trace_jobpart WHERE span @> %s::bigint", [person_id])
    jobs = []
    for entry_id, packed in cursor.fetchall():
        ids = np.frombuffer(packed, ">i8")
        at = int(np.searchsorted(ids, person_id))
        if at < len(ids) and ids[at] == person_id:
            jobs.append(entry_id)
    return jobs


def published_after(seq: int, *, kinds: Sequence[str], limit: int = 5000) -> tuple[list[dict[str, Any]], int]:
    """Entries of these kinds whose place in the public log is after `seq`, in its order, and how far was looked.

    Places have no holes and never come late, ids may: whoever goes through the trace bit by bit goes by places. At most `limit` places are looked at.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT coalesce(max(seq), %s) FROM trace_place WHERE seq > %s AND seq <= %s", [seq, seq, seq + limit]
        )
        until = cursor.fetchone()[0]
        cursor.execute(
            f"SELECT {COLUMNS} FROM trace_place p JOIN trace_entry e ON e.id = p.entry_id"
            " WHERE p.seq > %s AND p.seq <= %s AND e.kind = ANY(%s) ORDER BY p.seq",
            [seq, until, list(kinds)],
        )
        return rows_of(cursor), until


def last_used(actors: Sequence[str]) -> dict[str, datetime]:
    """When each of these accounts last did anything that stands in the trace; those that never did are left out."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT a.actor, (SELECT e.at FROM trace_entry e WHERE e.actor = a.actor ORDER BY e.at DESC, e.id DESC LIMIT 1)"
            " FROM unnest(%s::text[]) a(actor)",
            [list(actors)],
        )
        return {actor: at for actor, at in cursor.fetchall() if at is not None}


def rows_of(cursor: Any) -> list[dict[str, Any]]:
    """The entries a cursor has found by `COLUMNS`."""
    names = [column.name for column in cursor.description]
    rows = []
    for values in cursor.fetchall():
        row = dict(zip(names, values, strict=True))
        if isinstance(row["detail"], str):
            row["detail"] = json.loads(row["detail"])
        row["fields"] = row["detail"].get("fields", [])
        row["is_job"] = row.pop("reach") != 0
        rows.append(row)
    return rows
