"""The auditor's oversight pages: an alert from reading to outcome, an incident to its close, a review; and who may not enter."""

import pytest
from django.test import Client

from wanjia.access import api as access
from wanjia.oversight import api as oversight
from wanjia.trace import api as trace

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def plain_static_files(settings, home):
    """Without collectstatic there is no manifest; names stay as they are."""
    settings.STORAGES = {
        **settings.STORAGES,
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    }


def client_of(role: str) -> Client:
    account = access.open_account(username=role, display_name=role, role=role, password=None)
    access.choose_language(account, "en")
    client = Client()
    client.force_login(account)
    return client


@pytest.fixture
def auditor():
    return client_of("auditor")


@pytest.fixture
def alert(auditor):
    access.open_account(username="lin", display_name="lin", role="officer", password=None)
    oversight.tell_canary(99, by="auditor", why="test")
    trace.record("privacy.open_person", subject_ids=[99], by="lin", why="case:1")
    trace.Sequencer().step()
    oversight.look(by="test", why="test")
    return next(one for one in oversight.alerts() if one.rule == "canary")


def text_of(client, address, **given):
    answer = client.post(address, given, follow=True) if given else client.get(address)
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    return answer.content.decode()


def test_an_alert_from_the_list_to_its_outcome(auditor, alert):
    listed = text_of(auditor, "/auditor/alerts/?state=open")
    assert "Canary resident" in listed
    assert "lin" in listed
    page = f"/auditor/alerts/{alert.id}/"
    assert "Choose an outcome and say why." in text_of(auditor, page, outcome="founded", note=" ")
    decided = text_of(auditor, page, outcome="founded", note="no case & <no> reason")
    assert "Founded" in decided
    assert "no case &amp; &lt;no&gt; reason" in decided
    assert "Canary resident</th>" not in text_of(auditor, "/auditor/alerts/?state=open")


def test_an_incident_to_its_close(auditor, alert):
    assert "Say what happened." in text_of(auditor, "/auditor/incidents/", text="")
    page = auditor.post("/auditor/incidents/", {"text": "a canary was opened", "alert": alert.id}).headers["location"]
    assert "Canary resident" in text_of(auditor, page)
    assert "first say how it was contained" in text_of(auditor, page, kind="assess", text="early")
    text_of(auditor, page, kind="contain", text="account closed")
    text_of(auditor, page, kind="assess", text="one record")
    parts = {part: f"said-{part}" for part in oversight.NOTICE_PARTS}
    lacking = text_of(auditor, page, kind="notify", **{**parts, "contact": ""})
    assert "the notice lacks contact" in lacking
    assert "said-harm" in lacking, "what was typed is not lost"
    told = text_of(auditor, page, kind="notify", **parts)
    assert "article 57" in told
    closed = text_of(auditor, page, kind="close", text="canaries work")
    assert "canaries work" in closed
    assert "Record the step" not in closed


def test_a_review_with_yes_and_no(auditor, alert):
    page = auditor.post("/auditor/reviews/").headers["location"]
    number = int(page.strip("/").rpartition("/")[2])
    [lin] = [item for item in oversight.review_items(number) if item["username"] == "lin"]
    assert "not answered" in text_of(auditor, page)
    answered = text_of(auditor, page, account=lin["account_id"], needed="no")
    assert "auditor" in answered
    assert "auditor is still needed" not in answered, "nobody answers for themselves"


def test_a_time_line_shows_acts_and_no_content(auditor, alert):
    shown = text_of(auditor, "/auditor/records/?person=99")
    assert "lin" in shown
    assert "opened the record" in shown
    again = text_of(auditor, "/auditor/records/?person=99")
    assert "time-line" in again
    assert trace.who_looked(99)[0]["actor"] == "auditor"


@pytest.mark.parametrize("role", ["supervisor", "steward", "planner", "system_admin", "security_admin", "audit_admin"])
def test_others_do_not_enter(role, alert):
    client = client_of(role)
    for address in (
        "/auditor/alerts/",
        f"/auditor/alerts/{alert.id}/",
        "/auditor/incidents/",
        "/auditor/reviews/",
        "/auditor/records/?person=99",
    ):
        assert client.get(address).status_code == 403
    assert not [entry for entry in trace.who_looked(99) if entry["actor"] == role]
