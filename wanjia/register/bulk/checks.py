"""Cross-checks between sources and inside a household: each declared check is one rule here, and yields findings.

A finding is (kind, source that must answer, element, person_id, other_person_id, household_id, assertion_id). It names no value.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

import ibis
from ibis.expr.types import Table, Value

from wanjia.kernel.engine import Engine
from wanjia.register import rules
from wanjia.register.bulk.facts import nothing
from wanjia.register.bulk.statements import Statements
from wanjia.register.bulk.survivors import Winners
from wanjia.register.bulk.words import day_number
from wanjia.register.declared import FOUND_BY_LINKAGE, Check
from wanjia.register.rules import ElementRule

FINDINGS = "register_findings"
_STATE = ("citizen_number__state",)
FINDING_COLUMNS = {
    "kind": "string",
    "source": "string",
    "element": "string",
    "person_id": "int64",
    "other_person_id": "int64",
    "household_id": "int64",
    "assertion_id": "int64",
}


class Resolved(Protocol):
    """What the checks look at: the tables of a resolution."""

    engine: Engine
    rules: list[ElementRule]
    rows: Statements
    resolved: Winners
    states: Table
    memberships: Table
    holders: Table
    claims: Table


def findings(state: Resolved, checks: Mapping[str, Check]) -> Table:
    """Saves and returns the findings of all checks whose elements the sources deliver."""
    found = []
    for check in checks.values():
        if check.rule in FOUND_BY_LINKAGE:
            continue
        table = RULES[check.rule](state, check)
        if table is not None:
            found.append(table)
    if not found:
        return state.engine.load(FINDINGS, nothing(FINDING_COLUMNS))
    both = ibis.union(*found, distinct=True) if len(found) > 1 else found[0].distinct()
    return state.engine.save(FINDINGS, both)


def sex_against_number(state: Resolved, check: Check) -> Table | None:
    """A record's sex is not what its own sound number says (17th digit: odd is male; GB 11643)."""
    if not state.rows.has("sex", "citizen_number"):
        return None
    rows = state.rows.table("sex", "citizen_number", beside=_STATE)
    by_number = rows.citizen_number.substr(16, 1).isin(list("13579")).ifelse(rules.MALE, rules.FEMALE)
    stated = rows.filter(_is_sound(rows, "citizen_number") & rows.sex.isin([rules.MALE, rules.FEMALE]))
    return _of_rows(stated.filter(by_number != stated.sex), check)


def birth_against_number(state: Resolved, check: Check) -> Table | None:
    """A record's birth date is not the one in its own sound number (digits 7 to 14)."""
    if not state.rows.has("birth_on", "citizen_number"):
        return None
    rows = state.rows.table("birth_on", "citizen_number", beside=_STATE)
    written = rows.birth_on.cast("string").left(10).replace("-", "")
    return _of_rows(
        rows.filter(_is_sound(rows, "citizen_number") & (rows.citizen_number.substr(6, 8) != written)), check
    )


def differs_from_register(state: Resolved, check: Check) -> Table | None:
    """A record says something else than what holds, of an element where only one value can be true."""
    found = []
    for key in check.elements:
        if key not in state.resolved.columns or not state.rows.has(key):
            continue
        resolved = state.resolved.pick(key, f"{key}__said")
        held = resolved.filter(resolved[f"{key}__said"] > 1).select(holder="person_id", held=resolved[key])
        rows = state.rows.table(key)
        stated = rows.filter(rows[key].notnull())
        other = stated.inner_join(held, stated.person_id == held.holder)
        found.append(_of_rows(other.filter(other[key] != other.held), check, element=key))
    return _all(found)


def two_sound_numbers(state: Resolved, check: Check) -> Table | None:
    """A person's records carry two sound, different identity numbers: one of them is somebody else's, or was corrected (GA/T 2000.24: 11, 12)."""
    if not state.rows.has("citizen_number"):
        return None
    held = state.states.filter(state.states.number.notnull()).select(holder="person_id", held="number")
    rows = state.rows.table("citizen_number", beside=_STATE)
    stated = rows.filter(_is_sound(rows, "citizen_number"))
    other = stated.inner_join(held, stated.person_id == held.holder)
    return _of_rows(other.filter(other.citizen_number != other.held), check)


