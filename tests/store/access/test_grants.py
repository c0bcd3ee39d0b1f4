"""Grants for one person: emergencies, sealed persons, who is told, and that nothing outlives its time."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import IntegrityError, transaction

from wanjia.access import api
from wanjia.access.api import Action, Subject
from wanjia.access.errors import GrantRefused, NotGranted, OutsideArea, PurposeUnknown, RightMissing
from wanjia.access.models import Grant
from wanjia.kernel import clock
from wanjia.trace import api as trace

pytestmark = pytest.mark.django_db

AWAY = Subject(7, ("990103001001",))
SEALED = Subject(8, ("990102001001",), True)
REASON = "家属求助，需要联系其监护人"


@pytest.fixture
def who():
    def opened(role: str, area: str = "990102", name: str = ""):
        return api.open_account(username=name or role, display_name=role, role=role, password=None, area=area)

    return {
        "officer": opened("officer"),
        "supervisor": opened("supervisor"),
        "elsewhere": opened("supervisor", "990103", "elsewhere"),
        "whole": opened("supervisor", "", "whole"),
        "steward": opened("steward"),
    }


def reads(account, subject, purpose="emergency"):
    return api.decide(account, Action.READ, subject, purpose)


def test_breaking_the_glass_opens_one_record_for_a_time_and_tells(who):
    officer = who["officer"]
    assert not reads(officer, AWAY).is_allowed
    api.break_glass(officer, AWAY, purpose="emergency", reason=REASON, minutes=30)
    decision = reads(officer, AWAY)
    assert decision.fields == set(api.book().purposes["emergency"].fields)
    assert decision.grant is not None
    assert not reads(officer, AWAY, "case").is_allowed, "an urgent grant serves its purpose only"
    assert not reads(officer, Subject(9, AWAY.divisions)).is_allowed
    told = {name: [n.kind for n in api.notices(account)] for name, account in who.items()}
    assert told == {
        "officer": [],
        "supervisor": ["break_glass"],
        "elsewhere": [],
        "whole": ["break_glass"],
        "steward": [],
    }
    assert api.notices(who["supervisor"])[0].reason == REASON
    assert [n.kind for n in api.notices_about(7)] == ["break_glass"]
    entry = trace.who_looked(7)[0]
    assert (entry["kind"], entry["actor"], entry["purpose"]) == ("access.break_glass", "officer", "emergency")
    assert entry["basis"].startswith("officers-break-glass@")
    with clock.stopped_at(clock.now() + timedelta(minutes=31)):
        assert not reads(officer, AWAY).is_allowed


def test_grants_are_looked_for_where_the_own_area_does_not_decide(who, django_assert_num_queries):
    own = [Subject(1, ("990102001001",)), Subject(2, ("990102003004",))]
    with django_assert_num_queries(0):
        assert api.decide(who["officer"], Action.READ, own[0], "case").is_allowed
        assert all(one.is_allowed for one in api.decide_many(who["officer"], Action.READ, own, "case").values())
        assert api.decide_many(who["officer"], Action.READ, [], "case") == {}
    api.break_glass(who["officer"], AWAY, purpose="emergency", reason=REASON, minutes=30)
    with django_assert_num_queries(1):
        decided = api.decide_many(who["officer"], Action.READ, [*own, AWAY, Subject(9, AWAY.divisions)], "emergency")
    assert {person for person, one in decided.items() if one.is_allowed and one.grant} == {7}


@pytest.mark.parametrize("hours", [-1, 1])
def test_a_clock_that_jumps_extends_no_grant(who, hours, monkeypatch):
    officer, (boot, began) = who["officer"], clock.running()
    api.break_glass(officer, AWAY, purpose="emergency", reason=REASON, minutes=90)
    assert reads(officer, AWAY).is_allowed
    for minutes, is_live in ((80, True), (91, False), (200, False)):
        # the machine has run on for so long, and its clock says an hour more or less than is true
        monkeypatch.setattr(clock, "running", lambda minutes=minutes: (boot, began + 60 * minutes))
        with clock.stopped_at(clock.now() + timedelta(minutes=minutes, hours=hours)):
            assert reads(officer, AWAY).is_allowed is (is_live and hours < 0)
    # started anew, or another machine: its clock is all it has
    monkeypatch.setattr(clock, "running", lambda: ("another", 5.0))
    assert reads(officer, AWAY).is_allowed


def test_the_reason_is_kept_sealed(who):
    api.break_glass(who["officer"], AWAY, purpose="emergency", reason=REASON)
    assert REASON.encode() not in bytes(Grant.objects.get().sealed_reason)


@pytest.mark.parametrize(
    ("subject", "purpose", "reason", "minutes", "error"),
    [
        (AWAY, "emergency", "急", 30, GrantRefused),
        (AWAY, "emergency", REASON, 241, GrantRefused),
        (AWAY, "case", REASON, 30, OutsideArea),
        (AWAY, "own", REASON, 30, PurposeUnknown),
        (Subject(1, ("990102001001",)), "emergency", REASON, 30, OutsideArea),
        (Subject(8, ("990103001001",), True), "emergency", REASON, 30, OutsideArea),
        (None, "emergency", REASON, 30, OutsideArea),
    ],
)
def test_an_emergency_needs_its_grounds(who, subject, purpose, reason, minutes, error):
    with pytest.raises(error):
        api.break_glass(who["officer"], subject, purpose=purpose, reason=reason, minutes=minutes)
    assert not Grant.objects.exists()


def test_only_officers_break_the_glass(who):
    for name in ("supervisor", "steward"):
        with pytest.raises(RightMissing):
            api.break_glass(who[name], AWAY, purpose="emergency", reason=REASON)


def test_finding_and_reading_a_sealed_person_are_two_rights(who):
    officer, supervisor = who["officer"], who["supervisor"]

    def may(account):
        return tuple(
            api.decide(account, action, SEALED, "protection").is_allowed for action in (Action.FIND, Action.READ)
        )

    assert may(officer) == (False, False)
    assert may(supervisor) == (True, False)
    api.grant_person(supervisor, officer, SEALED, purpose="protection", days=3, reason=REASON, reads=False)
    assert may(officer) == (True, False)
    number = api.grant_person(
        who["whole"], officer, SEALED, purpose="protection", days=3, reason=REASON, fields=["identity"], finds=False
    )
    assert may(officer) == (True, True)
    assert reads(officer, SEALED, "protection").fields == {"identity"}
    assert reads(officer, SEALED, "case").fields == set()
    api.revoke_grant(supervisor, number, why="no longer needed")
    assert may(officer) == (True, False)
    with pytest.raises(NotGranted):
        api.revoke_grant(supervisor, number, why="again")


def test_a_grant_for_an_unsealed_person_does_not_open_the_seal(who):
    before = Subject(8, ("990103001001",), False)
    api.grant_person(who["whole"], who["officer"], before, purpose="case", days=3, reason=REASON)
    assert reads(who["officer"], before, "case").is_allowed
    after = Subject(8, ("990103001001",), True)
    assert not reads(who["officer"], after, "case").is_allowed
    assert not api.decide(who["officer"], Action.FIND, after, "case").is_allowed
    scope = api.search_scope(who["officer"], "case")
    assert (scope.also, scope.also_sealed) == ((8,), ())


def test_two_grants_do_not_add_up_to_a_third(who):
    """One lets find the sealed person, the other lets read somebody unsealed: together they do not let read the sealed one."""
    moment = {"begins_at": clock.now(), "ends_at": clock.now() + timedelta(days=1), "issued_by": "test"}
    for flags in ({"finds": True, "covers_sealed": True}, {"finds": False, "reads": True, "fields": ["identity"]}):
        Grant.objects.create(account=who["officer"], person_id=8, purpose="protection", **moment, **flags)
    assert not reads(who["officer"], SEALED, "protection").is_allowed


@pytest.mark.parametrize(
    "wrong",
    [
        {"account": "supervisor"},
        {"account": "steward"},
        {"purpose": "emergency"},
        {"days": 91},
        {"days": 0},
        {"reason": "x"},
        {"fields": ["protected"]},
        {"finds": False, "reads": False},
    ],
    ids=str,
)
def test_what_nobody_may_grant(who, wrong):
    given = {"account": "officer", "purpose": "protection", "days": 3, "reason": REASON} | wrong
    account = who[given.pop("account")]
    with pytest.raises((GrantRefused, OutsideArea)):
        api.grant_person(who["supervisor"], account, SEALED, **given)
    with pytest.raises(RightMissing):
        api.grant_person(who["officer"], who["steward"], SEALED, purpose="protection", days=3, reason=REASON)
    with pytest.raises(OutsideArea):
        api.grant_person(who["elsewhere"], who["officer"], SEALED, purpose="protection", days=3, reason=REASON)


@pytest.mark.parametrize(
    "wrong",
    [
        {"ends_at": datetime(2020, 1, 1, tzinfo=UTC)},
        {"is_urgent": True, "ends_at": datetime(2030, 1, 1, tzinfo=UTC)},
        {"is_urgent": True, "person_id": None},
        {"is_urgent": True, "covers_sealed": True},
        {"covers_sealed": True, "person_id": None},
    ],
    ids=str,
)
def test_the_database_keeps_grants_within_bounds(who, wrong):
    now = clock.now()
    given = {"person_id": 7, "begins_at": now, "ends_at": now + timedelta(hours=1)} | wrong
    with pytest.raises(IntegrityError), transaction.atomic():
        Grant.objects.create(account=who["officer"], purpose="emergency", issued_by="test", **given)


def test_a_closed_account_uses_no_grant(who):
    api.break_glass(who["officer"], AWAY, purpose="emergency", reason=REASON)
    api.close_account("officer", by="test", why="left")
    who["officer"].refresh_from_db()
    assert not reads(who["officer"], AWAY).is_allowed
    assert api.search_scope(who["officer"], "case") == api.SearchScope()
