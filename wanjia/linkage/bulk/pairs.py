"""Candidate pairs of nodes, and their scores under a trained model.

| table | one row | columns |
|---|---|---|
| lk_keyed | node | node_id, num, b0 … bn (hashed blocking keys) |
| lk_pairs | candidate pair | l, r (l < r) |
| lk_compared | node of such a pair | as lk_nodes, with tf_… (how frequent its values are) |
| lk_edges | scored pair | l, r, weight (log2 of the odds), pattern (packed levels) |
"""

from collections.abc import Mapping

from wanjia.linkage.adapters.model import Model
from wanjia.linkage.adapters.workspace import Workspace
from wanjia.linkage.bulk import kinds
from wanjia.linkage.declared import Linkage

SEPARATOR = "|"
#: so few numbers fit beside the processor; among a million nodes some twenty share one by chance
BUCKETS = 65_536


def key_condition(on: list[str], linkage: Linkage) -> str:
    """The same agreement as a condition over two nodes `l` and `r`, as Splink wants it."""
    return " AND ".join(f"{kinds.key_part(term, linkage, 'l.')} = {kinds.key_part(term, linkage, 'r.')}" for term in on)


def key_text(on: list[str], linkage: Linkage) -> tuple[str, str]:
    """SQL over a node: the blocking key of a rule as text, and the condition that all its parts are there."""
    parts = [f"CAST({kinds.key_part(term, linkage)} AS STRING)" for term in on]
    return f"concat_ws('{SEPARATOR}', {', '.join(parts)})", " AND ".join(f"{p} IS NOT NULL" for p in parts)


def make_blocks(
    work: Workspace, linkage: Linkage, *, nodes: str, keyed: str, stopped: Mapping[str, list[str]] | None = None
) -> None:
    """The hashed blocking keys of every node; none where the key is one of `stopped` (rule → keys that explode)."""
    work.make(keyed, f"SELECT n.node_id, n.num, {', '.join(_keys(work, linkage, stopped or {}))} FROM {nodes} n")


def make_compared(work: Workspace, model: Model, *, nodes: str, pairs: str, compared: str) -> None:
    """What the nodes of `pairs` are compared by: far fewer than there are nodes."""
    met = f"""(SELECT n.* FROM {nodes} n JOIN (SELECT l AS node_id FROM {pairs} UNION SELECT r FROM {pairs}) p
        ON p.node_id = n.node_id)"""
    work.make(compared, compared_sql(model, met))


def make_keyed(work: Workspace, model: Model, *, nodes: str, keyed: str) -> None:
    """Nodes with both: their blocking keys and what they are compared by."""
    work.make(keyed, compared_sql(model, nodes, *_keys(work, model.linkage, model.stopped)))


def compared_sql(model: Model, nodes: str, *more: str) -> str:
    """SQL of `nodes` with the frequency of their values (and the columns `more`)."""
    columns, joins = ["n.*", *more], []
    for feature in model.linkage.features:
        if feature.rarity:
            c = kinds.column(feature.key)
            joins.append(f"LEFT JOIN lk_tf_{feature.key} t_{feature.key} ON n.{c} = t_{feature.key}.term")
            # a value the model never saw is at least as rare as the rarest it saw
            columns.append(
                f"CASE WHEN n.{c} IS NOT NULL THEN coalesce(t_{feature.key}.share, {model.rarest[feature.key]!r}) END"
                f" AS tf_{c}"
            )
    return f"SELECT {', '.join(columns)} FROM {nodes} n {' '.join(joins)}"


def _keys(work: Workspace, linkage: Linkage, stopped: Mapping[str, list[str]]) -> list[str]:
    """The columns b0 … bn of a node."""
    columns = []
    for i, rule in enumerate(linkage.blocking):
        text, filled = key_text(rule.on, linkage)
        keys = stopped.get(rule.key, [])
        allowed = f" AND {text} NOT IN ({', '.join(quoted(k) for k in keys)})" if keys else ""
        parts = ", ".join(f"CAST({kinds.key_part(term, linkage)} AS STRING)" for term in rule.on)
        columns.append(f"CASE WHEN {filled}{allowed} THEN {work.words['hash64']}({parts}) END AS b{i}")
    return columns


