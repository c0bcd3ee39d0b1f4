"""Sealed reads: which there are, and how they open: on their day by the timetable, before it by two people."""

from collections.abc import Sequence
from typing import Any

from django.db import connection, transaction

from wanjia.kernel import clock
from wanjia.trace.errors import OpenedAlready, PurposeMissing, SealUnknown, SecondPersonNeeded


def sealed_counts() -> dict[str, int]:
    """How many reads were ever sealed, how many still are, and how many should have been opened already: public figures."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT (SELECT count(*) FROM trace_seal), count(*) FILTER (WHERE opens_on > %(today)s),"
            " count(*) FILTER (WHERE opens_on <= %(today)s) FROM trace_seal WHERE opened_at IS NULL",
            {"today": clock.today()},
        )
        total, sealed, late = cursor.fetchone()
    return {"total": total, "sealed": sealed, "late": late}


def seals(*, before: int | None = None, limit: int = 50) -> list[dict[str, Any]]:
    """Sealed reads by their number, newest first, for auditors: {entry_id, number, basis, approver, opens_on, opened_at, asked_by, asked_at, why}.

    Neither who read nor about whom. `before`: only what has a smaller number.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT s.entry_id, s.number, s.basis, s.approver, s.opens_on, s.opened_at, o.asked_by, o.asked_at, o.why"
            " FROM trace_seal s LEFT JOIN trace_opening o USING (entry_id)"
            " WHERE %(before)s::bigint IS NULL OR s.number < %(before)s ORDER BY s.number DESC LIMIT %(limit)s",
            {"before": before, "limit": limit},
        )
        names: Sequence[str] = [column.name for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def open_early(entry_id: int, *, by: str, why: str) -> bool:
    """Open a sealed read before its day. It takes two: the first call asks and returns False, one by somebody else opens and returns True.

    From then on the person sees the read, and that it was opened, by whom and why. Both calls are in the trace; the asking is not about the person.
    Raises `SealUnknown`, `OpenedAlready`, `SecondPersonNeeded`, `PurposeMissing`.
    """
    answer = _called("trace_open_early(%s, %s, %s, %s)", [entry_id], by, why)
    if refused := {"unknown": SealUnknown, "open": OpenedAlready, "same": SecondPersonNeeded}.get(answer):
        raise refused()
    return answer == "opened"


def open_due(*, by: str, why: str) -> int:
    """Note the opening of sealed reads whose day has come (the person sees them from that day on in any case). Returns how many."""
    return _called("trace_open_due(%s, %s, %s)", [], by, why)


@transaction.atomic
def _called(function: str, first: list[Any], by: str, why: str) -> Any:
    if not by.strip() or not why.strip():
        raise PurposeMissing(kind="trace.open_seal")
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {function}", [*first, by, why, clock.today()])
        return cursor.fetchone()[0]
