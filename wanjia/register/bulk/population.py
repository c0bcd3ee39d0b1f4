"""The living by division, sex and age: one pass over states and residences, whoever holds them."""

from datetime import date

import ibis
from ibis.expr.types import Table, Value

UNKNOWN_AGE = -1


def population(states: Table, residences: Table, on: date) -> Table:
    """(basis, division, sex, age, people) of those who lived on the day `on`: by registered place, and by the place lived in.

    `states` (person_id, sex, birth_on, valid_from, valid_to), `residences` (person_id, kind, division_now, valid_from, valid_to). The lived-in place
    is the one somebody stated, else the registered one (居住地未另报者按户籍地计).
    """
    then = ibis.literal(on)
    living = states.filter(_holds(states, then))
    living = living.select(
        "person_id", sex=ibis.coalesce(living.sex, ibis.literal("0")), age=_full_years(living.birth_on, on)
    )
    places = residences.filter(_holds(residences, then))
    registered = places.filter(places.kind == "domicile").select(r_id="person_id", registered_in="division_now")
    lived = places.filter(places.kind == "residence").select(l_id="person_id", lived_in="division_now")
    placed = living.left_join(registered, living.person_id == registered.r_id)
    placed = placed.left_join(lived, placed.person_id == lived.l_id)
    placed = placed.select("sex", "age", "registered_in", lives_in=ibis.coalesce(placed.lived_in, placed.registered_in))
    both = [
        placed.filter(placed[column].notnull())
        .group_by(division=placed[column], sex=placed.sex, age=placed.age)
        .aggregate(people=lambda t: t.count())
        .select("division", "sex", "age", "people", basis=ibis.literal(basis))
        for basis, column in (("domicile", "registered_in"), ("residence", "lives_in"))
    ]
    return both[0].union(both[1])


def _holds(rows: Table, then: Value) -> Value:
    """Is the day inside the half-open validity?"""
    began = rows.valid_from.isnull() | (rows.valid_from <= then)
    return began & (rows.valid_to.isnull() | (rows.valid_to > then))


def _full_years(born: Value, on: date) -> Value:
    """Whole years of age; `UNKNOWN_AGE` where the birth is not known, or lies after the day (a contradiction that a check reports)."""
    is_birthday_ahead = born.month() * 100 + born.day() > on.month * 100 + on.day
    years = ibis.literal(on.year, "int32") - born.year().cast("int32")
    years = years - is_birthday_ahead.ifelse(ibis.literal(1, "int32"), ibis.literal(0, "int32"))
    return ibis.coalesce(years, ibis.literal(UNKNOWN_AGE, "int32")).clip(lower=UNKNOWN_AGE)
