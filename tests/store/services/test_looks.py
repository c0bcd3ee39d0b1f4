"""Who looked: everything about the person is told, and nothing that would tell of somebody else's act."""

import json
import re
from datetime import UTC, date, datetime, timedelta

import pytest
from django.db import connection
from django.test import Client

from wanjia.access import api as access
from wanjia.kernel import clock
from wanjia.services import api
from wanjia.services.errors import LookUnknown
from wanjia.trace import api as trace
from wanjia.trace.api.checking import Trust, verify_receipt

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
ME, WIFE, FORMER = 71, 72, 73
POLICY = "staff-read-what-their-purpose-needs-in-their-area@0123456789abcdef0123456789abcdef"


@pytest.fixture(autouse=True)
def plain_static_files(settings):
    """Without collectstatic there is no manifest; names stay as they are."""
    settings.STORAGES = {
        **settings.STORAGES,
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    }


@pytest.fixture(autouse=True)
def published(home):
    """A log that is open; the sequencer, to publish what was read."""
    with clock.stopped_at(NOW):
        yield trace.Sequencer(home)


@pytest.fixture
def me() -> Client:
    access.open_account(username="me", display_name="me", role="resident", password=None)
    access.bind_resident("me", ME, by="me", why="test")
    client = Client()
    client.force_login(access.account_named("me"))
    return client


def read(person=ME, kind="privacy.open_person", purpose="case:A-17", at=NOW, actor="lin", **more) -> int:
    said = {"department": "GA", "basis": POLICY, **more}
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO trace_entry (at, kind, actor, purpose, subject, department, basis, detail)"
            """ VALUES (%s, %s, %s, %s, %s, %s, %s, '{"fields": ["full_name", "address"]}') RETURNING id""",
            [at, kind, actor, purpose, person, said["department"], said["basis"]],
        )
        return cursor.fetchone()[0]


def page_of(client: Client, address: str = "/resident/looks/") -> str:
    answer = client.get(address)
    assert answer.status_code == 200
    return re.sub(r'value="\w{64}"', "", answer.content.decode())


def listed(**asked) -> list[int]:
    return [row["id"] for row in api.looks(ME, own="me", **asked).rows]


def test_each_look_is_told_with_time_department_purpose_fields_and_ground(me):
    read(at=NOW - timedelta(hours=3))
    page = page_of(me)
    for said in (
        "2026-11-21 17:00",
        "登记（公安）",
        "打开",
        "办理窗口业务",
        "户口登记条例",
        "staff-read-what-their-purpose-needs",
    ):
        assert said in page, said
    assert "A-17" not in page, "the number of a case belongs to whoever's case it is"
    assert "lin" not in re.findall(r"\w+", page), "a department is told, not who works there"


def test_newest_first_page_by_page_and_own_looks_on_request(me):
    mine = [read(actor="me", purpose="own", at=NOW - timedelta(minutes=n)) for n in range(3)]
    others = [read(at=NOW - timedelta(hours=n)) for n in range(1, 31)]
    first = api.looks(ME, own="me")
    assert [row["id"] for row in first.rows] == others[:25]
    assert listed(before=first.older) == others[25:]
    # besides, the own account's binding
    assert listed(with_own=True, limit=4)[1:] == mine
    assert api.looks(ME, own="me", before=first.older).older is None


def test_bulk_work_is_one_entry_that_each_person_finds(me):
    jobs = [trace.record_job("linkage.export", persons=who, by="job:x", why="x") for who in ([ME, WIFE], None)]
    many = trace.record_job("linkage.export", persons=range(5000), by="job:x", why="x")
    trace.record_job("linkage.export", persons=[WIFE], by="job:x", why="x")
    assert set(listed()) == {*jobs, many}
    assert "您在其中" in page_of(me)


