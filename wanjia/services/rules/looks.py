"""Which entries of the trace are told to the person one by one, and which only by month (pure)."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Protocol

#: entries about somebody who stood beside the person that was asked for: time and purpose belong to that other person's business
BESIDE = (
    "register.household_members", "register.household_as_of", "documents.erase",
    # what is written about everybody in a case before it is decided: a spouse who applies for a divorce tells nobody by it
    *(
        f"register.event_{step}"
        for step in (
            "open", "save", "check", "submit", "assign", "read", "steps", "list", "review", "return", "refuse", "withdraw",
        )
    ),
)  # fmt: skip


class Told(Protocol):
    """What is needed of a declared purpose."""

    secrecy_law: str


def told_by_month(purposes: Mapping[str, Told]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """(kinds, purposes) of entries that are told as a number for a whole month."""
    return BESIDE, tuple(sorted(code for code, purpose in purposes.items() if purpose.secrecy_law))


def month_begins(now: datetime) -> datetime:
    """The first moment of this month: up to there months are over, and may be told. Inside a month a number that grows would tell the day."""
    return now.replace(day=1, hour=0, minute=0, second=0, microsecond=0)


def next_month(now: datetime) -> date:
    """The day on which this month's number is told."""
    return date(now.year + now.month // 12, now.month % 12 + 1, 1)
