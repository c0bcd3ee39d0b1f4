"""An auditor's search finds just what fits, page by page, by any filter and any pair of filters; asking about a person is traced."""

import itertools
import random
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test import Client

from wanjia.access import api as access
from wanjia.trace import api
from wanjia.trace.api import Wanted

pytestmark = pytest.mark.django_db

BEGIN = datetime(2026, 3, 1, tzinfo=UTC)
CHOICES = {
    "kind": ["privacy.open_person", "register.find_persons", "access.log_in"],
    "actor": ["lin", "wang", "job:nightly"],
    "department": ["", "civil_affairs", "health"],
    "purpose": ["case", "case:A-1", "case:A-2", "certificate", "nightly run"],
    "subject": [None, 1, 2, 3],
}
ASKED = {
    "kind": "register.find_persons",
    "actor": "lin",
    "department": "health",
    "purpose": "case",
    "subject": 2,
    "since": BEGIN + timedelta(hours=40),
    "until": BEGIN + timedelta(hours=160),
    "work": "single",
}


@pytest.fixture
def log(home):
    """Two hundred entries, some at the very same time, and three of bulk work; as dicts, with the persons each is about."""
    chance, kept = random.Random(5), []
    for number in range(200):
        said = {name: chance.choice(choices) for name, choices in CHOICES.items()}
        said["at"] = BEGIN + timedelta(hours=number // 2)
        with connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO trace_entry (kind, actor, department, purpose, subject, at)"
                " VALUES (%(kind)s, %(actor)s, %(department)s, %(purpose)s, %(subject)s, %(at)s) RETURNING id",
                said,
            )
            kept.append({**said, "id": cursor.fetchone()[0], "about": {said["subject"]}, "work": "single"})
    for persons in ([2, 9], range(2, 3000), None):
        job = api.record_job("register.load", persons=persons, by="job:nightly", why="nightly run", department="health")
        [entry] = [e for e in api.entries(kind="register.load") if e["id"] == job]
        about = {1, 2, 3} if persons is None else set(persons)
        columns = ("id", "at", "kind", "actor", "department", "purpose")
        kept.append({**{name: entry[name] for name in columns}, "about": about, "work": "bulk"})
    return kept


def fits(entry: dict, wanted: dict) -> bool:
    for name, value in wanted.items():
        if name == "subject":
            is_so = value in entry["about"]
        elif name == "since":
            is_so = entry["at"] >= value
        elif name == "until":
            is_so = entry["at"] < value
        elif name == "purpose":
            is_so = entry["purpose"].split(":")[0] == value if ":" not in value else entry["purpose"] == value
        else:
            is_so = entry[name] == value
        if not is_so:
            return False
    return True


def pages(limit: int, **wanted) -> list[int]:
    """Every id, page by page."""
    ids, before = [], None
    while True:
        found = api.search(Wanted(**wanted), before=before, limit=limit, by="t", why="t")
        ids += [row["id"] for row in found.rows]
        before = found.older
        if before is None:
            return ids


def test_every_filter_and_every_pair_finds_what_fits(log):
    newest_first = sorted(log, key=lambda e: (e["at"], e["id"]), reverse=True)
    mixes = [dict(mix) for size in (0, 1, 2, 3) for mix in itertools.combinations(ASKED.items(), size)]
    mixes += [
        {"purpose": "case:A-2"},
        {"purpose": "case:A-2", "actor": "lin"},
        {"work": "bulk"},
        {"work": "bulk", "subject": 2},
    ]
    for wanted in mixes:
        # what the search itself writes is about the person too
        wanted = {"until": datetime(2027, 1, 1, tzinfo=UTC), **wanted} if "subject" in wanted else wanted
        searches = {e["id"] for e in api.entries(kind="trace.search")}
        right = [e["id"] for e in newest_first if fits(e, wanted)]
        assert [e["id"] for e in api.entries(**wanted, limit=1000) if e["id"] not in searches] == right, wanted
    assert len(right) < len(log)


def test_pages_follow_on_without_hole_or_repeat(log):
    newest_first = [e["id"] for e in sorted(log, key=lambda e: (e["at"], e["id"]), reverse=True)]
    assert pages(7) == newest_first
    by_lin = [one for one in newest_first if next(e for e in log if e["id"] == one)["actor"] == "lin"]
    assert pages(len(by_lin), actor="lin") == by_lin, "a page that is just full has no next"
    assert pages(1, actor="lin", kind="access.log_in") == [
        one for one in by_lin if next(e for e in log if e["id"] == one)["kind"] == "access.log_in"
    ]


def test_how_many_is_said_once_and_bounded(log, monkeypatch):
    found = api.search(Wanted(actor="lin"), limit=5, by="t", why="t")
    assert found.count == sum(e["actor"] == "lin" for e in log)
    assert api.search(Wanted(actor="lin"), before=found.older, limit=5, by="t", why="t").count is None
    assert api.search(Wanted(), limit=5, by="t", why="t").count is None
    monkeypatch.setattr("wanjia.trace.api.searching.COUNTED", 20)
    assert api.search(Wanted(actor="lin"), limit=5, by="t", why="t").count == 20


def test_asking_about_a_person_is_seen_by_that_person(log):
    before = len(api.who_looked(2))
    api.search(Wanted(subject=2, kind="access.log_in"), by="auditor", why="oversight")
    newest, *rest = api.who_looked(2)
    assert len(rest) == before
    assert (newest["kind"], newest["actor"], newest["detail"]["by"]) == ("trace.search", "auditor", ["kind", "subject"])
    api.search(Wanted(actor="lin"), by="auditor", why="oversight")
    assert len(api.who_looked(2)) == before + 1


def test_offers_stand_in_the_trace(log):
    assert api.kinds() == sorted({e["kind"] for e in log})
    assert api.departments() == ["civil_affairs", "health"]
    assert api.purposes() == ["case", "certificate", "nightly run"]


@pytest.fixture
def auditor(settings):
    settings.STORAGES = {
        **settings.STORAGES,
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    }
    account = access.open_account(username="au", display_name="au", role="auditor", password=None)
    access.choose_language(account, "en")
    client = Client()
    client.force_login(account)
    return client


def test_the_page_searches_and_says_what_it_cannot_read(log, auditor):
    def text(query: str) -> str:
        answer = auditor.get(f"/auditor/trace/?{query}")
        assert answer.status_code == 200
        return answer.content.decode()

    shown = text("actor=lin&work=single&since=2026-03-01&until=2026-03-02")
    right = [
        e for e in log if e["actor"] == "lin" and BEGIN - timedelta(hours=8) <= e["at"] < BEGIN + timedelta(hours=40)
    ]
    assert f"Found: {len(right)}" in shown
    assert "wang</th>" not in shown
    for wrong in (
        "subject=Wang",
        "since=yesterday",
        "until=9999-12-31",
        "work=idle",
        "kind=nothing",
        "subject=99999999999999999999",
    ):
        refused = text(wrong)
        assert "Nothing was searched" in refused, wrong
        assert "</tbody>" not in refused
        assert "aria-invalid" in refused
