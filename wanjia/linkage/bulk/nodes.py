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
from wanjia.linkage.bulk.names import Names
from wanjia.linkage.declared import Feature, Linkage, SourceTrust

#: what linking reads of every assertion, besides name and birth; all it says is read of few: of the first under a number, mostly
HEAD = ["assertion_id", "arrival", "ord", "uniq", "num", "filled"]
ROW_BITS = 2**41
#: part of every text that samples are drawn by
SEED = "wanjia"
#: what kin tell, one table for each feature that asks them
KIN = "lk_kin_"
#: a number that splits into more persons than this is nobody's: the rest stay single records
MOST_PERSONS_PER_NUMBER = 8


def feature_columns(linkage: Linkage) -> list[str]:
    """All feature columns of a node, in order."""
    found: list[str] = []
    for feature in linkage.features:
        found += kinds.assertion_columns(feature, set())
    return found


def assertions_sql(linkage: Linkage, trust: list[SourceTrust], available: set[str], table: str) -> str:
    """The part of every assertion that linking reads, from `table` with the columns `available`.

    `filled`: which wholes (see `_whole`) the record fills, a bit each in the order of `wholes`.
    """
    ranked = sorted(trust, key=lambda s: (not s.is_baseline, -s.reliability, s.code))
    rank = " ".join(f"WHEN source = '{s.code}' THEN {i}" for i, s in enumerate(ranked))
    uniq = " ".join(f"WHEN source = '{code}' THEN {1 << i}" for i, code in enumerate(linkage.one_record_per_person))
    arrival = "coalesce(first_delivery_id, delivery_id)" if "first_delivery_id" in available else "delivery_id"
    columns = [
        "assertion_id",
        "source",
        "record_key",
        "subject",
        f"CAST({arrival} AS BIGINT) * 2 + CASE WHEN {_is_baseline(trust)} THEN 0 ELSE 1 END AS arrival",
        # best source first, then newest, then the row itself: one number, so that picking a value is one comparison
        f"(CAST(CASE {rank} ELSE {len(ranked)} END AS BIGINT) * 65536"
        " + CASE WHEN as_of IS NULL THEN 65535"
        " ELSE greatest(0, 65534 - (year(as_of) - 1900) * 384 - month(as_of) * 32 - day(as_of)) END)"
        f" * {ROW_BITS} + assertion_id % {ROW_BITS} AS ord",
        f"CAST({f'CASE {uniq} ELSE 0 END' if uniq else '0'} AS BIGINT) AS uniq",
        f"{_sound_number(linkage, available)} AS num",
    ]
    told = {n: sql for f in linkage.features for n, sql in kinds.assertion_columns(f, available).items()}
    bits = _bits(list(told))
    filled = " + ".join(f"CASE WHEN {told[whole]} IS NOT NULL THEN {bit} ELSE 0 END" for whole, bit in bits.items())
    columns += [f"{filled} AS filled", *(f"{sql} AS {name}" for name, sql in told.items())]
    return f"SELECT {', '.join(columns)} FROM {table}"


def heads_sql(linkage: Linkage, said: str) -> str:
    """SQL of the assertions `said` with what is read of every one of them; see `HEAD`."""
    named = [kinds.column(k) for k in (linkage.name, linkage.birth) if k is not None]
    return f"SELECT {', '.join([*HEAD, *named])} FROM {said}"


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
    said = said or assertions
    features = feature_columns(linkage)
    if linkage.number is None:
        work.make(members, f"SELECT assertion_id, assertion_id AS node_id, arrival FROM {assertions}")
        work.make(names.bare, _lone_sql(features, f"SELECT * FROM {said}"))
        return
    _group_by_number(work, linkage, trust, assertions, said)
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
        f"SELECT node_id, count(*) AS size, bit_or(uniq) AS uniq, max(round) AS round FROM {members} GROUP BY node_id",
    )
    # a node bears the id of its best record
    heads = f"SELECT node_id, filled FROM {members} WHERE assertion_id = node_id"
    work.make("lk_more", more_sql(features, said=said, members=members, heads=heads))
    # a number that proved to be somebody else's says nothing about its bearer
    own_number = {kinds.column(k) for k in number_features(linkage)}
    listed = ", ".join(
        f"CASE WHEN z.round > 0 THEN NULL ELSE {told} END AS {c}" if c in own_number else f"{told} AS {c}"
        for c, told in filled_up(features).items()
    )
    number = f"CASE WHEN z.round < 0 OR (z.size = 1 AND {_belies_itself(linkage)}) THEN NULL ELSE s.num END"
    work.make(
        names.bare,
        # only the first person under a number keeps it: the others must not be pulled to it, nor barred from their own
        f"""SELECT z.node_id, s.source, z.size, z.uniq, CASE WHEN z.round > 0 THEN NULL ELSE {number} END AS num,
        c.clash, {listed} FROM {said} s JOIN lk_sizes z ON z.node_id = s.assertion_id
        LEFT JOIN lk_more m ON m.node_id = s.assertion_id LEFT JOIN lk_clashes c ON c.clash = {number}""",
    )
    if said != assertions:
        # of everybody's they are large; what comes next takes their memory
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


