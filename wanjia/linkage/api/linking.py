"""Linking: assertions in, links out; whole or only what changed, with the same result."""

from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field, fields, replace
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from wanjia.kernel.engine import Engine
from wanjia.kernel.lake import Lake
from wanjia.kernel.progress import Progress
from wanjia.linkage.adapters.model import Model
from wanjia.linkage.adapters.workspace import Workspace
from wanjia.linkage.api import state
from wanjia.linkage.api.clustering import OFFICERS, close_clusters
from wanjia.linkage.api.training import FLOOR_BITS, train
from wanjia.linkage.bulk import nodes as node_tables
from wanjia.linkage.bulk import pairs as pair_tables
from wanjia.linkage.bulk import persons, refused
from wanjia.linkage.bulk.names import WHOLE, Names
from wanjia.linkage.bulk.said import assertions_sql, heads_sql
from wanjia.linkage.declared import Linkage, SourceTrust
from wanjia.linkage.rules import closing

#: when more than this share of nodes changed, scoring only the changed ones saves nothing
WORTH_INCREMENTAL = 0.4


@dataclass(frozen=True)
class Made:
    """What a run of linking made: the links by assertion, the review pairs, the links there were before (None: none that can be read).

    `sealed` is done when all of it lies in the lake; whoever makes more of it must wait for that.
    """

    links: pa.Table
    review: pa.Table
    before: pa.Table | None
    sealed: Future


@dataclass
class Linked:
    """What a run of linking did, for the report and the pages (`figures`), and what it `made`."""

    assertions: int
    nodes: int
    persons: int
    scored_nodes: int
    pairs: int
    edges: int
    walked_nodes: int
    review: int
    bands: dict[str, int]
    model: str
    trained: bool
    refused_blocks: dict[str, int] = field(default_factory=dict)
    shared_numbers: int = 0
    made: Made | None = field(default=None, repr=False)

    def figures(self) -> dict[str, Any]:
        """What it did, by name."""
        return {one.name: getattr(self, one.name) for one in fields(self) if one.name != "made"}


def link(
    engine: Engine,
    *,
    lake: Lake,
    linkage: Linkage,
    trust: list[SourceTrust],
    assertions,
    decided: pa.Table | None = None,
    retrain: bool = False,
    progress: Progress | None = None,
    beside: Executor | None = None,
) -> Linked:
    """Link the active `assertions` (an Ibis table of `engine`) and keep links, scored pairs and review pairs in the lake.

    The first run trains the model; later runs keep it (so that a link never moves because of someone else's delivery) unless
    `retrain` is asked for or a delivery it was trained on is gone. Only nodes that changed since the last run are scored again.
    `decided`: what officers found of pairs of records (see `state.nothing_decided`): stronger than the model. `beside`: a single thread that seals
    what is kept, also after the links are given back (see `Made`). Raises `NothingToLinkBy`.
    """
    work = Workspace(engine)
    decided = state.nothing_decided() if decided is None else decided
    work.put(OFFICERS, decided)
    step = _Steps(progress)
    step("nodes")
    compiled = engine.con.compile(assertions)
    available = set(assertions.columns)
    # of most records only name and birth date are read: the rest is computed where it is asked for
    work.view("lk_said", assertions_sql(linkage, trust, available, f"({compiled}) q"))
    work.make("lk_assertions", heads_sql(linkage, "lk_said"))
    node_tables.make_nodes(work, linkage, trust, WHOLE, said="lk_said")
    node_tables.make_digests(work, WHOLE.nodes)
    deliveries = [int(d) for (d,) in work.rows(f"SELECT DISTINCT delivery_id FROM ({compiled}) q")]
    step("model")
    trained, fresh = _model_in_force(work, lake, linkage, deliveries, retrain)
    step("score")
    scored = _score_changed(work, lake, trained, whole=fresh)
    step("close")
    closed = close_clusters(work, trained, said="lk_said")
    step("links")
    persons.make_persons(work, WHOLE, said="lk_said")
    persons.make_records(work, WHOLE, said="lk_said")
    with ExitStack() as here:
        # files are sealed beside the engine's work: one at a time, so that links come last and whoever finds them finds all that belongs to them
        sealing = beside or here.enter_context(ThreadPoolExecutor(1, "sealing"))
        review = work.arrow(reviewed(WHOLE))
        kept = [
            sealing.submit(lake.write, name, work.arrow(sql))
            for name, sql in (
                (state.KEYS, "SELECT assertion_id, source, record_key, subject FROM lk_said"),
                (state.NODES, "SELECT node_id, digest FROM lk_digests ORDER BY node_id"),
                (state.EDGES, "SELECT l, r, weight, pattern FROM lk_edges ORDER BY l, r"),
            )
        ]
        few = {
            state.REVIEW: review,
            state.DECIDED: decided,
            state.REFUSED: refused.found_in(work, linkage, scored.stopped, said=compiled),
        }
        kept += [sealing.submit(lake.write, *one) for one in few.items()]
        links = work.arrow(f"{persons.links_sql(WHOLE)} ORDER BY assertion_id")
        links = links.append_column("model", pa.repeat(pa.scalar(trained.model.name), links.num_rows))
        before = lake.read(state.LINKS) if lake.exists(state.LINKS) else None

        def seal_links() -> None:
            for one in kept:
                one.result()
            lake.write(state.LINKS, links)

        made = Made(links, review, before, sealing.submit(seal_links))
        linked = _told(work, trained, fresh, scored, closed, made)
        if beside is None:
            made.sealed.result()
    return linked


