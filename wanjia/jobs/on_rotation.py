"""After a key rotated: everything under older keys is made anew, while readers and writers go on.

Every value names its key, so the work is what is found under older keys: killed at any moment, the same command goes on with what is left. Vault,
quarantine, pushes and lake need no lock against the main job. The search index is made from the assertions, so it waits until no main job runs.
"""

import time
from collections.abc import Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from typing import Any

from wanjia.jobs import turns
from wanjia.kernel import settings
from wanjia.kernel.errors import AlreadyRunning
from wanjia.kernel.keyring import Keyring
from wanjia.kernel.progress import Progress, SilentProgress

#: one re-encryption at a time; the lock vanishes with its connection
REENCRYPT_LOCK = 0x6B657973
PASSES = 5
WAIT_FOR_JOB_SECONDS = 300.0


@dataclass
class Reencrypted:
    """What a re-encryption did: values made anew by store, seconds, and what is still under older keys (store → count)."""

    run: int | None
    found: dict[str, int]
    done: dict[str, int] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    left: dict[str, int] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """JSON-able values."""
        return {"schema": 1, **asdict(self)}


def reencrypt(
    purposes: Sequence[str] | None = None, *, by: str, why: str, progress: Progress | None = None, dry_run: bool = False
) -> Reencrypted:
    """Make anew what is under older keys of `purposes` (or of all). Raises `AlreadyRunning` when another re-encryption runs."""
    from wanjia.keys import api as keys
    from wanjia.privacy.api import SearchIndex

    shown = progress or SilentProgress()
    with _only_one():
        stores = keys.left_under_older_keys(purposes)
        report = Reencrypted(None, {store.name: count for store, count in stores})
        if dry_run or not stores:
            return report
        report.run = keys.start_reencryption(sum(report.found.values()), by=by, why=why)

        def note(count: int) -> None:
            keys.advance(report.run, count)
            shown.advance(count)

        for number in range(PASSES):
            is_index_made = False
            for store, count in stores:
                began = time.perf_counter()
                shown.stage(store.name, count)
                done = store.remake(Keyring.open(settings.home()), note)
                if isinstance(store, SearchIndex) and not is_index_made:
                    # its parts are made together, from one reading of the assertions
                    done, is_index_made = _search_index(note), True
                report.done[store.name] = report.done.get(store.name, 0) + done
                spent = report.seconds.get(store.name, 0.0) + time.perf_counter() - began
                report.seconds[store.name] = round(spent, 3)
            # rows that others held were passed over; whatever sealed with the old key a moment ago has come in since
            before, stores = stores, keys.left_under_older_keys(purposes)
            if not stores:
                break
            if number and sum(count for _, count in stores) == sum(count for _, count in before):
                break
            time.sleep(0.2)
        shown.done()
        report.left = {store.name: count for store, count in stores}
        keys.finish_reencryption(report.run, report.left, by=by, why=why)
    return report


def _search_index(note: Any) -> int:
    """Hash the search index again, from what all active assertions say of the persons they are linked to."""
    from wanjia.intake import api as intake
    from wanjia.kernel.engine import get_engine
    from wanjia.linkage import api as linkage
    from wanjia.privacy import api as privacy
    from wanjia.register import api as register

    with _between_jobs(), get_engine() as engine:
        assertions = intake.active_assertions(engine)
        links = engine.load("rotation_links", linkage.current_links())
        return privacy.blind_again(register.searchable_values(engine, assertions, links), note=note)


@contextmanager
def _between_jobs():
    """Hold the main job's lock; wait for it as long as a main job may take. Raises `AlreadyRunning`."""
    until = time.monotonic() + WAIT_FOR_JOB_SECONDS
    while True:
        try:
            with turns.only_one():
                yield
                return
        except AlreadyRunning:
            if time.monotonic() > until:
                raise
            time.sleep(0.5)


@contextmanager
def _only_one():
    from django.db import connections

    holder = connections["default"].copy()
    try:
        with holder.cursor() as cursor:
            cursor.execute("SELECT pg_try_advisory_lock(%s)", [REENCRYPT_LOCK])
            if not cursor.fetchone()[0]:
                raise AlreadyRunning
            yield
    finally:
        holder.close()
