"""The officer's pages of events over HTTP: what is typed is kept, judged, submitted once, registered; hostile input gets a sentence at its field."""

import re

import pytest
from django.db import connection
from django.http import QueryDict

from tests.store.register.test_events import engine, li, party, sun, town
from wanjia.register import api
from wanjia.register.declared import EventKind
from wanjia.web.officer import event_form

__all__ = ["engine", "li", "sun", "town"]
pytestmark = pytest.mark.django_db

KINDS: list[EventKind] = api.event_kinds()


@pytest.fixture(autouse=True)
def plain_static_files(settings):
    settings.STORAGES = {
        **settings.STORAGES,
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    }


def cases() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM register_event")
        return cursor.fetchone()[0]


def wrong(page: str) -> set[str]:
    """Ids of the fields at which a sentence stands; each of them is in the summary, and is there."""
    summary = set(re.findall(r'<li><a href="#([^"]+)">', page))
    assert all(f'id="{one}"' in page for one in summary), summary
    at_fields = set(re.findall(r'<p class="wrong" id="([^"]+)-wrong">', page))
    assert at_fields <= summary
    return at_fields


def birth(town, **more):
    return {
        "p-mother": town.numbers["lan"], "p-father": str(town.persons["wei"]), "v-name": "王小满", "v-sex": "nv", "v-birth_on": "20261002",
        "v-birth_place": "990104", "v-household": town.household_numbers["A"], "v-relation": "30", "no-birth_certificate": "Q330123456",
        "seen-birth_certificate": "on", "seen-household_book": "on", "declarant": "parent",
    } | more  # fmt: skip


def key_of(page: str) -> str:
    return re.search(r'name="key" value="([^"]+)"', page)[1]


def test_a_birth_from_the_blank_form_to_the_register(town, li, client):
    client.force_login(li)
    blank = client.get("/officer/cases/new/birth/").content.decode()
    given = birth(town, key=key_of(blank))
    saved = client.post("/officer/cases/new/birth/", {**given, "do": "save"})
    assert saved.status_code == 302
    assert saved.headers["Location"].endswith("/form/?saved=1")
    form = client.get(saved.headers["Location"]).content.decode()
    # what the register holds of the household was filled in
    assert f'value="{town.household_numbers["A"]}"' in form
    assert town.address_of("A") in form
    path, version = saved.headers["Location"].partition("?")[0], re.search(r'name="version" value="(\d+)"', form)[1]
    full = {**given, "version": version}
    submitted = client.post(path, {**full, "do": "submit"})
    assert re.search(r"/officer/cases/\d+/$", submitted.headers["Location"]), client.get(
        submitted.headers["Location"]
    ).content.decode()
    again = client.post(path, {**full, "do": "submit"})
    assert again.headers["Location"] == submitted.headers["Location"]
    page = client.get(submitted.headers["Location"]).content.decode()
    version = re.search(r'name="version" value="(\d+)"', page)[1]
    done = client.post(submitted.headers["Location"], {"verb": "register", "version": version})
    assert done.status_code == 302
    [case] = api.cases(officer=li, purpose="case")
    assert case.status == "registered"
    assert len(party(case, "child")) == 1
    late = client.post(
        submitted.headers["Location"], {"verb": "refuse", "version": version, "reason": "x"}
    ).content.decode()
    assert 'role="alert"' in late
    assert cases() == 1


def test_sending_the_blank_form_twice_makes_one_case(town, li, client):
    client.force_login(li)
    given = birth(town, key=key_of(client.get("/officer/cases/new/birth/").content.decode()), do="save")
    first, second = (client.post("/officer/cases/new/birth/", given).headers["Location"] for _ in range(2))
    assert first == second
    assert cases() == 1


def test_mistakes_stand_at_their_fields_and_in_the_summary_and_the_draft_is_kept(town, li, client):
    client.force_login(li)
    given = birth(
        town,
        **{"v-birth_on": "2026-02-29", "v-name": "", "p-mother": town.numbers["lan"][:-1] + "x", "declarant": ""},
        do="submit",
    )
    answer = client.post(
        "/officer/cases/new/birth/", {**given, "key": "4f1d0b9e-6b0a-4d4c-9b2f-0d6c1a2b3c4d"}, follow=True
    )
    page = answer.content.decode()
    assert {"v-birth_on", "v-name", "declarant"} <= wrong(page)
    assert 'value="2026-02-29"' in page
    assert cases() == 1
    client.logout()
    client.force_login(li)
    assert 'value="2026-02-29"' in client.get(answer.redirect_chain[-1][0]).content.decode()


def test_somebody_was_faster(town, li, client):
    client.force_login(li)
    case = api.open_case("birth", {}, officer=li, purpose="case")
    api.keep_draft(case.id, {"values": {"name": "甲"}}, version=1, officer=li, purpose="case")
    page = client.post(
        f"/officer/cases/{case.id}/form/", {"v-name": "乙", "version": "1", "do": "save"}
    ).content.decode()
    assert 'role="alert"' in page
    assert 'value="乙"' in page, "what was typed is still there"


def test_the_queue_counts_what_it_shows(town, li, client):
    client.force_login(li)
    for _ in range(3):
        api.open_case("death", {}, officer=li, purpose="case")
    page = client.get("/officer/cases/?tab=drafts").content.decode()
    assert len(re.findall(r'<a class="rowlink code"', page)) == 3
    assert client.get("/officer/cases/?tab=x&before=abc").status_code == 200
    assert client.get("/officer/cases/999999/").status_code == 404
    assert client.get("/officer/cases/new/nothing/").status_code == 404


