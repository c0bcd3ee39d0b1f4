"""What time it is. Everything asks here, so that a test can set the clock."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime

_frozen: datetime | None = None


def now() -> datetime:
    """This moment, with its time zone (UTC)."""
    return _frozen or datetime.now(UTC)


def today() -> date:
    """This day (UTC)."""
    return now().date()


@contextmanager
def stopped_at(moment: datetime) -> Iterator[None]:
    """Let the clock stand at `moment` (with a time zone) inside the block."""
    global _frozen
    before, _frozen = _frozen, moment
    try:
        yield
    finally:
        _frozen = before
