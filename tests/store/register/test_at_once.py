"""Two officers at once, each with a connection of their own: no lost update, no number given out twice, a clear word to the second."""

from functools import partial

import psycopg
import pytest
from django.db import connection

from tests.make import town as make
from tests.make.at_once import NAME, PURPOSE, WHO, at_once, child_of, register, submitted, town_of_its_own
from tests.store.register.test_events import birth, move_in, move_out
from wanjia.kernel.database import ensure_server
from wanjia.privacy import api as privacy
from wanjia.register import api
from wanjia.register.api.settling import LOAD_LOCK
from wanjia.register.errors import CaseMovedOn, FormRefused, RegisterBusy


@pytest.fixture(scope="module")
def town(django_db_setup, django_db_blocker):
    with django_db_blocker.unblock(), town_of_its_own() as made:
        yield made


def test_two_officers_on_one_case(town):
    li, wu = town.officers["li"], town.officers["wu"]
    case = submitted("birth", birth(town, name="王一", birth_on="2026-09-01"), li)
    told = at_once(register(case, li), register(case, wu))
    assert sorted(type(one).__name__ for one in told) == ["Case", "CaseMovedOn"]
    [late] = [one for one in told if isinstance(one, CaseMovedOn)]
    assert "登记" in late.sentence("zh")
    assert api.read_case(case.id, officer=li, **PURPOSE).status == "registered"
    told = at_once(
        lambda: api.keep_draft(draft.id, {"values": {"name": "甲"}}, version=1, officer=li, **PURPOSE),
        lambda: api.keep_draft(draft.id, {"values": {"name": "乙"}}, version=1, officer=li, **PURPOSE),
    ) if (draft := api.open_case("birth", {}, officer=li, **PURPOSE)) else []  # fmt: skip
    assert sorted(type(one).__name__ for one in told) == ["Case", "CaseMovedOn"]


def test_two_numbers_from_one_sequence(town):
    officers = [town.officers["li"], town.officers["wu"]] * 3
    cases = [
        submitted("birth", birth(town, name=f"王双{one}", birth_on="2026-09-01"), officer)
        for one, officer in zip("甲乙丙丁戊己", officers, strict=True)
    ]
    told = at_once(*(register(case, officer) for case, officer in zip(cases, officers, strict=True)))
    assert [one for one in told if isinstance(one, Exception)] == []
    children = [child_of(case, officer) for case, officer in zip(cases, officers, strict=True)]
    numbers = [number for _, number in privacy.amended_values("GA01", children)]
    assert len(set(children)) == len(set(numbers)) == 6
    assert len({number[:14] for number in numbers}) == 1, "one sequence"


def test_one_person_is_moved_once(town):
    li, wu, zhou = (town.officers[name] for name in ("li", "wu", "zhou"))
    first, second = (submitted("move_out", move_out(town, "qiang"), officer) for officer in (li, wu))
    told = at_once(register(first, li), register(second, wu))
    assert sorted(type(one).__name__ for one in told) == ["Case", "FormRefused"]
    [late] = [one for one in told if isinstance(one, FormRefused)]
    assert [one.code for one in late.problems["mover"]] == ["REGISTER-C08"] or late.problems["mover"]
    into = [submitted("move_in", move_in(town, "C", "qiang", "10"), zhou) for _ in range(2)]
    told = at_once(*(register(case, zhou) for case in into))
    assert sorted(type(one).__name__ for one in told) == ["Case", "FormRefused"]


def test_a_load_and_an_event_wait_for_each_other(town, monkeypatch):
    monkeypatch.setattr("wanjia.register.api.settling.WAIT_SECONDS", 1)
    li = town.officers["li"]
    case = submitted("birth", birth(town, name="王三", birth_on="2026-09-01"), li)
    with psycopg.connect(ensure_server(), dbname=NAME) as loading:
        loading.execute("SELECT pg_advisory_xact_lock(%s)", [LOAD_LOCK])
        with pytest.raises(RegisterBusy):
            register(case, li)()
    told = at_once(register(case, li), lambda: make.run(town.engine, town))
    assert [one for one in told if isinstance(one, Exception)] == []
    before = api.digest(**WHO)
    assert api.rebuild(make.resolved(town.engine, town), expect_equal=True, **WHO)[:2] == (before, before)


def merging(town, person, other, household):
    form = {
        "values": {"on": "2026-11-01", "ground": "同一人", "household": town.households[household]},
        "people": {"person": town.persons[person], "other": town.persons[other]},
        "declarant": "office",
    }
    return submitted("merge", form, town.officers["gao"])


