"""The fast lane: pushed records reach the register within a second or two, by the rules of the main job.

The worker holds the linkage and the assertions of the last run in memory. Every fraction of a second it gathers what was pushed, standardises it,
links it, and settles the persons it touches. When a main job has run since, everything is loaded anew; while one runs, the worker waits. What the
lane cannot do (a batch too large for it) the next main job does; nothing is lost if the worker is killed.
"""

import gc
import time
from collections.abc import Callable
from typing import Any

from django.db import transaction

from wanjia.jobs import on_delivery
from wanjia.jobs.turns import RegisterLock
from wanjia.kernel import clock, settings
from wanjia.kernel.errors import AlreadyRunning

BY, WHY = "worker:push", "fast lane"
PAUSE_SECONDS = 0.05
WAIT_FOR_JOB_SECONDS = 1.0
# a step costs nearly the same for one row as for hundreds: whoever falls behind takes more at once and catches up
ROWS_AT_ONCE = 500
REHEARSED_PERSONS = 20


class FastLane:
    """The linkage of everything in memory, and the loop that feeds it."""

    def __init__(self) -> None:
        self._run: int | None = None
        self._stands_on = ""  # the fingerprint of what was loaded
        self._engine: Any = None
        self._resident: Any = None
        self._standing: Any = None
        self._lock: Any = None

    def serve(self, is_stopping: Callable[[], bool], tell: Callable[[], None] = lambda: None) -> None:
        """Take up pushes until told to stop. `tell` is called once, when the first push will meet no delay."""
        is_told = False
        while not is_stopping():
            try:
                if not is_told:
                    self._begin()
                    tell()
                    is_told = True
                took = self.step()
            except AlreadyRunning:
                time.sleep(WAIT_FOR_JOB_SECONDS)
                continue
            if not took:
                time.sleep(PAUSE_SECONDS)

    def prepare(self) -> bool:
        """Load what the lane stands on before anything is pushed; whether there is a run to stand on. Raises `AlreadyRunning`."""
        with self._held():
            return self._make_ready()

    def _begin(self) -> None:
        from wanjia.catalog import api as catalog

        if not self.prepare() and catalog.latest_run() is not None:
            # pushed since the last run, perhaps half brought in when the worker was killed: now, not when the next push comes
            on_delivery.run(by=BY, why=WHY)
            self.prepare()

    def step(self) -> int:
        """Bring what waits into the register; how many rows. Raises `AlreadyRunning` while a main job runs."""
        from wanjia.intake import api as intake

        if not intake.has_pushed():
            return 0
        try:
            with self._held():
                is_ready = self._make_ready()
                rows = sum(self._take(delivery) for delivery in self._gathered()) if is_ready else 0
        except AlreadyRunning:
            raise
        except BaseException:
            # what is in memory may be half a step ahead of the database: begin anew from what is whole
            self.close()
            raise
        if not is_ready:
            # no run to stand on yet, or deliveries since it: the main job takes the pushes along
            self.close()
            report = on_delivery.run(by=BY, why=WHY)
            return sum(delivery.rows_in for delivery in report.deliveries)
        return rows

    def close(self) -> None:
        """Let go of the memory."""
        if self._engine is not None:
            self._engine.close()
        if self._lock is not None:
            self._lock.close()
        self._engine = self._resident = self._standing = self._run = self._lock = None
        gc.unfreeze()

    def _held(self) -> Any:
        if self._lock is None:
            self._lock = RegisterLock()
        return self._lock.for_a_step()

    def _make_ready(self) -> bool:
        """Whether the lane stands on the newest run; loads it if need be."""
        from wanjia.catalog import api as catalog
        from wanjia.intake import api as intake
        from wanjia.kernel.engine import get_engine
        from wanjia.kernel.lake import Lake
        from wanjia.linkage import api as linkage
        from wanjia.standards import api as standards

        last = catalog.latest_run()
        if last is None:
            return False
        if last["id"] == self._run:
            return True
        if self._run is not None and last["outcome"].get("fingerprint") == self._stands_on:
            # a run that had nothing to do
            self._run = last["id"]
            return True
        if last["outcome"].get("fingerprint") != on_delivery.fingerprint() or not last["outcome"].get("linkage"):
            return False
        if self._engine is not None:
            self._engine.close()
            self._resident = self._standing = None
            gc.unfreeze()
        self._engine = get_engine("duckdb")
        self._profile, self._sources = standards.load_profile(), intake.sources()
        assertions = intake.active_assertions(self._engine)
        self._resident = linkage.open_resident(
            self._engine, lake=Lake.open(settings.home()), assertions=assertions, sources=self._sources.values()
        )
        pushing = [code for code, source in self._sources.items() if source.cadence.kind == "push"]
        self._standing = intake.Standing.open(self._engine, pushing)
        self._engine.small_from_now_on()
        self._rehearse(pushing)
        # what was loaded stays: looking through millions of objects for garbage would hold a push up
        gc.collect()
        gc.freeze()
        self._run, self._stands_on = last["id"], last["outcome"]["fingerprint"]
        return True

    def _rehearse(self, pushing: list[str]) -> None:
        """Go through a step that changes nothing, so that no push waits for statements to be planned."""
        from wanjia.intake import api as intake
        from wanjia.register import api as register

        for code in pushing:
            rows = [example.row for example in self._sources[code].examples]
            if rows:
                read = intake.standardise_rows(self._engine, code, rows, self._profile, received_on=clock.today())
                self._standing.expect(read.assertions)
        persons = self._resident.some_persons(REHEARSED_PERSONS)
        said = self._standing.of(self._resident.links_of(persons).column("assertion_id").to_pylist())
        if said.num_rows:
            # told once more what they have said already
            self._resident.link_few(said.slice(0, ROWS_AT_ONCE))
            links = self._resident.links_of(persons)
            register.rehearse_few(self._engine, said, links, **self._given())

    def _gathered(self) -> list[Any]:
        from wanjia.intake import api as intake

        return intake.gathered_pushes() or intake.gather_pushes(limit=ROWS_AT_ONCE, by=BY, why=WHY)

    def _given(self) -> dict[str, Any]:
        return {"sources": self._sources, "elements": self._profile.elements.values()}

    def _take(self, delivery: Any) -> int:
        """One small delivery, from its landing to the state of the persons it touches; how many rows."""
        from wanjia.intake import api as intake
        from wanjia.intake.errors import IntakeError

        try:
            delivery = intake.standardise_delivery(self._engine, delivery.id, self._profile, by=BY, why=WHY)
        except IntakeError:
            # it stands as failed, with its reason; those who pushed read it in their receipts
            return 1
        said = intake.delivery_assertions(delivery.id)
        for start in range(0, said.num_rows, ROWS_AT_ONCE):
            self._settle(delivery.source, said.slice(start, ROWS_AT_ONCE))
        return delivery.rows_in

    @transaction.atomic
    def _settle(self, source: str, fresh: Any) -> None:
        from wanjia.linkage import api as linkage
        from wanjia.register import api as register

        fresh, gone = self._standing.take(source, fresh)
        if not fresh.num_rows:
            return
        few = self._resident.link_few(fresh, withdrawn=gone)
        before = linkage.load_few(few.links, few.gone, few.review)
        touched = before | set(few.links.column("person_id").to_pylist())
        touched = sorted(touched.union(register.spouses_of(touched)))
        links = self._resident.links_of(touched)
        said = self._standing.of(links.column("assertion_id").to_pylist())
        register.resolve_few(self._engine, said, links, persons=touched, by=BY, why=WHY, **self._given())
