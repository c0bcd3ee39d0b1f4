"""How each source's statements fare against what holds: the counts behind accuracy and timeliness in a scorecard."""

from collections.abc import Mapping, Sequence

from ibis.expr.types import Table, Value

from wanjia.register import rules
from wanjia.register.bulk.survivors import comparable, comparison
from wanjia.register.rules import ElementRule


def agreement(rows: Table, resolved: Table, element_rules: Sequence[ElementRule], table_of: Mapping[str, int]) -> Table:
    """One row for each source and subject: `rows`, and for the element number i of `element_rules`

    `known_<i>` records about people of whom anybody states the element, `given_<i>` statements made, `shared_<i>` those about people of whom
    somebody else states it too, `differs_<i>` those of them that say otherwise than what holds, `stale_<i>` those of these that are older.
    """
    held = {"holder": resolved.person_id}
    for number, rule in enumerate(element_rules):
        held[f"value_{number}"] = resolved[comparable(rule, resolved)]
        held[f"said_{number}"] = resolved[f"{rule.key}__said"]
        held[f"won_{number}"] = _day(resolved[f"{rule.key}__won"])
    beside = resolved.select(**held)
    both = rows.inner_join(beside, rows.person_id == beside.holder)
    counts = {}
    for number, rule in enumerate(element_rules):
        value = comparison(rule, both)
        given = both[rule.columns[0]].notnull()
        shared = given & (both[f"said_{number}"] > 1)
        differs = shared & (value != both[f"value_{number}"])
        stale = differs & (_day(both[f"p{table_of[rule.key]}"]) < both[f"won_{number}"])
        counts[f"known_{number}"] = _count(both[f"said_{number}"] > 0)
        counts[f"given_{number}"] = _count(given)
        counts[f"shared_{number}"] = _count(shared)
        counts[f"differs_{number}"] = _count(differs)
        counts[f"stale_{number}"] = _count(stale)
    return both.group_by(["source", "subject"]).aggregate(rows=both.count(), **counts)


def _day(key: Value) -> Value:
    """The effective day inside a preference key."""
    return (key // rules.ORDINAL_SPAN) % rules.DAY_SPAN


def _count(condition: Value) -> Value:
    return condition.ifelse(1, 0).sum()
