"""The door of the catalog: runs, scorecards, findings. What officers decide of conflicts is in `deciding`."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import pyarrow as pa
from django.db import connection, transaction
from django.db.models import F

from wanjia.catalog import bulk
from wanjia.catalog.api import standing
from wanjia.catalog.api.keyed import KEYED
from wanjia.catalog.api.standing import Dossiers
from wanjia.catalog.errors import NoRunYet, RunUnknown
from wanjia.catalog.models import Dimension, Finding, Run, Score, StageResult
from wanjia.catalog.rules import Tally, due_on, ratios, worst_first
from wanjia.kernel import clock
from wanjia.kernel.engine import Engine
from wanjia.trace import api as trace

__all__ = [
    "KEYED",
    "close_run",
    "file_findings",
    "findings",
    "findings_summary",
    "gather_findings",
    "latest_run",
    "open_run",
    "record_stage",
    "run_named",
    "runs",
    "score",
    "scorecard",
]  # fmt: skip

FINDING_SHOWN = (
    "id", "kind", "source", "element", "person_id", "other_person_id", "household_id", "assertion_ids", "status", "opened_on", "due_on", "closed_on",
)  # fmt: skip
FINDING_COLUMNS = ("kind", "source", "element", "person_id", "other_person_id", "household_id", "assertion_id")


def open_run(*, engine: str, by: str, why: str) -> int:
    """A new run of the main job begins. Returns its number. Runs that a kill left open are closed as failed."""
    with transaction.atomic():
        now = clock.now()
        Run.objects.filter(state=Run.State.OPEN).update(state=Run.State.FAILED, finished_at=now)
        run = Run.objects.create(started_at=now, engine=engine, actor=by, purpose=why)
        trace.record("catalog.open_run", by=by, why=why, detail={"run": run.pk})
    return run.pk


def record_stage(
    run_id: int,
    stage: str,
    *,
    started_at: datetime,
    finished_at: datetime,
    rows_in: int | None = None,
    rows_out: int | None = None,
    seconds: float | None = None,
    peak_memory_mb: float | None = None,
    detail: Mapping[str, Any] | None = None,
) -> None:
    """What one stage of an open run did; a stage reported again (after resuming) replaces its result. Raises `RunUnknown`."""
    if not Run.objects.filter(pk=run_id, state=Run.State.OPEN).exists():
        raise RunUnknown(run=run_id)
    took = (finished_at - started_at).total_seconds() if seconds is None else seconds
    StageResult.objects.update_or_create(
        run_id=run_id,
        stage=stage,
        defaults={
            "started_at": started_at,
            "finished_at": finished_at,
            "rows_in": rows_in,
            "rows_out": rows_out,
            "seconds": took,
            "peak_memory_mb": peak_memory_mb,
            "detail": dict(detail or {}),
        },
    )


def close_run(
    run_id: int, *, failed: bool = False, outcome: Mapping[str, Any] | None = None, by: str, why: str
) -> None:
    """The run has ended. `outcome` holds its counts. Raises `RunUnknown`."""
    with transaction.atomic():
        closed = Run.objects.filter(pk=run_id, state=Run.State.OPEN).update(
            state=Run.State.FAILED if failed else Run.State.DONE, finished_at=clock.now(), outcome=dict(outcome or {})
        )
        if not closed:
            raise RunUnknown(run=run_id)
        trace.record("catalog.close_run", by=by, why=why, detail={"run": run_id, "failed": failed})


def latest_run(*, finished: bool = True) -> dict[str, Any] | None:
    """The newest run (by default the newest that is done) with its stages in order, or None."""
    runs = Run.objects.filter(state=Run.State.DONE) if finished else Run.objects.all()
    run = runs.order_by("-pk").values().first()
    if run is not None:
        run["stages"] = list(StageResult.objects.filter(run_id=run["id"]).order_by("started_at", "pk").values())
    return run


def runs(*, limit: int = 12) -> list[dict[str, Any]]:
    """The newest runs, whatever their state, without their stages."""
    return list(Run.objects.order_by("-pk").values()[:limit])


def run_named(run_id: int) -> dict[str, Any]:
    """One run with its stages in order. Raises `RunUnknown`."""
    run = Run.objects.filter(pk=run_id).values().first()
    if run is None:
        raise RunUnknown(run=run_id)
    run["stages"] = list(StageResult.objects.filter(run_id=run_id).order_by("started_at", "pk").values())
    return run


def score(
    run_id: int,
    engine: Engine,
    *,
    assertions: Any,
    agreement: Iterable[Mapping[str, Any]],
    value_issues: Any = None,
    findings: Any = None,
    rows_by_source: Mapping[str, tuple[int, int]] | None = None,
    by: str,
    why: str,
) -> int:
    """Compute and keep the scorecards of a run. Returns how many ratios.

    `assertions`, `value_issues`, `findings` are frames of the engine; `agreement` is `register.api.Resolution.agreement()`; `rows_by_source` says for
    each source (rows accepted, rows delivered): the rows that could be used at all are its accessibility.
    """
    tallies: dict[tuple[str, str], dict[str, int]] = {}
    for row in agreement:
        if not row["given"]:
            continue  # a subject of the source that has no such column is not incomplete
        tally = tallies.setdefault((row["source"], row["element"]), {})
        for name, count in (
            ("expected", row["known"]),
            *((n, row[n]) for n in ("given", "shared", "differs", "stale")),
        ):
            tally[name] = tally.get(name, 0) + count
    for frame, expression in (
        (value_issues, lambda: bulk.misfits(assertions, value_issues)),
        (findings, lambda: bulk.contradicted(findings)),
    ):
        if frame is not None:
            for row in engine.arrow(expression()).to_pylist():
                *_, (name, count) = row.items()
                tallies.setdefault((row["source"], row["element"]), {})[name] = count
    scores = [
        Score(
            run_id=run_id, source=source, element=element, dimension=dimension, good=ratio.good, counted=ratio.counted
        )
        for (source, element), tally in tallies.items()
        for dimension, ratio in ratios(Tally(**tally)).items()
    ]
    for source, (accepted, delivered) in (rows_by_source or {}).items():
        scores.append(
            Score(
                run_id=run_id,
                source=source,
                element="",
                dimension=Dimension.ACCESSIBILITY,
                good=accepted,
                counted=delivered,
            )
        )
    with transaction.atomic():
        Score.objects.filter(run_id=run_id).delete()
        Score.objects.bulk_create(scores, batch_size=1000)
        trace.record("catalog.score", by=by, why=why, detail={"run": run_id, "ratios": len(scores)})
    return len(scores)


def scorecard(*, run_id: int | None = None, source: str | None = None) -> list[dict[str, Any]]:
    """The ratios of a run (the newest scored one if not said), worst first: {source, element, dimension, good, counted, ratio}.

    Raises `NoRunYet`.
    """
    if run_id is None:
        run_id = Score.objects.order_by("-run_id").values_list("run_id", flat=True).first()
        if run_id is None:
            raise NoRunYet()
    rows = Score.objects.filter(run_id=run_id, **({"source": source} if source else {}))
    cells = list(rows.values("source", "element", "dimension", "good", "counted"))
    for cell in cells:
        cell["ratio"] = cell["good"] / cell["counted"] if cell["counted"] else None
    return sorted(
        cells, key=lambda c: (*worst_first(c["good"], c["counted"]), c["source"], c["element"], c["dimension"])
    )


def gather_findings(engine: Engine, found: Any) -> pa.Table:
    """What `file_findings` takes: of `found`, a frame with the columns kind, source, element, person_id, other_person_id, household_id, assertion_id,
    one row for each subject, with the `assertion_ids` of all its rows."""
    keys = [name for name in FINDING_COLUMNS if name != "assertion_id"]
    return engine.arrow(
        found.filter(found.source.notnull()).group_by(keys).aggregate(assertion_ids=lambda t: t.assertion_id.collect())
    )


def file_findings(
    rows: pa.Table,
    *,
    working_days: Mapping[str, int] | None = None,
    only_persons: Sequence[int] | None = None,
    dossiers: Dossiers | None = None,
    by: str,
    why: str,
) -> dict[str, int]:
    """Make `rows` (of `gather_findings`) the open findings.

    A finding already open keeps its clock; one no longer found is closed; a new one is due after its kind's working days (ten if not said).
    With `only_persons`, findings about others stay as they are. A conflict that an officer decided stays decided, and what was settled is not opened
    again, while `dossiers` (person ids → what sources say of them now) shows that nothing changed. Returns {opened, closed, kept}.
    """
    keys = [name for name in FINDING_COLUMNS if name != "assertion_id"]
    today = clock.today()
    days = working_days or {}
    due = {kind: due_on(today, days.get(kind, 10)) for kind in set(rows["kind"].to_pylist())}
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("CREATE TEMP TABLE catalog_found (LIKE catalog_finding INCLUDING DEFAULTS) ON COMMIT DROP")
        cursor.execute("ALTER TABLE catalog_found ALTER COLUMN id DROP NOT NULL")
        listed = ", ".join((*keys, "assertion_ids", "status", "opened_on", "due_on"))
        with cursor.cursor.copy(f"COPY catalog_found ({listed}) FROM STDIN") as copy:
            for row in zip(*(rows[key].to_pylist() for key in keys), rows["assertion_ids"].to_pylist(), strict=True):
                *named, assertion_ids = row
                ids = sorted({one for one in assertion_ids or () if one is not None})
                copy.write_row((*named, ids, Finding.Status.OPEN, today, due[named[0]]))
        same = " AND ".join(f"f.{key} IS NOT DISTINCT FROM n.{key}" for key in keys)
        scope = "" if only_persons is None else " AND f.person_id = ANY(%(only)s)"
        # the two joins go by kind and source first: equality on them can be hashed, "is not distinct" cannot
        same = f"f.kind = n.kind AND f.source = n.source AND coalesce(f.person_id, 0) = coalesce(n.person_id, 0) AND {same}"
        cursor.execute(
            f"UPDATE catalog_finding f SET status = 'closed', closed_on = %(today)s WHERE status = 'open'"
            f" AND NOT EXISTS (SELECT FROM catalog_found n WHERE {same})" + scope,
            {"today": today, "only": list(only_persons or [])},
        )
        closed = cursor.rowcount
        cursor.execute(
            f"UPDATE catalog_finding f SET assertion_ids = n.assertion_ids FROM catalog_found n WHERE f.status = 'open' AND {same}"
        )
        kept = cursor.rowcount
        decided = standing.unchanged(cursor, dossiers)
        cursor.execute("SELECT coalesce(max(id), 0) FROM catalog_finding")
        since = cursor.fetchone()[0]
        cursor.execute(
            f"INSERT INTO catalog_finding ({listed}, division) SELECT {listed}, {standing.waits_at('n')} FROM catalog_found n"
            f" WHERE NOT EXISTS (SELECT FROM catalog_finding f WHERE f.status = 'open' AND {same})"
            f" AND NOT EXISTS (SELECT FROM catalog_finding f WHERE f.status = 'settled' AND f.decision_id = ANY(%s) AND {same})",
            [decided],
        )
        counts = {"opened": cursor.rowcount, "closed": closed, "kept": kept}
        standing.keep(cursor, decided, scope, {"only": list(only_persons or [])}, since=since)
        cursor.execute("DROP TABLE catalog_found")
        trace.record("catalog.file_findings", by=by, why=why, detail=counts)
    return counts


def findings_summary() -> list[dict[str, Any]]:
    """Open findings by source and kind, most first: {source, kind, open, overdue, next_due_on}."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT source, kind, count(*) AS open, count(*) FILTER (WHERE due_on < %(today)s) AS overdue,"
            " min(due_on) FILTER (WHERE due_on >= %(today)s) AS next_due_on"
            " FROM catalog_finding WHERE status = 'open' GROUP BY source, kind ORDER BY open DESC, source, kind",
            {"today": clock.today()},
        )
        names = [column.name for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def findings(
    *,
    source: str | None = None,
    kind: str | None = None,
    person_id: int | None = None,
    status: str = "open",
    limit: int = 100,
    offset: int = 0,
) -> list[dict[str, Any]]:
    """Findings by source, kind or person, those due soonest first; `verdict` and `decided_at` of an officer's decision that stands, or None."""
    given = {"source": source, "kind": kind, "person_id": person_id, "status": status}
    chosen = Finding.objects.filter(**{name: value for name, value in given.items() if value is not None})
    said = {"verdict": F("decision__verdict"), "decided_at": F("decision__at")}
    return list(chosen.order_by("due_on", "pk").values(*FINDING_SHOWN, **said)[offset : offset + limit])
