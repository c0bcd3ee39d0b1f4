"""Records under one sound number: nearly all are one person's; where they contradict each other, the number is split.

| table | one row | columns |
|---|---|---|
| lk_meant | assertion | assertion_id, node_id of its number's best record, what nodes are put together by, is_plain: nothing speaks against it |
| lk_grouped | assertion whose number needed a closer look | assertion_id, num, node_id, round (0: the number's first person; -1: nobody's) |
"""

from wanjia.linkage.adapters.workspace import Workspace
from wanjia.linkage.bulk import kinds
from wanjia.linkage.bulk.said import ROW_BITS, feature_columns, told_by
from wanjia.linkage.declared import Linkage, SourceTrust

#: a number that splits into more persons than this is nobody's: the rest stay single records
MOST_PERSONS_PER_NUMBER = 8


def group_by_number(work: Workspace, linkage: Linkage, trust: list[SourceTrust], assertions: str, said: str) -> None:
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
        f"SELECT s.assertion_id, s.num, s.ord, s.uniq, {', '.join(f's.{c}' for c in told)} FROM {told_by(said, 'lk_doubted')} s",
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