def block_sizes(work: Workspace, linkage: Linkage, *, nodes: str, keyed: str) -> dict[str, list[tuple[str, int]]]:
    """Blocking values shared by more nodes than allowed, per rule, with how many share them; worst first. `keyed`: none stopped."""
    found: dict[str, list[tuple[str, int]]] = {}
    for i, rule in enumerate(linkage.blocking):
        # counted by hash, which takes a third of the time; what is written under a hash is read only where that explodes
        large = (
            f"SELECT b{i} FROM {keyed} WHERE b{i} IS NOT NULL GROUP BY b{i} HAVING count(*) > {linkage.largest_block}"
        )
        found[rule.key] = []
        # nearly every key is its node's own: to count them all takes four times as long as to see that no bucket of keys is so full
        crowded = (
            f"SELECT b{i} % {BUCKETS} AS bucket FROM {keyed} WHERE b{i} IS NOT NULL GROUP BY b{i} % {BUCKETS}"
            f" HAVING count(*) > {linkage.largest_block}"
        )
        if not all(work.rows(f"SELECT count(*) FROM ({keys}) k")[0][0] for keys in (crowded, large)):
            continue
        text, filled = key_text(rule.on, linkage)
        rows = work.rows(
            f"""SELECT key, count(*) AS size FROM (SELECT {text} AS key FROM
            (SELECT n.* FROM {nodes} n JOIN {keyed} k ON k.node_id = n.node_id WHERE k.b{i} IN ({large})) m
            WHERE {filled}) t GROUP BY key HAVING count(*) > {linkage.largest_block} ORDER BY size DESC, key"""
        )
        found[rule.key] = [(str(key), int(n)) for key, n in rows]
    return found


def make_pairs(work: Workspace, linkage: Linkage, *, keyed: str, drivers: str | None, pairs: str) -> None:
    """All candidate pairs; with `drivers` (a table of node_id) only those that touch one of them."""
    found = []
    everyone = keyed
    if drivers is not None:
        work.make("lk_driving", f"SELECT k.* FROM {keyed} k JOIN {drivers} d ON k.node_id = d.node_id")
    for i, rule in enumerate(linkage.blocking):
        if drivers is None:
            # a lone node is driven against all; two numbered nodes meet only where the rule says "any"
            left = keyed if rule.scope == "any" else f"(SELECT node_id, num, b{i} FROM {keyed} WHERE num IS NULL)"
            once = "x.node_id < y.node_id" if rule.scope == "any" else "(y.num IS NOT NULL OR x.node_id < y.node_id)"
        else:
            left = "lk_driving"
            once = "x.node_id <> y.node_id"
        lone = " AND (x.num IS NULL OR y.num IS NULL)" if rule.scope == "lone" else ""
        found.append(
            f"SELECT least(x.node_id, y.node_id) AS l, greatest(x.node_id, y.node_id) AS r FROM {left} x"
            f" JOIN {everyone} y ON x.b{i} = y.b{i} WHERE {once} AND x.node_id <> y.node_id{lone}"
        )
    # UNION, not UNION ALL: a pair found by several rules is one pair
    work.make(pairs, " UNION ".join(found))


def score_pairs(work: Workspace, model: Model, *, compared: str, pairs: str, edges: str, floor: float) -> None:
    """Score candidate pairs with the model; keep those whose weight is at least `floor` (log2 of the odds)."""
    work.make(edges, model.scoring_sql(left=compared, right=compared, pairs=pairs, floor=floor, words=work.words))


def quoted(text: str) -> str:
    """The text as an SQL literal."""
    return "'" + text.replace("'", "''") + "'"


def cross_pairs_sql(linkage: Linkage, *, left: str, right: str) -> str:
    """SQL of the candidate pairs of a node of `left` (l) with a node of `right` (r), whatever the scope of the rules."""
    return " UNION ".join(
        f"SELECT x.node_id AS l, y.node_id AS r FROM {left} x JOIN {right} y ON x.b{i} = y.b{i}"
        for i in range(len(linkage.blocking))
    )
