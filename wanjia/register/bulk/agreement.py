"""How each source's statements fare against what holds: the counts behind accuracy and timeliness in a scorecard."""

from collections import Counter
from collections.abc import Mapping, Sequence

from ibis.expr.types import Table, Value

from wanjia.register import rules
from wanjia.register.bulk.statements import Part, Statements
from wanjia.register.bulk.survivors import Ranks, Winners, comparable, is_stated
from wanjia.register.rules import ElementRule

COUNTS = ("known", "given", "shared", "differs", "stale")


def agreement(
    statements: Statements, winners: Winners, element_rules: Sequence[ElementRule], ranks: Ranks
) -> tuple[Table, ...]:
    """How the statements of a group of elements (`survivors.groups_of`) fare against what holds of them.

    One row for each source and subject: `rows`, and for the element number i of `element_rules`
    `known_<i>` records about people of whom anybody states the element, `given_<i>` statements made, `shared_<i>` those about people of whom
    somebody else states it too, `differs_<i>` those of them that say otherwise than what holds, `stale_<i>` those of these that are older.
    The counts of several tables add up; what one does not count is nothing.
    """
    repeated = winners.repeated.get(element_rules[0].key)
    if repeated is None:
        return (_compared(statements, winners.table_of(element_rules[0]), element_rules, ranks),)
    # one source speaks of nearly everybody once: such a record stands against no other, and needs no look at what holds
    [part] = statements.parts
    once = Part(part.frame.anti_join(repeated.persons, "person_id"), part.source)
    again = Part(part.frame.semi_join(repeated.persons, "person_id"), part.source)
    return _alone(once, element_rules), _compared(Statements((again,)), repeated.held, element_rules, ranks)


def _alone(once: Part, element_rules: Sequence[ElementRule]) -> Table:
    """The counts of people of whom there is one record."""
    counts = {"rows": once.frame.count()}
    for n, rule in enumerate(element_rules):
        counts[f"given_{n}"] = once.frame[rule.columns[0]].count()
        counts[f"known_{n}"] = _count(is_stated(once, rule)) if len(rule.columns) > 1 else counts[f"given_{n}"]
    return once.frame.group_by(["source", "subject"]).aggregate(**counts)


def _compared(statements: Statements, held: Table, element_rules: Sequence[ElementRule], ranks: Ranks) -> Table:
    """The counts of people whose statements have to be held against what holds."""
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
    added: dict[tuple, Counter] = {}
    for row in rows:
        counts = {name: int(count or 0) for name, count in row.items() if name not in ("source", "subject")}
        added.setdefault((row["source"], row["subject"]), Counter()).update(counts)
    return [
        {"source": source, "subject": subject, "element": rule.key, "rows": counts["rows"]}
        | {name: counts[f"{name}_{number}"] for name in COUNTS}
        for (source, subject), counts in added.items()
        for number, rule in enumerate(element_rules)
    ]


def _day(key: Value) -> Value:
    """The effective day inside a preference key."""
    return (key // rules.ORDINAL_SPAN) % rules.DAY_SPAN


def _count(condition: Value) -> Value:
    return condition.ifelse(1, 0).sum()
