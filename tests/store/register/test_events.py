"""Events end to end in PostgreSQL: the form, the case, what the register holds afterwards, and that no later run undoes it."""

from datetime import date

import pytest
from django.db import connection

from tests.make import town as make
from wanjia.privacy import api as privacy
from wanjia.privacy.api import BlindKind
from wanjia.register import api
from wanjia.register.errors import FormRefused
from wanjia.register.rules import numbers

pytestmark = pytest.mark.django_db

WHO = {"by": "test", "why": "test"}


@pytest.fixture(scope="module")
def engine():
    from wanjia.kernel.engine import get_engine

    with get_engine("duckdb") as duckdb_engine:
        yield duckdb_engine


@pytest.fixture
def town(engine):
    return make.build(engine)


@pytest.fixture
def li(town):
    return make.officer("li", "990104")


@pytest.fixture
def sun(town):
    return make.officer("sun", "990104", "supervisor")


@pytest.fixture
def zhou(town):
    return make.officer("zhou", "990105")


def birth(town, household="A", mother="lan", father="wei", **values):
    number = town.household_numbers[household]
    form = {
        "values": {
            "name": "王小满", "sex": "2", "birth_on": "2026-10-02", "birth_place": "990104", "household": town.households[household],
            "household_number": number, "address": town.address_of(household), "relation": "30",
        } | values,
        "people": {"mother": town.persons[mother]},
        "numbers": {"mother": town.numbers[mother]},
        "evidence": {"birth_certificate": {"seen": True, "number": "Q330123456"}, "household_book": {"seen": True}},
        "declarant": "parent",
    }  # fmt: skip
    if father:
        form["people"]["father"], form["numbers"]["father"] = town.persons[father], town.numbers[father]
    return form


def party(case, role):
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT person_id FROM register_eventparty WHERE event_id = %s AND role = %s ORDER BY id", [case.id, role]
        )
        return [row[0] for row in cursor.fetchall()]


def facts(person):
    return api.person_facts(person, **WHO)


def values(person):
    from wanjia.standards import api as standards

    dossier = privacy.open_person(person, **WHO)
    return {b.column: b.value for b in api.beliefs(dossier, standards.load_profile().elements.values())}


def test_a_child_is_born(town, li):
    case = make.register("birth", birth(town), by=li)
    assert case.status == "registered"
    (child,) = party(case, "child")
    held = facts(child)
    assert held["state"][0]["birth_on"] == date(2026, 10, 2)
    assert held["membership"][0]["household_id"] == town.households["A"]
    assert held["residence"][0]["division"] == make.QINGFENG
    assert {(r["kind"], r["other_id"]) for r in held["relation"]} == {
        ("mother", town.persons["lan"]),
        ("father", town.persons["wei"]),
    }
    said = values(child)
    number = said["citizen_number"]
    assert (said["name"], said["mother_number"]) == ("王小满", town.numbers["lan"])
    assert numbers.is_sound(number)
    assert (number[:6], number[6:14], int(number[16]) % 2) == ("990104", "20261002", 0)
    assert privacy.find_by_blind(BlindKind.NUMBER, [number]) == {number: [child]}
    assert privacy.find_by_blind(BlindKind.NAME, ["王小满"])["王小满"] == [child]


def digest():
    return api.digest(**WHO)


def test_a_run_does_not_undo_an_event(engine, town, li):
    before = digest()
    case = make.register("birth", birth(town), by=li)
    after = digest()
    assert after != before
    result = make.run(engine, town)
    assert (digest(), result.changed) == (after, 0)
    assert api.rebuild(make.resolved(engine, town), expect_equal=True, **WHO)[:2] == (after, after)
    assert facts(party(case, "child")[0])["membership"][0]["household_id"] == town.households["A"]


def test_a_revoked_event_leaves_the_register_as_it_was(engine, town, li, sun):
    before = digest()
    case = make.register("birth", birth(town), by=li)
    registered = digest()
    case = api.move_case(case.id, "revoke", version=case.version, reason="登记错误", officer=sun, purpose="case")
    assert (case.status, digest()) == ("revoked", before)
    make.run(engine, town)
    assert digest() == before
    case = api.move_case(case.id, "reinstate", version=case.version, reason="复核", officer=sun, purpose="case")
    assert (case.status, digest()) == ("registered", registered)
    make.run(engine, town)
    assert digest() == registered


def register(kind, form, by, second=None):
    return make.register(kind, {"declarant": "head", **form}, by=by, second=second)


def seen(**numbers_of):
    return {key: {"seen": True, "number": number} for key, number in numbers_of.items()}


def members(town, household):
    """person key → (is head, relation) of who belongs to a household now."""
    keys = {person: key for key, person in town.persons.items()}
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT person_id, is_head, relation FROM register_membership WHERE household_id = %s AND upper_inf(known) AND upper_inf(valid)",
            [household],
        )
        return {keys.get(p, p): (h, r) for p, h, r in cursor.fetchall()}


