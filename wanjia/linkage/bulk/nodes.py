"""From assertions to nodes: one node for all records that a sound number holds together, one for every other record.

A node is deterministic: which value represents it follows from source, recency and key, never from the order of rows. So the same
set of assertions gives the same nodes, whatever came first, and a changed node can be recognised by its values.

| table | one row | columns |
|---|---|---|
| lk_said | assertion (a view) | assertion_id, source, record_key, subject, arrival, ord, uniq, num, filled, f_… |
| lk_assertions | assertion | the same without most features: see `HEAD` |
| lk_members | assertion | assertion_id, node_id, arrival; where there are numbers also ord, uniq, filled, and round of `lk_grouped` |
| lk_bare | node | what its own assertions say |
| lk_kin_… | node whose kin tell something | node_id, f_… |
| lk_digests | node | node_id, digest (of all it says) |
| lk_nodes | node (a view over the bare ones and what kin tell) | node_id, source, size, uniq, num, clash, f_… |
"""

from collections.abc import Mapping

from wanjia.linkage.adapters.workspace import Workspace
from wanjia.linkage.bulk import kinds
from wanjia.linkage.bulk.grouping import group_by_number
from wanjia.linkage.bulk.names import Names
from wanjia.linkage.bulk.said import bits_of, feature_columns, told_by, whole_of
from wanjia.linkage.declared import Feature, Linkage, SourceTrust

#: part of every text that samples are drawn by
SEED = "wanjia"
#: what kin tell, one table for each feature that asks them
KIN = "lk_kin_"


def make_nodes(
    work: Workspace, linkage: Linkage, trust: list[SourceTrust], names: Names, *, said: str | None = None
) -> None:
    """Build members and nodes of `names` from its assertions. `said`: where all they say is, if not there."""
    make_bare_nodes(work, linkage, trust, names, said=said)
    kept = {}
    for feature in linkage.features:
        if feature.via:
            kept[feature.key] = f"{KIN}{feature.key}"
            work.make(kept[feature.key], kin_sql(feature, bare=names.bare, everyone=names.bare))
    # kin tell few nodes anything: all of them once more would take the memory of a large table
    work.view(names.nodes, via_kin_sql(linkage, bare=names.bare, everyone=names.bare, kept=kept))


def make_digests(work: Workspace, nodes: str) -> None:
    """Make `lk_digests`, by which a changed node is known, and by which nodes are drawn for samples: one digest serves for both."""
    said = ", ".join(f"coalesce(CAST({c} AS STRING), '')" for c in work.columns(nodes) if c not in ("node_id", "size"))
    work.make("lk_digests", f"SELECT node_id, md5(concat_ws('|', {said}, '{SEED}')) AS digest FROM {nodes}")


def make_bare_nodes(
    work: Workspace, linkage: Linkage, trust: list[SourceTrust], names: Names, *, said: str | None = None
) -> None:
    """The same without what kin tell: members and bare nodes."""
    assertions, members = names.assertions, names.members
    is_large, said = said is not None, said or assertions
    features = feature_columns(linkage)
    if linkage.number is None:
        work.make(members, f"SELECT assertion_id, assertion_id AS node_id, arrival FROM {assertions}")
        work.make(names.bare, _lone_sql(features, f"SELECT * FROM {said}"))
        return
    group_by_number(work, linkage, trust, assertions, said)
    work.make("lk_clashes", "SELECT DISTINCT num AS clash FROM lk_grouped WHERE round > 0")
    work.make(
        members,
        # what nodes are put together by goes along: fetching it from the assertions takes a join of all with all
        """SELECT t.assertion_id, coalesce(g.node_id, t.node_id) AS node_id, t.arrival, t.ord, t.uniq, t.filled,
        coalesce(g.round, 0) AS round
        FROM lk_meant t LEFT JOIN lk_grouped g ON g.assertion_id = t.assertion_id""",
    )
    work.make(
        "lk_sizes",
        f"SELECT node_id AS assertion_id, count(*) AS size, bit_or(uniq) AS uniqs, max(round) AS round FROM {members} GROUP BY node_id",
    )
    # a node bears the id of its best record
    heads = f"SELECT node_id, filled FROM {members} WHERE assertion_id = node_id"
    work.make("lk_more", more_sql(features, said=said, members=members, heads=heads))
    # a number that proved to be somebody else's says nothing about its bearer
    own_number = {kinds.column(k) for k in number_features(linkage)}
    listed = ", ".join(
        f"CASE WHEN s.round > 0 THEN NULL ELSE {told} END AS {c}" if c in own_number else f"{told} AS {c}"
        for c, told in filled_up(features).items()
    )
    number = f"CASE WHEN s.round < 0 OR (s.size = 1 AND {_belies_itself(linkage)}) THEN NULL ELSE s.num END"
    work.make(
        names.bare,
        # only the first person under a number keeps it: the others must not be pulled to it, nor barred from their own
        f"""SELECT s.assertion_id AS node_id, s.source, s.size, s.uniqs AS uniq, CASE WHEN s.round > 0 THEN NULL ELSE {number} END AS num,
        c.clash, {listed} FROM {told_by(said, "lk_sizes", "size", "uniqs", "round")} s
        LEFT JOIN lk_more m ON m.node_id = s.assertion_id LEFT JOIN lk_clashes c ON c.clash = {number}""",
    )
    if is_large:
        # what comes next takes their memory
        work.drop("lk_firsts", "lk_meant", "lk_doubted", "lk_grouped", "lk_clashes", "lk_sizes", "lk_more")


