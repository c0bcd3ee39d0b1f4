"""What time it is. Everything asks here, so that a test can set the clock."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from wanjia.kernel import settings

_frozen: datetime | None = None


def now() -> datetime:
    """This moment, with its time zone (UTC)."""
    return _frozen or datetime.now(UTC)


def today() -> date:
    """This day at the office: what was born this morning in Beijing was not born tomorrow."""
    return day_of(now())


def day_of(moment: datetime) -> date:
    """The day of a moment (with a time zone) at the office."""
    return at_office(moment).date()


def at_office(moment: datetime) -> datetime:
    """The same moment in the office's time zone (`WANJIA_TIME_ZONE`)."""
    return moment.astimezone(ZoneInfo(settings.time_zone()))


@contextmanager
def stopped_at(moment: datetime) -> Iterator[None]:
    """Let the clock stand at `moment` (with a time zone) inside the block."""
    global _frozen
    before, _frozen = _frozen, moment
    try:
        yield
    finally:
        _frozen = before
