"""A field of a division takes a code, a name, pinyin or first letters; what is ambiguous is asked about; what did not stand that day is refused."""

import re
import uuid

import pytest

from tests.store.web.test_cases import birth, engine, li, plain_static_files, sun, town, wrong
from wanjia.access import api as access
from wanjia.register import api

__all__ = ["engine", "li", "plain_static_files", "sun", "town"]
pytestmark = pytest.mark.django_db

BIRTH = "/officer/cases/new/birth/"
LIST = "/officer/cases/divisions.json?kind=birth&field=birth_place"


def sent(client, town, **more):
    given = birth(town, key=str(uuid.uuid4()), do="check", **more)
    return client.post(BIRTH, given, follow=True).content.decode()


@pytest.mark.parametrize(
    "typed",
    ["990104", "990104 青枫区", "青枫区", "qingfengqu", "Qingfeng District", "wangchuan qingfeng", "望川市青枫区"],
)
def test_one_division_is_meant(town, li, client, typed):
    client.force_login(li)
    assert "v-birth_place" not in wrong(sent(client, town, **{"v-birth_place": typed}))


def test_what_is_ambiguous_is_asked_about_and_the_answer_counts(town, li, client):
    client.force_login(li)
    page = sent(client, town, **{"v-birth_place": "qfq"})
    assert "v-birth_place" in wrong(page)
    assert re.findall(r'name="pick-birth_place" value="(\d*)"', page) == ["511603", "990104", ""]
    assert 'value="qfq"' in page, "what was typed is kept"
    chosen = sent(client, town, **{"v-birth_place": "qfq", "pick-birth_place": "990104"})
    assert "v-birth_place" not in wrong(chosen)
    assert 'value="990104 青枫区"' in chosen


@pytest.mark.parametrize(
    "typed", ["九九", "9901", "123456", "<script>", "' OR 1=1", "x" * 10_000, "青枫\u202e区", "990104\x00"]
)
def test_nonsense_gets_a_sentence_at_the_field(town, li, client, typed):
    client.force_login(li)
    assert "v-birth_place" in wrong(sent(client, town, **{"v-birth_place": typed}))


def test_a_division_of_another_day_is_refused_with_what_stood_then(town, li, client):
    client.force_login(li)
    # Qingfeng was a county until 1999, and is read by the day of birth
    page = sent(client, town, **{"v-birth_place": "990122"})
    assert "v-birth_place" in wrong(page)
    assert re.findall(r'name="pick-birth_place" value="(\d*)"', page) == ["990104", ""]
    assert "1999" not in sent(client, town, **{"v-birth_place": "990122", "pick-birth_place": "990104"})


def listed(client, typed, day="2026-10-02"):
    return client.get(LIST, headers={"X-Typed": typed, "X-Day": day})


def test_the_list_under_the_field(town, li, client):
    client.force_login(li)
    told = listed(client, "qingfeng").json()
    assert told["on"] == "2026-10-02"
    assert told["found"][0] == {"code": "990104", "name": "青枫区", "whole": "望川市青枫区", "note": ""}
    former = listed(client, "%E9%9D%92%E6%9E%AB%E5%8E%BF").json()["found"]
    assert [(one["code"], bool(one["note"])) for one in former] == [("990104", True)]
    then = listed(client, "%E9%9D%92%E6%9E%AB%E5%8E%BF", "1990-05-01").json()
    assert (then["on"], [one["code"] for one in then["found"]]) == ("1990-05-01", ["990122"])
    assert listed(client, "").json()["found"] == []
    assert len(listed(client, "9").json()["found"]) == 8
    assert listed(client, "%00%ff" * 5000, "no day").json()["found"] == []
    assert client.get("/officer/cases/divisions.json?kind=nothing&field=x").status_code == 404


@pytest.mark.parametrize("role", ["steward", "planner", "auditor", "resident"])
def test_the_list_is_for_who_handles_events(client, role):
    client.force_login(access.open_account(username=role, display_name=role, role=role, password=None))
    assert listed(client, "qingfeng").status_code in (403, 404)


def test_what_is_filled_in_beforehand_is_the_division_of_today(town, li, client):
    client.force_login(li)
    kind = api.event_book().kind("split_household")
    assert kind.fields["division"].type == "division"
    page = client.get("/officer/cases/new/split_household/").content.decode()
    assert re.search(r'<input[^>]*id="v-division"[^>]*data-divisions="[^"]*field=division"[^>]*data-day="v-on"', page)
