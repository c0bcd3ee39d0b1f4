"""The main job: what departments delivered becomes the register.

Stages: receive → standardise → link → resolve → load → score. Each leaves something whole behind (sealed lake files written atomically,
one database transaction), and the state is a function of the active deliveries alone. So the job may be killed at any moment: run
again, it goes on from what is whole and ends in the same state.
"""

import hashlib
import json
import resource
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, field
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any

from wanjia.jobs.receiving import Come, receiving
from wanjia.jobs.turns import only_one
from wanjia.kernel import clock, settings
from wanjia.kernel.memory import for_bulk_work, give_back
from wanjia.kernel.progress import Progress, SilentProgress


@dataclass(frozen=True)
class DeliveryCounts:
    """One delivery's reconciliation: rows in = accepted + quarantined + exact repeats."""

    delivery: int
    source: str
    status: str
    rows_in: int
    accepted: int
    quarantined: int
    repeats: int


@dataclass(frozen=True)
class Stage:
    """What one stage took and gave. `peak_mb` is the process's peak so far."""

    name: str
    seconds: float
    peak_mb: int
    rows_in: int | None = None
    rows_out: int | None = None
    detail: dict[str, Any] = field(default_factory=dict)


@dataclass
class Report:
    """What a run of the main job did."""

    run: int | None = None
    deliveries: list[DeliveryCounts] = field(default_factory=list)
    known_again: int = 0
    unmatched: int = 0
    refused: list[dict[str, Any]] = field(default_factory=list)
    stages: list[Stage] = field(default_factory=list)
    linkage: dict[str, Any] = field(default_factory=dict)
    register: dict[str, int] = field(default_factory=dict)
    findings: dict[str, int] = field(default_factory=dict)
    is_unchanged: bool = False

    def take(self, come: Come) -> None:
        """Take over what became of all that came in."""
        self.known_again, self.unmatched = come.known_again, come.unmatched
        self.refused += [_refusal(number, source, error) for number, source, error in come.refused]

    @property
    def refused_rows(self) -> int:
        """Rows in quarantine by this run."""
        return sum(delivery.quarantined for delivery in self.deliveries)

    def as_json(self) -> dict[str, Any]:
        """The report as JSON-able values."""
        return {"schema": 1, **asdict(self), "refused_rows": self.refused_rows}


class _Clock:
    """Times the stages of a run, shows them, and records them with the run."""

    def __init__(self, report: Report, progress: Progress) -> None:
        self._report = report
        self._progress = progress
        self.run: int | None = None

    @contextmanager
    def stage(self, name: str) -> Iterator[dict[str, Any]]:
        """Time a stage; the block fills rows_in, rows_out and detail into what it is given."""
        from wanjia.catalog import api as catalog

        self._progress.stage(name)
        began, started_at = time.perf_counter(), clock.now()
        told: dict[str, Any] = {}
        yield told
        give_back()
        done = Stage(
            name=name,
            seconds=round(time.perf_counter() - began, 3),
            peak_mb=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
            rows_in=told.pop("rows_in", None),
            rows_out=told.pop("rows_out", None),
            detail=told,
        )
        self._report.stages.append(done)
        if self.run is not None:
            catalog.record_stage(
                self.run,
                name,
                started_at=started_at,
                finished_at=clock.now(),
                rows_in=done.rows_in,
                rows_out=done.rows_out,
                seconds=done.seconds,
                peak_memory_mb=done.peak_mb,
                detail=done.detail,
            )


def run(
    inbox: Path | None = None,
    *,
    by: str,
    why: str,
    progress: Progress | None = None,
    engine_name: str | None = None,
    force: bool = False,
    receives: bool = True,
) -> Report:
    """Receive what lies in `inbox`, pull from every database that is set, and bring the register to the state that all active deliveries make.

    With `receives` false nothing new is looked for: what an earlier run had received before it was stopped is finished.
    Nothing is computed when nothing changed since the last whole run (unless `force`). Raises `AlreadyRunning` when another main job
    runs, `DeclarationErrors`, and the errors of each stage; a delivery that cannot be read is reported in `refused`, and the rest goes on.
    """
    from wanjia.kernel.database import migrate

    migrate()
    report = Report()
    shown = progress or SilentProgress()
    with only_one(), for_bulk_work():
        try:
            _run(inbox, report, _Clock(report, shown), engine_name, force, receives, by=by, why=why)
        finally:
            shown.done()
    return report


