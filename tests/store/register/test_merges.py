"""Two entries of one person made one, and two again: what the register, the vault, the search, the trace and later runs make of it."""

from datetime import date

import pytest
from django.db import connection

from tests.make import assertions as frames
from tests.make import town as make
from tests.store.register.test_events import birth, engine, facts, values
from wanjia.access import api as access
from wanjia.access.errors import OutsideArea
from wanjia.kernel import clock
from wanjia.privacy import api as privacy
from wanjia.privacy.api import BlindKind
from wanjia.register import api
from wanjia.register.errors import (
    DeciderNotAllowed,
    FormRefused,
    LaterEventStands,
    MoveNotAllowed,
    PersonUnknown,
    SameEyes,
)
from wanjia.register.models import Event, Notice, Person
from wanjia.trace.models import Entry

__all__ = ["engine"]
pytestmark = pytest.mark.django_db

WHO = {"by": "test", "why": "test"}
PURPOSE = {"purpose": "case"}


@pytest.fixture
def town(engine):
    return make.build(engine, make.WITH_DOUBLES, make.PLACES_OF_DOUBLES, unnumbered=make.DOUBLES)


@pytest.fixture
def li(town):
    return make.officer("li", "99")


@pytest.fixture
def sun(town):
    return make.officer("sun", "99", "supervisor")


@pytest.fixture
def qian(town):
    return make.officer("qian", "99", "supervisor")


def form_of(town, person="wei", other="wei2", household="A", **said):
    given = {
        "on": "2026-11-01",
        "ground": "同一人，姓名录入有误",
        "household": household and town.households[household],
    }
    return {
        "values": given | said,
        "people": {"person": town.persons[person], "other": town.persons[other]},
        "declarant": "office",
    }


def undoing(town, merge, person="wei"):
    values = {"merge": merge.id, "on": "2026-11-02", "ground": "指纹不同，确为两人"}
    return {"values": values, "people": {"person": town.persons[person]}, "declarant": "office"}


def merge(town, li, sun, **given):
    return make.register("merge", form_of(town, **given), by=li, second=sun)


def digest():
    return api.digest(**WHO)


def refused(town, li, sun, **given):
    """Why a merge is refused: field or part → codes. The case is withdrawn again."""
    case = api.open_case("merge", form_of(town, **given), officer=li, **PURPOSE)
    case = api.submit_case(case.id, version=case.version, officer=li, **PURPOSE)
    with pytest.raises(FormRefused) as said:
        api.move_case(case.id, "register", version=case.version, officer=sun, **PURPOSE)
    api.move_case(case.id, "withdraw", version=case.version, officer=li, **PURPOSE)
    return {field: [one.code for one in problems] for field, problems in said.value.problems.items()}


def test_two_entries_become_one_and_two_again(engine, town, li, sun, qian):
    one, other = town.persons["wei"], town.persons["wei2"]
    before, was = digest(), (facts(one), facts(other))
    moment = clock.now()
    case = merge(town, li, sun)
    assert case.status == "registered"
    assert api.forwarded(other) == one
    assert api.former_ids(one) == [other]
    assert Person.objects.get(pk=other).left_at is not None
    with pytest.raises(PersonUnknown):
        facts(other)
    assert facts(one)["membership"][0]["household_id"] == town.households["A"]
    assert values(one)["citizen_number"] == town.numbers["wei"]
    # what was known before the merge is still two persons
    then = api.as_of([one, other], known_on=moment, **WHO)
    assert then[other]["state"] == [{**row, "known_to": then[other]["state"][0]["known_to"]} for row in was[1]["state"]]
    # told to both, and to others without anybody's data
    told = Entry.objects.filter(kind="register.event_register", purpose=f"case:{case.id}")
    assert {one, other} <= set(told.values_list("subject", flat=True))
    assert Notice.objects.filter(event_id=case.id, type="wanjia.register.merge.registered").count() == 1
    # a run changes nothing of it
    after = digest()
    assert make.run(engine, town).changed == 0
    assert api.rebuild(make.resolved(engine, town), expect_equal=True, **WHO)[:2] == (after, after)
    undone = make.register("unmerge", undoing(town, case), by=li, second=qian)
    assert undone.status == "registered"
    assert Event.objects.get(pk=case.id).status == "revoked"
    assert digest() == before
    assert (api.forwarded(other), api.former_ids(one)) == (other, [])
    assert Notice.objects.filter(event_id=undone.id, type="wanjia.register.merge.revoked").count() == 1
    assert make.run(engine, town).changed == 0
    assert digest() == before


