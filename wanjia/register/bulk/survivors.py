"""Which statement wins, for every person and element: one pass over the wide assertions, no unpivoting.

Each statement gets a whole-number preference key per rank table (rules.py: sound number, rank, effective day, ordinal). The largest key among
the statements that say anything about the element wins; the key's low digits name the statement, so the winner needs no second look-up.
"""

from collections.abc import Mapping, Sequence

import ibis
from ibis.expr.types import Table, Value

from wanjia.kernel.engine import Engine
from wanjia.register import rules
from wanjia.register.bulk.words import day_number, value_at_largest
from wanjia.register.rules import ElementRule, TrustedSource

RANKED = "register_ranked"
RESOLVED = "register_resolved"
# derived columns that are wanted of the winning value
_DERIVED = {"identity_number": ("state",), "division": ("current",), "name": ("norm",)}
# elements whose day of statement is needed to say since when something holds
DATED = ("domicile_division", "residence_division", "residence_registration", "household_number", "marital_status")


def rank(
    engine: Engine,
    assertions: Table,
    links: Table,
    sources: Mapping[str, TrustedSource],
    tables: Sequence[Mapping[str, int]],
) -> Table:
    """Saves and returns (assertion_id, person_id, ordinal, weight, latest_day, p0 … pn): one row for each linked assertion.

    `ordinal` numbers a person's statements from 0 in order of arrival; p<i> is the preference key under rank table i.
    """
    linked = links.filter(links.band == "link").select("assertion_id", "person_id")
    rows = assertions.select("assertion_id", "source", "as_of").join(linked, "assertion_id")
    by_arrival = ibis.window(group_by=rows.person_id, order_by=rows.assertion_id)
    whole_person = ibis.window(group_by=rows.person_id)
    rows = rows.mutate(
        ordinal=ibis.row_number().over(by_arrival).cast("int64"),
        day=ibis.coalesce(day_number(rows.as_of), ibis.literal(0, "int64")),
    )
    trust = {code: rules.days_of_trust(source.reliability) for code, source in sources.items()}
    weight = {code: rules.weight_of(source.reliability) for code, source in sources.items()}
    effective = (rows.day + _by_source(rows.source, trust, min(trust.values(), default=0)) + rules.DAY_OFFSET).clip(
        0, rules.DAY_SPAN - 1
    )
    base = effective * rules.ORDINAL_SPAN + rows.ordinal.clip(upper=rules.ORDINAL_SPAN - 1)
    keys = {
        f"p{number}": base
        + _by_source(
            rows.source, {code: (rules.LAST_RANK - place) * rules.RANK_STEP for code, place in table.items()}, 0
        )
        for number, table in enumerate(tables)
    }
    rows = rows.mutate(
        weight=_by_source(rows.source, weight, 1),
        latest_day=rows.day.max().over(whole_person),
        **keys,
    )
    return engine.save(
        RANKED, rows.select("assertion_id", "person_id", "ordinal", "day", "weight", "latest_day", *keys)
    )


def linked_rows(assertions: Table, ranked: Table) -> Table:
    """The wide assertions beside their rank columns. Birth time stated to the minute also states the day (Civil Code art. 15)."""
    rows = assertions.inner_join(ranked, "assertion_id")
    if "born_at" in assertions.columns:
        born_on = rows.born_at.cast("date")
        known = ibis.coalesce(rows.birth_on, born_on) if "birth_on" in assertions.columns else born_on
        rows = rows.mutate(birth_on=known)
    return rows


def resolve(
    engine: Engine, rows: Table, element_rules: Sequence[ElementRule], table_of: Mapping[str, int], pieces: int = 1
) -> Table:
    """Saves and returns one row for each person: for every element its value column(s), `<key>__won` (the winning preference key)
    and `<key>__said` (how many statements were made about it).

    The work is done in `pieces` of people: a grouping of a million people by hundreds of columns does not fit a processor's cache, and takes
    twice the time and memory of eight smaller ones.
    """
    parts = []
    for piece in range(pieces):
        here = rows.filter(rows.person_id % pieces == piece) if pieces > 1 else rows
        name = f"{RESOLVED}_{piece}" if pieces > 1 else RESOLVED
        parts.append(engine.save(name, _winners(engine, here, element_rules, table_of)))
    return ibis.union(*parts) if pieces > 1 else parts[0]


def _winners(engine: Engine, rows: Table, element_rules: Sequence[ElementRule], table_of: Mapping[str, int]) -> Table:
    chosen: dict[str, Value] = {}
    # a statement that says nothing about the element has no key there; masking once is a third cheaper than filtering every aggregate
    keyed = rows.mutate(
        **{
            f"k_{rule.key}": _is_stated(rows, rule).ifelse(preference(rows, rule, table_of), ibis.null("int64"))
            for rule in element_rules
        }
    )
    for rule in element_rules:
        key = keyed[f"k_{rule.key}"]
        chosen[f"{rule.key}__won"] = key.max()
        chosen[f"{rule.key}__said"] = key.count()
        taken = {column: column for column in rule.columns}
        taken |= {
            f"{rule.key}__{d}": f"{rule.key}__{d}"
            for d in _DERIVED.get(rule.type, ())
            if f"{rule.key}__{d}" in rows.columns
        }
        if rule.type == "address":
            keyed = keyed.mutate(**{f"{rule.key}__alike": comparison(rule, rows)})
            taken[f"{rule.key}__alike"] = f"{rule.key}__alike"
        if rule.key in DATED:
            taken[f"{rule.key}__as_of"] = "as_of"
        if rule.key == "household_number":
            # the relation and the office must come from the very record that names the household
            taken |= {
                f"household__{c}": c for c in ("source", "relation_to_head", "registration_office") if c in rows.columns
            }
        for name, column in taken.items():
            chosen[name] = value_at_largest(engine, keyed[column], key)
    resolved = keyed.group_by("person_id").aggregate(**chosen)
    for rule in element_rules:
        if rule.strategy == "vote":
            resolved = _with(resolved, _vote(rows, rule, table_of), rule)
        elif rule.strategy == "average":
            resolved = _with(resolved, _average(rows, resolved, rule), rule)
    return resolved


