"""Every minute: what the sources' own cadence asks for. Each public function is one job, in this order."""

import logging

TIMES = "* * * * *"
BY = "timetable:minutely"

log = logging.getLogger("wanjia.jobs")


def pull_what_is_due() -> None:
    """Pull the sources whose cadence has come round, and bring what came into the register."""
    from wanjia.catalog import api as catalog
    from wanjia.intake import api as intake
    from wanjia.intake.errors import IntakeError
    from wanjia.jobs import on_delivery

    for source in intake.sources_due():
        try:
            intake.pull(source.code, by=BY, why="scheduled pull")
        except IntakeError as error:
            # the next minute asks again; a department that does not answer keeps no other's data out
            log.warning("%s is not pulled: %s", source.code, error)
    # also what an earlier minute pulled and could not bring in: another job held the lock, or it was killed. A run that failed by itself would fail
    # again: that is for the night and for people
    last = catalog.latest_run(finished=False)
    if intake.has_landed() or (last is not None and last["state"] == "open"):
        # nothing more is looked for: the pulls were just made, and pushes are the fast lane's
        on_delivery.run(by=BY, why="scheduled pull", receives=False)


def note_changed_policies() -> None:
    """A change of the files that decide who may what is in the trace within a minute, even when nobody asks for a page."""
    from wanjia.access import api as access

    if changed := access.keep_policies(by=BY, why="changed while running"):
        log.warning("%d policies, roles, purposes or field groups changed: see the trace", len(changed))


def open_due_seals() -> None:
    """Sealed reads whose day has come are noted as open; one that is not raises an alarm."""
    from wanjia.trace import api as trace

    trace.open_due(by=BY, why="their day has come")


def watch_the_reads() -> None:
    """Look at what staff read since the last look: an unusual read is an alert within a minute or two."""
    from wanjia.oversight import api as oversight

    if raised := oversight.look(by=BY, why="watch rules"):
        log.warning("%d new alerts: see the auditor's pages", len(raised))


def change_divisions_due() -> None:
    """Changes of divisions whose day has come are carried out; what a restored backup lacks is written again."""
    from wanjia.register import api as register

    register.publish()
    for code in register.carry_out_due(by=BY, why="its day has come"):
        log.warning("the change of divisions %s is carried out: see the trace", code)


def check_the_log_when_asked() -> None:
    """Make the check of the whole log that an auditor has asked for."""
    from wanjia.trace import api as trace

    if wrong := trace.check_if_asked(by=BY, why="an auditor asked"):
        log.error("the log does not stand: %d findings, see the auditor's pages", len(wrong))
