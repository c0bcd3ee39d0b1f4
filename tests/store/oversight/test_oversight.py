"""From reads in the trace to alerts and outcomes; incidents; reviews; what stays and what is sealed."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import DatabaseError, connection, transaction

from wanjia.access import api as access
from wanjia.jobs import on_rotation
from wanjia.kernel import clock
from wanjia.keys import api as keys
from wanjia.oversight import api, errors
from wanjia.oversight.models import Alert
from wanjia.trace import api as trace

WHO = {"by": "auditor", "why": "oversight"}
WORKDAY = datetime(2026, 11, 24, 2, 0, tzinfo=UTC)  # ten o'clock on a Tuesday in Beijing


@pytest.fixture
def staff(home, db):
    """Two officers, a resident, and the sequencer that publishes what they do."""
    for username, role in (("lin", "officer"), ("bo", "officer"), ("citizen", "resident")):
        access.open_account(username=username, display_name=username, role=role, password=None)
    return trace.Sequencer()


def reads(sequencer, *persons, by="lin", why="case:1", kind="privacy.open_person"):
    with connection.cursor() as cursor:
        # the moment is part of the test; `record` takes the clock's
        cursor.executemany(
            "INSERT INTO trace_entry (at, kind, actor, purpose, subject) VALUES (%s, %s, %s, %s, %s)",
            [(clock.now(), kind, by, why, person) for person in persons],
        )
    sequencer.step()


def raised():
    return [(alert.rule, alert.actor) for alert in api.alerts()]


def test_a_read_of_ones_own_family_is_an_alert_and_a_residents_own_read_never_is(staff):
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO register_relation (person_id, kind, other_id, valid, known, sole)"
            " VALUES (11, 'mother', 12, '[2000-01-01,)', tstzrange(now(), NULL), true)"
        )
    api.tell_own_person("lin", 12, **WHO)
    with pytest.raises(errors.NotStaff):
        api.tell_own_person("citizen", 12, **WHO)
    with clock.stopped_at(WORKDAY):
        reads(staff, 11, 12, 13)
        reads(staff, 11, by="bo")
        reads(staff, 11, 12, by="citizen", why="own")
        assert len(api.look(**WHO)) == 1
        assert api.look(**WHO) == [], "looking again raises nothing"
        reads(staff, 12)
        assert api.look(**WHO) == [], "the same occasion grows"
    [alert] = api.alerts()
    assert (alert.rule, alert.actor, alert.severity, len(alert.entries)) == ("own_family", "lin", "high", 3)


def test_somebody_at_the_same_door_is_near_and_a_whole_street_is_not(staff):
    door, street = b"\x01" * 16, b"\x02" * 16
    with connection.cursor() as cursor:
        rows = [(12, door), (13, door), (12, street), *((person, street) for person in range(20, 45))]
        cursor.executemany("INSERT INTO privacy_blindindex (person_id, kind, blind) VALUES (%s, 6, %s)", rows)
    api.tell_own_person("lin", 12, **WHO)
    with clock.stopped_at(WORKDAY):
        reads(staff, 20, 21)
        assert api.look(**WHO) == []
        reads(staff, 13)
        [number] = api.look(**WHO)
    story = api.alert_story(number, **WHO)
    assert (story["alert"].rule, [entry["subject"] for entry in story["entries"]]) == ("own_family", [13])


def test_all_rules_meet_real_entries(staff):
    api.tell_canary(99, **WHO)
    with clock.stopped_at(WORKDAY):
        reads(staff, *range(1000, 1121))
        reads(staff, 99, by="bo")
        reads(staff, 5, by="bo", why="case")
    with clock.stopped_at(WORKDAY + timedelta(hours=12)):
        reads(staff, 6, by="bo")
        api.look(**WHO)
    assert sorted(raised()) == [("canary", "bo"), ("no_case", "bo"), ("out_of_hours", "bo"), ("volume", "lin")]


def test_an_outcome_is_given_once_by_somebody_else_and_stays(staff):
    api.tell_canary(99, **WHO)
    with clock.stopped_at(WORKDAY):
        reads(staff, 99)
        [number] = api.look(**WHO)
    with pytest.raises(errors.AlertUnknown):
        api.decide_alert(number, is_founded=False, note="it is fine", by="lin", why="x")
    api.decide_alert(number, is_founded=True, note="no reason was given by 林某", **WHO)
    with pytest.raises(errors.AlertUnknown):
        api.decide_alert(number, is_founded=False, note="again", **WHO)
    assert api.alert_story(number, **WHO)["note"] == "no reason was given by 林某"
    with connection.cursor() as cursor:
        cursor.execute("SELECT sealed_note FROM oversight_alert")
        assert "林某".encode() not in bytes(cursor.fetchone()[0])
        for statement in (
            "DELETE FROM oversight_alert",
            "UPDATE oversight_alert SET state = 'explained'",
            "UPDATE oversight_alert SET entries = '{}'",
        ):
            with pytest.raises(DatabaseError), transaction.atomic():
                cursor.execute(statement)
    kinds = {entry["kind"] for entry in trace.entries(actor="auditor", limit=50)}
    assert {"oversight.raise_alerts", "oversight.decide_alert", "oversight.open_note"} <= kinds


PARTS = dict.fromkeys(api.NOTICE_PARTS, "x")


def test_an_incident_goes_its_way_and_every_step_stays(staff):
    api.tell_canary(99, **WHO)
    with clock.stopped_at(WORKDAY):
        reads(staff, 99)
        [alert] = api.look(**WHO)
    number = api.open_incident("a canary was opened", alerts=[alert], **WHO)
    with pytest.raises(errors.AlertUnknown):
        api.open_incident("twice", alerts=[alert], **WHO)
    assert api.incident_story(number, **WHO)["next"] == ["contain", "note"]
    for early in (lambda: api.close_incident(number, "x", **WHO), lambda: api.notify(number, PARTS, **WHO)):
        with pytest.raises(errors.StepNotYet):
            early()
    api.take_step(number, "contain", "account closed", **WHO)
    api.take_step(number, "assess", "one record", **WHO)
    with pytest.raises(errors.StepNotYet, match="contact"):
        api.notify(number, {**PARTS, "contact": " "}, **WHO)
    api.notify(number, PARTS, **WHO)
    api.close_incident(number, "canaries work", **WHO)
    with pytest.raises(errors.StepNotYet):
        api.take_step(number, "note", "later", **WHO)
    story = api.incident_story(number, **WHO)
    assert [step["kind"] for step in story["steps"]] == ["open", "contain", "assess", "notify", "close"]
    assert story["next"] == []
    assert [one.id for one in story["alerts"]] == [alert]
    assert api.incidents()[0]["closed_at"] is not None
    for statement in ("DELETE FROM oversight_incidentstep", "UPDATE oversight_incidentstep SET by = 'somebody else'"):
        with connection.cursor() as cursor, pytest.raises(DatabaseError), transaction.atomic():
            cursor.execute(statement)
    with pytest.raises(errors.IncidentUnknown):
        api.incident_story(number + 1, **WHO)


def test_an_incident_that_harms_nobody_needs_a_reason_instead_of_a_notice(staff):
    number = api.open_incident("lost, encrypted", **WHO)
    api.take_step(number, "contain", "wiped", **WHO)
    api.take_step(number, "assess", "nobody could read it", **WHO)
    with pytest.raises(errors.StepNotYet):
        api.notify(number, {}, **WHO)
    api.notify(number, {}, needs_no_notice_because="sealed, and the key is elsewhere", **WHO)
    api.close_incident(number, "done", **WHO)


def test_written_words_are_made_again_when_their_key_rotates(staff, monkeypatch):
    monkeypatch.setattr(keys, "SETTLE_SECONDS", 0.0)
    number = api.open_incident("before", **WHO)
    old = keys.rotate("oversight", **WHO)["old"]
    assert on_rotation.reencrypt(["oversight"], **WHO).left == {}
    keys.destroy(str(old), young_seconds=0, **WHO)
    assert api.incident_story(number, **WHO)["steps"][0]["text"] == "before"


def test_a_review_asks_about_every_open_account_of_staff(staff):
    reads(staff, 5)
    with clock.stopped_at(clock.now() + timedelta(days=100)):
        reads(staff, 6, by="bo")
        number = api.open_review(**WHO)
    items = {item["username"]: item for item in api.review_items(number)}
    assert set(items) == {"lin", "bo"}
    assert (items["lin"]["is_unused"], items["bo"]["is_unused"]) == (True, False)
    api.answer(number, items["lin"]["account_id"], is_needed=False, **WHO)
    with pytest.raises(errors.ReviewUnknown):
        api.answer(number, items["bo"]["account_id"], is_needed=True, by="bo", why="mine")
    [review] = api.reviews()
    assert (review["accounts"], review["unanswered"], review["unneeded"], review["unused"]) == (2, 1, 1, 1)
    access.close_account("lin", **WHO)
    assert [item["is_open"] for item in api.review_items(number) if item["username"] == "lin"] == [False]


def test_looking_at_a_record_s_time_line_is_itself_in_it(staff):
    reads(staff, 5)
    assert [entry["actor"] for entry in api.record_timeline(5, **WHO)] == ["lin"]
    assert [entry["actor"] for entry in api.record_timeline(5, **WHO)] == ["auditor", "lin"]


def test_alerts_hold_no_person(staff):
    columns = {field.name for field in Alert._meta.get_fields()}
    assert not {name for name in columns if "person" in name or "subject" in name}
