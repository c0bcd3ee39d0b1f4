"""How each source's statements fare against what holds: the counts behind accuracy and timeliness in a scorecard."""

from collections.abc import Mapping, Sequence

from ibis.expr.types import Table, Value

from wanjia.register import rules
from wanjia.register.bulk.statements import Part
from wanjia.register.bulk.survivors import Ranks, Winners, comparable
from wanjia.register.rules import ElementRule

COUNTS = ("known", "given", "shared", "differs", "stale")


def agreement(part: Part, winners: Winners, element_rules: Sequence[ElementRule], ranks: Ranks) -> Table:
    """One row for each source and subject of the part: `rows`, and for the element number i of `element_rules` that the part fills

    `known_<i>` records about people of whom anybody states the element, `given_<i>` statements made, `shared_<i>` those about people of whom
    somebody else states it too, `differs_<i>` those of them that say otherwise than what holds, `stale_<i>` those of these that are older.
    """
    own = frozenset(part.frame.columns)
    asked = {n: (rule, comparable(rule, own)) for n, rule in enumerate(element_rules) if part.has(rule.columns[0])}
    held = winners.pick(
        *(column for rule, value in asked.values() for column in (value, f"{rule.key}__said", f"{rule.key}__won"))
    )
    beside = held.select(
        holder="person_id",
        **{f"value_{n}": held[value] for n, (_, value) in asked.items()},
        **{f"said_{n}": held[f"{rule.key}__said"] for n, (rule, _) in asked.items()},
        **{f"won_{n}": _day(held[f"{rule.key}__won"]) for n, (rule, _) in asked.items()},
    )
    rows = part.frame.select(
        "person_id",
        "source",
        "subject",
        **{f"stated_{n}": part.frame[value] for n, (_, value) in asked.items()},
        **{f"given_{n}": part.frame[rule.columns[0]].notnull() for n, (rule, _) in asked.items()},
        **{f"day_{n}": _day(ranks.preference(part, rule)) for n, (rule, _) in asked.items()},
    )
    both = rows.inner_join(beside, rows.person_id == beside.holder)
    counts = {"rows": both.count()}
    for n in asked:
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
        if f"given_{number}" in row
    ]


def _day(key: Value) -> Value:
    """The effective day inside a preference key."""
    return (key // rules.ORDINAL_SPAN) % rules.DAY_SPAN


def _count(condition: Value) -> Value:
    return condition.ifelse(1, 0).sum()
