"""Linking: assertions in, links out; whole or only what changed, with the same result."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from wanjia.kernel.engine import Engine
from wanjia.kernel.lake import Lake
from wanjia.kernel.progress import Progress
from wanjia.linkage.adapters.model import Model
from wanjia.linkage.adapters.workspace import Workspace
from wanjia.linkage.api import state
from wanjia.linkage.api.training import FLOOR_BITS, NO_FLOOR, contradicting, source_pairs, train
from wanjia.linkage.bulk import nodes as node_tables
from wanjia.linkage.bulk import pairs as pair_tables
from wanjia.linkage.bulk import persons, refused
from wanjia.linkage.bulk.names import WHOLE, Names
from wanjia.linkage.declared import Linkage, SourceTrust
from wanjia.linkage.rules import calibration, closing

#: when more than this share of nodes changed, scoring only the changed ones saves nothing
WORTH_INCREMENTAL = 0.4
#: sums over few pairs and over all differ in their last bits: weights (log2) nearer than this are one weight, or a link would depend on the batch
SAME_WEIGHT = 1e-9
#: the officers' decisions before the engine
OFFICERS = "lk_officers"
#: what an officer decided outweighs everything a model says; and of a pair that no rule produced nothing else is known (`NO_PATTERN`)
OFFICERS_BITS, NO_PATTERN = 1000.0, -1


@dataclass
class Linked:
    """What a run of linking did, for the report and the pages."""

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
) -> Linked:
    """Link the active `assertions` (an Ibis table of `engine`) and keep links, scored pairs and review pairs in the lake.

    The first run trains the model; later runs keep it (so that a link never moves because of someone else's delivery) unless
    `retrain` is asked for or a delivery it was trained on is gone. Only nodes that changed since the last run are scored again.
    `decided`: what officers found of pairs of records (see `state.nothing_decided`): stronger than the model. Raises `NothingToLinkBy`.
    """
    work = Workspace(engine)
    decided = state.nothing_decided() if decided is None else decided
    work.put(OFFICERS, decided)
    step = _Steps(progress)
    step("nodes")
    compiled = engine.con.compile(assertions)
    available = set(assertions.columns)
    # of most records only name and birth date are read: the rest is computed where it is asked for
    work.view("lk_said", node_tables.assertions_sql(linkage, trust, available, f"({compiled}) q"))
    work.make("lk_assertions", node_tables.heads_sql(linkage, "lk_said"))
    node_tables.make_nodes(work, linkage, trust, WHOLE, said="lk_said")
    node_tables.make_digests(work, WHOLE.nodes)
    deliveries = [int(d) for (d,) in work.rows(f"SELECT DISTINCT delivery_id FROM ({compiled}) q")]
    step("model")
    trained, fresh = _model_in_force(work, lake, linkage, deliveries, retrain)
    step("score")
    scored = _score_changed(work, lake, trained, whole=fresh)
    step("close")
    closed = close_clusters(work, trained)
    step("links")
    persons.make_links(work, WHOLE, trained.model.name)
    persons.make_records(work, WHOLE)
    # files are sealed beside the engine's work: one at a time, so that links come last and whoever finds them finds all that belongs to them
    with ThreadPoolExecutor(1, "sealing") as sealing:
        kept = [
            sealing.submit(lake.write, name, work.arrow(sql))
            for name, sql in (
                (state.KEYS, "SELECT assertion_id, source, record_key, subject FROM lk_assertions"),
                (state.NODES, "SELECT node_id, digest FROM lk_digests ORDER BY node_id"),
                (state.EDGES, "SELECT l, r, weight, pattern FROM lk_edges ORDER BY l, r"),
                (state.REVIEW, reviewed(WHOLE)),
            )
        ]
        few = {state.DECIDED: decided, state.REFUSED: refused.found_in(work, linkage, scored.stopped, said=compiled)}
        kept += [sealing.submit(lake.write, *one) for one in few.items()]
        links = work.arrow("SELECT * FROM lk_links ORDER BY assertion_id")
        for one in kept:
            one.result()
        last = sealing.submit(lake.write, state.LINKS, links)
        linked = _told(work, trained, fresh, scored, closed)
        last.result()
    return linked


def _told(work: Workspace, trained: state.Trained, fresh: bool, scored: "_Scored", closed: closing.Closed) -> Linked:
    """What was done."""

    def count(table: str, what: str = "*") -> int:
        return work.rows(f"SELECT count({what}) FROM {table}")[0][0]

    return Linked(
        assertions=count("lk_links"),
        nodes=count("lk_nodes"),
        persons=count("lk_persons"),
        scored_nodes=scored.nodes,
        pairs=scored.pairs,
        edges=count("lk_edges"),
        walked_nodes=closed.walked,
        review=count("lk_review"),
        bands=dict(work.rows("SELECT band, count(*) FROM lk_links GROUP BY band ORDER BY band")),
        model=trained.model.name,
        trained=fresh,
        refused_blocks={rule: len(keys) for rule, keys in scored.stopped.items() if keys},
        shared_numbers=count("lk_nodes", "DISTINCT clash"),
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


def close_clusters(
    work: Workspace, trained: state.Trained, names: Names = WHOLE, *, compared: str | None = None
) -> closing.Closed:
    """Make clusters (node → cluster) and review pairs from the edges of `names`; missing pairs are scored on `compared`, or what is made for them."""
    model = trained.model
    persons.make_decided(work, names, OFFICERS)
    edges = work.arrow(
        f"""SELECT e.l, e.r, e.weight, e.pattern, d.is_same FROM {names.edges} e LEFT JOIN {names.decided} d ON d.l = e.l AND d.r = e.r
        UNION ALL SELECT d.l, d.r, CAST({-OFFICERS_BITS} AS DOUBLE), CAST({NO_PATTERN} AS BIGINT), d.is_same
        FROM {names.decided} d LEFT JOIN {names.edges} e ON d.l = e.l AND d.r = e.r WHERE e.l IS NULL ORDER BY 1, 2"""
    )
    facts_table = work.arrow(
        f"""SELECT n.node_id, n.num, n.clash, n.uniq, n.source, n.size FROM {names.nodes} n
        JOIN (SELECT l AS node_id FROM {names.edges} UNION SELECT r FROM {names.edges}
        UNION SELECT l FROM {names.decided} UNION SELECT r FROM {names.decided}) e ON n.node_id = e.node_id
        ORDER BY n.node_id"""
    )
    ids = facts_table.column("node_id").to_numpy()
    left, right = (np.searchsorted(ids, edges.column(c).to_numpy()) for c in ("l", "r"))
    raw, pattern = (edges.column(c).to_numpy() for c in ("weight", "pattern"))
    said = edges.column("is_same")
    is_same = pc.fill_null(said, False).to_numpy(zero_copy_only=False).astype(bool)
    is_other = pc.fill_null(pc.invert(said), False).to_numpy(zero_copy_only=False).astype(bool)
    # who was found to be another competes with nobody
    raw = np.where(is_other, -OFFICERS_BITS, raw)
    facts = closing.NodeFacts(
        number=_codes(facts_table.column("num")),
        clash=_codes(facts_table.column("clash")),
        uniq=facts_table.column("uniq").to_numpy(),
    )
    exclusive = np.where(facts.number > 0, 1, np.where(facts.uniq > 0, facts.uniq + 1, 0))
    contending = calibration.compete(left, right, raw, exclusive[left], exclusive[right])
    sources = facts_table.column("source").combine_chunks()
    between = (
        source_pairs(pc.take(sources, pa.array(left)), pc.take(sources, pa.array(right))) if len(left) else np.array([])
    )
    link_at, review_at, probability = _bands(trained, between, contending)
    contending = np.where(is_same, OFFICERS_BITS, contending)
    probability = np.where(is_same, 1.0, probability)
    pairs = closing.Pairs(
        left=left,
        right=right,
        weight=contending,
        raw=raw,
        accepted=(contending >= link_at - SAME_WEIGHT) & ~is_other,
        contradicts=(contradicting(model, pattern) & ~is_same) | is_other,
        forced=frozenset(np.flatnonzero(is_same).tolist()),
    )

    def score_missing(one: np.ndarray, two: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        work.put("lk_missing", pa.table({"l": ids[one], "r": ids[two]}))
        table = compared or "lk_compared"
        if compared is None:
            pair_tables.make_compared(work, model, nodes=names.nodes, pairs="lk_missing", compared=table)
        sql = model.scoring_sql(left=table, right=table, pairs="lk_missing", floor=NO_FLOOR, words=work.words)
        found = work.arrow(f"SELECT l, r, weight, pattern FROM ({sql}) q ORDER BY l, r")
        return found.column("weight").to_numpy(), contradicting(model, found.column("pattern").to_numpy())

    closed = closing.close(facts, pairs, score_missing)
    _put_clusters(work, names, ids, pairs, closed, probability, pattern)
    likely = (contending >= review_at - SAME_WEIGHT) & ~is_same & ~is_other
    _put_review(work, names, ids, facts, pairs, closed, probability, likely, pattern)
    return closed


def _codes(column: pa.ChunkedArray) -> np.ndarray:
    """1, 2, … for each distinct text; 0 for NULL."""
    codes = column.combine_chunks().dictionary_encode().indices
    return pc.fill_null(pc.add(codes, 1), 0).to_numpy(zero_copy_only=False).astype(np.int64)


def _bands(
    trained: state.Trained, between: np.ndarray, weight: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Link threshold, review threshold and calibrated probability of every pair, by its pair of sources."""
    link_at = np.full(len(weight), calibration.MOST_BITS)
    review_at = np.full(len(weight), calibration.MOST_BITS)
    probability = np.zeros(len(weight))
    names, inverse = np.unique(between, return_inverse=True) if len(between) else (np.array([]), np.array([], int))
    for i, name in enumerate(names.tolist()):
        mine = inverse == i
        key = name if name in trained.thresholds else state.ANY
        link_at[mine] = trained.thresholds[key].link
        review_at[mine] = trained.thresholds[key].review
        probability[mine] = trained.curves[key].at(weight[mine])
    return link_at, review_at, probability


def _put_clusters(
    work: Workspace, names: Names, ids: np.ndarray, pairs: closing.Pairs, closed: closing.Closed, probability, pattern
) -> None:
    """Clusters: node_id, cluster, probability and pattern of the best accepted pair that holds the node there."""
    label = closed.label
    held = np.flatnonzero(pairs.accepted & ~pairs.contradicts & (label[pairs.left] == label[pairs.right]))
    order = held[np.argsort(np.round(pairs.weight[held] / SAME_WEIGHT), kind="stable")]
    best = np.full(len(ids), -1, np.int64)
    # written in rising order of weight, both ends of a pair together, so the strongest pair of each node is what stays
    ends = np.stack([pairs.left[order], pairs.right[order]], axis=1).ravel()
    best[ends] = np.repeat(order, 2)
    joined = best >= 0
    work.put(
        names.clusters,
        pa.table(
            {
                "node_id": ids[joined],
                "cluster": ids[label[joined]],
                "probability": probability[best[joined]].astype(np.float32),
                "pattern": pattern[best[joined]],
                "weight": pairs.raw[best[joined]],
                "by_officer": np.isin(best[joined], list(pairs.forced)),
            }
        ),
    )


def _put_review(
    work: Workspace,
    names: Names,
    ids: np.ndarray,
    facts: closing.NodeFacts,
    pairs: closing.Pairs,
    closed: closing.Closed,
    probability: np.ndarray,
    likely: np.ndarray,
    pattern: np.ndarray,
) -> None:
    """Review pairs: those an officer should look at, the likeliest of each unlinked record, and every refused or shared number."""
    label = closed.label
    count = len(ids)
    reason = np.full(len(pairs.left), closing.BELOW, dtype=object)
    reason[pairs.contradicts] = closing.CONTRADICTION
    refused = np.zeros(len(pairs.left), bool)
    for at, why in closed.refused:
        refused[at] = True
        reason[at] = why
    apart = label[pairs.left] != label[pairs.right]
    size = np.bincount(label, minlength=count) if count else np.zeros(0, int)
    alone = (size[label] == 1) & (facts.number == 0) if count else np.zeros(0, bool)
    open_ends = alone[pairs.left] | alone[pairs.right]
    wanted = np.flatnonzero(
        apart & likely & (open_ends | (refused & np.isin(reason, [closing.TWO_NUMBERS, closing.TWO_BASELINE])))
    )
    order = wanted[np.lexsort((pairs.right[wanted], pairs.left[wanted], -pairs.weight[wanted]))]
    # one case per record: whoever looks at the likeliest pair sees the others beside it
    seen: set[int] = set()
    kept = []
    for at in order.tolist():
        ends = [n for n in (int(pairs.left[at]), int(pairs.right[at])) if alone[n] or refused[at]]
        if any(n in seen for n in ends):
            continue
        seen.update(ends)
        kept.append(at)
    kept = np.array(kept, dtype=np.int64)
    work.put(
        names.review_pairs,
        pa.table(
            {
                "l": ids[pairs.left[kept]],
                "r": ids[pairs.right[kept]],
                "probability": probability[kept].astype(np.float32),
                "reason": pa.array(reason[kept].tolist(), pa.string()),
                "pattern": pattern[kept],
                # what would be linked if nothing stood against it, and what is not likely enough
                "band": pa.array(np.where(pairs.accepted[kept], "link", "review").tolist(), pa.string()),
            }
        ),
    )
