"""Asking why and correcting: sealed words, one state, the right office, never the one who looked, appeals, public answer times."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import DatabaseError, connection, transaction

from wanjia.access import api as access
from wanjia.access.errors import RightMissing
from wanjia.jobs import on_rotation
from wanjia.kernel import clock
from wanjia.keys import api as keys
from wanjia.services import api, errors
from wanjia.services.api import Kind
from wanjia.services.models import Case, Evidence, Step
from wanjia.trace import api as trace

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
ME, OTHER = 71, 72
PICTURE = b"\xff\xd8\xff" + b"a picture of a paper"


@pytest.fixture(autouse=True)
def open_log(home):
    with clock.stopped_at(NOW):
        yield trace.Sequencer(home)


@pytest.fixture(autouse=True)
def people(home):
    """Two residents of 990101, one sealed; accounts of several offices by name."""
    for person, division in ((ME, "990101001"), (OTHER, "990102001")):
        with connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO register_person (id, founded_at, is_sealed) VALUES (%s, %s, false)", [person, NOW]
            )
            cursor.execute(
                "INSERT INTO register_personstate (person_id, sex, valid, known, sole)"
                " VALUES (%s, '2', daterange(null, null), tstzrange(%s, null), true)",
                [person, NOW],
            )
            cursor.execute(
                "INSERT INTO register_residence (person_id, kind, division, division_now, valid, known, sole)"
                " VALUES (%s, 'usual', %s, %s, daterange(null, null), tstzrange(%s, null), true)",
                [person, division, division, NOW],
            )
    opened = {}
    for name, role, department, area in (
        ("me", "resident", "", ""),
        ("lin", "officer", "GA", "990101"),
        ("bo", "officer", "GA", "990101"),
        ("far", "officer", "GA", "990102"),
        ("steward", "steward", "GA", ""),
        ("chief", "supervisor", "GA", ""),
        ("health", "steward", "WJ", ""),
    ):
        opened[name] = access.open_account(
            username=name, display_name=name, role=role, password=None, department=department, area=area
        )
    access.bind_resident("me", ME, by="me", why="test")
    return {name: access.account_named(name) for name in opened}


def looked(by: str = "steward", department: str = "GA", person: int = ME) -> int:
    [entry] = trace.record("privacy.open_person", subject_ids=[person], by=by, why="case:9", department=department)
    return entry


def corrected(people, column: str = "birth_on", **more) -> int:
    said = {"current": "1980-01-01", "source": "police_register", "wanted": "1980-01-10", "text": "秘密的理由"}
    return api.correct(people["me"], ME, column, **(said | more))


def test_a_question_goes_to_the_department_that_looked_and_is_answered_by_somebody_else(people):
    number = api.ask(people["me"], ME, looked("steward"), "为什么？")
    assert [case.id for case in api.waiting(people["chief"], Kind.ASK)] == [number]
    assert api.waiting(people["health"], Kind.ASK) == []
    with pytest.raises(errors.CaseUnknown):
        api.story(people["health"], Kind.ASK, number)
    with pytest.raises(RightMissing):
        api.story(people["lin"], Kind.ASK, number)
    assert api.story(people["chief"], Kind.ASK, number).steps[0].words == {"text": "为什么？"}
    with pytest.raises(errors.NotYourselves):
        api.act(people["steward"], Kind.ASK, number, outcome="justified", text="本人办理")
    api.act(people["chief"], Kind.ASK, number, outcome="justified", text="因办理业务")
    story = api.own_case(people["me"], ME, number)
    assert (story.case.state, story.case.outcome) == ("answered", "justified")
    assert [step.words["text"] for step in story.steps] == ["为什么？", "因办理业务"]
    with pytest.raises(errors.AskedAlready):
        api.ask(people["me"], ME, story.case.entry_id, "again")


def test_an_appeal_is_decided_by_another_and_has_its_last_day(people):
    number = api.ask(people["me"], ME, looked("lin"), "？")
    with pytest.raises(errors.StepNotNow):
        api.appeal(people["me"], ME, number, "too early")
    api.act(people["steward"], Kind.ASK, number, outcome="justified", text="正当")
    with clock.stopped_at(NOW + timedelta(days=61)), pytest.raises(errors.StepNotNow):
        api.appeal(people["me"], ME, number, "too late")
    api.appeal(people["me"], ME, number, "不服")
    with pytest.raises(errors.NotYourselves):
        api.act(people["steward"], Kind.ASK, number, outcome="justified", text="same again")
    with pytest.raises(errors.StepNotNow):
        api.act(people["chief"], Kind.ASK, number, outcome="accepted", text="no outcome of a question")
    api.act(people["chief"], Kind.ASK, number, outcome="unjustified", text="查阅不当")
    assert Case.objects.get(pk=number).state == "closed"
    with pytest.raises(errors.StepNotNow):
        api.appeal(people["me"], ME, number, "again")


@pytest.mark.parametrize("purpose", ["inherit", "certify"])
def test_nobody_asks_about_a_look_they_may_not_be_told(people, purpose):
    [hidden] = trace.record("privacy.open_person", subject_ids=[ME], by="lin", why=purpose)
    for entry in (hidden, looked(person=OTHER), 10**9):
        with pytest.raises(errors.LookUnknown):
            api.ask(people["me"], ME, entry, "？")


def test_a_correction_is_decided_within_reach_and_carried_out(people, monkeypatch):
    number = corrected(people, "marital_status", files=[PICTURE])
    with pytest.raises(errors.AskedAlready):
        corrected(people, "marital_status")
    assert api.waiting(people["far"], Kind.CORRECT) == []
    monkeypatch.setattr("wanjia.services.api.answering.BATCH", 1)
    api.correct(people["me"], OTHER, "birth_on", current="", source="", wanted="1980", text="urgent")
    Case.objects.filter(person_id=OTHER).update(due_on=NOW - timedelta(days=1))
    assert [case.id for case in api.waiting(people["lin"], Kind.CORRECT, limit=1)] == [number], (
        "others' cases fill no list"
    )
    for outside in ("far",):
        with pytest.raises(errors.CaseUnknown):
            api.story(people[outside], Kind.CORRECT, number)
    with pytest.raises(RightMissing):
        api.waiting(people["steward"], Kind.CORRECT)
    story = api.story(people["lin"], Kind.CORRECT, number)
    [(piece, media)] = story.steps[0].files
    assert story.steps[0].words["wanted"] == "1980-01-10"
    assert api.evidence(people["lin"], number, piece) == (media, PICTURE) == ("image/jpeg", PICTURE)
    with pytest.raises(errors.CaseUnknown):
        api.evidence(people["far"], number, piece)
    api.act(people["lin"], Kind.CORRECT, number, outcome="accepted", text="同意")
    assert api.own_case(people["me"], ME, number).appeal_until is None
    api.act(people["bo"], Kind.CORRECT, number, text="来源已改正")
    assert Case.objects.get(pk=number).state == "closed"
    assert corrected(people, "marital_status") != number, "a new request may begin"


def test_a_field_that_officers_may_not_read_is_not_decided_by_them(people):
    Case.objects.create(kind="correct", person_id=ME, department="GA", column="ethnicity", opened_at=NOW, due_on=NOW)
    assert api.waiting(people["lin"], Kind.CORRECT) == []


@pytest.mark.parametrize("file", [b"", b"<html>", b"MZ....", PICTURE + bytes(api.MOST_BYTES)])
def test_evidence_is_told_by_its_bytes_and_size(people, file):
    with pytest.raises(errors.EvidenceRefused):
        corrected(people, files=[file])
    with pytest.raises(errors.EvidenceRefused):
        corrected(people, files=[PICTURE] * (api.MOST_FILES + 1))
    assert not Case.objects.exists()


def test_each_act_is_told_to_the_person(people):
    number = corrected(people, files=[PICTURE])
    story = api.story(people["lin"], Kind.CORRECT, number)
    api.evidence(people["lin"], number, story.steps[0].files[0][0])
    api.act(people["lin"], Kind.CORRECT, number, outcome="refused", text="否")
    told = [row for row in api.looks(ME, own="me").rows if row["actor"] == "lin"]
    assert [row["kind"] for row in told] == ["services.answer", "services.open_evidence", "services.open_case"]
    assert {(row["department"], row["purpose"]) for row in told} == {("GA", "correct")}
    assert all(row["basis"] for row in told)


def test_words_and_evidence_are_sealed_made_again_and_erased(people):
    number = corrected(people, files=[PICTURE])
    with connection.cursor() as cursor:
        cursor.execute("SELECT s::text FROM services_step s UNION ALL SELECT e::text FROM services_evidence e")
        held = "".join(row[0] for row in cursor.fetchall())
    assert "秘密的理由".encode().hex() not in held
    assert PICTURE.hex() not in held
    keys.rotate("services", by="keeper", why="test")
    before = bytes(Step.objects.get().sealed)
    assert on_rotation.reencrypt(["services"], by="keeper", why="test").left == {}
    assert bytes(Step.objects.get().sealed) != before
    assert api.own_case(people["me"], ME, number).steps[0].words["text"] == "秘密的理由"
    assert api.erase_person(ME, by="keeper", why="law") == 1
    assert bytes(Step.objects.get().sealed) == bytes(Evidence.objects.get().sealed) == b""
    assert api.own_case(people["me"], ME, number).steps[0].words == {}


@pytest.mark.parametrize(
    "tampering",
    [
        "DELETE FROM services_step",
        "UPDATE services_step SET at = now()",
        "UPDATE services_step SET sealed = '\\x010000000000'",
        "DELETE FROM services_evidence",
        "DELETE FROM services_case",
        "UPDATE services_case SET person_id = 1",
        "UPDATE services_case SET opened_at = now()",
    ],
)
def test_what_was_written_stays(people, tampering):
    corrected(people, files=[PICTURE])
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(tampering)


def test_answer_times_are_public_from_ten_on(people):
    for n in range(10):
        with clock.stopped_at(NOW - timedelta(days=20)):
            number = api.ask(people["me"], ME, looked("lin"), "？")
        with clock.stopped_at(NOW - timedelta(days=20 - n)):
            if n < 9:
                api.act(people["chief"], Kind.ASK, number, outcome="justified", text="。")
    [times] = api.answer_times()
    assert (times.asked, times.answered, times.overdue) == (10, None, 1), "nine answers are too few to be told"
    api.act(people["chief"], Kind.ASK, number, outcome="justified", text="。")
    [times] = api.answer_times()
    assert (times.answered, times.in_time, times.median_days, times.overdue) == (10, 9, 4.5, 0)
