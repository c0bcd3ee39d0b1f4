"""What time it is. Everything asks here, so that a test can set the clock."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from wanjia.kernel import settings

BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
_frozen: datetime | None = None


def now() -> datetime:
    """This moment, with its time zone (UTC)."""
    return _frozen or datetime.now(UTC)


def running() -> tuple[str, float]:
    """Which start of this machine this is, and seconds since then, sleep included: it goes on evenly when somebody sets the clock.

    ("", 0.0) where the system does not tell.
    """
    try:
        return BOOT_ID.read_text().strip(), time.clock_gettime(time.CLOCK_BOOTTIME)
    except (OSError, AttributeError):
        return "", 0.0


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
