"""Cases: who may do what next, what is written once, what a refusal leaves, sealed content, erasing, keys; and the pages' own database role."""

import json
import uuid

import pytest
from django.db import DatabaseError, connection, transaction

from tests.make import town as make
from tests.store.register.test_events import (
    birth,
    death_of_wei,
    digest,
    engine,
    facts,
    li,
    party,
    seen,
    sun,
    town,
    zhou,
)
from wanjia.access import api as access
from wanjia.access.errors import AccountUnknown, RightMissing
from wanjia.jobs import on_rotation
from wanjia.keys import api as keys
from wanjia.privacy import api as privacy
from wanjia.privacy.api import BlindKind
from wanjia.register import api
from wanjia.register.errors import (
    CaseMovedOn,
    CaseUnknown,
    DeskElsewhere,
    FormRefused,
    LaterEventStands,
    MoveNotAllowed,
    PersonStillStated,
    ReasonMissing,
    SameEyes,
    SubjectGone,
)
from wanjia.trace import api as trace

__all__ = ["engine", "li", "sun", "town", "zhou"]
pytestmark = pytest.mark.django_db

WHO = {"by": "test", "why": "test"}
PURPOSE = {"purpose": "case"}


def one(statement, *given):
    with connection.cursor() as cursor:
        cursor.execute(statement, given)
        return cursor.fetchone()[0]


def test_a_case_from_draft_to_registered_step_by_step(town, li, sun):
    case = api.open_case("birth", {}, officer=li, **PURPOSE)
    assert (case.status, case.version, case.may) == ("draft", 1, ("submit", "withdraw"))
    with pytest.raises(FormRefused) as refused:
        api.submit_case(case.id, version=1, officer=li, **PURPOSE)
    assert {"name", "mother", "declarant", "evidence.birth_certificate"} <= set(refused.value.problems)
    kept = api.keep_draft(case.id, birth(town), version=1, officer=li, **PURPOSE)
    assert kept.version == 2
    assert api.read_case(case.id, officer=li, **PURPOSE).form["values"]["name"] == "王小满"
    with pytest.raises(CaseMovedOn, match="li changed this case"):
        api.keep_draft(case.id, {}, version=1, officer=li, **PURPOSE)
    case = api.submit_case(case.id, version=2, officer=li, **PURPOSE)
    again = api.submit_case(case.id, version=2, officer=li, **PURPOSE)
    assert (again.status, again.version) == (case.status, case.version) == ("submitted", 3)
    with pytest.raises(ReasonMissing):
        api.move_case(case.id, "return", version=3, officer=sun, **PURPOSE)
    case = api.move_case(case.id, "return", version=3, reason="缺户口簿", officer=sun, **PURPOSE)
    assert case.status == "returned"
    with pytest.raises(MoveNotAllowed):
        api.move_case(case.id, "register", version=4, officer=sun, **PURPOSE)
    case = api.submit_case(case.id, birth(town), version=4, officer=li, **PURPOSE)
    case = api.move_case(case.id, "review", version=5, officer=sun, **PURPOSE)
    case = api.move_case(case.id, "register", version=6, officer=sun, **PURPOSE)
    assert case.status == "registered"
    steps = api.case_steps(case.id, officer=sun, **PURPOSE)
    assert [s.verb for s in steps] == ["open", "save", "submit", "return", "submit", "review", "register"]
    assert steps[3].reason == "缺户口簿"
    assert steps[-1].status == case.status


def test_asking_twice_with_one_key_makes_one_case(town, li):
    key = uuid.uuid4()
    first = api.open_case("birth", birth(town), key=key, officer=li, **PURPOSE)
    second = api.open_case("birth", birth(town), key=str(key), officer=li, **PURPOSE)
    assert first.id == second.id
    assert [c.id for c in api.cases(officer=li, **PURPOSE)] == [first.id]


