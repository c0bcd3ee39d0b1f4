"""Candidate pairs of nodes, and their scores under a trained model.

| table | one row | columns |
|---|---|---|
| lk_keyed | node | node_id, num, f_…, tf_…, b0 … bn (hashed blocking keys), driver |
| lk_pairs | candidate pair | l, r (l < r) |
| lk_edges | scored pair | l, r, weight (log2 of the odds), pattern (packed levels) |
"""

from wanjia.linkage.adapters.model import Model
from wanjia.linkage.adapters.workspace import Workspace
from wanjia.linkage.bulk import kinds
from wanjia.linkage.declared import Linkage

SEPARATOR = "|"


def key_condition(on: list[str], linkage: Linkage) -> str:
    """The same agreement as a condition over two nodes `l` and `r`, as Splink wants it."""
    return " AND ".join(f"{kinds.key_part(term, linkage, 'l.')} = {kinds.key_part(term, linkage, 'r.')}" for term in on)


def key_text(on: list[str], linkage: Linkage) -> tuple[str, str]:
    """SQL over a node: the blocking key of a rule as text, and the condition that all its parts are there."""
    parts = [f"CAST({kinds.key_part(term, linkage)} AS STRING)" for term in on]
    return f"concat_ws('{SEPARATOR}', {', '.join(parts)})", " AND ".join(f"{p} IS NOT NULL" for p in parts)


def make_keyed(work: Workspace, model: Model, *, nodes: str, keyed: str) -> None:
    """Add to every node its hashed blocking keys (none where the key explodes) and the frequency of its values."""
    linkage = model.linkage
    columns = ["n.*"]
    joins = []
    for i, rule in enumerate(linkage.blocking):
        text, filled = key_text(rule.on, linkage)
        stopped = model.stopped.get(rule.key, [])
        allowed = f" AND {text} NOT IN ({', '.join(quoted(k) for k in stopped)})" if stopped else ""
        columns.append(f"CASE WHEN {filled}{allowed} THEN {work.words['hash64']}({text}) END AS b{i}")
    for feature in linkage.features:
        if feature.rarity:
            c = kinds.column(feature.key)
            joins.append(f"LEFT JOIN lk_tf_{feature.key} t_{feature.key} ON n.{c} = t_{feature.key}.term")
            # a value the model never saw is at least as rare as the rarest it saw
            columns.append(
                f"CASE WHEN n.{c} IS NOT NULL THEN coalesce(t_{feature.key}.share, {model.rarest[feature.key]!r}) END"
                f" AS tf_{c}"
            )
    work.make(keyed, f"SELECT {', '.join(columns)} FROM {nodes} n {' '.join(joins)}")


def block_sizes(work: Workspace, linkage: Linkage, *, nodes: str) -> dict[str, list[tuple[str, int]]]:
    """Blocking values shared by more nodes than allowed, per rule, with how many share them; worst first."""
    found = {}
    for rule in linkage.blocking:
        text, filled = key_text(rule.on, linkage)
        found[rule.key] = [
            (str(key), int(n))
            for key, n in work.rows(
                f"SELECT key, count(*) AS n FROM (SELECT {text} AS key FROM {nodes} WHERE {filled}) k"
                f" GROUP BY key HAVING count(*) > {linkage.largest_block} ORDER BY n DESC, key"
            )
        ]
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


def score_pairs(work: Workspace, model: Model, *, keyed: str, pairs: str, edges: str, floor: float) -> None:
    """Score candidate pairs with the model; keep those whose weight is at least `floor` (log2 of the odds)."""
    work.make(edges, model.scoring_sql(left=keyed, right=keyed, pairs=pairs, floor=floor, words=work.words))


def quoted(text: str) -> str:
    """The text as an SQL literal."""
    return "'" + text.replace("'", "''") + "'"


def make_cross_pairs(work: Workspace, linkage: Linkage, *, left: str, right: str, pairs: str) -> None:
    """Candidate pairs of a node of `left` (l) with a node of `right` (r), whatever the scope of the rules."""
    work.make(
        pairs,
        " UNION ".join(
            f"SELECT x.node_id AS l, y.node_id AS r FROM {left} x JOIN {right} y ON x.b{i} = y.b{i}"
            for i in range(len(linkage.blocking))
        ),
    )
