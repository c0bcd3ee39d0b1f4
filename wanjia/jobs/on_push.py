"""The fast lane: pushed records reach the register within a second or two, by the rules of the main job.

The worker holds the linkage and the assertions of the last run in memory. Every fraction of a second it gathers what was pushed, standardises it,
links it, and settles the persons it touches. When a main job has run since, everything is loaded anew; while one runs, the worker waits. What the
lane cannot do (a batch too large, a person left without a record) the next main job does; nothing is lost if the worker is killed.
"""

import time
from collections.abc import Callable
from typing import Any

import pyarrow as pa

from wanjia.jobs import on_delivery
from wanjia.kernel import settings
from wanjia.kernel.errors import AlreadyRunning

BY, WHY = "worker:push", "fast lane"
PAUSE_SECONDS = 0.1
WAIT_FOR_JOB_SECONDS = 1.0
ROWS_AT_ONCE = 200


class FastLane:
    """The linkage of everything in memory, and the loop that feeds it."""

    def __init__(self) -> None:
        self._run: int | None = None
        self._engine: Any = None
        self._resident: Any = None

    def serve(self, is_stopping: Callable[[], bool]) -> None:
        """Take up pushes until told to stop."""
        while not is_stopping():
            try:
                took = self.step()
            except AlreadyRunning:
                time.sleep(WAIT_FOR_JOB_SECONDS)
                continue
            if not took:
                time.sleep(PAUSE_SECONDS)

    def step(self) -> int:
        """Bring what waits into the register; how many rows. Raises `AlreadyRunning` while a main job runs."""
        from wanjia.intake import api as intake

        if not intake.has_pending():
            return 0
        with on_delivery.only_one():
            is_ready = self._make_ready()
            deliveries = intake.gather_pushes(limit=ROWS_AT_ONCE, by=BY, why=WHY) if is_ready else []
            rows = sum(self._take(delivery.id) for delivery in deliveries)
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
        self._engine = self._resident = self._run = None

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
        if last["outcome"].get("fingerprint") != on_delivery.fingerprint() or not last["outcome"].get("linkage"):
            return False
        self.close()
        self._engine = get_engine("duckdb")
        self._profile, self._sources = standards.load_profile(), intake.sources()
        assertions = intake.active_assertions(self._engine)
        self._resident = linkage.open_resident(
            self._engine, lake=Lake.open(settings.home()), assertions=assertions, sources=self._sources.values()
        )
        self._tables = {
            row[0] for row in self._engine.raw.execute("SHOW TABLES").fetchall() if row[0].startswith("assertions__")
        }
        self._run = last["id"]
        return True

    def _take(self, delivery_id: int) -> int:
        """One small delivery, from its landing to the state of the persons it touches."""
        from wanjia.intake import api as intake
        from wanjia.linkage import api as linkage
        from wanjia.register import api as register

        delivery = intake.standardise_delivery(self._engine, delivery_id, self._profile, by=BY, why=WHY)
        said = intake.delivery_assertions(delivery_id)
        for start in range(0, said.num_rows, ROWS_AT_ONCE):
            piece = said.slice(start, ROWS_AT_ONCE)
            few = self._resident.link_few(piece)
            touched = linkage.load_few(few.links, few.gone, few.review) | set(few.links.column("person_id").to_pylist())
            self._hold(f"assertions__{delivery.source}", piece, few.gone)
            links = self._resident.links_of(sorted(touched))
            if links.num_rows:
                register.resolve_few(
                    self._engine,
                    self._said_of(links),
                    links,
                    sources=self._sources,
                    elements=self._profile.elements.values(),
                    by=BY,
                    why=WHY,
                )
        return delivery.rows_in

    def _hold(self, table: str, piece: pa.Table, gone: list[int]) -> None:
        """Keep the new assertions with the others of their source, and forget those they supersede."""
        raw = self._engine.raw
        raw.register("lane_piece", piece)
        if table not in self._tables:
            raw.execute(f'CREATE TABLE "{table}" AS SELECT * FROM lane_piece LIMIT 0')
            self._tables.add(table)
        if gone:
            raw.execute(f'DELETE FROM "{table}" WHERE list_contains(?, assertion_id)', [gone])
        raw.execute(f'INSERT INTO "{table}" BY NAME SELECT * FROM lane_piece')
        raw.unregister("lane_piece")

    def _said_of(self, links: pa.Table) -> pa.Table:
        """All active assertions behind these links, every source in one table."""
        raw = self._engine.raw
        raw.register("lane_links", links)
        parts = " UNION ALL BY NAME ".join(
            f'SELECT a.* FROM "{table}" a SEMI JOIN lane_links l ON a.assertion_id = l.assertion_id'
            for table in sorted(self._tables)
        )
        found = raw.sql(f"SELECT * FROM ({parts}) q ORDER BY assertion_id").to_arrow_table()
        raw.unregister("lane_links")
        return found