def death_of_wei(town, **more):
    p = town.persons
    return {
        "people": {"deceased": p["wei"], "successor": p["lan"]},
        "values": {"died_at": "2026-11-02 04:30", "certificate": "D2026000123", "relations": {str(p["ming"]): "20", str(p["hua"]): "53"}},
        "evidence": seen(death_certificate="D2026000123"),
    } | more  # fmt: skip


def test_a_head_dies_and_another_follows(engine, town, li):
    register("death", death_of_wei(town), li)
    p = town.persons
    assert members(town, town.households["A"]) == {"lan": (True, "02"), "ming": (False, "20"), "hua": (False, "53")}
    dead = facts(p["wei"])
    assert dead["state"][0]["died_on"] == date(2026, 11, 2)
    assert dead["membership"][0]["valid_to"] == date(2026, 11, 2)
    assert facts(p["lan"])["state"][0]["marital_status"] == "30"
    assert [r["valid_to"] for r in facts(p["lan"])["relation"] if r["kind"] == "spouse"] == [date(2026, 11, 2)]
    assert values(p["wei"])["registration_state"] == "2"
    after = digest()
    make.run(engine, town)
    assert digest() == after
    with pytest.raises(FormRefused) as refused:
        register("death", death_of_wei(town), li)
    assert {f: [s.code for s in said] for f, said in refused.value.problems.items()} == {"deceased": ["REGISTER-C05"]}


def test_a_head_cannot_die_without_a_next(town, li):
    form = death_of_wei(town)
    del form["people"]["successor"]
    with pytest.raises(FormRefused) as refused:
        register("death", form, li)
    assert [s.code for s in refused.value.problems["successor"]] == ["REGISTER-C10"]
    form = death_of_wei(town)
    form["values"]["relations"] = {}
    with pytest.raises(FormRefused) as refused:
        register("death", form, li)
    assert [s.code for s in refused.value.problems["relations"]] == ["REGISTER-C11"]


def test_a_couple_divorces_and_the_household_splits(engine, town, zhou):
    p, n = town.persons, town.numbers
    register("divorce_note", {"people": {"one": p["jie"], "other": p["min"]}, "values": {"on": "2026-10-01", "certificate": "L1"},
                              "declarant": "self", "evidence": seen(divorce_certificate="L1")}, zhou)  # fmt: skip
    assert {facts(p[k])["state"][0]["marital_status"] for k in ("jie", "min")} == {"40"}
    case = register("split_household", {
        "people": {"head": p["min"], "member": [p["xin"]]},
        "values": {"on": "2026-10-08", "division": make.SHIQIAO, "address": "新街1号", "relations": {str(p["xin"]): "30"}},
        "declarant": "self", "evidence": seen(home="F1"),
    }, zhou)  # fmt: skip
    assert members(town, town.households["D"]) == {"jie": (True, "02")}
    new = next(m for m in facts(p["min"])["membership"] if m["valid_to"] is None)["household_id"]
    assert members(town, new) == {"min": (True, "02"), "xin": (False, "30")}
    number = values(p["xin"])["household_number"]
    assert number.startswith("990105100E")
    assert values(p["min"])["domicile_address"] == "新街1号"
    after = digest()
    make.run(engine, town)
    assert digest() == after
    assert case.kind == "split_household"
    assert n


def move_out(town, *movers, to="990105", **more):
    return {
        "people": {"mover": [town.persons[m] for m in movers]} | more,
        "values": {"on": "2026-10-10", "to": to},
        "declarant": "self",
    }


def move_in(town, household, mover, relation="99"):
    return {
        "people": {"mover": [town.persons[mover]]},
        "numbers": {"mover": town.numbers[mover]},
        "values": {"on": "2026-10-20", "from": "990104", "household": town.households[household],
                   "household_number": town.household_numbers[household], "address": town.address_of(household),
                   "relations": {str(town.persons[mover]): relation}},
        "declarant": "self",
        "evidence": seen(move_permit="M1"),
    }  # fmt: skip


def test_two_officers_move_a_person_between_districts(engine, town, li, zhou):
    with pytest.raises(FormRefused) as refused:
        register("move_in", move_in(town, "C", "qiang"), zhou)
    assert {s.code for s in refused.value.problems["mover"]} == {"REGISTER-C07", "REGISTER-C20"}
    register("move_out", move_out(town, "qiang"), li)
    assert members(town, town.households["B"]) == {}
    case = register("move_in", move_in(town, "C", "qiang", "10"), zhou)
    assert case.about is not None
    assert members(town, town.households["C"])["qiang"] == (False, "10")
    assert [r["division"] for r in facts(town.persons["qiang"])["residence"]] == [make.QINGFENG, make.SHIQIAO]
    after = digest()
    make.run(engine, town)
    assert digest() == after
    with pytest.raises(FormRefused):
        register("move_in", move_in(town, "C", "qiang", "10"), zhou)


