"""Pairs over HTTP: the queue, both beside each other and told to both, a decision with its reason, and on to the next."""

import re

import pyarrow as pa
import pytest

from tests.make import registered
from tests.make.town import officer
from tests.store.linkage.test_reviewing import FAR, NEAR, pairs
from tests.store.web.test_cases import plain_static_files
from wanjia.kernel import clock
from wanjia.linkage.models import Decision, ReviewCase
from wanjia.trace.models import Entry

__all__ = ["pairs", "plain_static_files"]
pytestmark = pytest.mark.django_db


@pytest.fixture
def li(pairs, client):
    account = officer("li", "990104")
    client.force_login(account)
    return account


def test_the_queue_counts_by_why_and_leads_to_the_likeliest(pairs, li, client):
    page = client.get("/officer/pairs/").content.decode()
    assert "reason=two_numbers" in page
    assert "reason=uncertain" in page
    # by band: the pair with two numbers would be linked otherwise, the other is not likely enough
    cells = re.findall(r'<td class="n" data-label="[^"]*">(\d+)</td>', page)
    assert cells == ["1", "0", "0", "0", "0", "1", "0", "0"]
    assert client.get("/officer/pairs/next/").headers["Location"].startswith(f"/officer/pairs/{pairs['near']}/")
    assert client.get(f"/officer/pairs/next/?after={pairs['lone']}").headers["Location"] == "/officer/pairs/"
    assert client.get("/officer/pairs/next/?after=x&reason=%00").status_code == 302


def test_both_are_shown_and_both_are_told(pairs, li, client):
    before = Entry.objects.count()
    page = client.get(f"/officer/pairs/{pairs['near']}/").content.decode()
    told = {(e.kind, e.subject) for e in Entry.objects.order_by("pk")[before:]}
    assert {("privacy.open_person", 1), ("privacy.open_person", 2)} <= told
    assert page.count("李兰") == 2
    assert '<span class="tag good">=' in page
    for hidden in ("far", "sealed"):
        assert client.get(f"/officer/pairs/{pairs[hidden]}/").status_code in (403, 404, 409, 422, 400), hidden


def test_a_decision_needs_its_reason_and_leads_on(pairs, li, client):
    address = f"/officer/pairs/{pairs['near']}/"
    page = client.post(address, {"verdict": "different", "v-ground": ""}).content.decode()
    assert set(re.findall(r'<li><a href="#([^"]+)">', page)) == {"v-ground"}
    assert client.post(address, {"v-ground": "看不清"}).status_code == 200, "no verdict decides nothing"
    assert client.post(address, {"verdict": "same", "v-ground": "看不清"}).status_code == 200, "a merge makes these one"
    assert not Decision.objects.exists()
    answer = client.post(address, {"verdict": "different", "v-ground": "两人到场"})
    assert answer.headers["Location"].startswith("/officer/pairs/next/")
    assert ReviewCase.objects.get(pk=pairs["near"]).status == "refused"
    assert "<form method" not in client.get(address).content.decode().partition("<main")[2].partition("</main>")[0]


def test_a_record_in_nobodys_state_is_shown_by_where_it_says_it_lives(li, client, monkeypatch):
    from wanjia.intake import api as intake

    registered.register(11, {"name": "张三", "sex": "1", "birth_on": "1970-02-02"}, division=NEAR)
    number = 7 << 32 | 4
    case = ReviewCase.objects.create(
        assertion_l=11, assertion_r=number, person_l=11, person_r=99, probability=0.4, reason="uncertain", model="m", record_l=1, record_r=2,
        opened_at=clock.now(),
    )  # fmt: skip
    place = {"at": NEAR}

    def delivery(asked):
        assert asked == 7
        said = {"source": "medical_insurance", "as_of": None, "name": "张叁", "residence_division": place["at"]}
        return pa.Table.from_pylist([{"assertion_id": number, **said}])

    monkeypatch.setattr(intake, "delivery_assertions", delivery)
    before = Entry.objects.count()
    page = client.get(f"/officer/pairs/{case.pk}/").content.decode()
    assert "张叁" in page
    assert '<span class="tag warn">≠' in page
    assert ("linkage.open_record", 99) in {(e.kind, e.subject) for e in Entry.objects.order_by("pk")[before:]}
    assert client.post(f"/officer/pairs/{case.pk}/", {"verdict": "same", "v-ground": "同一住址"}).status_code == 302
    made = Decision.objects.get()
    assert (made.verdict, made.is_merge) == ("same", False)
    ReviewCase.objects.filter(pk=case.pk).update(status="open")
    place["at"] = FAR
    page = client.get(f"/officer/pairs/{case.pk}/")
    assert "张叁" not in page.content.decode(), "beyond the area it is not shown"


def test_found_to_be_one_leads_to_a_merge_which_is_the_decision(pairs, li, client):
    one, other = 1, 2
    given = {"p-other": str(other), "pair": str(pairs["near"]), "v-ground": "同一人，两次登记", "do": "preview"}
    page = client.post(f"/officer/persons/{one}/merge/", given).content.decode()
    assert f'name="pair" value="{pairs["near"]}"' in page
    assert "同一人，两次登记" in page
    answer = client.post(f"/officer/persons/{one}/merge/", {**given, "declarant": "office", "do": "submit"})
    assert re.search(r"/cases/\d+/$", answer.headers["Location"])
    made = Decision.objects.get()
    assert (made.verdict, made.is_merge) == ("same", True)
    assert ReviewCase.objects.get(pk=pairs["near"]).status == "confirmed"
