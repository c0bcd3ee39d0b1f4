"""The emergency page: from a number to an opened record and two notices; and what it says when there is nothing to open."""

import pytest
from django.test import Client

from tests.store.web.test_masked_fields import HERE, NUMBER, PERSON, THERE, account, people, plain_static_files
from wanjia.access import api as access
from wanjia.access.models import Grant

pytestmark = pytest.mark.django_db

__all__ = ["people", "plain_static_files"]
SAID = {"query": NUMBER, "purpose": "emergency", "reason": "走失老人，需要联系家属", "minutes": "30"}


def logged_in(role: str, area: str) -> Client:
    client = Client()
    client.force_login(account(role, area))
    return client


def test_from_number_to_record_to_notices():
    supervisor = account("supervisor", THERE)
    client = logged_in("officer", THERE)
    assert client.get(f"/officer/persons/{PERSON}/").status_code == 403
    answer = client.post("/officer/emergency/", SAID)
    assert answer.status_code == 302, answer.content.decode()[answer.content.decode().find("mistakes") :][:600]
    assert answer.headers["Location"] == f"/officer/persons/{PERSON}/"
    page = client.get(answer.headers["Location"]).content.decode()
    assert "紧急查阅（保护生命健康）" in page
    told = Client()
    told.force_login(supervisor)
    listed = told.get("/officer/notices/").content.decode()
    assert SAID["reason"] in listed
    assert [n.kind for n in access.notices_about(PERSON)] == ["break_glass"]
    told.post("/officer/notices/", {"end": str(Grant.objects.get().pk)})
    assert client.get(f"/officer/persons/{PERSON}/").status_code == 403


@pytest.mark.parametrize(
    ("area", "changed", "words"),
    [
        (HERE, {}, "没有可紧急查阅的档案"),
        (THERE, {"query": "990102198001010029"}, "没有可紧急查阅的档案"),
        (THERE, {"reason": "急"}, "至少写十个字"),
        (THERE, {"query": "990102198001010011"}, "校验码"),
    ],
)
def test_nothing_is_opened_without_grounds(area, changed, words):
    answer = logged_in("officer", area).post("/officer/emergency/", SAID | changed)
    assert answer.status_code == 200
    assert words in answer.content.decode()
    assert not Grant.objects.exists()
