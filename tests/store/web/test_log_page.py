"""The auditor's page of the public log: how it stands, a short check at once, the whole one when asked for."""

import pytest
from django.db import connection
from django.test import Client

from wanjia.access import api as access
from wanjia.jobs import minutely
from wanjia.trace import api as trace

pytestmark = pytest.mark.django_db
WHO = {"by": "t", "why": "t"}
PAGE = "/auditor/log/"


@pytest.fixture(autouse=True)
def plain_static_files(settings, home):
    """Without collectstatic there is no manifest; names stay as they are."""
    storage = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    settings.STORAGES = {**settings.STORAGES, "staticfiles": storage}


@pytest.fixture
def auditor(home):
    trace.record("test.read", subject_ids=range(400), **WHO)
    trace.Sequencer(home).step()
    account = access.open_account(username="auditor", display_name="a", role="auditor", password=None)
    access.choose_language(account, "en")
    client = Client()
    client.force_login(account)
    return client


def test_a_short_check_at_once_and_a_whole_one_by_the_timetable(auditor, home):
    page = auditor.get(PAGE).content.decode()
    assert "no witness is set" in page
    assert trace.checkpoint().text.split("\n")[0] in page
    assert "300 places at random of 400" in auditor.post(PAGE, {"check": "sample"}).content.decode()
    minutely.check_the_log_when_asked()
    assert not trace.entries(kind="trace.self_check"), "nobody asked"
    for _ in range(2):
        assert auditor.post(PAGE, {"check": "whole"}).status_code == 302
    assert len(trace.entries(kind="trace.check_asked")) == 1
    assert "Asked for" in auditor.get(PAGE).content.decode()
    minutely.check_the_log_when_asked()
    minutely.check_the_log_when_asked()
    [done] = trace.entries(kind="trace.self_check")
    assert done["actor"] == "timetable:minutely"
    page = auditor.get(PAGE).content.decode()
    assert "all is well" in page
    assert "Asked for" not in page


@pytest.mark.parametrize(
    ("crime", "found"),
    [
        ("UPDATE trace_entry SET purpose = 'other' WHERE kind = 'test.read'", "its entry is not what was published"),
        ("DELETE FROM trace_nonce", "gone without an erasure"),
        ("UPDATE trace_place SET commitment = sha256(commitment)", "not in the signed tree"),
        ("DELETE FROM trace_entry WHERE kind = 'test.read'", "gone without an erasure"),
    ],
)
def test_what_a_superuser_did_is_found_by_both_and_said(auditor, home, crime, found):
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute(crime)
        cursor.execute("SET LOCAL session_replication_role = origin")
    shown = auditor.post(PAGE, {"check": "sample"}).content.decode()
    assert "The log does not stand" in shown
    assert found in shown
    auditor.post(PAGE, {"check": "whole"})
    minutely.check_the_log_when_asked()
    page = auditor.get(PAGE).content.decode()
    assert "findings</span>" in page
    assert "place " in page or "tile " in page


def test_a_log_that_does_not_go_on_is_found_at_once(auditor, home):
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute("UPDATE trace_tile SET hashes = sha256(hashes) || substr(hashes, 33) WHERE level = 0")
        cursor.execute("SET LOCAL session_replication_role = origin")
    assert "The log does not stand" in auditor.post(PAGE, {"check": "sample"}).content.decode()


@pytest.mark.parametrize("role", ["officer", "supervisor", "steward", "security_admin", "system_admin"])
def test_others_do_not_enter(home, role):
    client = Client()
    client.force_login(access.open_account(username=role, display_name=role, role=role, password=None))
    assert client.get(PAGE).status_code == 403
    assert client.post(PAGE, {"check": "whole"}).status_code == 403
    assert not trace.entries(kind="trace.check_asked")