def test_one_person_is_not_merged_both_ways(town):
    """Each would stay: one merge is registered, and the other officer is told that the person is gone."""
    one, two = merging(town, "gui2", "gui3", "F"), merging(town, "gui3", "gui2", "F")
    # each is an open case about the other's persons; both are told so at one moment
    said = at_once(register(one, town.officers["qian"]), register(two, town.officers["shen"]))
    assert {type(each) for each in said} <= {FormRefused, RegisterBusy}, said
    api.move_case(two.id, "withdraw", version=two.version, officer=town.officers["gao"], **PURPOSE)
    done, late = at_once(register(one, town.officers["qian"]), register(one, town.officers["shen"]))
    statuses = sorted(str(getattr(each, "status", type(each).__name__)) for each in (done, late))
    assert statuses == ["CaseMovedOn", "registered"], (done, late)
    assert api.forwarded(town.persons["gui3"]) == town.persons["gui2"]


def test_a_merge_during_an_event(town):
    """A change of head is submitted for who is to be taken in while the merge waits: whichever comes second is told, and nothing is lost."""
    before = api.digest(**WHO)
    merge = merging(town, "wei", "wei2", "A")
    officer, other = town.officers["gao"], town.persons["wei2"]
    form = {
        "values": {"kind": "20", "on": "2026-11-02", "name": "王威"}, "people": {"person": other}, "declarant": "self",
        "evidence": {"ground": {"seen": True, "number": "1"}},
    }  # fmt: skip
    draft = api.open_case("change_correction", form, officer=officer, **PURPOSE)
    said = at_once(
        register(merge, town.officers["qian"]),
        lambda: api.submit_case(draft.id, version=draft.version, officer=officer, **PURPOSE),
    )
    merged = getattr(said[0], "status", "") == "registered"
    if merged:
        # the name goes to who they are now, or the case says that the person is gone
        assert not isinstance(said[1], Exception), said
        second = api.move_case(said[1].id, "withdraw", version=said[1].version, officer=officer, **PURPOSE)
    else:
        assert isinstance(said[0], FormRefused), said
        assert [one.code for one in said[0].problems["other"]] == ["REGISTER-C25"]
        second = api.move_case(said[1].id, "withdraw", version=said[1].version, officer=officer, **PURPOSE)
        merge = api.move_case(merge.id, "register", version=merge.version, officer=town.officers["qian"], **PURPOSE)
    assert second.status == "withdrawn"
    assert api.forwarded(other) == town.persons["wei"]
    form = {
        "values": {"merge": merge.id, "on": "2026-11-02", "ground": "两人"}, "people": {"person": town.persons["wei"]}, "declarant": "office",
    }  # fmt: skip
    undo = submitted("unmerge", form, officer)
    said = at_once(register(undo, town.officers["qian"]), register(undo, town.officers["shen"]))
    assert sorted(str(getattr(each, "status", type(each).__name__)) for each in said) == ["CaseMovedOn", "registered"]
    assert api.digest(**WHO) == before


def test_who_was_merged_away_is_gone_for_a_case_that_waited(town):
    """An event submitted before the merge would have been refused as an open case; one that slipped in between is told by name."""
    from django.db import transaction

    from wanjia.register.api.settling import hold
    from wanjia.register.errors import SubjectGone

    gone = town.persons["gui3"]
    assert api.forwarded(gone) != gone
    with pytest.raises(SubjectGone), transaction.atomic(), connection.cursor() as cursor:
        hold(cursor, [gone])


def test_two_officers_on_one_pair(town):
    """Whoever comes second is told by whom the pair was decided; one decision is kept."""
    from wanjia.kernel import clock
    from wanjia.linkage.api import reviewing
    from wanjia.linkage.errors import PairDecided
    from wanjia.linkage.models import Decision, ReviewCase

    one, other = sorted((town.persons["wei"], town.persons["hua"]))
    case = ReviewCase.objects.create(
        assertion_l=one, assertion_r=other, person_l=one, person_r=other, probability=0.5, reason="uncertain", model="m", record_l=1, record_r=2,
        opened_at=clock.now(),
    )  # fmt: skip

    def decide(who, verdict):
        return lambda: reviewing.decide_pair(case.pk, verdict, "两人到场", officer=town.officers[who], **PURPOSE)

    said = at_once(decide("li", "different"), decide("wu", "aside"), decide("sun", "different"))
    refused = [each for each in said if isinstance(each, PairDecided)]
    kept = list(Decision.objects.order_by("pk").values_list("verdict", flat=True))
    # what was put aside may still be decided by who waited behind it; what was decided may not
    assert kept in (["different"], ["aside", "different"]), said
    assert len(refused) == 3 - len(kept), said
    assert all(each.args or str(each) for each in refused)


def moved(kind, form, officer, verb="register", **more):
    case = submitted(kind, form, officer)
    return api.move_case(case.id, verb, version=case.version, officer=officer, **more, **PURPOSE)


