"""The door of linking.

Verbs: `link` (assertions → links), `load_links` (links → PostgreSQL), `score` (against truth), `explain` (why a link). Reads: `curve`,
`export_rows`, `summary`. What officers decide of pairs: `api.reviewing`.
Everything a profile says about linking is in its `linkage.toml`.
"""

from collections.abc import Iterator
from dataclasses import asdict
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import ibis
import pyarrow as pa

from wanjia.kernel import settings
from wanjia.kernel.declared import load_file
from wanjia.kernel.lake import Lake
from wanjia.linkage.declared import Linkage, SourceTrust
from wanjia.linkage.errors import NoLinks

if TYPE_CHECKING:
    from wanjia.linkage.api.explaining import Explanation
    from wanjia.linkage.api.linking import Linked
    from wanjia.linkage.api.resident import Resident

from wanjia.linkage.api.keyed import KEYED

__all__ = [
    "KEYED",
    "Pair",
    "SourceTrust",
    "Verdict",
    "current_links",
    "curve",
    "decide_pair",
    "decisions_made",
    "declared_linkage",
    "erase_person",
    "explain",
    "export_rows",
    "findings",
    "latest_figures",
    "link",
    "links_of",
    "load_few",
    "load_links",
    "next_pair",
    "open_resident",
    "pair_of",
    "pairs_waiting",
    "reach_pair",
    "score",
    "successors",
    "summary",
    "trust_of",
]  # fmt: skip


#: the rule a profile's check names so that refused blocking keys become findings
TOO_MANY_ALIKE = "too_many_alike"


def declared_linkage(profile: Path | None = None) -> Linkage:
    """The profile's `linkage.toml`, read again when it changed. Raises `DeclarationErrors`."""
    path = (profile or settings.profile_dir()) / "linkage.toml"
    return _linkage_of(path, path.stat().st_mtime_ns if path.exists() else None)


@lru_cache(maxsize=8)
def _linkage_of(path: Path, changed_at: int | None) -> Linkage:
    return load_file(path, Linkage)


def trust_of(sources) -> list[SourceTrust]:
    """What linking needs of declared sources (objects with code, role, reliability)."""
    return [SourceTrust(s.code, s.role == "baseline", s.reliability) for s in sources]


def link(
    engine,
    *,
    lake: Lake,
    assertions,
    sources,
    decided=None,
    profile: Path | None = None,
    retrain=False,
    progress=None,
    beside=None,
) -> "Linked":
    """Link the active assertions, see `linking.link`. `sources`: the declared sources, for their role and reliability; `decided`:
    what officers decided of pairs (`reviewing.decided`)."""
    from wanjia.linkage.api import linking

    return linking.link(
        engine,
        lake=lake,
        linkage=declared_linkage(profile),
        trust=trust_of(sources),
        assertions=assertions,
        decided=decided,
        retrain=retrain,
        progress=progress,
        beside=beside,
    )


def load_links(linked: "Linked") -> dict[str, int]:
    """Bring PostgreSQL's link table and review queue to what linking made, once that is sealed; see `tables.load_links`."""
    from wanjia.linkage.api import tables

    made, share = linked.made, declared_linkage().targets.review_share
    made.sealed.result()
    return tables.load_links(made.links, made.review, before=made.before, review_share=share, figures=linked.figures())


def open_resident(engine, *, lake: Lake, assertions, sources, profile: Path | None = None) -> "Resident":
    """The linkage of everything in memory, for the fast lane; see `resident.Resident`. Raises `NoModel`, `NoLinks`."""
    from wanjia.linkage.api import resident

    linkage = declared_linkage(profile)
    return resident.Resident.open(engine, lake=lake, linkage=linkage, trust=trust_of(sources), assertions=assertions)


def successors(engine, *, lake: Lake, former_ids) -> dict[int, int]:
    """Whom ids of persons who are no more stand for now; see `succession.successors`. Raises `NoLinks`."""
    from wanjia.linkage.api import succession

    return succession.successors(engine, lake=lake, former_ids=former_ids)


def findings(engine, *, lake: Lake, checks):
    """What the refused blocking keys come to, as a frame of findings (columns as `register.api.Resolution.findings`).

    `checks`: the declared checks by code; findings carry the code of the one whose rule is `too_many_alike`, and there are none without it.
    Raises `NoLinks`.
    """
    from wanjia.linkage.api import state

    if not lake.exists(state.REFUSED):
        raise NoLinks
    refused = engine.load("lk_refused_records", lake.read(state.REFUSED))
    kind = next((check.code for check in checks.values() if check.rule == TOO_MANY_ALIKE), None)
    nobody = ibis.null("int64")
    return refused.select(
        kind=ibis.literal(kind, type="string"),
        source=refused.source,
        element=refused.element,
        person_id=nobody,
        other_person_id=nobody,
        household_id=nobody,
        assertion_id=refused.assertion_id,
    ).filter(ibis._.kind.notnull())