def number_of_several(state: Resolved, check: Check) -> Table | None:
    """Several persons hold one sound identity number (重号)."""
    if not state.rows.has("citizen_number"):
        return None
    shared = state.holders.filter(state.holders.holders > 1).select(shared="number", first="holder")
    held = state.states.inner_join(shared, state.states.number == shared.shared).select(
        of="person_id", held="number", first="first"
    )
    rows = state.rows.table("citizen_number")
    stated = rows.inner_join(held, (rows.person_id == held.of) & (rows.citizen_number == held.held))
    other = (stated.person_id == stated["first"]).ifelse(ibis.null("int64"), stated["first"])
    return _of_rows(stated, check, other=other)


def death_before_birth(state: Resolved, check: Check) -> Table | None:
    """The death that holds lies before the birth that holds."""
    dead = state.states.filter(state.states.died_on < state.states.birth_on).select(dead="person_id")
    if not state.rows.has("died_at"):
        return None
    rows = state.rows.table("died_at")
    rows = rows.filter(rows.died_at.notnull())
    return _of_rows(rows.inner_join(dead, rows.person_id == dead.dead), check)


def active_after_death(state: Resolved, check: Check) -> Table | None:
    """A source still carries as active (it states one of the elements) somebody who died more than `limit` days before its own day."""
    present = [key for key in check.elements if state.rows.has(key)]
    if not present:
        return None
    rows = state.rows.table(any_of=present)
    active = rows[present[0]].notnull()
    for key in present[1:]:
        active = active | rows[key].notnull()
    dead = state.states.filter(state.states.died_on.notnull()).select(dead="person_id", died_on="died_on")
    rows = rows.filter(active)
    rows = rows.inner_join(dead, rows.person_id == dead.dead)
    return _of_rows(rows.filter(rows.day - day_number(rows.died_on) > check.limit), check, element=present[0])


def parent_too_young(state: Resolved, check: Check) -> Table | None:
    """A mother or father is less than `limit` years older than the child (or younger than it)."""
    kinds = check.kinds or ["mother", "father"]
    claims = state.claims.filter(state.claims.kind.isin(kinds))
    child = state.states.select(child="person_id", child_birth="birth_on")
    parent = state.states.select(parent="person_id", parent_birth="birth_on")
    pairs = claims.inner_join(child, claims.person_id == child.child)
    pairs = pairs.inner_join(parent, pairs.other_id == parent.parent)
    too_young = day_number(pairs.child_birth) - day_number(pairs.parent_birth) < int(check.limit * 365.25)
    return _of_rows(pairs.filter(too_young), check, other=ibis._.other_id)


def several_heads(state: Resolved, check: Check) -> Table | None:
    """Several living members say they are the head of one household; all but the one who holds get a finding."""
    members = state.memberships
    extra = members.filter(members.claims_head & ~members.is_head & members.valid_to.isnull())
    return _select(extra, check, household=extra.household_id, assertion=ibis.null("int64"))


def no_head(state: Resolved, check: Check) -> Table | None:
    """A household with living members has no head."""
    members = state.memberships.filter(state.memberships.valid_to.isnull())
    headless = members.group_by("household_id").aggregate(
        heads=members.is_head.ifelse(1, 0).sum(), source=members.source.min(), person_id=members.person_id.min()
    )
    headless = headless.filter(headless.heads == 0)
    return _select(headless, check, household=headless.household_id, assertion=ibis.null("int64"))