def test_a_move_in_without_a_move_out(town):
    """Moving in while the move out is only being registered, and while it is being revoked: in one place, or between the two."""
    from wanjia.register.errors import LaterEventStands

    gao, qian = town.officers["gao"], town.officers["qian"]

    def homes():
        facts = api.person_facts(town.persons["xin"], **WHO)
        return {m["household_id"] for m in facts["membership"] if m["valid_to"] is None}

    into = {**move_in(town, "A", "xin", "97"), "people": {"mover": [town.persons["xin"]]}}
    into["values"]["from"] = "990105"
    out, back = (
        submitted("move_out", move_out(town, "xin", to="990104"), gao),
        api.open_case("move_in", into, officer=gao, **PURPOSE),
    )
    said = at_once(register(out, gao), lambda: api.submit_case(back.id, version=back.version, officer=gao, **PURPOSE))
    assert getattr(said[0], "status", said[0]) == "registered"
    if isinstance(said[1], Exception):
        assert isinstance(said[1], FormRefused), said
        assert {one.code for one in said[1].problems["mover"]} == {"REGISTER-C07", "REGISTER-C20"}
        back = api.submit_case(back.id, version=back.version, officer=gao, **PURPOSE)
    else:
        back = said[1]
    out = said[0]
    assert homes() == set()
    revoke = partial(api.move_case, out.id, "revoke", version=out.version, reason="误", officer=qian, **PURPOSE)
    said = at_once(revoke, register(back, gao))
    failed = [one for one in said if isinstance(one, Exception)]
    assert len(failed) == 1, said
    if isinstance(failed[0], RegisterBusy):
        # the two stood in each other's way: who was told so tries again, and hears why not
        with pytest.raises((FormRefused, LaterEventStands)) as again:
            (register(back, gao) if failed[0] is said[1] else revoke)()
        failed = [again.value]
    assert type(failed[0]) is (FormRefused if isinstance(said[1], Exception) else LaterEventStands), said
    assert homes() == {town.households["D" if isinstance(said[1], Exception) else "A"]}


@pytest.mark.parametrize("verdicts", [("stands", "returned", "stands"), ("correct", "correct", "returned")])
def test_officers_on_one_conflict(town, verdicts):
    """Whoever comes second is told by whom the conflict was decided; one decision is kept, and one correction begun."""
    from datetime import date

    from wanjia.catalog.api import deciding
    from wanjia.catalog.errors import ConflictDecided
    from wanjia.catalog.models import ConflictDecision, Finding
    from wanjia.register.models import Event

    person, gao = town.persons["hua" if verdicts[0] == "stands" else "ming"], town.officers["gao"]
    finding = Finding.objects.create(
        kind="differs_from_register", source="police_register", element="birth_on", person_id=person, assertion_ids=[person],
        opened_on=date(2026, 11, 1), due_on=date(2026, 11, 14), division=make.QINGFENG,
    )  # fmt: skip
    seen = deciding.open_conflict(finding.pk, officer=gao, **PURPOSE)
    right = amended(town, person, seen) if "correct" in verdicts else ""
    seen = deciding.open_conflict(finding.pk, officer=gao, **PURPOSE)

    def decide(who, verdict):
        return lambda: deciding.decide_conflict(
            finding.pk, verdict, "原件核对一致", mark=seen.mark, right=right, officer=town.officers[who], **PURPOSE
        )

    before = Event.objects.count()
    said = at_once(*(decide(who, verdict) for who, verdict in zip(("li", "wu", "sun"), verdicts, strict=True)))
    done = [one for one in said if not isinstance(one, Exception)]
    assert len(done) == 1, said
    assert [type(one) for one in said if isinstance(one, Exception)] == [ConflictDecided] * 2, said
    assert all(done[0].by in one.sentence("zh") for one in said if isinstance(one, ConflictDecided))
    assert ConflictDecision.objects.filter(person_id=person).count() == 1
    assert Event.objects.count() - before == (done[0].verdict == "correct")


def amended(town, person, seen):
    """The birth date is corrected by an event, so that the police register's own record says something else: what `right` names that value."""
    from wanjia.catalog.api import deciding

    li = town.officers["li"]
    form = {
        "people": {"person": person}, "values": {"kind": "41", "on": "2026-11-01", "birth_on": "2008-07-30"}, "declarant": "office",
        "evidence": {"ground": {"seen": True, "number": "Q1"}},
    }  # fmt: skip
    register(submitted("change_correction", form, li), town.officers["wu"])()
    [side] = seen.sides
    [saying] = [one for one in side.sayings if one.column == "birth_on"]
    return deciding.right_of(side, saying)