def _is_baseline(trust: list[SourceTrust]) -> str:
    codes = [f"'{s.code}'" for s in trust if s.is_baseline]
    return f"source IN ({', '.join(codes)})" if codes else "1 = 0"


def _sound_number(linkage: Linkage, available: set[str]) -> str:
    number = linkage.number
    if number is None or number.element not in available or f"{number.element}__state" not in available:
        return "CAST(NULL AS STRING)"
    states = ", ".join(f"'{s}'" for s in number.sound)
    return f"CASE WHEN {number.element}__state IN ({states}) THEN CAST({number.element} AS STRING) END"


def more_sql(features: list[str], *, said: str, members: str, heads: str) -> str:
    """SQL of (node_id, features): what `members` (assertion_id, node_id, ord, filled) say of the features that their best record leaves empty.

    A node says what its best record says, and of each feature that this one leaves empty what the next best says; parts come from the
    record that gives the whole. So only what the best record lacks is looked for among the others, who mostly repeat it: to compare
    every value of every record takes ten times as long. `heads`: SQL of (node_id, filled), what the best records fill.
    """
    bits = _bits(features)
    # an empty part of the record that gives the whole is the node's, so it must not be passed over as min_by passes over nulls
    more = ", ".join(
        f"nullif(min_by(coalesce(s.{c}, ''), w.ord) FILTER (WHERE (w.fills & {bits[_whole(c)]}) <> 0), '') AS {c}"
        for c in features
    )
    return f"""SELECT w.node_id, {more} FROM (
        SELECT m.assertion_id, m.node_id, m.ord, m.filled & ~h.filled AS fills FROM {members} m
        JOIN ({heads}) h ON h.node_id = m.node_id WHERE (m.filled & ~h.filled) <> 0) w
        JOIN {said} s ON s.assertion_id = w.assertion_id GROUP BY w.node_id"""


def filled_up(features: list[str]) -> dict[str, str]:
    """Feature column → SQL of a node's value, from its best record `s` and from `m`, what the others say where it is silent."""
    return {
        c: f"coalesce(s.{c}, m.{c})"
        if _whole(c) == c
        else f"CASE WHEN s.{_whole(c)} IS NULL THEN m.{c} ELSE nullif(s.{c}, '') END"
        for c in features
    }


def _bits(features: list[str]) -> dict[str, int]:
    """Whole → its bit in `filled`."""
    return {whole: 1 << place for place, whole in enumerate(dict.fromkeys(_whole(c) for c in features))}


def _whole(column: str) -> str:
    """The column whose being filled decides from which record `column` is taken."""
    whole, _, part = column.partition("__")
    return column if part in ("other", "year") else whole


