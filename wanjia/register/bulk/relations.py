"""Who is whose mother, father, spouse: from birth and marriage records, and from the relation to the head of the household.

A relative named by number is found only if exactly one person holds that number soundly; otherwise nobody is, and a check says why.
"""

from collections.abc import Mapping
from typing import Protocol

import ibis
from ibis.expr.types import Table, Value

from wanjia.kernel.engine import Engine
from wanjia.register import rules
from wanjia.register.bulk.statements import Statements
from wanjia.register.bulk.words import day_before, day_of

RELATIONS = "register_relations"
HOLDERS = "register_holders"
CLAIMS = "register_relation_claims"
RELATION_COLUMNS = {
    "person_id": "int64",
    "kind": "string",
    "other_id": "int64",
    "valid_from": "date",
    "valid_to": "date",
}
CLAIM_COLUMNS = {
    "person_id": "int64",
    "kind": "string",
    "other_id": "int64",
    "strength": "int64",
    "began": "date",
    "ended": "date",
    "source": "string",
    "assertion_id": "int64",
}
# of several claims the strongest holds: the certificate before the household book
BY_CERTIFICATE, BY_HOUSEHOLD = 2, 1


class Outside(Protocol):
    """What is known of people outside the frame: see wanjia.register.api.resolving.Elsewhere."""

    mates: Table
    people: Table
    named_by: Table


MARRIAGE_ENDS = ("2", "divorce", "离婚")


def holders(engine: Engine, state: Table, known_elsewhere: Table | None = None) -> Table:
    """Saves and returns (number, holder, holders): who holds each sound number, and how many do.

    `known_elsewhere` (number, holder) adds persons of the register who are not in this batch.
    """
    held = state.filter(state.number.notnull()).select("number", holder="person_id")
    if known_elsewhere is not None:
        held = held.union(known_elsewhere.select("number", "holder"), distinct=True)
    return engine.save(
        HOLDERS, held.group_by("number").aggregate(holder=held.holder.min(), holders=held.holder.nunique())
    )


def claims(
    engine: Engine,
    statements: Statements,
    state: Table,
    members: Table,
    held: Table,
    elsewhere: Outside | None = None,
) -> Table:
    """Saves and returns every claim that `other_id` is the spouse, mother or father of `person_id`, with its strength and time."""
    found = [
        _named_parent(statements.table(f"{kind}_number"), held, kind)
        for kind in ("mother", "father")
        if statements.has(f"{kind}_number")
    ]
    marriage = ("marriage_event_on", "marriage_event_kind")
    if statements.has("spouse_number"):
        found.append(_named_spouse(statements.table("spouse_number", beside=marriage), held))
    if statements.has("marriage_event_on"):
        found.append(_married_together(statements.table("marriage_event_on", beside=marriage)))
    found.extend(_in_household(members, state, elsewhere))
    if elsewhere is not None:
        found.append(_named_by_outsiders(elsewhere.named_by))
    alone = ibis.union(*found) if len(found) > 1 else found[0]
    # a marriage holds for both, whoever's record says so
    other_way = alone.filter(alone.kind == "spouse").mutate(person_id=alone.other_id, other_id=alone.person_id)
    both = alone.union(other_way.select(*alone.columns))
    return engine.save(CLAIMS, both.filter((both.person_id != both.other_id) & both.other_id.notnull()))


def relations(engine: Engine, claimed: Table, state: Table, people: Table | None = None) -> Table:
    """Saves and returns the relations that hold: of each kind the strongest and newest claim of a person.

    A marriage lasts from its registration to a divorce registered later, or a death; parents are parents from the birth on. A spouse
    whose own strongest claim names somebody else is dropped on both sides, so that marriages are always mutual.
    """
    per_pair = claimed.group_by(["person_id", "kind", "other_id"]).aggregate(
        strength=claimed.strength.max(), began=claimed.began.max(), ended=claimed.ended.max()
    )
    per_pair = per_pair.mutate(ended=(per_pair.ended >= per_pair.began).ifelse(per_pair.ended, ibis.null("date")))
    best = ibis.row_number().over(
        ibis.window(
            group_by=["person_id", "kind"],
            order_by=[
                per_pair.strength.desc(),
                per_pair.ended.notnull(),
                per_pair.began.desc(nulls_first=False),
                per_pair.other_id,
            ],
        )
    )
    chosen = per_pair.mutate(place=best).filter(lambda t: t.place == 0).drop("place", "strength")
    back = chosen.filter(chosen.kind == "spouse").select(back_from="other_id", back_to="person_id")
    chosen = chosen.left_join(back, (chosen.person_id == back.back_from) & (chosen.other_id == back.back_to))
    chosen = chosen.filter((chosen.kind != "spouse") | chosen.back_to.notnull()).drop("back_from", "back_to")
    lives = state.select("person_id", "birth_on", "died_on")
    if people is not None:
        lives = lives.union(people.select("person_id", "birth_on", "died_on"))
    own = lives.select(own="person_id", own_birth="birth_on", own_death="died_on")
    other = lives.select(others="person_id", other_death="died_on")
    timed = chosen.left_join(own, chosen.person_id == own.own)
    timed = timed.left_join(other, timed.other_id == other.others)
    is_marriage = timed.kind == "spouse"
    began = is_marriage.ifelse(timed.began, timed.own_birth)
    ended = is_marriage.ifelse(ibis.least(timed.ended, timed.own_death, timed.other_death), ibis.null("date"))
    timed = timed.select("person_id", "kind", "other_id", began=began, ended=ended)
    in_order = timed.began.isnull() | timed.ended.isnull() | (timed.began < timed.ended)
    return engine.save(
        RELATIONS,
        timed.select(
            "person_id",
            "kind",
            "other_id",
            valid_from=in_order.ifelse(timed.began, day_before(timed.ended)),
            valid_to=timed.ended,
        ),
    )


