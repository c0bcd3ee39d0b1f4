"""Two entries beside each other over HTTP: what stays is shown before anything is done, chosen, decided by another officer, and undone."""

import re

import pytest

from tests.make import town as make
from tests.store.register.test_events import engine, values
from tests.store.register.test_merges import digest, li, qian, sun, town
from tests.store.web.test_cases import key_of, plain_static_files
from wanjia.register import api
from wanjia.trace.models import Entry

__all__ = ["engine", "li", "plain_static_files", "qian", "sun", "town"]
pytestmark = pytest.mark.django_db


def mistakes(page: str) -> set[str]:
    """Where the summary leads; each place is there."""
    found = set(re.findall(r'<li><a href="#([^"]+)">', page))
    assert all(f'id="{one}"' in page for one in found), found
    return found


def case_of(answer) -> int:
    assert answer.status_code == 302, answer.content.decode()[:2000]
    return int(re.search(r"/cases/(\d+)/$", answer.headers["Location"])[1])


def test_a_merge_from_the_person_to_the_register_and_back(town, li, sun, qian, client):
    one, other, before = town.persons["min"], town.persons["min2"], digest()
    client.force_login(li)
    address = f"/officer/persons/{one}/merge/"
    blank = client.get(address).content.decode()
    assert not mistakes(blank)
    entries = Entry.objects.count()
    seen = client.post(address, {"p-other": str(other), "key": key_of(blank), "do": "preview"}).content.decode()
    assert mistakes(seen) == {"v-household"}
    assert town.numbers["min"] not in seen
    assert f"{town.numbers['min'][:6]}********{town.numbers['min'][-4:]}" in seen
    assert "≠" in seen
    told = {(e.kind, e.subject) for e in Entry.objects.order_by("pk")[entries:]}
    assert {("privacy.open_person", one), ("privacy.open_person", other)} <= told
    given = {"p-other": str(other), "key": key_of(blank), "v-household": str(town.households["F"]), "do": "submit"}
    seen = client.post(address, given).content.decode()
    assert mistakes(seen) == {"v-ground", "declarant"}
    given |= {"v-ground": "同一人", "declarant": "office"}
    number = case_of(client.post(address, given))
    assert case_of(client.post(address, given)) == number, "sent twice it is one case"
    client.force_login(sun)
    page = client.get(f"/officer/cases/{number}/").content.decode()
    assert f"/officer/cases/{number}/merge/" in page
    assert not mistakes(client.get(f"/officer/cases/{number}/merge/").content.decode())
    version = re.search(r'name="version" value="(\d+)"', page)[1]
    assert case_of(client.post(f"/officer/cases/{number}/", {"verb": "register", "version": version})) == number
    assert api.forwarded(other) == one
    assert values(one)["domicile_address"] == town.address_of("F")
    assert client.get(f"/officer/persons/{other}/").headers["Location"] == f"/officer/persons/{one}/"
    # and back
    client.force_login(li)
    address = f"/officer/persons/{one}/unmerge/{number}/"
    blank = client.get(address).content.decode()
    assert str(other) in blank
    given = {"key": key_of(blank), "declarant": "office"}
    assert mistakes(client.post(address, given).content.decode()) == {"v-ground"}
    undo = case_of(client.post(address, given | {"v-ground": "指纹不同"}))
    client.force_login(qian)
    page = client.get(f"/officer/cases/{undo}/").content.decode()
    version = re.search(r'name="version" value="(\d+)"', page)[1]
    client.post(f"/officer/cases/{undo}/", {"verb": "register", "version": version})
    assert digest() == before


def test_the_value_of_the_other_is_taken_where_chosen(town, li, sun, client):
    one, other = town.persons["wei"], town.persons["wei2"]
    client.force_login(li)
    address = f"/officer/persons/{one}/merge/"
    given = {"p-other": str(other), "v-household": str(town.households["A"]), "v-ground": "同一人"}
    given |= {"declarant": "office", "c-name": "other"}
    seen = client.post(address, {**given, "do": "preview"}).content.decode()
    assert re.search(r'name="c-name" value="other" checked', seen)
    number = case_of(client.post(address, {**given, "do": "submit"}))
    case = api.read_case(number, officer=sun, purpose="case")
    assert case.form["values"]["name"] == "王卫"
    api.move_case(number, "register", version=case.version, officer=sun, purpose="case")
    assert values(one)["name"] == "王卫"


@pytest.mark.parametrize("typed", ["abc", "1" * 400, "\u202e1", "999", "<script>"])
def test_nobody_is_a_sentence_at_the_field(town, li, client, typed):
    client.force_login(li)
    seen = client.post(f"/officer/persons/{town.persons['wei']}/merge/", {"p-other": typed, "do": "preview"})
    assert seen.status_code == 200
    assert mistakes(seen.content.decode()) == {"p-other"}
    assert (
        "<script>" not in seen.content.decode().replace("<script src", "").replace("<script nonce", "")
        or typed != "<script>"
    )


def test_whom_an_officer_may_not_reach_is_nobody(town, client):
    near = make.officer("near", "990104")
    client.force_login(near)
    far = town.persons["min"]
    seen = client.post(
        f"/officer/persons/{town.persons['wei']}/merge/", {"p-other": str(far), "do": "preview"}
    ).content.decode()
    assert mistakes(seen) == {"p-other"}
    assert "赵敏" not in seen