def _group_by_number(work: Workspace, linkage: Linkage, trust: list[SourceTrust], assertions: str, said: str) -> None:
    """Give every assertion its node: `lk_meant`, and before it `lk_grouped`, where a number needed a closer look.

    Nearly all records repeat name and birth date of their number's best record, and belong to it without more questions.
    """
    name, birth = kinds.column(linkage.name), kinds.column(linkage.birth)
    work.make(
        "lk_firsts",
        f"""SELECT f.num, f.node_id, a.{name}, a.{birth} FROM (SELECT num, min_by(assertion_id, ord) AS node_id
        FROM {assertions} WHERE num IS NOT NULL GROUP BY num) f JOIN {assertions} a ON a.assertion_id = f.node_id""",
    )
    work.make(
        "lk_meant",
        f"""SELECT a.assertion_id, coalesce(f.node_id, a.assertion_id) AS node_id, a.arrival, a.ord, a.uniq, a.filled,
        f.node_id IS NULL OR a.assertion_id = f.node_id
        OR coalesce(a.{name} = f.{name} AND a.{birth} = f.{birth}, FALSE) AS is_plain
        FROM {assertions} a LEFT JOIN lk_firsts f ON f.num = a.num""",
    )
    work.make(
        "lk_doubted",
        """SELECT t.assertion_id FROM lk_meant t
        JOIN (SELECT DISTINCT node_id FROM lk_meant WHERE NOT is_plain) d ON d.node_id = t.node_id""",
    )
    if not work.rows("SELECT count(*) FROM lk_doubted")[0][0]:
        work.make("lk_grouped", "SELECT node_id AS assertion_id, num, node_id, 0 AS round FROM lk_firsts WHERE 1 = 0")
        return
    rounds = _split_by_number(work, linkage, said)
    placed = " UNION ALL ".join(
        f"SELECT assertion_id, num, node_id, {r} AS round FROM lk_round_{r}" for r in range(rounds)
    )
    work.make(
        "lk_parted",
        # who is left over is alone, and its number nobody's
        f"{placed} UNION ALL SELECT assertion_id, num, assertion_id AS node_id, -1 AS round FROM lk_judged WHERE NOT belongs",
    )
    _rejoin_renamed(work, linkage, trust)


def _split_by_number(work: Workspace, linkage: Linkage, said: str) -> int:
    """Give every doubted assertion its node; those that contradict the number's first person form further nodes.

    Makes `lk_round_0` … and returns how many there are.
    """
    whole = [kinds.column(k) for k in (linkage.name, linkage.birth, linkage.sex)]
    told = [c for c in feature_columns(linkage) if c.partition("__")[0] in whole]
    work.make(
        "lk_in_question",
        f"""SELECT s.assertion_id, s.num, s.ord, s.uniq, {", ".join(f"s.{c}" for c in told)}
        FROM {said} s JOIN lk_doubted d ON d.assertion_id = s.assertion_id""",
    )
    unplaced = "lk_in_question"
    for r in range(MOST_PERSONS_PER_NUMBER):
        # a part comes from the record that gives the whole: another person's former name must not stand beside the first one's name
        anchor = ", ".join(
            f"nullif(min_by(coalesce({c}, ''), ord) FILTER (WHERE {_given_with(c)} IS NOT NULL), '') AS {c}_r"
            for c in told
        )
        work.make(
            "lk_anchors",
            f"SELECT num, min(ord) AS first_ord, min_by(assertion_id, ord) AS node_id, min_by(uniq, ord) AS uniq_r, {anchor}"
            f" FROM {unplaced} GROUP BY num",
        )
        mine = ", ".join(f"u.{c} AS {c}_l" for c in told)
        belongs = _belongs(linkage, work.words)
        work.make(
            "lk_judged",
            f"""SELECT assertion_id, num, node_id, (ord = first_ord OR coalesce({belongs}, FALSE)) AS belongs FROM (
            SELECT u.assertion_id, u.ord, u.uniq AS uniq_l, {mine}, a.* FROM {unplaced} u JOIN lk_anchors a ON u.num = a.num) j""",
        )
        work.make(f"lk_round_{r}", "SELECT assertion_id, num, node_id FROM lk_judged WHERE belongs")
        if work.rows("SELECT count(*) FROM lk_judged WHERE NOT belongs")[0][0] == 0 or r == MOST_PERSONS_PER_NUMBER - 1:
            return r + 1
        work.make(
            "lk_left",
            f"SELECT u.assertion_id, u.num, u.ord, u.uniq, {', '.join(f'u.{c}' for c in told)} FROM {unplaced} u"
            " JOIN lk_judged j ON u.assertion_id = j.assertion_id WHERE NOT j.belongs",
        )
        work.make("lk_unplaced", "SELECT * FROM lk_left")
        unplaced = "lk_unplaced"
    raise AssertionError("the loop returns")