def number_features(linkage: Linkage) -> list[str]:
    """Features read from the master number itself."""
    if linkage.number is None:
        return []
    return [f.key for f in linkage.features if linkage.number.element in f.elements]


def kin_sql(feature: Feature, *, bare: str, everyone: str) -> str:
    """SQL of (node_id, the feature's column): what the kin of nodes `bare` tell where they say nothing themselves; of several the first named."""
    c = kinds.column(feature.key)
    # from those who ask: they are few beside everyone who could be asked
    asked = " UNION ALL ".join(
        f"SELECT node_id, {kinds.column(key)} AS asked, {place} AS place FROM {bare} WHERE {c} IS NULL AND {kinds.column(key)} IS NOT NULL"
        for place, key in enumerate(feature.via)
    )
    return f"""SELECT node_id, min_by({c}, place) AS {c} FROM (SELECT a.node_id, a.place, min(e.{c}) AS {c} FROM ({asked}) a
        JOIN {everyone} e ON e.num = a.asked WHERE e.{c} IS NOT NULL GROUP BY a.node_id, a.place) t GROUP BY node_id"""


def via_kin_sql(linkage: Linkage, *, bare: str, everyone: str, kept: Mapping[str, str] | None = None) -> str:
    """Nodes `bare` with what their kin tell: an empty value becomes that of the person whose sound number the record gives.

    A newborn without a number, often without a name, is found through the mother's household. `kept`: tables with the `kin_sql` of features.
    """
    joins, told = [], {}
    for feature in linkage.features:
        if not feature.via:
            continue
        c, alias = kinds.column(feature.key), f"k_{feature.key}"
        kin = kept[feature.key] if kept is not None else f"({kin_sql(feature, bare=bare, everyone=everyone)})"
        joins.append(f"LEFT JOIN {kin} {alias} ON {alias}.node_id = n.node_id")
        told[c] = f"coalesce(n.{c}, {alias}.{c}) AS {c}"
    columns = ", ".join(told.get(c, f"n.{c}") for c in feature_columns(linkage))
    return f"SELECT n.node_id, n.source, n.size, n.uniq, n.num, n.clash, {columns} FROM {bare} n {' '.join(joins)}"


def _lone_sql(features: list[str], rows: str) -> str:
    return f"""SELECT assertion_id AS node_id, source, CAST(1 AS BIGINT) AS size, uniq, CAST(NULL AS STRING) AS num,
        CAST(NULL AS STRING) AS clash, {", ".join(features)} FROM ({rows}) a"""


def more_sql(features: list[str], *, said: str, members: str, heads: str) -> str:
    """SQL of (node_id, features): what `members` (assertion_id, node_id, ord, filled) say of the features that their best record leaves empty.

    A node says what its best record says, and of each feature that this one leaves empty what the next best says; parts come from the
    record that gives the whole. So only what the best record lacks is looked for among the others, who mostly repeat it: to compare
    every value of every record takes ten times as long. `heads`: SQL of (node_id, filled), what the best records fill.
    """
    bits = bits_of(features)
    # an empty part of the record that gives the whole is the node's, so it must not be passed over as min_by passes over nulls
    more = ", ".join(
        f"nullif(min_by(coalesce({c}, ''), rank) FILTER (WHERE (fills & {bits[whole_of(c)]}) <> 0), '') AS {c}"
        for c in features
    )
    wanting = f"""(SELECT m.assertion_id, m.node_id, m.ord AS rank, m.filled & ~h.filled AS fills FROM {members} m
        JOIN ({heads}) h ON h.node_id = m.node_id WHERE (m.filled & ~h.filled) <> 0)"""
    return f"SELECT node_id, {more} FROM {told_by(said, wanting, 'node_id', 'rank', 'fills')} w GROUP BY node_id"


def filled_up(features: list[str]) -> dict[str, str]:
    """Feature column → SQL of a node's value, from its best record `s` and from `m`, what the others say where it is silent."""
    return {
        c: f"coalesce(s.{c}, m.{c})"
        if whole_of(c) == c
        else f"CASE WHEN s.{whole_of(c)} IS NULL THEN m.{c} ELSE nullif(s.{c}, '') END"
        for c in features
    }


def _belies_itself(linkage: Linkage) -> str:
    """SQL over a single record `s`: its number, though well formed, tells another birth date than the record does."""
    number = linkage.number
    if number is None or number.birth_at is None:
        return "FALSE"
    birth = f"s.{kinds.column(linkage.birth)}"
    inside = f"substr(s.num, {number.birth_at}, 8)"
    return f"coalesce({birth} <> {inside}, FALSE)"