def test_the_queue_holds_the_own_area_and_own_drafts(town, li, sun, zhou):
    draft = api.open_case("birth", {}, officer=li, **PURPOSE)
    case = api.open_case("birth", birth(town), officer=li, **PURPOSE)
    api.submit_case(case.id, version=1, officer=li, **PURPOSE)
    assert {c.id for c in api.cases(officer=li, **PURPOSE)} == {draft.id, case.id}
    assert {c.id for c in api.cases(officer=sun, **PURPOSE)} == {case.id}
    assert api.cases(officer=zhou, **PURPOSE) == []
    with pytest.raises(CaseUnknown):
        api.read_case(case.id, officer=zhou, **PURPOSE)
    with pytest.raises(AccountUnknown):
        api.assign_case(case.id, "nobody", version=2, officer=li, **PURPOSE)
    planner = make.officer("pan", "990104", "planner")
    with pytest.raises(RightMissing):
        api.assign_case(case.id, planner.username, version=2, officer=li, **PURPOSE)
    with pytest.raises(RightMissing):
        api.cases(officer=planner, **PURPOSE)
    # whose area does not cover the office could not open it; a draft is at no office yet
    with pytest.raises(DeskElsewhere) as refused:
        api.assign_case(case.id, "zhou", version=2, officer=li, **PURPOSE)
    assert zhou.display_name in str(refused.value)
    assert api.assign_case(draft.id, "zhou", version=1, officer=li, **PURPOSE).assigned_to == "zhou"
    wide = make.officer("gao", "99")
    api.assign_case(case.id, "gao", version=2, officer=li, **PURPOSE)
    assert [c.id for c in api.cases(officer=wide, mine=True, **PURPOSE)] == [case.id]


def test_whoever_wrote_any_of_it_is_no_second_pair_of_eyes(town, li, sun):
    form = {"people": {"person": town.persons["ming"]}, "values": {"kind": "41", "on": "2026-11-01", "birth_on": "2008-07-30"},
            "declarant": "office", "evidence": seen(ground="Q1")}  # fmt: skip
    case = api.open_case("change_correction", form, officer=li, **PURPOSE)
    case = api.assign_case(case.id, "sun", version=case.version, officer=li, **PURPOSE)
    case = api.submit_case(case.id, version=case.version, officer=sun, **PURPOSE)
    for writer in (li, sun):
        with pytest.raises(SameEyes):
            api.move_case(case.id, "register", version=case.version, officer=writer, **PURPOSE)
    other = make.officer("wu", "990104")
    assert api.move_case(case.id, "register", version=case.version, officer=other, **PURPOSE).status == "registered"


def test_what_is_refused_is_in_the_trace_of_those_looked_at(town, li):
    with pytest.raises(FormRefused):
        make.register("birth", birth(town, mother="hua", father=None), by=li)
    entry = trace.who_looked(town.persons["hua"], limit=1)[0]
    assert (entry["kind"], entry["actor"]) == ("register.event_check", "li")
    assert entry["detail"]["problems"] == ["REGISTER-C02"]
    form = birth(town, name="")
    assert "name" in api.check_form("birth", form, officer=li, **PURPOSE)
    assert trace.who_looked(town.persons["lan"], limit=1)[0]["kind"] == "register.event_check"


def test_a_case_about_a_sealed_person_is_no_case_to_others(town, li, sun):
    case = api.open_case("birth", birth(town), officer=li, **PURPOSE)
    case = api.submit_case(case.id, version=case.version, officer=li, **PURPOSE)
    api.seal_person(town.persons["lan"], supervisor=sun, purpose="case")
    wu = make.officer("wu", "990104")
    assert not access.decide(wu, "find", api.subject_of(town.persons["lan"]), "case").is_allowed
    for read in (api.read_case, api.case_steps):
        with pytest.raises(CaseUnknown):
            read(case.id, officer=wu, **PURPOSE)
    with pytest.raises(CaseUnknown):
        api.move_case(case.id, "register", version=case.version, officer=wu, **PURPOSE)


