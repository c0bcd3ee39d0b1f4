"""The page of a household: members in the order of the book, the tree of their relations, and what happened to it; nobody out of reach in either."""

import re

import pytest
from django.db import connection

from tests.make import registered
from wanjia.access import api as access

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
    days = re.findall(r'<td class="number">([\d-]{10})</td>', history)
    assert days == sorted(days, reverse=True)
    assert days[-1] == "1990-05-01"
    assert "is now" in history
    assert history.count("entered as") == 4


def test_who_died_has_no_household_now_and_no_error(household, client):
    with connection.cursor() as cursor:
        for table in ("personstate", "membership"):
            cursor.execute(
                f"UPDATE register_{table} SET valid = daterange(lower(valid), '2020-02-02') WHERE person_id = %s",
                [HEAD],
            )
    page = page_of(client, HEAD)
    assert "In no registered household." in page
    assert client.get(f"/officer/persons/{HEAD}/household/").status_code == 200