def test_who_stays_may_belong_to_the_household_of_the_other(town, li, sun, qian):
    """赵敏 is married in household D; her second entry heads household F, where somebody else would be left without a head."""
    before = digest()
    assert refused(town, li, sun, person="min", other="min2", household=None) == {
        "household": ["REGISTER-C29", "REGISTER-C10"]
    }
    assert refused(town, li, sun, person="min", other="min2", household="D") == {"household": ["REGISTER-C10"]}
    case = merge(town, li, sun, person="min", other="min2", household="F")
    held = facts(town.persons["min"])
    assert [(m["household_id"], m["is_head"]) for m in held["membership"]] == [(town.households["F"], True)]
    assert [r["division"] for r in held["residence"] if r["kind"] == "domicile"] == [make.QINGFENG]
    make.register("unmerge", undoing(town, case, "min"), by=li, second=qian)
    assert digest() == before


def test_what_who_stays_lacks_is_carried_and_found(town, li, sun):
    """The number that only the entry taken in had is said of who stays; and by it they are found, under the old id too."""
    one, other = town.persons["gui2"], town.persons["gui"]
    assert "citizen_number" not in values(one)
    merge(town, li, sun, person="gui2", other="gui", household="C")
    said = values(one)
    assert (said["citizen_number"], said["name"]) == (town.numbers["gui"], "刘桂")
    found = privacy.find_by_blind(BlindKind.NUMBER, [town.numbers["gui"]])[town.numbers["gui"]]
    assert one in found
    assert api.numbers_of(town.numbers["gui"]) == [[one]]
    assert api.forwarded(other) == one
    sought = api.sought_by(town.numbers["gui"])
    hits = api.find_persons(sought, scope=access.search_scope(li, "case"), by="li", why="case").hits
    assert [hit.person_id for hit in hits][:1] == [one]


def test_a_value_of_the_other_is_chosen(town, li, sun, qian):
    before = digest()
    case = merge(town, li, sun, name="王卫", birth_on="1980-05-02")
    said = values(town.persons["wei"])
    assert (said["name"], said["birth_on"]) == ("王卫", "1980-05-02")
    assert facts(town.persons["wei"])["state"][0]["birth_on"] == date(1980, 5, 2)
    make.register("unmerge", undoing(town, case), by=li, second=qian)
    assert digest() == before
    assert values(town.persons["wei"])["name"] == "王伟"


def test_relatives_are_relatives_of_who_stays(town, li, sun, qian):
    case = make.register("birth", birth(town), by=li)
    born = Event.objects.get(pk=case.id).parties.get(role="child").person_id
    before = digest()
    done = merge(town, li, sun, person="wei2", other="wei", household="A")
    assert facts(town.persons["wei2"])["membership"][0]["is_head"]
    assert ("father", town.persons["wei2"]) in {(r["kind"], r["other_id"]) for r in facts(born)["relation"]}
    make.register("unmerge", undoing(town, done, "wei2"), by=li, second=qian)
    assert ("father", town.persons["wei"]) in {(r["kind"], r["other_id"]) for r in facts(born)["relation"]}
    assert digest() == before