def several_spouses(state: Resolved, check: Check) -> Table | None:
    """Somebody is married to several people at once (Civil Code art. 1042); every record that says so is asked."""
    claims = state.claims.filter((state.claims.kind == "spouse") & (state.claims.strength > 1))
    pairs = claims.group_by(["person_id", "other_id"]).aggregate(began=claims.began.max(), ended=claims.ended.max())
    current = pairs.filter(pairs.began.notnull() & (pairs.ended.isnull() | (pairs.ended < pairs.began)))
    dead = state.states.filter(state.states.died_on.notnull()).select(dead="person_id")
    current = current.anti_join(dead, current.other_id == dead.dead)
    many = current.group_by("person_id").aggregate(spouses=current.other_id.nunique())
    many = many.filter(many.spouses > 1).select(married="person_id")
    pairs = current.inner_join(many, current.person_id == many.married).select(who="person_id", whom="other_id")
    said = claims.inner_join(pairs, (claims.person_id == pairs.who) & (claims.other_id == pairs.whom))
    return _of_rows(said, check, other=ibis._.other_id)


def married_too_young(state: Resolved, check: Check) -> Table | None:
    """A marriage was registered before the man was `limit` or the woman `women_limit` years old (Civil Code art. 1047: 22 and 20)."""
    if not state.rows.has("marriage_event_on"):
        return None
    life = state.states.select(spouse="person_id", born="birth_on", gender="sex")
    rows = state.rows.table("marriage_event_on")
    rows = rows.filter(rows.marriage_event_on.notnull())
    rows = rows.inner_join(life, rows.person_id == life.spouse)
    women = check.women_limit if check.women_limit is not None else check.limit
    years = (rows.gender == rules.FEMALE).ifelse(women, check.limit)
    age = rows.marriage_event_on.cast("date").year() - rows.born.year()
    monthday = lambda day: day.cast("date").month() * 100 + day.cast("date").day()  # noqa: E731
    full = (monthday(rows.marriage_event_on) < monthday(rows.born)).ifelse(age - 1, age)
    return _of_rows(rows.filter(full < years), check)


def resident_in_two_places(state: Resolved, check: Check) -> Table | None:
    """Statements within `limit` days of each other have the person living in two counties; those that lost are asked."""
    if not state.rows.has("residence_division"):
        return None
    rows = state.rows.table("residence_division", beside=["residence_division__current"])
    now = "residence_division__current" if "residence_division__current" in rows.columns else "residence_division"
    resolved = state.resolved.pick("residence_division", now, "residence_division__as_of")
    held = resolved.filter(resolved.residence_division.notnull()).select(
        holder="person_id",
        county=ibis.coalesce(resolved[now], resolved.residence_division).left(6),
        held_day=day_number(resolved.residence_division__as_of),
    )
    stated = rows.filter(rows.residence_division.notnull())
    stated = stated.inner_join(held, stated.person_id == held.holder)
    elsewhere = ibis.coalesce(stated[now], stated.residence_division).left(6) != stated.county
    return _of_rows(stated.filter(elsewhere & ((stated.held_day - stated.day).abs() <= check.limit)), check)


RULES: dict[str, Callable[[Resolved, Check], Table | None]] = {
    rule.__name__: rule
    for rule in (
        sex_against_number,
        birth_against_number,
        differs_from_register,
        two_sound_numbers,
        number_of_several,
        death_before_birth,
        active_after_death,
        parent_too_young,
        several_heads,
        no_head,
        several_spouses,
        married_too_young,
        resident_in_two_places,
    )
}


def _is_sound(rows: Table, element: str) -> Value:
    state = f"{element}__state"
    return rows[state].isin(["sound", "sound15"]) if state in rows.columns else rows[element].notnull()


def _of_rows(rows: Table, check: Check, *, element: str | None = None, other: Value | None = None) -> Table:
    return _select(rows, check, element=element, other=other, assertion=rows.assertion_id)


def _select(
    rows: Table,
    check: Check,
    *,
    element: str | None = None,
    other: Value | None = None,
    household: Value | None = None,
    assertion: Value,
) -> Table:
    return rows.select(
        kind=ibis.literal(check.code),
        source=rows.source,
        element=ibis.literal(element or check.elements[0]),
        person_id=rows.person_id,
        other_person_id=other if other is not None else ibis.null("int64"),
        household_id=household if household is not None else ibis.null("int64"),
        assertion_id=assertion,
    ).filter(lambda t: t.source.notnull())


def _all(found: Sequence[Table]) -> Table | None:
    if not found:
        return None
    return ibis.union(*found) if len(found) > 1 else found[0]
