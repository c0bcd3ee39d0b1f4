"""Two times: what was true on a day, as known at a moment, of a person, a household, an area and a count."""

from datetime import date

import pytest

from tests.make import town as make
from tests.store.register.test_events import (
    death_of_wei,
    engine,
    li,
    move_in,
    move_out,
    register,
    seen,
    sun,
    town,
    zhou,
)
from wanjia.access.errors import OutsideArea, RightMissing
from wanjia.kernel import clock
from wanjia.register import api
from wanjia.register.errors import PersonUnknown
from wanjia.trace import api as trace

__all__ = ["engine", "li", "sun", "town", "zhou"]
pytestmark = pytest.mark.django_db

PURPOSE = {"purpose": "case"}


def test_a_household_before_and_after_and_as_it_was_known(town, li):
    before = clock.now()
    register("death", death_of_wei(town), li)
    p, house = town.persons, town.households["A"]

    def heads(**when):
        return [m.person_id for m in api.household_as_of(house, officer=li, **PURPOSE, **when) if m.is_head]

    assert heads() == [p["lan"]]
    assert heads(true_on=date(2026, 11, 1)) == [p["wei"]]
    # the same day, as it was known before the death was told
    assert heads(true_on=date(2026, 11, 10), known_on=before) == [p["wei"]]
    entry = trace.who_looked(p["lan"], limit=1)[0]
    assert (entry["kind"], entry["actor"], entry["purpose"]) == ("register.household_as_of", "li", "case")


def test_a_person_on_a_day(town, li, zhou):
    p = town.persons
    register("divorce_note", {"people": {"one": p["jie"], "other": p["min"]}, "values": {"on": "2026-10-01", "certificate": "L1"},
                              "declarant": "self", "evidence": seen(divorce_certificate="L1")}, zhou)  # fmt: skip
    ask = {"officer": zhou, **PURPOSE}
    assert api.person_as_of(p["jie"], true_on=date(2026, 9, 30), **ask)["state"][0]["marital_status"] == "20"
    assert api.person_as_of(p["jie"], true_on=date(2026, 10, 1), **ask)["state"][0]["marital_status"] == "40"
    assert [r["kind"] for r in api.person_as_of(p["jie"], true_on=date(2026, 9, 30), **ask)["relation"]] == ["spouse"]
    assert [r["kind"] for r in api.person_as_of(p["jie"], true_on=date(2026, 10, 2), **ask)["relation"]] == []
    with pytest.raises(OutsideArea):
        api.person_as_of(p["jie"], officer=li, **PURPOSE)


def test_an_area_and_its_count(town, li, zhou):
    register("move_out", move_out(town, "qiang"), li)
    register("move_in", move_in(town, "C", "qiang", "10"), zhou)
    p = town.persons

    def living(officer, area, **when):
        return {one.person_id for one in api.area_as_of(area, officer=officer, **PURPOSE, **when).people}

    assert p["qiang"] in living(zhou, "990105")
    assert p["qiang"] not in living(zhou, "990105", true_on=date(2026, 10, 15))
    assert living(li, "990104") == {p[k] for k in ("wei", "lan", "ming", "hua")}
    assert not living(li, "990105")
    # five and six people are too few to be told
    assert api.count_as_of("990105", officer=zhou).is_held_back
    assert api.count_as_of("9901", officer=zhou).people == 10


def test_rights_are_asked(town):
    planner = make.officer("pan", "9901", "planner")
    with pytest.raises(RightMissing):
        api.area_as_of("9901", officer=planner, **PURPOSE)
    assert api.count_as_of("9901", officer=planner).people == 10
    with pytest.raises(PersonUnknown):
        api.household_as_of(town.households["A"], officer=make.officer("he", "990106"), **PURPOSE)


def test_over_http_with_purpose_and_trace(town, li, client):
    client.force_login(li)
    person = town.persons["wei"]
    answer = client.get(f"/officer/api/as-of/persons/{person}", {"purpose": "case", "true_on": "2026-01-01"})
    assert (answer.status_code, answer.json()["state"][0]["sex"]) == (200, "1")
    assert trace.who_looked(person, limit=1)[0]["kind"] == "register.as_of"
    for path, given, status, code in (
        (f"persons/{person}", {}, 400, "ACCESS-007"),
        (f"persons/{person}", {"purpose": "case", "true_on": "2026-02-30"}, 400, "WEB-020"),
        (f"persons/{town.persons['jie']}", {"purpose": "case"}, 404, "ACCESS-002"),
        ("persons/999", {"purpose": "case"}, 404, "ACCESS-002"),
        ("areas/9901x4", {"purpose": "case"}, 400, "WEB-020"),
    ):
        answer = client.get(f"/officer/api/as-of/{path}", given)
        assert (answer.status_code, answer.json()["code"]) == (status, code), path
    answer = client.get("/officer/api/as-of/areas/990104", {"purpose": "case"})
    assert len(answer.json()["people"]) == 5
    assert client.get("/api/as-of/counts/9901").json() == {"schema": 1, "people": 10, "is_held_back": False}


def test_the_page_of_a_day(town, li, client, settings):
    settings.STORAGES = {
        **settings.STORAGES,
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    }
    register("death", death_of_wei(town), li)
    p = town.persons
    client.force_login(li)
    path = f"/officer/persons/{p['lan']}/on-a-day/"
    assert client.get(path).headers["Location"] == f"/officer/persons/{p['lan']}/"
    client.post(f"/officer/persons/{p['lan']}/", {"purpose": "case", "case": ""})
    now, before = client.get(path).content.decode(), client.get(path, {"true_on": "2026-11-01"}).content.decode()
    assert str(p["wei"]) in before
    assert str(p["wei"]) not in now
    assert trace.who_looked(p["lan"], limit=2)[-1]["kind"] in ("register.as_of", "register.household_as_of")
    assert 'role="alert"' in client.get(path, {"true_on": "2026-02-30"}).content.decode()
    assert client.get(path, {"known_on": "9999-12-31"}).status_code == 200
    assert client.get(path, {"true_on": "1500-01-01"}).status_code == 200


def test_the_page_of_a_household(town, li, client, settings):
    settings.STORAGES = {
        **settings.STORAGES,
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    }
    register("death", death_of_wei(town), li)
    p = town.persons
    client.force_login(li)
    client.post(f"/officer/persons/{p['lan']}/", {"purpose": "case", "case": ""})
    page = client.get(f"/officer/persons/{p['lan']}/household/").content.decode()
    now, _, before = page.partition('id="before-title"')
    order = [now.index(f"/persons/{p[who]}/", now.index("now-title")) for who in ("lan", "ming", "hua")]
    assert order == sorted(order)
    assert f"/persons/{p['wei']}/" in before
    assert "register.household_members" in {one["kind"] for one in trace.who_looked(p["hua"], limit=3)}


def test_what_the_purpose_does_not_show_is_not_told(town, li, monkeypatch):
    from wanjia.access import api as access

    real = access.require_decision

    def narrow(*given, **named):
        from dataclasses import replace

        return replace(real(*given, **named), fields=frozenset(), elements=frozenset({"sex"}))

    monkeypatch.setattr(access, "require_decision", narrow)
    told = api.person_as_of(town.persons["wei"], officer=li, **PURPOSE)
    assert told["state"][0]["sex"] == "1"
    assert told["state"][0]["birth_on"] is None
    assert (told["membership"], told["residence"], told["relation"]) == ([], [], [])