def _rejoin_renamed(work: Workspace, linkage: Linkage, trust: list[SourceTrust]) -> None:
    """Make `lk_grouped`: a second person under a number is the first one renamed, if half the name stayed.

    Asked only where a number has two persons in all, the second is in no baseline source, and birth date, sex and either the surname
    or the given name are the first one's: people do change names, while two registered persons who share a number are both
    in the baseline.
    """
    whole = [kinds.column(k) for k in (linkage.name, linkage.birth, linkage.sex)]
    told = [c for c in feature_columns(linkage) if c.partition("__")[0] in whole]
    picked = ", ".join(f"min_by(a.{c}, a.ord) FILTER (WHERE a.{c} IS NOT NULL) AS {c}" for c in told)
    work.make(
        "lk_second",
        f"""SELECT g.num, g.round, g.node_id, min(a.ord) AS first_ord, {picked}
        FROM (SELECT p.* FROM lk_parted p JOIN (SELECT num FROM lk_parted GROUP BY num HAVING max(round) = 1) t
        ON p.num = t.num) g JOIN lk_in_question a ON a.assertion_id = g.assertion_id GROUP BY g.num, g.round, g.node_id""",
    )
    name, birth, sex = whole
    parts = [c for c in (f"{name}__surname", f"{name}__given") if c in told]
    kin = " OR ".join(f"x.{c} = y.{c}" for c in parts) or "FALSE"
    first_supplement = sum(s.is_baseline for s in trust) * 65536 * ROW_BITS
    work.make(
        "lk_renamed",
        f"""SELECT y.node_id AS second, x.node_id AS first FROM lk_second x JOIN lk_second y ON x.num = y.num
        WHERE x.round = 0 AND y.round = 1 AND y.first_ord >= {first_supplement}
        AND ({kin}) AND x.{birth} = y.{birth} AND x.{sex} = y.{sex}""",
    )
    work.make(
        "lk_grouped",
        """SELECT p.assertion_id, p.num, coalesce(r.first, p.node_id) AS node_id,
        CASE WHEN r.first IS NULL THEN p.round ELSE 0 END AS round
        FROM lk_parted p LEFT JOIN lk_renamed r ON p.node_id = r.second""",
    )


def _given_with(column: str) -> str:
    """The column whose being filled decides from which record `column` is taken; a year may be all that is known of a day."""
    whole, _, part = column.partition("__")
    return column if part == "year" else whole


def _belongs(linkage: Linkage, words: dict[str, str]) -> str:
    """SQL: may two records under one sound number be one person?

    A number is believed only together with name, birth and sex. The same name outweighs one other difference (dates and sexes are
    mistyped); a similar name needs a birth date that is not another; with another name the number is not believed, because
    two persons who were given one number share birth date and sex, which the number holds. A record without a name is no second
    record of a source that holds every person once.
    """
    name, _birth, sex = (kinds.column(k) for k in (linkage.name, linkage.birth, linkage.sex))
    name_levels = kinds.levels(linkage.feature(linkage.name), words)
    kind = linkage.feature(linkage.name).kind
    same, near = (3, 5) if kind == "person_name" else (1, len(name_levels))
    same_name = " OR ".join(f"({level.sql})" for level in name_levels[:same])
    near_name = " OR ".join(f"({level.sql})" for level in name_levels[:near])
    birth_levels = kinds.levels(linkage.feature(linkage.birth), words)
    same_birth = birth_levels[0].sql
    near_birth = " OR ".join(f"({level.sql})" for level in birth_levels[:2])
    birth_bad = f"coalesce(NOT ({near_birth}), FALSE)"
    sex_bad = f"coalesce({sex}_l <> {sex}_r, FALSE)"
    return f"""CASE
        WHEN {name}_l IS NULL OR {name}_r IS NULL THEN NOT ({birth_bad}) AND NOT ({sex_bad}) AND uniq_l & uniq_r = 0
        WHEN coalesce({same_name}, FALSE) THEN NOT ({birth_bad} AND {sex_bad})
        WHEN coalesce({near_name}, FALSE) THEN NOT ({birth_bad}) AND NOT ({sex_bad} AND NOT coalesce({same_birth}, FALSE))
        ELSE FALSE END"""


def _belies_itself(linkage: Linkage) -> str:
    """SQL over a single record `s`: its number, though well formed, tells another birth date than the record does."""
    number = linkage.number
    if number is None or number.birth_at is None:
        return "FALSE"
    birth = f"s.{kinds.column(linkage.birth)}"
    inside = f"substr(s.num, {number.birth_at}, 8)"
    return f"coalesce({birth} <> {inside}, FALSE)"
