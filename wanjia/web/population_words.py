"""How a protected count is written on a page."""

from wanjia.privacy.api import SMALLEST_COUNT, ProtectedCount
from wanjia.web.labels import grouped


def shown(count: ProtectedCount) -> str:
    """A protected count in words: the number, “<10”, or “…” where it is held back to keep another hidden."""
    if count.people is not None:
        return grouped(count.people)
    return f"<{SMALLEST_COUNT}" if count.is_small else "…"