def test_a_relative_who_was_merged_since_comes_off_first(town, li, sun, qian):
    """The merge of 陈杰 took along whom he was married to then: an undoing must not leave him married to who is nobody's wife any more."""
    before = digest()
    wife = merge(town, li, sun, person="wei2", other="min", household="D")
    husband = merge(town, li, sun, person="gui3", other="jie", household="D")
    assert ("spouse", town.persons["wei2"]) in {
        (r["kind"], r["other_id"]) for r in facts(town.persons["gui3"])["relation"]
    }
    with pytest.raises(LaterEventStands) as said:
        make.register("unmerge", undoing(town, wife, "wei2"), by=li, second=qian)
    assert str(husband.id) in str(said.value)
    make.register("unmerge", undoing(town, husband, "gui3"), by=li, second=qian)
    make.register("unmerge", undoing(town, wife, "wei2"), by=li, second=qian)
    assert digest() == before


def test_two_sound_numbers_and_two_relatives_are_two_persons(town, li, sun):
    assert refused(town, li, sun, person="qiang", other="gui", household="B") == {"other": ["REGISTER-C24"]}
    make.register("birth", birth(town), by=li)
    born = Person.objects.filter(pk__lt=1 << 32).get().pk
    town.persons["baby"] = born
    found = refused(town, li, sun, person="wei", other="baby", household="A")
    assert "REGISTER-C27" in found["other"]


def test_an_open_case_about_either_comes_first(town, li, sun):
    first = api.open_case("merge", form_of(town, person="qiang"), officer=li, **PURPOSE)
    first = api.submit_case(first.id, version=first.version, officer=li, **PURPOSE)
    assert refused(town, li, sun) == {"other": ["REGISTER-C25"]}
    api.move_case(first.id, "withdraw", version=first.version, officer=li, **PURPOSE)
    assert merge(town, li, sun).status == "registered"


def test_a_protected_person_is_nobody_to_who_would_merge(town, li, sun):
    case = api.open_case("merge", form_of(town), officer=li, **PURPOSE)
    case = api.submit_case(case.id, version=case.version, officer=li, **PURPOSE)
    Person.objects.filter(pk=town.persons["wei2"]).update(is_sealed=True)
    with pytest.raises(OutsideArea):
        api.move_case(case.id, "register", version=case.version, officer=sun, **PURPOSE)
    assert api.forwarded(town.persons["wei2"]) == town.persons["wei2"]


def test_a_second_pair_of_eyes_for_both(town, li, sun, qian):
    own = api.open_case("merge", form_of(town), officer=sun, **PURPOSE)
    own = api.submit_case(own.id, version=own.version, officer=sun, **PURPOSE)
    with pytest.raises(SameEyes):
        api.move_case(own.id, "register", version=own.version, officer=sun, **PURPOSE)
    with pytest.raises(MoveNotAllowed):
        api.move_case(own.id, "revoke", version=own.version, reason="错", officer=qian, **PURPOSE)
    case = api.move_case(own.id, "register", version=own.version, officer=qian, **PURPOSE)
    assert not {"revoke", "reinstate"} & set(case.may)
    with pytest.raises(MoveNotAllowed):
        api.move_case(case.id, "revoke", version=case.version, reason="错", officer=sun, **PURPOSE)
    with pytest.raises(SameEyes):
        make.register("unmerge", undoing(town, case), by=sun)


def test_officers_ask_and_supervisors_decide(town, li):
    other = make.officer("zhou", "99")
    with pytest.raises(DeciderNotAllowed):
        make.register("merge", form_of(town), by=li, second=other)


def test_what_was_registered_since_comes_off_first(town, li, sun, qian):
    case = merge(town, li, sun)
    later = make.register("birth", birth(town), by=li)
    with pytest.raises(LaterEventStands) as said:
        make.register("unmerge", undoing(town, case), by=li, second=qian)
    assert str(later.id) in str(said.value)
    api.move_case(later.id, "revoke", version=later.version, reason="录入错误", officer=sun, **PURPOSE)
    assert make.register("unmerge", undoing(town, case), by=li, second=qian).status == "registered"


