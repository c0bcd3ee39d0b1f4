"""Who looked: what the trace holds about a person, as that person may be told."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db import transaction

from wanjia.access.api import book
from wanjia.kernel import clock
from wanjia.register.api import former_ids
from wanjia.services.errors import LookUnknown
from wanjia.services.rules import looks as telling
from wanjia.trace import api as trace
from wanjia.trace.api import LeftOut


@dataclass(frozen=True)
class Looks:
    """Entries, newest first (keys as in `trace.who_looked`); `older`: the entry to go on from, None at the end; `since`: from when on the trace is
    kept."""

    rows: list[dict[str, Any]]
    older: int | None
    since: datetime | None


@dataclass(frozen=True)
class Month:
    """How many entries of a month that is over are told by their number only."""

    begins: date
    count: int


def looks(person_id: int, *, own: str, with_own: bool = False, before: int | None = None, limit: int = 25) -> Looks:
    """Who looked at the person's record, as the person is told. `own`: the person's account, whose own looks are listed only `with_own`.

    Not traced: nothing of the record is read. Reads that a law keeps sealed are not among them until their day.
    """
    ids = [person_id, *former_ids(person_id)]
    hidden = _by_month()
    if not with_own:
        hidden = LeftOut(hidden.kinds, hidden.purposes, (own,))
    if before is not None and not may_be_told(ids, before):
        before = None
    rows = trace.who_looked(person_id, former=ids[1:], limit=limit + 1, before=before, left_out=hidden)
    older = rows[limit - 1]["id"] if len(rows) > limit else None
    return Looks(rows[:limit], older, trace.kept_since())


def look(person_id: int, entry_id: int) -> dict[str, Any] | None:
    """One look, as in `looks`; None when no entry of this id is about the person or may be told by itself. Not traced."""
    rows = trace.entries_by_id([entry_id]) if may_be_told([person_id, *former_ids(person_id)], entry_id) else []
    return rows[0] if rows else None


def months(person_id: int, *, own: str) -> tuple[list[Month], date]:
    """What is told by month, newest first, and the day on which the month that runs is told."""
    ids, now = [person_id, *former_ids(person_id)], clock.now()
    counted = trace.months_of(ids, _by_month(), until=telling.month_begins(now), without=own)
    return [Month(begins, count) for begins, count in counted], telling.next_month(now)


@transaction.atomic
def receipt(person_id: int, entry_id: int, *, by: str, why: str) -> tuple[int, str]:
    """(place in the public log, receipt) of one entry about the person, as an offline tlog-proof file. Traced.

    Raises `LookUnknown`, and the trace's `NotInLog` (for some seconds), `EntryErased`.
    """
    if not may_be_told([person_id, *former_ids(person_id)], entry_id):
        raise LookUnknown()
    content = trace.receipt(entry_id)
    trace.record("trace.receipt", subject_ids=[person_id], by=by, why=why, detail={"entry": entry_id})
    return trace.opening(entry_id)[0], content


def may_be_told(ids: Sequence[int], entry_id: int) -> bool:
    """Whether an entry is about one of these ids of a person and may be told by itself."""
    return any(trace.is_about(entry_id, one, left_out=_by_month()) for one in ids)


def _by_month() -> LeftOut:
    return LeftOut(*telling.told_by_month(book().purposes))
