"""Who looked, for a national portal: its program asks for a resident who has logged in there (Estonia's tracker: findUsage, usagePeriod)."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from wanjia.access.api import Right, account_of_person, require
from wanjia.access.models import Account
from wanjia.kernel import clock
from wanjia.register.api import numbers_of, subject_of
from wanjia.services.api.looks import Month, looks, months
from wanjia.services.errors import UsageQueryWrong
from wanjia.trace import api as trace

#: the protocol's own default and most
DEFAULT_LIMIT, MOST = 1000, 10_000


@dataclass(frozen=True)
class Usage:
    """What a portal is given: entries (keys as in `trace.who_looked`), newest first, how many there are in all (at most `MOST`), and the months."""

    rows: list[dict[str, Any]]
    total: int
    months: list[Month]


def find_usage(
    machine: Account,
    number: str,
    *,
    since: datetime | None = None,
    until: datetime | None = None,
    with_bulk: bool = True,
    offset: int = 0,
    limit: int = DEFAULT_LIMIT,
) -> Usage:
    """The looks at the record of the person with this citizen number, as that person is told them, without their own. Traced to the person.

    Nobody's number, two persons' number and a sealed person's get the same empty answer.
    Raises `RightMissing`, `UsageQueryWrong`.
    """
    require(machine, Right.FIND_USAGE)
    if not (0 <= offset <= MOST and 1 <= limit <= MOST):
        raise UsageQueryWrong()
    person_id = _person_of(number)
    if person_id is None:
        return Usage([], 0, [])
    account = account_of_person(person_id)
    own = account.username if account else ""
    found = [
        row
        for row in looks(person_id, own=own, limit=MOST).rows
        if (since is None or row["at"] >= since)
        and (until is None or row["at"] < until)
        and (with_bulk or not row["is_job"])
    ]
    shown = found[offset : offset + limit]
    trace.record(
        "services.find_usage",
        subject_ids=[person_id],
        by=machine.username,
        why="own",
        department=machine.department,
        detail={"returned": len(shown)},
    )
    return Usage(shown, len(found), months(person_id, own=own)[0])


def usage_period(machine: Account) -> tuple[datetime | None, datetime]:
    """From when until when looks are kept and can be asked for. Raises `RightMissing`."""
    require(machine, Right.FIND_USAGE)
    return trace.kept_since(), clock.now()


def _person_of(number: str) -> int | None:
    persons = {person for found in numbers_of(number) for person in found}
    subject = subject_of(persons.pop()) if len(persons) == 1 else None
    return None if subject is None or subject.is_sealed else subject.person_id
