"""Every night: the register as a whole, and what only the passing of days changes. Each public function is one job, in this order."""

import logging

# in UTC, as all times kept: half past two in Beijing
TIMES = "30 18 * * *"
# one after the other
LOCK = "nightly"
BY, WHY = "timetable:nightly", "nightly"

log = logging.getLogger("wanjia.jobs")


def bring_everything_in() -> None:
    """The main job over all that was delivered; nothing when nothing changed since the last one."""
    from wanjia.jobs import on_delivery

    on_delivery.run(by=BY, why=WHY)


def count_the_population_anew() -> None:
    """Ages of the new day: people have birthdays without any delivery."""
    from wanjia.register import api as register

    if register.sizes()["persons"]:
        register.count_population(by=BY, why=WHY)
        register.count_years(by=BY, why=WHY)


def check_the_log() -> None:
    """The trace's self-check: the whole public log made anew from the rows, and compared."""
    from wanjia.trace import api as trace

    if trace.head() is None:
        return
    trace.confirm()
    if wrong := trace.self_check(by=BY, why="nightly self-check"):
        log.error("TRACE-008 the nightly self-check found %d things wrong: run 'wanjia trace self-check'", len(wrong))


def clear_what_is_over() -> None:
    """Sessions that have ended, and landed bytes that no delivery speaks of."""
    from django.core.management import call_command

    from wanjia.intake import api as intake

    call_command("clearsessions", verbosity=0)
    intake.sweep_landings()