def preview(inbox: Path | None, *, progress: Progress | None = None) -> Report:
    """What the files of `inbox` would become: read, standardised and checked like a run, and nothing is kept."""
    from wanjia.intake import api as intake
    from wanjia.intake.errors import IntakeError, NoSourceForFile
    from wanjia.kernel.engine import get_engine

    report, shown = Report(), progress or SilentProgress()
    paths = sorted(path for path in inbox.rglob("*") if path.is_file()) if inbox is not None else []
    shown.stage("preview", len(paths))
    with get_engine() as engine:
        for number, path in enumerate(paths, start=1):
            try:
                source, result = intake.preview_file(engine, path)
            except NoSourceForFile:
                report.unmatched += 1
            except IntakeError as error:
                report.refused.append(_refusal(number, None, error))
            else:
                refused = result.rows_in - result.accepted - result.repeats
                report.deliveries.append(
                    DeliveryCounts(0, source, "preview", result.rows_in, result.accepted, refused, result.repeats)
                )
            shown.advance()
    shown.done()
    return report


def _run(
    inbox: Path | None,
    report: Report,
    timer: _Clock,
    engine_name: str | None,
    force: bool,
    receives: bool,
    *,
    by: str,
    why: str,
) -> None:
    from wanjia.catalog import api as catalog
    from wanjia.intake import api as intake
    from wanjia.kernel.engine import get_engine
    from wanjia.linkage.api import reviewing
    from wanjia.privacy import api as privacy
    from wanjia.register import api as register
    from wanjia.standards import api as standards

    profile = standards.load_profile()
    sources = intake.sources()
    # the assertions that are made now; they are not read back
    come, said = Come(), {}
    with ExitStack() as open_for_more:
        with timer.stage("receive"):
            # what has landed is standardised while the rest comes in
            coming = open_for_more.enter_context(receiving(inbox, come, receives=receives, by=by, why=why))
            first = next(coming, None)
        last = catalog.latest_run()
        known = last["outcome"].get("fingerprint") if last is not None else None
        # what officers decided of pairs since is a reason to link again, though nothing was delivered
        force = force or (last is not None and last["outcome"].get("decisions", 0) != reviewing.decisions_made())
        # … and so is a search index that an older version made, of which an upgrade has left a part
        force = force or privacy.lacks_searchable()
        if first is None and not force and known == fingerprint() and not intake.has_pending():
            report.take(come)
            report.is_unchanged, report.run = True, last["id"]
            return
        report.run = timer.run = catalog.open_run(engine=engine_name or settings.engine_name(), by=by, why=why)
        try:
            with get_engine(engine_name) as engine:
                with timer.stage("standardise") as told:
                    pending = chain([first] if first is not None else [], coming)
                    done, refused = intake.standardise_pending(
                        engine, profile, pending=pending, texts=come.texts, said=said, by=by, why=why
                    )
                    report.take(come)
                    report.deliveries = [_counts(delivery) for delivery in done]
                    report.refused += [_refusal(delivery.id, delivery.source, error) for delivery, error in refused]
                    told["rows_in"] = sum(delivery.rows_in for delivery in done)
                    told["rows_out"] = sum(delivery.accepted for delivery in done)
                    told["received"] = come.landed
                    standards.forget_texts(engine)
                open_for_more.close()
                report.is_unchanged = not force and known == fingerprint()
                if report.is_unchanged:
                    outcome = {**last["outcome"], "sizes": register.sizes()}
                else:
                    decisions = reviewing.decisions_made()
                    _link_and_load(engine, profile, sources, report, timer, said, by=by, why=why)
                    outcome = {
                        "fingerprint": fingerprint(),
                        "decisions": decisions,
                        "sizes": register.sizes(),
                        "linkage": report.linkage,
                        "register": report.register,
                        "findings": report.findings,
                    }
            catalog.close_run(timer.run, outcome=outcome, by=by, why=why)
        except BaseException:
            catalog.close_run(timer.run, failed=True, by=by, why=why)
            raise