def load_few(links: pa.Table, gone: list[int], review: pa.Table) -> set[int]:
    """Write what the fast lane changed into PostgreSQL; see `tables.load_few`. Returns the persons who held those assertions before."""
    from wanjia.linkage.api import tables

    return tables.load_few(links, gone, review)


def score(engine, *, lake: Lake, truth: Path):
    """Pairwise precision, recall, F1 and more against a truth file; see `scoring.score`."""
    from wanjia.linkage.api import scoring

    return scoring.score(engine, lake=lake, truth=truth)


def explain(lake: Lake, assertion_id: int, *, profile: Path | None = None) -> "Explanation":
    """Why an assertion belongs to its person: per-field weights and sentences in both languages."""
    from wanjia.linkage.api import explaining

    return explaining.explain(lake, declared_linkage(profile), assertion_id)


def links_of(lake: Lake, person_id: int, *, profile: Path | None = None) -> "list[Explanation]":
    """Why each of a person's records belongs to that person; see `explaining.links_of`."""
    from wanjia.linkage.api import explaining

    return explaining.links_of(lake, declared_linkage(profile), person_id)


def curve(lake: Lake, *, profile: Path | None = None) -> dict[str, object]:
    """The linkage page's content: estimated curve, thresholds and curves per pair of sources, how the model was taught.

    Nothing in it needs truth. Raises `NoModel`.
    """
    from wanjia.linkage.api import state

    trained = state.load_trained(lake, declared_linkage(profile))
    return {
        "model": trained.model.name,
        "taught_by": trained.taught_by,
        "trained_on": trained.trained_on,
        "training_rules": trained.rules,
        "refused_blocks": trained.refused_blocks,
        "prior": trained.model.prior,
        "blocking_recall_estimated": trained.estimates.blocking_recall,
        "points": trained.estimates.points,
        "thresholds": {pair: asdict(t) for pair, t in trained.thresholds.items()},
        "probabilities": {pair: asdict(c) for pair, c in trained.curves.items()},
        "features": {key: {"m": trained.model.m[key], "u": trained.model.u[key]} for key in trained.model.compared},
    }


def export_rows(lake: Lake) -> Iterator[pa.RecordBatch]:
    """(source, record_key, subject, person_id, probability) of every linked record, in batches. Raises `NoLinks`."""
    from wanjia.linkage.api import state

    if not lake.exists(state.LINKS):
        raise NoLinks
    keys = lake.read(state.KEYS)
    links = lake.read(state.LINKS).select(["assertion_id", "person_id", "probability", "band"])
    joined = keys.join(links, keys="assertion_id").sort_by(
        [("source", "ascending"), ("record_key", "ascending"), ("subject", "ascending")]
    )
    yield from joined.select(["source", "record_key", "subject", "person_id", "probability", "band"]).to_batches(
        100_000
    )


def current_links() -> pa.Table:
    """(assertion_id, person_id, band) as PostgreSQL holds them: the last run's, and what the fast lane changed since."""
    from django.db import connection

    from wanjia.linkage.models import Link

    with connection.cursor() as cursor:
        cursor.execute(f"SELECT assertion_id, person_id, band FROM {Link._meta.db_table}")
        rows = cursor.fetchall()
    types = {"assertion_id": pa.int64(), "person_id": pa.int64(), "band": pa.string()}
    return pa.table(
        {name: pa.array([row[place] for row in rows], kind) for place, (name, kind) in enumerate(types.items())}
    )


def latest_figures() -> dict[str, object] | None:
    """The figures of the newest links in PostgreSQL (see `linking.Linked`), or None before the first run. Opens no lake file."""
    from wanjia.linkage.models import LinkRun

    last = LinkRun.objects.order_by("-id").values("ran_at", "model", "figures").first()
    return {**last["figures"], "ran_at": last["ran_at"], "model": last["model"]} if last else None


def summary(lake: Lake) -> dict[str, object] | None:
    """Figures of the links in force, or None before the first run."""
    import pyarrow.compute as pc

    from wanjia.linkage.api import state

    if not lake.exists(state.LINKS):
        return None
    links = lake.read(state.LINKS)

    def counted(column: str) -> dict[str, int]:
        return {v["values"]: v["counts"] for v in pc.value_counts(links.column(column)).to_pylist()}

    return {
        "links": links.num_rows,
        "persons": pc.count_distinct(links.column("person_id")).as_py(),
        "bands": counted("band"),
        "methods": counted("method"),
        "review": lake.read(state.REVIEW).num_rows,
    }