def test_nothing_personal_lies_in_clear(town, li):
    case = make.register("birth", birth(town), by=li)
    (child,) = party(case, "child")
    [(_, number)] = privacy.amended_values("GA01", [child])
    tables = ("register_event", "register_eventstep", "register_eventparty", "register_act", "register_basis", "register_numberseries",
              "register_outbox", "privacy_amendment", "privacy_amendmentblind")  # fmt: skip
    for table in tables:
        text = one(f"SELECT coalesce(string_agg(t::text, '|'), '') FROM {table} t")
        for clear in ("王小满", town.numbers["lan"], town.numbers["wei"], "建设街", "Q330123456", number):
            assert clear not in text, (table, clear)
            assert clear.encode().hex() not in text, (table, clear)


def test_notices_tell_what_happened_and_nobody(town, li, sun):
    case = make.register("birth", birth(town), by=li)
    told = [one for one in api.pending_notices() if one["data"]["event"] == case.id]
    assert told[0]["type"] == "wanjia.register.birth.registered"
    assert {one["data"]["department"] for one in told[1:]} >= {"YB"}
    for said in told:
        assert set(said["data"]) <= {"event", "kind", "chain", "department", "due_on"}
        assert str(town.persons["lan"]) not in json.dumps(said)
    assert api.mark_delivered([told[0]["id"]]) == 1
    assert told[0]["id"] not in {one["id"] for one in api.pending_notices()}
    api.move_case(case.id, "revoke", version=case.version, reason="误", officer=sun, **PURPOSE)
    assert api.pending_notices()[-1]["type"] == "wanjia.register.birth.revoked"


def test_an_event_with_a_later_one_about_the_same_people_is_not_revoked(town, li, sun):
    case = make.register("birth", birth(town), by=li)
    (child,) = party(case, "child")
    died = {"people": {"deceased": child}, "values": {"died_at": "2026-10-05", "certificate": "D2026000123"}, "declarant": "relative",
            "evidence": seen(death_certificate="D2026000123")}  # fmt: skip
    later = make.register("death", died, by=li)
    with pytest.raises(LaterEventStands):
        api.move_case(case.id, "revoke", version=case.version, reason="误", officer=sun, **PURPOSE)
    later = api.move_case(later.id, "revoke", version=later.version, reason="误", officer=sun, **PURPOSE)
    api.move_case(case.id, "revoke", version=case.version, reason="误", officer=sun, **PURPOSE)
    # nobody of that id is held any more: a death cannot be reinstated over nobody
    with pytest.raises(SubjectGone):
        api.move_case(later.id, "reinstate", version=later.version, reason="误", officer=sun, **PURPOSE)


def test_what_was_done_stays_as_it_was_written(town, li):
    make.register("birth", birth(town), by=li)
    for statement in (
        "UPDATE register_eventstep SET verb = 'x'",
        "DELETE FROM register_eventstep",
        "UPDATE register_act SET said = '{}'",
        "DELETE FROM register_act",
        "UPDATE privacy_amendment SET person_id = 1",
    ):
        with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)


def test_the_pages_role_registers_within_its_wall(town, li, sun):
    with connection.cursor() as cursor:
        cursor.execute("SET ROLE wanjia_web")
        try:
            case = make.register("birth", birth(town), by=li)
            child = next(
                p
                for role, ids in api.read_case(case.id, officer=li, **PURPOSE).people.items()
                for p in ids
                if role == "child"
            )
            case = api.move_case(case.id, "revoke", version=case.version, reason="误", officer=sun, **PURPOSE)
            case = api.move_case(case.id, "reinstate", version=case.version, reason="误", officer=sun, **PURPOSE)
            form = {"declarant": "head", **death_of_wei(town)}
            form["values"]["relations"][str(child)] = "30"
            died = make.register("death", form, by=li)
            assert (case.status, died.status) == ("registered", "registered")
            assert api.household_as_of(town.households["A"], officer=li, **PURPOSE)[0].person_id == town.persons["lan"]
            for table in ("register_act", "register_basis", "register_eventparty"):
                cursor.execute("SELECT set_config('wanjia.writing', '', true), set_config('wanjia.cases', '', true)")
                cursor.execute(f"SELECT count(*) FROM {table}")
                assert cursor.fetchone()[0] == 0, table
            for statement in (
                "DELETE FROM register_act",
                "DELETE FROM register_eventstep",
                "SELECT blob FROM privacy_amendment",
                "UPDATE privacy_amendment SET blob = ''",
            ):
                with pytest.raises(DatabaseError), transaction.atomic():
                    cursor.execute(statement)
        finally:
            cursor.execute("RESET ROLE")


