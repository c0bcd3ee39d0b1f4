"""How each source's statements fare against what holds: the counts behind accuracy and timeliness in a scorecard."""

from collections.abc import Mapping, Sequence

from ibis.expr.types import Table, Value

from wanjia.register import rules
from wanjia.register.bulk.statements import Part, Statements
from wanjia.register.bulk.survivors import Ranks, comparable
from wanjia.register.rules import ElementRule

COUNTS = ("known", "given", "shared", "differs", "stale")


def agreement(statements: Statements, held: Table, element_rules: Sequence[ElementRule], ranks: Ranks) -> Table:
    """How the statements of a group of elements (`survivors.groups_of`) fare against what holds of them (`Winners.table_of`).

    One row for each source and subject: `rows`, and for the element number i of `element_rules`
    `known_<i>` records about people of whom anybody states the element, `given_<i>` statements made, `shared_<i>` those about people of whom
    somebody else states it too, `differs_<i>` those of them that say otherwise than what holds, `stale_<i>` those of these that are older.
    """
    numbered = list(enumerate(element_rules))
    types = statements.types
    value_of = {n: comparable(rule, frozenset(types)) for n, rule in numbered}

    def stated(part: Part) -> Table:
        rows = {"person_id": part.frame.person_id, "source": part.frame.source, "subject": part.frame.subject}
        for n, rule in numbered:
            rows[f"stated_{n}"] = statements.column(part, value_of[n])
            rows[f"given_{n}"] = statements.column(part, rule.columns[0]).notnull()
            rows[f"day_{n}"] = _day(ranks.preference(part, rule))
        return part.frame.select(**rows)

    beside = {"holder": held.person_id}
    for n, rule in numbered:
        beside[f"value_{n}"] = held[value_of[n]]
        beside[f"said_{n}"] = held[f"{rule.key}__said"]
        beside[f"won_{n}"] = _day(held[f"{rule.key}__won"])
    rows, beside = statements.union(stated), held.select(**beside)
    both = rows.inner_join(beside, rows.person_id == beside.holder)
    counts = {"rows": both.count()}
    for n, _ in numbered:
        given = both[f"given_{n}"]
        shared = given & (both[f"said_{n}"] > 1)
        differs = shared & (both[f"stated_{n}"] != both[f"value_{n}"])
        stale = differs & (both[f"day_{n}"] < both[f"won_{n}"])
        met = (both[f"said_{n}"] > 0, given, shared, differs, stale)
        counts |= {f"{name}_{n}": _count(condition) for name, condition in zip(COUNTS, met, strict=True)}
    return both.group_by(["source", "subject"]).aggregate(**counts)


def listed(rows: Sequence[Mapping], element_rules: Sequence[ElementRule]) -> list[dict]:
    """The counts of `agreement` in rows of {source, subject, element, rows, known, given, shared, differs, stale}."""
    return [
        {"source": row["source"], "subject": row["subject"], "element": rule.key, "rows": row["rows"]}
        | {name: int(row[f"{name}_{number}"]) for name in COUNTS}
        for row in rows
        for number, rule in enumerate(element_rules)
    ]


def _day(key: Value) -> Value:
    """The effective day inside a preference key."""
    return (key // rules.ORDINAL_SPAN) % rules.DAY_SPAN


def _count(condition: Value) -> Value:
    return condition.ifelse(1, 0).sum()