def preference(rows: Table, rule: ElementRule, table_of: Mapping[str, int]) -> Value:
    """The preference key of each row for this element (int64)."""
    key = rows[f"p{table_of[rule.key]}"]
    if not rule.has_state:
        return key
    sound = rows[f"{rule.key}__state"].isin(["sound", "sound15"])
    return key + sound.ifelse(ibis.literal(rules.SOUND_STEP, "int64"), ibis.literal(0, "int64"))


def comparable(rule: ElementRule, resolved: Table) -> str:
    """The column of `resolved` to compare statements with (see `comparison`)."""
    suffix = {"name": "__norm", "address": "__alike"}.get(rule.type, "")
    name = f"{rule.key}{suffix}"
    return name if suffix and name in resolved.columns else rule.columns[0]


def comparison(rule: ElementRule, rows: Table) -> Value:
    """The form in which two statements of an element are compared: a name by its match form, an address by place, building and room."""
    if rule.type == "name" and f"{rule.key}__norm" in rows.columns:
        return rows[f"{rule.key}__norm"]
    parts = [f"{rule.key}__{part}" for part in ("place", "building", "room")]
    if rule.type == "address" and all(part in rows.columns for part in parts):
        found = ibis.literal("|").join([rows[part] for part in parts])
        # an address of which nothing was understood is compared as it is written
        return (found == "").ifelse(rows[rule.columns[0]], found)
    return rows[rule.columns[0]]


def ordinal_of(won: Value) -> Value:
    """The ordinal of the statement that a winning preference key names."""
    return won % rules.ORDINAL_SPAN


def _is_stated(rows: Table, rule: ElementRule) -> Value:
    stated = rows[rule.columns[0]].notnull()
    for column in rule.columns[1:]:
        stated = stated | rows[column].notnull()
    return stated


def _by_source(source: Value, table: Mapping[str, int], otherwise: int) -> Value:
    """A source's whole number from a small table; `otherwise` for a source that is not declared (any more)."""
    fallback = ibis.literal(otherwise, "int64")
    cases = [(code, ibis.literal(value, "int64")) for code, value in table.items() if value != otherwise]
    return (source.cases(*cases, else_=fallback) if cases else fallback).cast("int64")


def _aged_weight(rows: Table) -> Value:
    """The statement's weight: its source's, halved for each half-life by which it is older than the person's newest statement."""
    halvings = ((rows.latest_day - rows.day) // rules.HALF_LIFE_DAYS).clip(0, 19).cast("int64")
    return ibis.greatest(rows.weight.cast("int64") >> halvings, ibis.literal(1, "int64"))


def _vote(rows: Table, rule: ElementRule, table_of: Mapping[str, int]) -> Table:
    """(person_id, the value with the greatest sum of weights, the best key that says it)."""
    column = rule.columns[0]
    votes = (
        rows.filter(rows[column].notnull())
        .mutate(voted=_aged_weight(rows), by=preference(rows, rule, table_of))
        .group_by(["person_id", column])
        .aggregate(votes=lambda t: t.voted.sum(), won=lambda t: t.by.max())
    )
    first = ibis.row_number().over(
        ibis.window(group_by=votes.person_id, order_by=[votes.votes.desc(), votes.won.desc()])
    )
    winners = votes.mutate(place=first).filter(lambda t: t.place == 0)
    return winners.select(voter="person_id", better=column, better_won="won")


def _average(rows: Table, resolved: Table, rule: ElementRule) -> Table:
    """(person_id, the weighted spatio-temporal average of a quantity): weight is reliability × recency × nearness, where nearness
    is 4 for a statement from the person's own county, 3 from the same prefecture, 2 from the same province, 1 from elsewhere."""
    column = rule.columns[0]
    stated = rows.filter(rows[column].notnull())
    weight = _aged_weight(stated)
    places = [c for c in ("residence_division", "domicile_division", "insured_division") if c in rows.columns]
    homes = [c for c in ("residence_division", "domicile_division") if c in resolved.columns]
    if places and homes:
        home = resolved.select(at="person_id", home=ibis.coalesce(*(resolved[c] for c in homes)))
        stated = stated.left_join(home, stated.person_id == home.at)
        here = ibis.coalesce(*(stated[c] for c in places))
        nearness = ibis.cases(
            (here.left(6) == stated.home.left(6), 4),
            (here.left(4) == stated.home.left(4), 3),
            (here.left(2) == stated.home.left(2), 2),
            else_=1,
        )
        weight = _aged_weight(stated) * nearness.cast("int64")
    sums = stated.group_by("person_id").aggregate(
        total=(stated[column].cast("int64") * weight).sum(), weights=weight.sum()
    )
    mean = (sums.total.cast("float64") / sums.weights.cast("float64") + 0.5).floor().cast("int64")
    return sums.select(voter="person_id", better=mean.cast(rows[column].type()), better_won=ibis.null("int64"))


def _with(resolved: Table, better: Table, rule: ElementRule) -> Table:
    """`resolved` with the value of one element replaced by a vote's or an average's."""
    column, won = rule.columns[0], f"{rule.key}__won"
    joined = resolved.left_join(better, resolved.person_id == better.voter)
    return joined.mutate(
        **{column: ibis.coalesce(joined.better, joined[column]), won: ibis.coalesce(joined.better_won, joined[won])}
    ).drop("voter", "better", "better_won")
