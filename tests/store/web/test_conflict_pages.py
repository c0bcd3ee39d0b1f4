"""Conflicts over HTTP: the queue, what each source says beside what holds, a decision with its reason, and on to the next or to the correction."""

import re

import pytest

from tests.make.town import officer
from tests.store.catalog.test_deciding import DIFFERS, filed, number
from tests.store.web.test_cases import plain_static_files
from wanjia.catalog.models import ConflictDecision, Finding
from wanjia.trace.models import Entry

__all__ = ["filed", "plain_static_files"]
pytestmark = pytest.mark.django_db


@pytest.fixture
def li(filed, client):
    account = officer("li", "990104")
    client.force_login(account)
    return account


def address(person=1):
    return f"/officer/conflicts/{number(person)}/"


def mark_of(page):
    return re.search(r'name="mark" value="([^"]+)"', page)[1]


def test_the_queue_counts_by_what_was_found_and_leads_on(li, client):
    page = client.get("/officer/conflicts/").content.decode()
    assert "kind=differs_from_register" in page
    assert "kind=parent_too_young" in page
    first = client.get("/officer/conflicts/next/").headers["Location"]
    number_of_first = int(re.search(r"/conflicts/(\d+)/", first)[1])
    assert Finding.objects.get(pk=number_of_first).person_id == 1
    second = client.get(f"/officer/conflicts/next/?after={number_of_first}").headers["Location"]
    number_of_second = int(re.search(r"/conflicts/(\d+)/", second)[1])
    assert Finding.objects.get(pk=number_of_second).person_id == 2
    assert client.get(f"/officer/conflicts/next/?after={number_of_second}").headers["Location"] == "/officer/conflicts/"
    assert client.get("/officer/conflicts/next/?after=x&kind=%00").status_code == 302


def test_each_source_stands_beside_the_register_and_the_person_is_told(li, client):
    before = Entry.objects.count()
    page = client.get(address()).content.decode()
    for said in ("1980-01-01", "1981-01-01", "1980-10-01"):
        assert said in page
    assert page.count('type="radio"') == 2
    assert "李兰" not in page, "a name is not in question here"
    assert ("privacy.open_person", 1) in {(e.kind, e.subject) for e in Entry.objects.order_by("pk")[before:]}
    for hidden in (3, 5):
        assert client.get(address(hidden)).status_code in (400, 403, 404, 409, 422), hidden


def test_a_decision_needs_its_reason_and_leads_on(li, client):
    here = address()
    mark = mark_of(client.get(here).content.decode())
    page = client.post(here, {"verdict": "stands", "v-ground": "", "mark": mark}).content.decode()
    assert set(re.findall(r'<li><a href="#([^"]+)">', page)) == {"v-ground"}
    page = client.post(here, {"verdict": "correct", "v-ground": "出生证明核对", "mark": mark}).content.decode()
    assert 'role="alert"' in page, "nobody's value was chosen"
    assert client.post(here, {"v-ground": "出生证明核对", "mark": mark}).status_code == 200, (
        "no verdict decides nothing"
    )
    assert not ConflictDecision.objects.exists()
    answer = client.post(f"{here}?kind={DIFFERS}", {"verdict": "returned", "v-ground": "出生证明核对", "mark": mark})
    assert answer.headers["Location"] == f"/officer/conflicts/next/?kind={DIFFERS}"
    page = client.get(here).content.decode()
    assert "<form method" not in page.partition("<main")[2].partition("</main>")[0]


def test_who_is_right_leads_to_the_correction_filled_in(li, client):
    here = address()
    page = client.get(here).content.decode()
    named = re.findall(r'name="right" form="decision" value="([^"]+)"', page)
    chosen = next(one for one in named if one.endswith(":5"))
    said = {"verdict": "correct", "v-ground": "", "right": chosen, "mark": mark_of(page)}
    page = client.post(here, said).content.decode()
    assert re.search(rf'value="{re.escape(chosen)}" checked', page), "what was chosen stays chosen"
    answer = client.post(here, {**said, "v-ground": "出生证明核对", "mark": mark_of(page)})
    assert re.fullmatch(r"/officer/cases/\d+/form/", answer.headers["Location"])
    form = client.get(answer.headers["Location"]).content.decode()
    assert "1981" in form


def test_a_steward_sees_what_the_registry_found(li, client):
    here = address()
    mark = mark_of(client.get(here).content.decode())
    client.post(here, {"verdict": "returned", "v-ground": "出生证明核对", "mark": mark})
    client.force_login(officer("st", "99", "steward"))
    page = client.get("/steward/findings/").content.decode()
    assert page.count("退回来源") + page.count("Sent back to the sources") == 2
    assert "出生证明核对" not in page