def test_an_officer_reaches_no_further_than_the_area(town, li, zhou):
    with pytest.raises(FormRefused) as refused:
        register("move_out", move_out(town, "jie"), li)
    assert [s.code for s in refused.value.problems["mover"]] == ["REGISTER-F17"]
    # a mother may be of anywhere, if her document is at hand
    form = birth(town, "A", mother="min", father=None)
    make.register("birth", form, by=li)
    form["numbers"] = {}
    with pytest.raises(FormRefused) as refused:
        make.register("birth", form, by=li)
    assert [s.code for s in refused.value.problems["mother"]] == ["REGISTER-F17"]


def test_a_birth_date_is_corrected_by_a_second_officer(engine, town, li, sun):
    from wanjia.register.errors import SameEyes

    p = town.persons
    form = {"people": {"person": p["ming"]}, "values": {"kind": "41", "on": "2026-11-01", "birth_on": "2008-07-30"},
            "declarant": "office", "evidence": seen(ground="Q1")}  # fmt: skip
    with pytest.raises(SameEyes):
        register("change_correction", form, li)
    register("change_correction", form, li, sun)
    held = facts(p["ming"])
    assert held["state"][0]["birth_on"] == date(2008, 7, 30)
    assert held["residence"][0]["valid_from"] == date(2008, 7, 30)
    after = digest()
    make.run(engine, town)
    assert digest() == after


def test_who_was_born_in_another_year_is_found_by_first_letters_and_that_year(town, li, sun):
    from wanjia.access import api as access
    from wanjia.trace.models import Entry

    person = town.persons["ming"]

    def found(query):
        sought = api.sought_by(query)
        return [
            hit.person_id
            for hit in api.find_persons(sought, scope=access.search_scope(li, "case"), by="li", why="case").hits
        ]

    form = {"people": {"person": person}, "values": {"kind": "41", "on": "2026-11-01", "birth_on": "2007-07-30"},
            "declarant": "office", "evidence": seen(ground="Q1")}  # fmt: skip
    assert found("wm 2007") == []
    case = register("change_correction", form, li, sun)
    assert found("wm 2007") == [person]
    [told] = Entry.objects.filter(kind="privacy.open_person", subject=person, purpose=f"case:{case.id}")
    assert told.detail["fields"] == ["name"]
    case = api.move_case(case.id, "revoke", version=case.version, reason="误", officer=sun, purpose="case")
    assert found("wm 2007") == []
    api.move_case(case.id, "reinstate", version=case.version, reason="误", officer=sun, purpose="case")
    assert found("wm 2007") == [person]


def test_twins_and_monogamy_and_ages_are_checked(town, li):
    make.register("birth", birth(town), by=li)
    make.register("birth", birth(town, name="王小圆", birth_on="2026-10-02"), by=li)
    codes = {}
    for name, form in {
        "twin": birth(town, birth_on="2026-08-01"),
        "mother": birth(town, mother="hua", father=None),
        "sex": birth(town, mother="wei", father=None),
    }.items():
        with pytest.raises(FormRefused) as refused:
            make.register("birth", form, by=li)
        codes[name] = {f: [s.code for s in said] for f, said in refused.value.problems.items()}
    assert codes["twin"] == {"birth_on": ["REGISTER-C16"]}
    assert codes["mother"] == {"mother": ["REGISTER-C02"]}
    assert "REGISTER-C06" in codes["sex"]["mother"]
    p, n = town.persons, town.numbers
    form = {"people": {"one": p["qiang"], "other": p["min"]}, "numbers": {"other": n["min"]},
            "values": {"on": "2026-10-01", "certificate": "J1", "status_one": "21", "status_other": "22"},
            "declarant": "self", "evidence": seen(marriage_certificate="J1")}  # fmt: skip
    with pytest.raises(FormRefused) as refused:
        register("marriage_note", form, li)
    assert {f: [s.code for s in said] for f, said in refused.value.problems.items()} == {"other": ["REGISTER-C03"]}
    form["people"]["other"], form["numbers"]["other"] = p["fang"], n["fang"]
    register("marriage_note", form, li)
    assert facts(p["fang"])["state"][0]["marital_status"] == "22"


def test_each_named_person_shows_a_number_of_their_own(town, zhou):
    """One known number opens the way to its holder, and to nobody beside them."""
    form = {"people": {"mover": [town.persons["qiang"], town.persons["hua"]]}, "numbers": {"mover": town.numbers["qiang"]},
            "values": {}, "declarant": "self"}  # fmt: skip
    assert [one.code for one in api.check_form("move_in", form, officer=zhou, purpose="case")["mover"]] == [
        "REGISTER-F17"
    ]
    form["numbers"]["mover"] = [town.numbers["qiang"], town.numbers["hua"]]
    assert "mover" not in api.check_form("move_in", form, officer=zhou, purpose="case")
    form = {
        "people": {},
        "numbers": {"mover": [town.numbers["qiang"], town.numbers["hua"]]},
        "values": {},
        "declarant": "self",
    }
    assert "mover" not in api.check_form("move_in", form, officer=zhou, purpose="case")
