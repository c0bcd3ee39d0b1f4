"""The page of a household: members in the order of the book, the tree of their relations, and what happened to it; nobody out of reach in either."""

import re

import pytest
from django.db import connection

from tests.make import registered
from wanjia.access import api as access
from wanjia.trace.models import Entry

pytestmark = pytest.mark.django_db
HEAD, WIFE, CHILD, LODGER, SEALED = 11, 12, 13, 14, 15


@pytest.fixture(autouse=True)
def plain_static_files(settings):
    settings.STORAGES = {
        **settings.STORAGES,
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    }


@pytest.fixture
def household(home):
    """A couple with a child, a lodger, a sealed person; a son who moved out."""
    for person in (HEAD, WIFE, CHILD, LODGER, SEALED):
        registered.register(person, {"sex": "1", "birth_on": f"19{60 + person}-01-01"}, is_sealed=person == SEALED)
    registered.household(7, [(HEAD, "02"), (WIFE, "10"), (CHILD, "30"), (LODGER, "97"), (SEALED, "97")])
    for one, kind, other in (
        (HEAD, "spouse", WIFE), (WIFE, "spouse", HEAD), (CHILD, "mother", WIFE), (CHILD, "father", HEAD), (LODGER, "father", SEALED),
    ):  # fmt: skip
        registered.related(one, kind, other)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE register_membership SET sole = false WHERE person_id = %s", [LODGER])
        cursor.execute(
            "INSERT INTO register_membership (person_id, household_id, kind, is_head, relation, valid, known, sole)"
            " VALUES (%s, 7, 'domicile', false, '99', daterange('1990-05-01', '2000-01-01'), tstzrange(%s, null), false)",
            [LODGER, registered.AT],
        )


def page_of(client, person):
    account = access.open_account(username="o", display_name="o", role="officer", password=None, area="990102")
    access.choose_language(account, "en")
    client.force_login(account)
    client.post(f"/officer/persons/{person}/", {"purpose": "case", "case": "A-1"})
    return client.get(f"/officer/persons/{person}/household/").content.decode()


def test_couples_stand_side_by_side_and_children_below(household, client):
    page = page_of(client, CHILD)
    tree = page[page.index('id="family-title"') : page.index('id="before-title"')]
    ids = re.findall(r'<ul|</ul|href="/officer/persons?/(\d+)/"', tree)
    assert [int(one) for one in ids if one] == [HEAD, WIFE, CHILD, LODGER]
    assert tree.count('<ul class="family">') == 2, "one tree, and the child one step down"
    assert "married to" in tree
    assert str(SEALED) not in re.findall(r"/officer/persons?/(\d+)/", page), (
        "neither as a member nor as somebody's parent"
    )


def test_the_history_says_who_came_and_whose_place_changed(household, client):
    page = page_of(client, HEAD)
    history = page[page.index('id="history-title"') :]
    days = re.findall(r'<td class="number"[^>]*>([\d-]{10})</td>', history)
    assert days == sorted(days, reverse=True)
    assert days[-1] == "1990-05-01"
    assert "is now" in history
    assert history.count("entered as") == 4


def test_who_died_has_no_household_now_and_no_error(household, client):
    with connection.cursor() as cursor:
        for table in ("personstate", "membership", "residence", "relation"):
            cursor.execute(
                f"UPDATE register_{table} SET valid = daterange(lower(valid), '2020-02-02') WHERE person_id = %s",
                [HEAD],
            )
    page = page_of(client, HEAD)
    assert "In no registered household." in page
    assert client.get(f"/officer/persons/{HEAD}/household/").status_code == 200


@pytest.fixture
def named(home):
    """A couple and their former lodger, by name; a member under a protection order."""
    for person, values, is_sealed in (
        (HEAD, {"name": "王强", "sex": "1", "birth_on": "1971-02-03", "ethnicity": "02"}, False),
        (WIFE, {"name": "李兰", "sex": "2", "birth_on": "1972-01-01"}, False),
        (LODGER, {"name": "赵云", "sex": "1", "birth_on": "1974-01-01"}, False),
        (SEALED, {"name": "孙密", "sex": "2", "birth_on": "1975-01-01"}, True),
    ):
        registered.register(person, values, is_sealed=is_sealed)
    registered.household(7, [(HEAD, "02"), (WIFE, "10"), (SEALED, "97")])
    registered.related(HEAD, "spouse", WIFE)
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO register_membership (person_id, household_id, kind, is_head, relation, valid, known, sole)"
            " VALUES (%s, 7, 'domicile', false, '99', daterange('1990-05-01', '2000-01-01'), tstzrange(%s, null), false)",
            [LODGER, registered.AT],
        )


def test_members_are_named_in_the_order_of_the_book_and_each_is_told_once(named, client):
    page_of(client, WIFE)
    before = Entry.objects.count()
    page = client.get(f"/officer/persons/{WIFE}/household/").content.decode()
    now = page[page.index('id="now-title"') : page.index('id="family-title"')]
    assert re.findall(r"/officer/persons/\d+/\">([^<]+)</a>", now) == ["王强", "李兰"]
    assert "1971-02-03" in now
    family = page[page.index('id="family-title"') : page.index('id="before-title"')]
    assert re.findall(r"/officer/persons/\d+/\">([^<]+)</a>", family) == ["王强", "李兰"]
    assert "赵云" in page[page.index('id="before-title"') : page.index('id="history-title"')]
    assert "孙密" not in page
    told = [
        (e.subject, e.detail["fields"])
        for e in Entry.objects.order_by("pk")[before:]
        if e.kind == "privacy.open_person"
    ]
    assert sorted(told) == [(person, ["birth_on", "name", "sex"]) for person in (HEAD, WIFE, LODGER)]


def test_a_large_household_names_its_first_and_reads_nobody_else(named, client, monkeypatch):
    from wanjia.web.officer import as_of, names

    for module in (as_of, names):
        monkeypatch.setattr(module, "MOST_NAMED", 1)
    page_of(client, WIFE)
    before = Entry.objects.count()
    page = client.get(f"/officer/persons/{WIFE}/household/").content.decode()
    assert "Only the first 1 are named" in page
    assert "李兰" not in page
    assert [e.subject for e in Entry.objects.order_by("pk")[before:] if e.kind == "privacy.open_person"] == [HEAD]


def test_who_was_erased_from_the_vault_stands_by_id(named, client):
    from wanjia.privacy import api as privacy

    privacy.erase_person(LODGER, by="t", why="t")
    page = page_of(client, WIFE)
    assert "赵云" not in page
    assert f">{LODGER}</a>" in page