def test_what_was_read_under_a_former_id_is_told_and_counted(me):
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO register_person (id, founded_at, is_sealed) VALUES (%s, %s, false)", [ME, NOW])
        cursor.execute(
            "INSERT INTO register_personredirect (former_id, person_id, since) VALUES (%s, %s, %s)", [FORMER, ME, NOW]
        )
    old, new = read(FORMER, at=NOW - timedelta(days=9)), read()
    read(FORMER, purpose="inherit", at=NOW - timedelta(days=60))
    assert listed() == [new, old]
    assert [(m.begins, m.count) for m in api.months(ME, own="me")[0]] == [(date(2026, 9, 1), 1)]


@pytest.mark.parametrize(
    "tells",
    [
        {"purpose": "inherit:2026-7"},
        {"purpose": "certify"},
        {"kind": "register.household_members"},
        {"kind": "documents.erase", "purpose": "law"},
        {"kind": "register.household_as_of"},
        {"kind": "register.event_check", "purpose": "case:divorce"},
    ],
)
def test_a_will_cannot_be_told_from_the_pages(me, published, tells):
    """What a notary or the household's papers cause changes no byte of the heir's pages until the month is over, and then a number only."""
    read()
    published.step()
    pages = [page_of(me, address) for address in ("/resident/looks/", "/resident/looks/?own=1", "/resident/")]
    about_others = read(at=NOW + timedelta(seconds=1), **tells)
    with clock.stopped_at(NOW + timedelta(minutes=2)):
        after = [page_of(me, address) for address in ("/resident/looks/", "/resident/looks/?own=1", "/resident/")]
        assert after == pages
        published.step()
        assert me.get(f"/resident/looks/{about_others}/receipt/").status_code == 409
        assert listed(before=about_others) == listed(), "not even its place among the own looks"
    with clock.stopped_at(datetime(2026, 12, 1, tzinfo=UTC)):
        assert [(m.begins, m.count) for m in api.months(ME, own="me")[0]] == [(date(2026, 11, 1), 1)]
        assert about_others not in listed()


def test_a_sealed_read_is_counted_at_once_and_told_on_its_day(me):
    before = page_of(me)
    due = clock.today() + timedelta(days=9)
    [entry] = trace.record("privacy.open_person", subject_ids=[ME], sealed=trace.Sealed("law 1", "chief", due), by="x", why="case")  # fmt: skip
    assert entry not in listed()
    assert "累计有 0 次" in before
    assert "累计有 1 次" in page_of(me), "counted from second one"
    with pytest.raises(LookUnknown):
        api.receipt(ME, entry, by="me", why="own")
    with clock.stopped_at(NOW + timedelta(days=9)):
        assert entry in listed()


def test_a_receipt_proves_the_look_offline_and_is_given_to_nobody_else(me, published):
    mine, hers = read(), read(WIFE)
    published.step()
    answer = me.get(f"/resident/looks/{mine}/receipt/")
    assert "attachment" in answer["Content-Disposition"]
    assert answer["Cache-Control"] == "no-store"
    keys = trace.public_file("keys").content.decode().split()
    _head, held = verify_receipt(answer.content.decode(), Trust.of(keys))
    assert json.loads(held.entry)["subject"] == ME
    assert me.get(f"/resident/looks/{hers}/receipt/").status_code == 409
    [made] = [row for row in api.looks(ME, own="me", with_own=True).rows if row["kind"] == "trace.receipt"]
    assert made["detail"] == {"entry": mine}


def test_a_look_that_is_not_published_yet_has_no_proof_yet(me):
    entry = read()
    assert "几秒后可见" in page_of(me)
    assert me.get(f"/resident/looks/{entry}/receipt/").status_code == 409


def test_staff_and_strangers_do_not_enter():
    access.open_account(username="lin", display_name="lin", role="officer", password=None)
    staff = Client()
    staff.force_login(access.account_named("lin"))
    for address in ("/resident/looks/", "/resident/looks/1/receipt/", "/resident/looks/check/"):
        assert staff.get(address).status_code == 403
        assert Client().get(address).status_code == 302
