"""What speaks against two being one, and what is taken of whom: the rules alone."""

from datetime import date

import pytest

from wanjia.kernel import settings
from wanjia.register.api.declaring import load_events
from wanjia.register.rules import checks, effects
from wanjia.register.rules.folding import fold, is_nobody, nothing
from wanjia.register.rules.scene import Double, Scene

MERGE = load_events(settings.profile_dir()).kinds["merge"]
TODAY = date(2026, 11, 1)
STATE = {"sex": "1", "birth_on": "1980-05-01", "died_on": None, "registration_state": "1", "marital_status": None, "marital_since": None}  # fmt: skip


def facts(household=None, head=False, **more):
    one = nothing() | {"state": {**STATE, "from": "1980-05-01", "to": None, **more.pop("state", {})}}
    if household:
        one["membership"] = [{"kind": "domicile", "household_id": household, "is_head": head, "relation": "02" if head else "20",
                              "from": "2000-01-01", "to": None}]  # fmt: skip
        one["residence"] = [{"kind": "domicile", "division": f"99010{household}", "division_now": f"99010{household}",
                             "from": "1980-05-01", "to": None}]  # fmt: skip
    return one | more


def scene(mine, theirs, *, household=None, double=None, **others):
    held = {1: mine, 2: theirs, **{int(k[1:]): v for k, v in others.items()}}
    rosters = {}
    for person, one in held.items():
        for piece in one["membership"]:
            rosters.setdefault(piece["household_id"], []).append(person)
    values = {"on": "2026-11-01", "ground": "-", "household": household}
    return Scene(MERGE, {"person": [1], "other": [2]}, values, held, rosters, TODAY, double=double or Double())


def codes(found):
    return sorted((where, problem.code) for where, problem in checks.problems(found))


def after(found):
    acts = effects.acts(found)
    return {person: fold(found.facts[person], [a for p, a in acts if p == person]) for person in found.facts}


def spouse(other, until=None):
    return [{"kind": "spouse", "other_id": other, "from": None, "to": until}]


def test_nothing_speaks_against_two_alike():
    assert codes(scene(facts(4, head=True), facts())) == []


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (scene(facts(), facts(), double=Double(is_sealed=True)), [("other", "REGISTER-C23")]),
        (scene(facts(), facts(), double=Double(are_numbers_apart=True)), [("other", "REGISTER-C24")]),
        (scene(facts(), facts(), double=Double(cases=(7, 9))), [("other", "REGISTER-C25")]),
        (scene(facts(), facts(state={"died_on": "2020-01-01"})), [("other", "REGISTER-C26")]),
        (scene(facts(relation=spouse(2, "2010-01-01")), facts()), [("other", "REGISTER-C27")]),
        (scene(facts(relation=spouse(3)), facts(relation=spouse(4))), [("other", "REGISTER-C28")]),
        (scene(facts(4, head=True), facts(5, head=True)), [("household", "REGISTER-C29")]),
        (scene(facts(4, head=True), facts(5, head=True), household=6), [("household", "REGISTER-C14")]),
        (scene(facts(4, head=True), facts(5, head=True), household=4, p3=facts(5)), [("household", "REGISTER-C10")]),
        (scene(facts(4, head=True), facts(5, head=True), household=5, p3=facts(4)), [("household", "REGISTER-C10")]),
        (scene(facts(4, head=True), facts(5, head=True), household=5, p3=facts(5)), []),
        (scene(facts(relation=spouse(3)), facts(relation=spouse(3))), []),
    ],
)
def test_what_speaks_against(given, expected):
    assert codes(given) == expected


def test_the_household_chosen_brings_its_place():
    held = after(scene(facts(4, head=True), facts(5), household=5))
    assert [p["household_id"] for p in held[1]["membership"]] == [5]
    assert [p["division"] for p in held[1]["residence"]] == ["990105"]
    assert is_nobody(held[2])


def test_the_head_of_one_household_stays_its_head():
    held = after(scene(facts(4), facts(4, head=True)))
    assert [(p["household_id"], p["is_head"]) for p in held[1]["membership"]] == [(4, True)]


def test_who_stays_keeps_what_they_say_and_takes_what_they_lack():
    theirs = facts(5, state={"sex": "2", "marital_status": "20"}, relation=spouse(3))
    held = after(scene(facts(), theirs, p3=facts(relation=spouse(2))))
    assert (held[1]["state"]["sex"], held[1]["state"]["marital_status"]) == ("1", "20")
    assert held[1]["relation"] == spouse(3)
    assert held[3]["relation"] == spouse(1)


def test_a_time_that_is_over_gives_way_to_what_holds():
    """Moved out in 2010 by one entry, still registered by the other: from 2010 on the other's holds."""
    mine = facts(4)
    mine["membership"][0]["to"] = "2010-01-01"
    held = after(scene(mine, facts(5)))
    assert [(p["household_id"], p["from"], p["to"]) for p in held[1]["membership"]] == [
        (4, "2000-01-01", "2010-01-01"),
        (5, "2010-01-01", None),
    ]
