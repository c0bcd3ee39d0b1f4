"""From a resident's request to the register and back: an accepted correction begins an event, each holds the other's number, and the resident is told
what became of it.
"""

from dataclasses import replace

import pytest
from django.db import DatabaseError, connection, transaction
from django.test import Client

from tests.make import town as make
from tests.store.register.test_events import engine, town
from wanjia.access import api as access
from wanjia.register import api as register
from wanjia.register.models import Event
from wanjia.services import api, errors
from wanjia.services.api import Kind
from wanjia.services.models import Case
from wanjia.trace import api as trace

__all__ = ["engine", "town"]
pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def plain_static_files(settings, home):
    """Without collectstatic there is no manifest; names stay as they are."""
    storage = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    settings.STORAGES = {**settings.STORAGES, "staticfiles": storage}
    trace.Sequencer(home)


@pytest.fixture
def people(town):
    """Officers of the office of Wei, a supervisor, and Wei."""
    found = {name: make.officer(name, "990104") for name in ("li", "bo")} | {
        "sun": make.officer("sun", "990104", "supervisor")
    }
    access.open_account(username="wei", display_name="wei", role="resident", password=None)
    access.bind_resident("wei", town.persons["wei"], by="test", why="test")
    return found | {"wei": access.account_named("wei")}


def asked(town, people, column="birth_on", wanted="1980-05-11", current="1980-05-01") -> int:
    said = {"current": current, "source": "police_register", "wanted": wanted, "text": "见出生证明"}
    return api.correct(people["wei"], town.persons["wei"], column, **said)


def accepted(people, number: int, by: str = "li") -> register.Case:
    event = api.act(people[by], Kind.CORRECT, number, outcome="accepted", text="同意更正")
    return register.read_case(event, officer=people[by], purpose="correct")


def submitted(people, draft: register.Case, **values) -> register.Case:
    form = {**draft.form, "values": {**draft.form["values"], **values}}
    form["evidence"] = {"ground": {"seen": True, "number": "出生证明 7"}}
    return register.submit_case(draft.id, form, version=draft.version, officer=people["li"], purpose="case")


def moved(people, case: register.Case, verb: str, by: str = "sun") -> register.Case:
    now = register.read_case(case.id, officer=people[by], purpose="case").version
    return register.move_case(case.id, verb, version=now, reason="不清楚", officer=people[by], purpose="case")


def client_of(account) -> Client:
    access.choose_language(account, "en")
    client = Client()
    client.force_login(account)
    return client


def test_an_accepted_correction_becomes_an_event_and_the_resident_sees_the_new_value(town, people):
    number = asked(town, people)
    officer, wei = client_of(people["li"]), client_of(people["wei"])
    sent = officer.post(f"/officer/corrections/{number}/", {"outcome": "accepted", "text": "同意更正"})
    event = Event.objects.get()
    assert (event.request, Case.objects.get().event_id) == (number, event.pk), "each holds the other's number"
    assert sent["Location"] == f"/officer/cases/{event.pk}/form/"
    form = officer.get(sent["Location"]).content.decode()
    for filled in (
        'value="1980-05-11"',
        'value="41"',
        f'value="{town.persons["wei"]}"',
        f"/officer/corrections/{number}/",
    ):
        assert filled in form, filled
    assert "accepted, to be carried out" in wei.get(f"/resident/requests/{number}/").content.decode()
    page = officer.get(f"/officer/corrections/{number}/").content.decode()
    assert f"Go on with case {event.pk}" in page
    assert "<textarea" not in page, "nothing is to be said by hand while the event goes on"
    with pytest.raises(errors.StepNotNow):
        api.act(people["bo"], Kind.CORRECT, number, text="来源已改正")

    case = submitted(people, register.read_case(event.pk, officer=people["li"], purpose="case"))
    shown = officer.get(f"/officer/cases/{event.pk}/").content.decode()
    assert "1980-05-11" in shown
    assert f"/officer/corrections/{number}/" in shown
    moved(people, case, "return")
    case = submitted(people, register.read_case(event.pk, officer=people["li"], purpose="case"))
    assert Case.objects.get().state == "accepted", "a case that is completed is still on its way"
    moved(people, case, "register")
    assert Case.objects.get().state == "closed"
    told = wei.get(f"/resident/requests/{number}/").content.decode()
    assert "The register now says: 1980-05-11." in told
    assert "sun" not in told.split(), "the office tells, not a name"
    assert "1980-05-11" in wei.get("/resident/record/").content.decode()
    moved(people, case, "issue")
    steps = [step.kind for step in api.own_case(people["wei"], town.persons["wei"], number).steps]
    assert steps == ["open", "answer", "carry_out"], "issuing the paper is no news"