HOSTILE = {
    "long": "王" * 100_000, "control": "王\x00\x07小", "rtl": "李安\u202e宁", "future": "2999-01-01", "leap": "2026-02-29",
    "check digit": "990104198206021020", "markup": "<script>alert(1)</script>", "sql": "'; DROP TABLE register_event; --", "lone": "\ud800"[:0] + "�",
}  # fmt: skip


@pytest.mark.parametrize(
    "kind",
    [
        pytest.param(k, marks=() if k.code in ("birth", "change_correction") else pytest.mark.heavy, id=k.code)
        for k in KINDS
    ],
)
def test_every_form_takes_hostile_input_with_a_sentence(town, li, client, kind):
    client.force_login(li)
    for name, text in HOSTILE.items():
        given = {f"v-{key}": text for key, one in kind.fields.items() if one.type != "relations"}
        if name == "long":
            given = dict(list(given.items())[:1])
        given |= {f"p-{p.role}": text for p in kind.parties if not p.is_new and name != "long"}
        given |= {f"no-{one.key}": text for one in kind.evidence if name != "long"}
        answer = client.post(f"/officer/cases/new/{kind.code}/", {**given, "do": "submit"}, follow=True)
        page = answer.content.decode()
        assert answer.status_code == 200, name
        assert 'role="alert"' in page, name
        assert wrong(page), name
        assert "<script>alert" not in page
        if name in ("control", "rtl"):
            free = {
                f"v-{k}"
                for k, one in kind.fields.items()
                if one.type in ("text", "name", "address") and one.when is None
            }
            assert free <= wrong(page), name
        if name in ("future", "leap"):
            days = {f"v-{k}" for k, one in kind.fields.items() if one.type in ("date", "datetime") and one.when is None}
            assert {one for one in days if name == "leap" or not kind.fields[one[2:]].future} <= wrong(page), name


def test_a_case_is_given_from_desk_to_desk(town, li, sun, client):
    client.force_login(li)
    case = api.open_case("death", {}, officer=li, purpose="case")
    page = client.get(f"/officer/cases/{case.id}/").content.decode()
    assert f'<option value="{sun.username}"' in page
    given = {"verb": "assign", "to": sun.username, "version": case.version}
    assert client.post(f"/officer/cases/{case.id}/", given).status_code == 302
    assert api.read_case(case.id, officer=li, purpose="case").assigned_to == sun.username
    late = client.post(f"/officer/cases/{case.id}/", {**given, "to": ""}).content.decode()
    assert 'role="alert"' in late, "somebody was faster"
    unknown = client.post(f"/officer/cases/{case.id}/", {**given, "to": "nobody-here", "version": case.version + 1})
    assert 'role="alert"' in unknown.content.decode()
    client.force_login(sun)
    mine = client.get("/officer/cases/?tab=drafts&mine=1").content.decode()
    assert f'href="/officer/cases/{case.id}/' in mine
    assert (
        client.post(f"/officer/cases/{case.id}/", {**given, "to": "", "version": case.version + 1}).status_code == 302
    )
    assert f'href="/officer/cases/{case.id}/' not in client.get("/officer/cases/?tab=drafts&mine=1").content.decode()


def test_a_case_is_not_given_to_who_handles_no_events_or_serves_elsewhere(town, li, client):
    from wanjia.access import api as access

    for name, role, area in (("planner", "planner", ""), ("far", "officer", "990105")):
        access.open_account(username=name, display_name=name, role=role, password=None, area=area)
    client.force_login(li)
    case = api.open_case("death", {}, officer=li, purpose="case")
    case = api.keep_draft(case.id, {"values": {}}, version=case.version, officer=li, purpose="case")
    with connection.cursor() as cursor:
        cursor.execute("UPDATE register_event SET office = '990104100' WHERE id = %s", [case.id])
    page = client.get(f"/officer/cases/{case.id}/").content.decode()
    assert '<option value="planner"' not in page
    assert '<option value="far"' not in page
    answer = client.post(f"/officer/cases/{case.id}/", {"verb": "assign", "to": "planner", "version": case.version})
    assert answer.status_code in (200, 403)
    assert api.read_case(case.id, officer=li, purpose="case").assigned_to == li.username


def test_an_id_may_look_like_a_citizen_number(town, li):
    known, elsewhere, nobody = 100000000000000001, 100000000000000002, 100000000000000003
    with connection.cursor() as cursor:
        for person, division in ((known, "990104100001"), (elsewhere, "990105100001")):
            cursor.execute(
                "INSERT INTO register_person (id, founded_at, is_sealed) VALUES (%s, now(), false)", [person]
            )
            cursor.execute(
                "INSERT INTO register_residence (person_id, kind, division, division_now, valid, known, sole)"
                " VALUES (%s, 'domicile', %s, %s, daterange(NULL, NULL), tstzrange(now(), NULL), true)",
                [person, division, division],
            )
    said = [str(known), str(elsewhere), str(nobody), town.numbers["lan"], str(town.persons["wei"])]
    post = QueryDict(mutable=True)
    post["p-mover"] = " ".join(said)
    typed = event_form.typed(api.event_book().kind("move_out"), post, officer=li, purpose="case")
    # who is out of reach is told apart from nobody by nothing
    assert typed["people"]["mover"] == [str(known), str(town.persons["wei"])]
    assert typed["numbers"]["mover"] == [str(elsewhere), str(nobody), town.numbers["lan"]]