def test_an_undoing_names_a_standing_merge_of_the_person(town, li, sun, qian):
    case = merge(town, li, sun)
    with pytest.raises(FormRefused) as said:
        make.register("unmerge", undoing(town, case, "qiang"), by=li, second=qian)
    assert said.value.problems["merge"][0].code == "REGISTER-C30"
    make.register("unmerge", undoing(town, case), by=li, second=qian)
    with pytest.raises(FormRefused):
        make.register("unmerge", undoing(town, case), by=li, second=qian)


def test_merged_twice_leads_to_the_last_and_comes_off_from_the_end(town, li, sun, qian):
    before = digest()
    first = merge(town, li, sun, person="gui2", other="gui", household="C")
    second = merge(town, li, sun, person="gui3", other="gui2", household="C")
    last = town.persons["gui3"]
    assert [api.forwarded(town.persons[key]) for key in ("gui", "gui2", "gui3")] == [last, last, last]
    assert api.former_ids(last) == sorted([town.persons["gui"], town.persons["gui2"]])
    with pytest.raises(FormRefused):
        make.register("unmerge", undoing(town, first, "gui2"), by=li, second=qian)
    make.register("unmerge", undoing(town, second, "gui3"), by=li, second=qian)
    assert api.forwarded(town.persons["gui"]) == town.persons["gui2"]
    make.register("unmerge", undoing(town, first, "gui2"), by=li, second=qian)
    assert digest() == before


def test_sources_that_come_to_know_them_as_one_change_nothing(engine, town, li, sun):
    """Linkage fuses the two by itself, under the id of who was taken in: who stayed stays, under the id everybody knows."""
    one, other = town.persons["gui2"], town.persons["gui"]
    merge(town, li, sun, person="gui2", other="gui", household="C")
    was = facts(one)["membership"]
    fused = [other if person == one else person for person in town.links["person_id"].to_pylist()]
    town.links = frames.links(town.frame, fused)
    make.run(engine, town)
    with pytest.raises(PersonUnknown):
        facts(other)
    held = facts(one)
    assert [m["household_id"] for m in held["membership"]] == [m["household_id"] for m in was]
    assert api.former_ids(one) == [other]


def test_a_preview_says_what_stays_and_why_not(town, li):
    before, entries = digest(), Entry.objects.count()
    seen = api.preview_merge(form_of(town, person="min", other="min2", household="F"), officer=li, **PURPOSE)
    assert seen.problems == {}
    told = Entry.objects.order_by("pk")[entries:]
    assert {town.persons["min"], town.persons["min2"]} <= {
        one.subject for one in told if one.kind == "privacy.open_person"
    }
    by_column = {one.column: one for one in seen.values}
    assert by_column["citizen_number"].stays == "person"
    assert by_column["household_number"].differs
    assert [p["household_id"] for p in seen.after["membership"]] == [town.households["F"]]
    seen = api.preview_merge(
        form_of(town, person="min", other="min2", household=None, ground=""), officer=li, **PURPOSE
    )
    assert {key: [one.code for one in said] for key, said in seen.problems.items()} == {
        "ground": ["REGISTER-F01"], "household": ["REGISTER-C29", "REGISTER-C10"],
    }  # fmt: skip
    api.preview_merge(form_of(town, person="gui2", other="gui", household="C"), officer=li, **PURPOSE)
    assert digest() == before
    with pytest.raises(FormRefused):
        api.preview_merge(form_of(town, person="wei", other="wei"), officer=li, **PURPOSE)


def test_the_pages_role_merges_and_undoes_within_its_wall(town, li, sun, qian):
    before = digest()
    with connection.cursor() as cursor:
        cursor.execute("SET ROLE wanjia_web")
        try:
            api.preview_merge(form_of(town), officer=li, **PURPOSE)
            case = merge(town, li, sun)
            assert api.merges_of(town.persons["wei"]) == [case.id]
            make.register("unmerge", undoing(town, case), by=li, second=qian)
            assert api.merges_of(town.persons["wei"]) == []
        finally:
            cursor.execute("RESET ROLE")
    assert digest() == before
