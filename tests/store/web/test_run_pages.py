"""The page of a run: its figures are those kept with it, so that a visit counts nobody."""

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from wanjia.access import api as access
from wanjia.catalog import api as catalog

pytestmark = pytest.mark.django_db
WHO = {"by": "test", "why": "test"}


@pytest.fixture(autouse=True)
def plain_static_files(settings, home):
    """Without collectstatic there is no manifest; names stay as they are."""
    storage = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    settings.STORAGES = {**settings.STORAGES, "staticfiles": storage}


@pytest.fixture
def steward():
    client = Client()
    client.force_login(access.open_account(username="steward", display_name="s", role="steward", password=None))
    return client


def seen(client: Client, address: str) -> tuple[str, list[str]]:
    with CaptureQueriesContext(
        connection,
    ) as asked:
        answer = client.get(address)
    assert answer.status_code == 200
    return answer.content.decode(), [one["sql"] for one in asked if "count(*) FROM register_person" in one["sql"]]


def ended(sizes: dict[str, int] | None, *, failed: bool = False) -> int:
    number = catalog.open_run(engine="duckdb", **WHO)
    catalog.close_run(number, failed=failed, outcome={} if sizes is None else {"sizes": sizes}, **WHO)
    return number


def test_a_run_keeps_how_many_it_left(steward):
    first = ended({"persons": 1_234_567, "households": 400_001})
    second = ended({"persons": 1_300_002, "households": 410_003})
    for number, told in ((first, ("1,234,567", "400,001")), (second, ("1,300,002", "410,003"))):
        page, counted = seen(steward, f"/steward/runs/{number}/")
        assert all(one in page for one in told)
        assert not counted
    page, counted = seen(steward, "/steward/runs/")
    assert "1,300,002" in page
    assert not counted


def test_a_run_that_has_not_ended_well_shows_what_the_last_one_left(steward):
    ended({"persons": 1_234_567, "households": 400_001})
    page, counted = seen(steward, f"/steward/runs/{ended(None, failed=True)}/")
    assert "1,234,567" in page
    assert not counted


def test_a_run_of_before_the_figure_was_kept_is_counted(steward):
    _page, counted = seen(steward, f"/steward/runs/{ended(None)}/")
    assert len(counted) == 1