def _link_and_load(
    engine: Any, profile: Any, sources: dict, report: Report, timer: _Clock, said: dict[int, Any], *, by: str, why: str
) -> None:
    from wanjia.catalog import api as catalog
    from wanjia.intake import api as intake
    from wanjia.kernel.ahead import Early
    from wanjia.kernel.declared import load_folder
    from wanjia.kernel.lake import Lake
    from wanjia.linkage import api as linkage
    from wanjia.linkage.api import reviewing
    from wanjia.register import api as register
    from wanjia.register.declared import Check

    lake = Lake.open(settings.home())
    with timer.stage("gather") as told:
        by_source = intake.active_by_source(engine, said=said)
        assertions = intake.together(by_source)
        count = told["rows_out"] = int(engine.arrow(assertions.aggregate(n=assertions.count()))["n"][0].as_py())
    if not count and not lake.exists("linkage/links"):
        return
    # links are sealed and written to the database while the engine resolves; both is done before the register changes
    with ThreadPoolExecutor(1) as beside:
        with timer.stage("link") as told:
            decided = reviewing.decided()
            linked = linkage.link(
                engine, lake=lake, assertions=assertions, sources=sources.values(), decided=decided, beside=beside
            )
            report.linkage = linked.figures()
            told.update(rows_in=linked.assertions, rows_out=linked.persons, **_figures(report.linkage))
        loading = beside.submit(_load_links, linked)
        engine.forget("lk_")
        with timer.stage("resolve") as told:
            links = engine.load("main_links", linked.made.links.select(["assertion_id", "person_id", "band"]))
            # what is counted at the end; the assertions' own tables go as soon as they are taken over, and make room for the next
            value_issues = intake.active_issues(engine)
            issued = assertions.semi_join(value_issues, "assertion_id").select("assertion_id", "source")
            issued = engine.save("main_issued", issued)
            resolution = register.resolve(
                engine,
                by_source,
                links,
                sources=sources,
                elements=profile.elements.values(),
                done_with=partial(intake.let_go, engine),
            )
            engine.drop("main_links")
            told.update(rows_in=linked.assertions, rows_out=resolution.persons, steps=resolution.seconds)
        with timer.stage("load links") as told:
            told.update(loading.result())
    checks = load_folder(settings.profile_dir() / "checks", Check)
    # what the engine has to count does not depend on the load: some of it is counted while the database still writes what was loaded …
    found = Early(lambda: engine.save("main_findings", resolution.findings(checks)))
    alike = partial(linkage.findings, engine, lake=lake, checks=checks)
    defects = Early(lambda: catalog.gather_findings(engine, found.value().union(alike())))
    counted = Early(lambda: resolution.population(clock.today()))
    with ThreadPoolExecutor(1) as beside:
        with timer.stage("seal and load") as told:
            loaded = register.load(resolution, beside=lambda: (defects.begin(), counted.begin()), by=by, why=why)
            # who left without being merged (the records were withdrawn) has no successor
            merged = linkage.successors(engine, lake=lake, former_ids=register.persons_who_left())
            register.redirect_persons(merged, by=by, why=why)
            # … and the rest while it files what was counted; until that is done the engine is not ours
            agreement = beside.submit(resolution.agreement)
            register.count_population(resolution=resolution, by=by, why=why)
            report.register = loaded.counts
            told.update(rows_out=loaded.persons, steps=loaded.seconds)
        with timer.stage("score quality") as told:

            def dossiers(person_ids: Iterable[int]) -> list[Any]:
                agreement.result()
                return resolution.dossiers_of(person_ids)

            days = {check.code: check.working_days for check in checks.values()}
            report.findings = catalog.file_findings(
                defects.value(), working_days=days, dossiers=dossiers, by=by, why=why
            )
            told.update(report.findings)
            told["rows_out"] = catalog.score(
                timer.run,
                engine,
                assertions=issued,
                agreement=agreement.result(),
                value_issues=value_issues,
                findings=found.value(),
                rows_by_source=intake.rows_by_source(),
                by=by,
                why=why,
            )


def _load_links(linked: Any) -> dict[str, int]:
    """The links into PostgreSQL, in a thread: its own connection ends with it."""
    from django.db import connection

    from wanjia.linkage import api as linkage

    try:
        return linkage.load_links(linked)
    finally:
        connection.close()


def _refusal(number: int, source: str | None, error: Any) -> dict[str, Any]:
    return {
        "delivery": number,
        "source": source,
        "code": error.code,
        "zh": error.sentence("zh"),
        "en": error.sentence("en"),
    }


def _counts(delivery: Any) -> DeliveryCounts:
    return DeliveryCounts(
        delivery.id,
        delivery.source,
        delivery.status,
        delivery.rows_in,
        delivery.accepted,
        delivery.quarantined,
        delivery.repeats,
    )


def _figures(values: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in values.items() if key not in ("assertions", "persons")}


def fingerprint() -> str:
    """What the state depends on: the active deliveries that say anything, and the profile's files."""
    from wanjia.intake import api as intake

    said = hashlib.sha256(
        json.dumps(sorted(delivery.id for delivery in intake.active_deliveries() if delivery.accepted)).encode()
    )
    for path in sorted(settings.profile_dir().rglob("*")):
        if path.is_file():
            said.update(path.name.encode() + path.read_bytes())
    return said.hexdigest()