def test_a_person_known_by_an_event_is_erased_with_the_cases(engine, town, li, sun):
    case = make.register("birth", birth(town), by=li)
    (child,) = party(case, "child")
    draft = api.open_case("death", {"people": {"deceased": child}}, officer=li, **PURPOSE)
    lan = facts(town.persons["lan"])
    with pytest.raises(PersonStillStated):
        api.erase_person(child, **WHO)
    assert api.erase_events(child, **WHO) == 2
    make.run(engine, town)
    privacy.erase_person(child, **WHO)
    assert api.erase_person(child, **WHO) >= 3
    assert privacy.find_by_blind(BlindKind.NAME, ["王小满"]) == {}
    assert one("SELECT count(*) FROM register_act WHERE person_id = %s", child) == 0
    assert one("SELECT sum(length(form)) FROM register_event WHERE id = ANY(%s)", [case.id, draft.id]) == 0
    assert facts(town.persons["lan"])["membership"] == lan["membership"]
    now = digest()
    assert api.rebuild(make.resolved(engine, town), expect_equal=True, **WHO)[:2] == (now, now)
    revoked = api.move_case(case.id, "revoke", version=case.version, reason="误", officer=sun, **PURPOSE)
    with pytest.raises(MoveNotAllowed):
        api.move_case(revoked.id, "reinstate", version=revoked.version, reason="误", officer=sun, **PURPOSE)


def test_everything_of_a_case_moves_to_new_keys(town, li, sun, monkeypatch):
    monkeypatch.setattr("wanjia.kernel.sealing.LOOK_SECONDS", 0.0)
    monkeypatch.setattr(keys, "SETTLE_SECONDS", 0.0)
    purposes = ("event-form", "number-series", "amendment", "blind:name", "blind:number", "blind:number-series")
    case = make.register("birth", birth(town), by=li)
    (child,) = party(case, "child")
    returned = api.open_case("birth", birth(town, name="王小圆"), officer=li, **PURPOSE)
    returned = api.submit_case(returned.id, version=1, officer=li, **PURPOSE)
    returned = api.move_case(returned.id, "return", version=2, reason="缺页", officer=sun, **PURPOSE)
    old = {purpose: keys.rotate(purpose, by="keeper", why="test")["old"] for purpose in purposes}
    report = on_rotation.reencrypt(list(purposes), by="keeper", why="test")
    assert {"register_event.form", "register_eventstep.reason", "register_numberseries.name", "register_numberseries.blind",
            "privacy_amendment.blob"} <= set(report.done)  # fmt: skip
    assert privacy.find_by_blind(BlindKind.NAME, ["王小满"]) == {"王小满": [child]}
    for purpose in ("event-form", "number-series", "amendment", "blind:number-series"):
        keys.destroy(str(old[purpose]), young_seconds=0, by="keeper", why="test")
    assert api.read_case(returned.id, officer=li, **PURPOSE).form["values"]["name"] == "王小圆"
    assert "缺页" in [s.reason for s in api.case_steps(returned.id, officer=li, **PURPOSE)]
    returned = api.submit_case(returned.id, version=returned.version, officer=li, **PURPOSE)
    second = api.move_case(returned.id, "register", version=returned.version, officer=sun, **PURPOSE)
    numbers = {value for _, value in privacy.amended_values("GA01", [child, *party(second, "child")])}
    assert len(numbers) == 2