def _named_parent(rows: Table, held: Table, kind: str) -> Table:
    stated = rows.filter(rows[f"{kind}_number"].notnull()).select(
        "person_id", "source", "assertion_id", named=rows[f"{kind}_number"]
    )
    return _found(stated, held, kind).select(**_claim(kind, "holder", began=ibis.null("date"), ended=ibis.null("date")))


def _named_spouse(rows: Table, held: Table) -> Table:
    stated = rows.filter(rows.spouse_number.notnull())
    began, ended = _marriage_days(stated)
    stated = stated.select("person_id", "source", "assertion_id", named=stated.spouse_number, began=began, ended=ended)
    return _found(stated, held, "spouse").select(**_claim("spouse", "holder", began=ibis._.began, ended=ibis._.ended))


def _found(stated: Table, held: Table, kind: str) -> Table:
    lone = held.filter(held.holders == 1)
    return stated.inner_join(lone, stated.named == lone.number)


def _married_together(rows: Table) -> Table:
    """The two subjects of one marriage record."""
    stated = rows.filter(rows.marriage_event_on.notnull())
    began, ended = _marriage_days(stated)
    one = stated.select("person_id", "source", "assertion_id", "record_key", "subject", began=began, ended=ended)
    other = stated.select(other_id="person_id", other_source="source", other_key="record_key", other_subject="subject")
    pairs = one.inner_join(
        other,
        (one.source == other.other_source) & (one.record_key == other.other_key) & (one.subject < other.other_subject),
    )
    return pairs.select(**_claim("spouse", "other_id", began=ibis._.began, ended=ibis._.ended))


def _marriage_days(stated: Table) -> tuple[Value, Value]:
    """(day the marriage began, day it ended): a record is about one of the two."""
    on = day_of(stated, "marriage_event_on")
    if "marriage_event_kind" not in stated.columns:
        return on, ibis.null("date")
    ends = ibis.coalesce(stated.marriage_event_kind.isin(MARRIAGE_ENDS), ibis.literal(False))
    return ends.ifelse(ibis.null("date"), on), ends.ifelse(on, ibis.null("date"))


def _named_by_outsiders(named_by: Table) -> Table:
    """People outside the frame whose records name the number of somebody in it."""
    empty = {
        "began": ibis.null("date"),
        "ended": ibis.null("date"),
        "source": ibis.null("string"),
        "assertion_id": ibis.null("int64"),
    }
    return named_by.select("person_id", "kind", "other_id", strength=ibis.literal(BY_CERTIFICATE, "int64"), **empty)


def _in_household(members: Table, state: Table, elsewhere: Outside | None) -> list[Table]:
    """Claims that follow from the relation to the head (GB/T 4761): child of the head, spouse of the head, parent of the head."""
    columns = ["person_id", "household_id", "relation", "is_head", "source"]
    everyone = members.select(*columns)
    sexes = state.select(about="person_id", sex="sex")
    if elsewhere is not None:
        everyone = everyone.union(elsewhere.mates.select(*columns))
        sexes = sexes.union(elsewhere.people.select(about="person_id", sex="sex"))
    heads = everyone.filter(everyone.is_head).select(head="person_id", of="household_id")
    heads = heads.left_join(sexes, heads["head"] == sexes.about).select("head", "of", head_sex="sex")
    others = everyone.filter(~everyone.is_head & everyone.relation.notnull())
    pairs = others.inner_join(heads, others.household_id == heads.of)
    pairs = pairs.mutate(assertion_id=ibis.null("int64"))
    is_child = pairs.relation.isin(rules.CHILD_RELATIONS)
    unknown = {"began": ibis.null("date"), "ended": ibis.null("date"), "strength": BY_HOUSEHOLD}
    found = [
        pairs.filter(pairs.relation.isin(rules.SPOUSE_RELATIONS)).select(**_claim("spouse", "head", **unknown)),
        pairs.filter(is_child & (pairs.head_sex == rules.MALE)).select(**_claim("father", "head", **unknown)),
        pairs.filter(is_child & (pairs.head_sex == rules.FEMALE)).select(**_claim("mother", "head", **unknown)),
    ]
    for kind, relation in (("father", rules.FATHER_RELATIONS), ("mother", rules.MOTHER_RELATIONS)):
        parents = pairs.filter(pairs.relation.isin(relation)).mutate(person_id=ibis._["head"], head=ibis._.person_id)
        found.append(parents.select(**_claim(kind, "head", **unknown)))
    return found


def _claim(kind: str, other: str, *, began: Value, ended: Value, strength: int = BY_CERTIFICATE) -> Mapping[str, Value]:
    here = ibis._
    return {
        "person_id": here.person_id,
        "kind": ibis.literal(kind),
        "other_id": here[other],
        "strength": ibis.literal(strength, "int64"),
        "began": began,
        "ended": ended,
        "source": here.source,
        "assertion_id": here.assertion_id,
    }
