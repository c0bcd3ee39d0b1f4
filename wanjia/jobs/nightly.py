"""What runs once a night: the log's self-check."""

import logging
from collections.abc import Callable
from datetime import timedelta

from wanjia.kernel import clock

BY, WHY = "worker:nightly", "nightly self-check"
#: the hour (UTC) after which a night's work begins: two in the morning in Shanghai
HOUR = 18

log = logging.getLogger("wanjia.jobs")


def is_due() -> bool:
    """Whether the last self-check is from before the latest night."""
    from wanjia.trace import api as trace

    now = clock.now()
    night = now.replace(hour=HOUR, minute=0, second=0, microsecond=0)
    if night > now:
        night -= timedelta(days=1)
    last = trace.entries(kind="trace.self_check", limit=1)
    return trace.head() is not None and (not last or last[0]["at"] < night)


def run(told: Callable[[int, int], None] | None = None) -> list[str]:
    """Check the log; what is wrong is returned, and logged as a number of findings."""
    from wanjia.trace import api as trace

    wrong = trace.self_check(by=BY, why=WHY, told=told)
    if wrong:
        log.error("TRACE-008 the nightly self-check found %d things wrong: run 'wanjia trace self-check'", len(wrong))
    return wrong