def _told(
    work: Workspace, trained: state.Trained, fresh: bool, scored: "_Scored", closed: closing.Closed, made: Made
) -> Linked:
    """What was done."""

    def count(table: str, what: str = "*") -> int:
        return work.rows(f"SELECT count({what}) FROM {table}")[0][0]

    return Linked(
        assertions=made.links.num_rows,
        nodes=count("lk_nodes"),
        persons=count("lk_persons"),
        scored_nodes=scored.nodes,
        pairs=scored.pairs,
        edges=count("lk_edges"),
        walked_nodes=closed.walked,
        review=count("lk_review"),
        bands={
            one["values"]: one["counts"] for one in sorted(pc.value_counts(made.links["band"]).to_pylist(), key=str)
        },
        model=trained.model.name,
        trained=fresh,
        refused_blocks={rule: len(keys) for rule, keys in scored.stopped.items() if keys},
        shared_numbers=count("lk_nodes", "DISTINCT clash"),
        made=made,
    )


def reviewed(names: Names) -> str:
    """The pairs that wait for an officer, with what their records are known by in decisions."""
    return f"""SELECT v.l, v.r, v.person_l, v.person_r, v.probability, v.reason, v.pattern, v.band, x.record AS record_l, y.record AS record_r
        FROM {names.review} v JOIN {names.review_records} x ON x.assertion_id = v.l
        JOIN {names.review_records} y ON y.assertion_id = v.r ORDER BY v.l, v.r, v.reason"""


class _Steps:
    """Names each step to the progress bar, if there is one."""

    def __init__(self, progress: Progress | None) -> None:
        self._progress = progress

    def __call__(self, name: str) -> None:
        if self._progress is not None:
            self._progress.stage(f"link: {name}", 1)


def _model_in_force(
    work: Workspace, lake: Lake, linkage: Linkage, deliveries: list[int], retrain: bool
) -> tuple[state.Trained, bool]:
    if not retrain and state.fits(lake, linkage):
        trained = state.load_trained(lake, linkage)
        if set(trained.trained_on) <= set(deliveries):
            state.load_terms(lake, work, linkage)
            return trained, False
    trained = train(work, linkage, trained_on=deliveries)
    state.save_trained(lake, work, trained)
    return trained, True


@dataclass(frozen=True)
class _Scored:
    """How much was scored, and the blocking keys refused: by training, and those that have exploded since."""

    nodes: int
    pairs: int
    stopped: dict[str, list[str]]


def _score_changed(work: Workspace, lake: Lake, trained: state.Trained, *, whole: bool) -> _Scored:
    """Make `lk_edges`: kept pairs of unchanged nodes, and fresh scores of everything that touches a changed one."""
    model = trained.model
    if not whole:
        # a model trained just now has keyed the nodes already
        pair_tables.make_blocks(work, model.linkage, nodes="lk_nodes", keyed="lk_keyed", stopped=model.stopped)
    total = work.rows("SELECT count(*) FROM lk_nodes")[0][0]
    changed = total
    if not whole and lake.exists(state.NODES) and lake.exists(state.EDGES):
        work.put("lk_digests_before", lake.read(state.NODES))
        work.make(
            "lk_same",
            "SELECT d.node_id FROM lk_digests d JOIN lk_digests_before b ON d.node_id = b.node_id AND d.digest = b.digest",
        )
        changed = total - work.rows("SELECT count(*) FROM lk_same")[0][0]
    drivers = None
    if not whole and changed <= WORTH_INCREMENTAL * total:
        drivers = "lk_drivers"
        work.make(
            drivers,
            "SELECT d.node_id FROM lk_digests d LEFT JOIN lk_same s ON d.node_id = s.node_id WHERE s.node_id IS NULL",
        )
    if not whole:
        model = _without_overgrown(work, model, drivers)
    pair_tables.make_pairs(work, model.linkage, keyed="lk_keyed", drivers=drivers, pairs="lk_pairs")
    work.drop("lk_keyed")
    edges = "lk_edges" if drivers is None else "lk_edges_fresh"
    pair_tables.make_compared(work, model, nodes="lk_nodes", pairs="lk_pairs", compared="lk_compared")
    pair_tables.score_pairs(work, model, compared="lk_compared", pairs="lk_pairs", edges=edges, floor=FLOOR_BITS)
    if drivers is not None:
        work.put("lk_edges_before", lake.read(state.EDGES))
        work.make(
            "lk_edges",
            """SELECT e.l, e.r, e.weight, e.pattern FROM lk_edges_before e
            JOIN lk_same x ON e.l = x.node_id JOIN lk_same y ON e.r = y.node_id
            UNION ALL SELECT l, r, weight, pattern FROM lk_edges_fresh""",
        )
    return _Scored(changed, work.rows("SELECT count(*) FROM lk_pairs")[0][0], model.stopped)


def _without_overgrown(work: Workspace, model: Model, drivers: str | None) -> Model:
    """The model that also refuses the keys that later deliveries have made explode; `lk_keyed` is made anew if there are any."""
    driving = "lk_keyed"
    if drivers is not None:
        driving = "lk_driving"
        work.make(driving, f"SELECT k.* FROM lk_keyed k JOIN {drivers} d ON k.node_id = d.node_id")
    grown = refused.overgrown(work, model.linkage, nodes="lk_nodes", keyed="lk_keyed", driving=driving)
    if not grown:
        return model
    rules = {*model.stopped, *grown}
    model = replace(model, stopped={rule: [*model.stopped.get(rule, []), *grown.get(rule, [])] for rule in rules})
    pair_tables.make_blocks(work, model.linkage, nodes="lk_nodes", keyed="lk_keyed", stopped=model.stopped)
    return model