def test_an_event_that_comes_to_nothing_brings_the_request_back(town, people):
    number = asked(town, people)
    draft = accepted(people, number)
    moved(people, submitted(people, draft), "refuse")
    case = Case.objects.get()
    assert (case.state, case.event_id) == ("reopened", draft.id)
    [waits] = api.waiting(people["bo"], Kind.CORRECT)
    assert waits.id == number
    told = client_of(people["wei"]).get(f"/resident/requests/{number}/").content.decode()
    assert "waits for the office" in told
    assert "不清楚" not in told, "what officers write to each other is not for the resident"
    with pytest.raises(errors.AskedAlready):
        asked(town, people)
    again = accepted(people, number, by="bo")
    assert again.id != draft.id
    moved(people, again, "withdraw", by="bo")
    api.act(people["li"], Kind.CORRECT, number, outcome="refused", text="材料不足")
    story = api.own_case(people["wei"], town.persons["wei"], number)
    assert (story.case.state, story.case.event_id) == ("answered", None)
    assert story.appeal_until is not None
    api.appeal(people["wei"], town.persons["wei"], number, "不服")
    with pytest.raises(errors.NotYourselves):
        api.act(people["bo"], Kind.CORRECT, number, outcome="refused", text="bo 已答复过")
    assert api.act(people["sun"], Kind.CORRECT, number, outcome="accepted", text="同意") is not None


def test_a_revoked_registration_is_told_and_a_reinstated_one_too(town, people):
    number = asked(town, people)
    case = moved(people, submitted(people, accepted(people, number)), "register")
    moved(people, case, "revoke")
    moved(people, case, "reinstate")
    story = api.own_case(people["wei"], town.persons["wei"], number)
    assert [step.kind for step in story.steps] == ["open", "answer", "carry_out", "undone", "carry_out"]
    assert [step.words.get("now") for step in story.steps[2:]] == ["1980-05-11", None, "1980-05-11"]
    assert story.case.state == "closed"
    assert asked(town, people) != number, "a new request may begin"


def test_an_event_about_something_else_carries_nothing_out(town, people):
    number = asked(town, people)
    draft = accepted(people, number)
    form = {**draft.form, "people": {"person": [town.persons["qiang"]]}}
    form["values"] = {**form["values"], "birth_on": "1990-02-27"}
    moved(people, submitted(people, replace(draft, form=form)), "register")
    assert Case.objects.get().state == "reopened"


def test_a_draft_waits_in_the_queue_of_the_persons_office(town, people):
    draft = accepted(people, asked(town, people))
    assert [case.id for case in register.cases(officer=people["bo"], purpose="case")] == [draft.id]
    assert register.cases(officer=make.officer("zhou", "990105"), purpose="case") == []


def test_what_no_event_corrects_is_put_right_by_its_source(town, people):
    number = asked(town, people, column="marital_status", wanted="未婚", current="20")
    assert api.act(people["li"], Kind.CORRECT, number, outcome="accepted", text="同意") is None
    assert not Event.objects.exists()
    api.act(people["bo"], Kind.CORRECT, number, text="来源已改正")
    assert Case.objects.get().state == "closed"


def test_the_steps_are_told_to_the_person_for_the_purpose_of_correcting(town, people):
    number = asked(town, people)
    moved(people, submitted(people, accepted(people, number)), "register")
    rows = api.looks(town.persons["wei"], own="wei").rows
    kinds = {(row["kind"], row["purpose"]) for row in rows}
    assert {("services.carry_out", "correct"), ("register.event_register", f"case:{Event.objects.get().pk}")} <= kinds


@pytest.mark.parametrize(
    "tampering",
    [
        "UPDATE register_event SET request = 0",
        "UPDATE register_event SET request = NULL",
        "UPDATE services_case SET state = 'open', event_id = 5",
    ],
)
def test_the_numbers_stay(town, people, tampering):
    accepted(people, asked(town, people))
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(tampering)
