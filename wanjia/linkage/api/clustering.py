"""Clusters from scored pairs: the thresholds and the officers' word on each pair, then the closing of clusters, and what is left for review."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from wanjia.linkage.adapters.workspace import Workspace
from wanjia.linkage.api import state
from wanjia.linkage.api.training import NO_FLOOR, contradicting, source_pairs
from wanjia.linkage.bulk import pairs as pair_tables
from wanjia.linkage.bulk import persons
from wanjia.linkage.bulk.names import WHOLE, Names
from wanjia.linkage.rules import calibration, closing

#: sums over few pairs and over all differ in their last bits: weights (log2) nearer than this are one weight, or a link would depend on the batch
SAME_WEIGHT = 1e-9
#: the officers' decisions before the engine
OFFICERS = "lk_officers"
#: what an officer decided outweighs everything a model says; and of a pair that no rule produced nothing else is known (`NO_PATTERN`)
OFFICERS_BITS, NO_PATTERN = 1000.0, -1


def close_clusters(
    work: Workspace,
    trained: state.Trained,
    names: Names = WHOLE,
    *,
    compared: str | None = None,
    said: str | None = None,
) -> closing.Closed:
    """Make clusters (node → cluster) and review pairs from the edges of `names`; missing pairs are scored on `compared`, or what is made for them.

    `said`: see `persons.make_decided`.
    """
    model = trained.model
    persons.make_decided(work, names, OFFICERS, said=said)
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
    between = source_pairs(pc.take(sources, pa.array(left)), pc.take(sources, pa.array(right)))
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


def _bands(trained: state.Trained, between: pa.Array, weight: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Link threshold, review threshold and calibrated probability of every pair, by its pair of sources."""
    link_at = np.full(len(weight), calibration.MOST_BITS)
    review_at = np.full(len(weight), calibration.MOST_BITS)
    probability = np.zeros(len(weight))
    named = between.dictionary_encode()
    kinds = np.asarray(named.indices)
    for i, name in enumerate(named.dictionary.to_pylist()):
        mine = kinds == i
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
