"""Divisions on pages and for programs: planned from a form or a file, ordered, carried out; lineage for anybody; years in the divisions of a day."""

import base64
import html
import re
from datetime import UTC, date, datetime

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from tests.make.divisions import HUXIN, people, split_of_huxin
from wanjia.access import api as access
from wanjia.kernel import clock
from wanjia.register import api
from wanjia.standards import api as standards

pytestmark = pytest.mark.django_db
WHO = {"by": "test", "why": "test"}
EAST, WEST = "990103020", "990103021"
NEW = "/steward/divisions/new/"


@pytest.fixture(autouse=True)
def a_day_and_a_folder(tmp_path, monkeypatch, settings):
    settings.STORAGES = {
        **settings.STORAGES,
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    }
    monkeypatch.setattr(standards, "changes_folder", lambda: tmp_path / "divisions")
    with clock.stopped_at(datetime(2026, 11, 1, tzinfo=UTC)):
        yield


def logged_in(role):
    account = access.open_account(username=role, display_name=role, role=role, password="x" * 12)
    access.choose_language(account, "en")
    client = Client()
    client.force_login(account)
    return client


def typed(**more):
    rows = [f"{HUXIN} → {EAST} 0.4", f"{HUXIN} → {WEST} 0.6"]
    rows += [f"{HUXIN}{n:03d} {EAST if n % 2 else WEST}{n:03d}" for n in range(1, 7)]
    return {
        "code": "2026-03-huxin", "kind": "split", "on": "2026-03-01", "office": EAST, "law_zh": "第1号令", "law_en": "Order 1",
        "moves": "\r\n".join(rows), "begins": f"{EAST} | 湖心东街道 | Huxin East\n{WEST} | 湖心西街道 | Huxin West", "do": "plan",
    } | more  # fmt: skip


def test_a_typed_change_is_seen_first_then_ordered_then_carried_out():
    people(f"{HUXIN}001", 30, 1)
    steward = logged_in("steward")
    seen = steward.post(NEW, typed())
    page = seen.content.decode()
    assert seen.status_code == 200
    assert "What this change would do" in page
    assert api.changes() == []
    text = re.search(r'name="declared" value="([^"]*)"', page)[1]
    ordered = steward.post(NEW, {"declared": html.unescape(text).replace("\n", "\r\n"), "do": "order"})
    assert ordered.status_code == 302, re.findall(r"mistakes.*", ordered.content.decode())
    (one,) = api.changes()
    assert (one.state, one.ordered_by, one.kind) == (api.WAITING, "steward", "split")
    assert "waits for its day" in steward.get("/steward/divisions/").content.decode()
    assert api.carry_out_due(**WHO) == ["2026-03-huxin"]
    assert "2026-03-huxin" in steward.get("/steward/divisions/").content.decode()
    again = steward.post(NEW, typed())
    assert again.status_code == 400
    assert "ordered before" in again.content.decode()


def test_a_file_does_as_well_as_the_form():
    sent = SimpleUploadedFile("change.toml", split_of_huxin().encode())
    page = logged_in("steward").post(NEW, {"file": sent, "do": "plan"}).content.decode()
    assert "What this change would do" in page
    assert "湖心东街道" in page


@pytest.mark.parametrize(
    "more",
    [
        {"code": "'; DROP TABLE x; --"}, {"on": "2026-02-30"}, {"on": "tomorrow"}, {"moves": ""}, {"moves": f"{HUXIN}"},
        {"moves": f"{HUXIN} {EAST} 1e9"}, {"moves": "9" * 100_000}, {"law_zh": "\u202e令"}, {"law_en": "a\x00b"}, {"kind": "burn"},
        {"begins": "|||||"}, {"office": "1"}, {"code": 'x"\n[[moves]]'},
    ],
)  # fmt: skip
def test_hostile_input_gets_sentences_and_changes_nothing(more):
    answer = logged_in("steward").post(NEW, typed(**more))
    assert answer.status_code == 400
    assert '<div class="mistakes" role="alert">' in answer.content.decode()
    assert api.changes() == []


def test_the_lineage_of_a_code_is_told_to_anybody():
    api.carry_out(api.order_change(split_of_huxin(), **WHO), **WHO)
    client = Client()
    client.cookies["wanjia_language"] = "en"
    page = client.get(f"/divisions/{HUXIN}/").content.decode()
    for words in ("2026-03-01", EAST, WEST, "40%", "60%", "Huxin Sub-district"):
        assert words in page
    assert HUXIN in client.get(f"/divisions/{EAST}/").content.decode()
    assert "1999" in client.get("/divisions/990122/").content.decode()
    assert client.get("/divisions/123456/").status_code == 404
    assert client.get("/divisions/", {"code": HUXIN}).headers["Location"].endswith(f"/divisions/{HUXIN}/")
    assert "6, 9 or 12 digits" in client.get("/divisions/", {"code": "<script>"}).content.decode()


def counted():
    people(f"{HUXIN}001", 30, 1)
    people(HUXIN, 50, 101)
    people("990103002001", 4, 201)
    api.carry_out(api.order_change(split_of_huxin(), **WHO), **WHO)
    api.count_years([date(2024, 12, 31)], **WHO)


def test_years_in_the_divisions_of_a_day():
    counted()
    planner = logged_in("planner")
    page = planner.get("/planner/population/years/", {"area": "990103", "by": "domicile"}).content.decode()
    assert "40% of 990103001 became 990103020" in page
    assert "&lt;10" in page
    before = planner.get(
        "/planner/population/years/", {"area": "990103", "by": "domicile", "divisions_on": "2025-01-01"}
    )
    assert f'href="/divisions/{HUXIN}/"' in before.content.decode()
    assert planner.get("/planner/population/years/", {"area": "990122"}).status_code == 404
    told = planner.get("/planner/population/years.json", {"area": "990103", "by": "domicile"}).json()
    (day,) = told["days"]
    assert day["areas"][EAST] == {"people": 50, "by_share": True}
    assert day["areas"]["990103002"]["people"] is None
    assert day["total"] == 84


def test_a_program_asks_with_a_token_whose_role_holds_the_right():
    counted()
    address = "/exchange/v1/population/years?area=990103&by=domicile"

    def ask(role):
        made = access.open_machine(f"m-{role}", role=role, **WHO)
        told = base64.b64encode(f"{made.client_id}:{made.secret}".encode()).decode()
        wanted = {"grant_type": "client_credentials", "scope": "exchange"}
        token = Client().post("/identity/o/api/token", wanted, headers={"authorization": f"Basic {told}"}).json()
        return Client().get(address, headers={"authorization": f"Bearer {token['access_token']}"})

    assert ask("statistics").json()["days"][0]["areas"][EAST]["people"] == 50
    assert ask("machine").status_code == 403
    assert Client().get(address).status_code == 401
