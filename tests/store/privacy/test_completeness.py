"""As many dossiers as the database gave out stand in the trace: PostgreSQL's own count of rows against the entries, over a tour of the pages."""

import pytest
from django.db import connection
from django.test import Client

from tests.make import town as make
from tests.store.register.test_events import engine, town
from wanjia.access import api as access
from wanjia.privacy import api as privacy
from wanjia.services import api as services
from wanjia.services.api import Kind

__all__ = ["engine", "town"]
pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def plain_static_files(settings, home):
    """Without collectstatic there is no manifest; names stay as they are."""
    storage = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    settings.STORAGES = {**settings.STORAGES, "staticfiles": storage}


def given_out() -> int:
    """Rows of sealed dossiers that this transaction was given, by the server's own count; it must look them up, not leaf through the table."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT sum(idx_tup_fetch), sum(seq_tup_read) FROM pg_stat_xact_user_tables WHERE relname = 'privacy_vaultentry'"
        )
        return sum(map(int, cursor.fetchone()))


def told() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM trace_entry WHERE kind = 'privacy.open_person'")
        return cursor.fetchone()[0]


def client_of(account) -> Client:
    client = Client()
    client.force_login(account)
    return client


def test_rows_given_out_and_entries_are_equal(town):
    people, numbers = town.persons, town.numbers
    li, sun = make.officer("li", "990104"), make.officer("sun", "990104", "supervisor")
    access.open_account(username="wei", display_name="wei", role="resident", password=None)
    access.bind_resident("wei", people["wei"], by="test", why="test")
    officer, wei = client_of(li), client_of(access.account_named("wei"))
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
    rows, entries = given_out(), told()

    for key in ("lan", "fang"):
        address = f"/officer/persons/{people[key]}/"
        officer.post(address, {"purpose": "case", "case": "A-1"}, follow=True)
        for page in ("", "on-a-day/", "household/", "documents/"):
            officer.get(address + page)
    for query in ("王伟", numbers["lan"], town.address_of("A"), "没有这个人"):
        officer.post("/officer/find/", {"query": query, "purpose": "case", "case": "A-1"}, follow=True)
    officer.get(f"/officer/cases/new/change_correction/?person={people['ming']}")
    officer.get(f"/officer/cases/new/birth/?mother={people['lan']}")
    for page in ("", "record/", "looks/", "requests/", "record/name/correct/"):
        assert wei.get(f"/resident/{page}").status_code == 200
    said = {"current": "王伟", "source": "police_register", "wanted": "王维", "text": "见身份证"}
    number = services.correct(access.account_named("wei"), people["wei"], "name", **said)
    officer.get(f"/officer/corrections/{number}/")
    services.act(sun, Kind.CORRECT, number, outcome="accepted", text="同意")

    opened = told() - entries
    assert opened >= 5, "the tour opened hardly anybody"
    assert given_out() - rows == opened


def test_a_row_read_past_the_door_would_show(town):
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        rows, entries = given_out(), told()
        privacy.open_person(town.persons["wei"], by="t", why="t")
        assert (given_out() - rows, told() - entries) == (1, 1)
        cursor.execute(
            "SELECT blob FROM privacy_vaultentry WHERE person_id = %s AND known_to IS NULL", [town.persons["wei"]]
        )
        assert (given_out() - rows, told() - entries) == (2, 1)
