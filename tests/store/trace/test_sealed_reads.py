"""A sealed read opens on its day, or before it by two people; each opening is told, and none happens untold."""

from datetime import timedelta

import pytest
from django.db import DatabaseError, connection, transaction
from django.test import Client

from wanjia.access import api as access
from wanjia.kernel import clock
from wanjia.kernel.database import WEB_ROLE
from wanjia.trace import api
from wanjia.trace.errors import OpenedAlready, PurposeMissing, SealUnknown, SecondPersonNeeded

pytestmark = pytest.mark.django_db

WHO = {"by": "t", "why": "t"}


@pytest.fixture
def sealed(home):
    """A read of person 7 that is sealed for thirty days: its entry."""
    due = clock.today() + timedelta(30)
    [entry] = api.record("test.read", subject_ids=[7], sealed=api.Sealed("law 1", "chief", due), **WHO)
    return entry


def as_pages(text):
    """Run a statement in the role of the pages' processes."""
    with transaction.atomic():
        sql(f"SET LOCAL ROLE {WEB_ROLE}")
        sql(text)


def sql(text, *values):
    with connection.cursor() as cursor:
        cursor.execute(text, values)
        return cursor.fetchall() if cursor.description else None


def test_two_people_open_a_sealed_read_and_the_person_sees_both(sealed):
    assert api.open_early(sealed, by="an", why="file:1") is False
    assert api.who_looked(7) == [], "that somebody asked would tell of the read"
    with pytest.raises(SecondPersonNeeded):
        api.open_early(sealed, by="an", why="file:1")
    assert api.open_early(sealed, by="bo", why="file:1") is True
    opening, read = api.who_looked(7)
    assert read["id"] == sealed
    assert (opening["kind"], opening["actor"], opening["basis"]) == ("trace.open_seal", "bo", "law 1")
    assert opening["detail"]["asked_by"] == "an"
    assert [e["kind"] for e in api.entries(actor="an")] == ["trace.ask_opening"]
    [seal] = api.seals()
    assert seal["opened_at"] is not None
    assert seal["asked_by"] == "an"
    assert api.sealed_counts() == {"total": 1, "sealed": 0, "late": 0}
    api.Sequencer().step()
    assert [w for w in api.self_check(**WHO) if "seal" in w] == []
    for again in ("an", "bo", "cy"):
        with pytest.raises(OpenedAlready):
            api.open_early(sealed, by=again, why="file:1")


def test_what_cannot_be_opened_early(sealed):
    [plain] = api.record("test.read", subject_ids=[7], **WHO)
    for unknown in (plain, 999_999):
        with pytest.raises(SealUnknown):
            api.open_early(unknown, by="an", why="file:1")
    with pytest.raises(PurposeMissing):
        api.open_early(sealed, by="an", why=" ")
    with clock.stopped_at(clock.now() + timedelta(31)), pytest.raises(OpenedAlready):
        api.open_early(sealed, by="an", why="file:1")


def test_what_is_due_is_noted_and_a_false_clock_opens_nothing(sealed):
    with clock.stopped_at(clock.now() + timedelta(31)):
        assert api.open_due(**WHO) == 0, "the database knows what day it is"
    sql(
        "INSERT INTO trace_seal (entry_id, number, basis, approver, opens_on) VALUES (-1, 0, 'law', 'chief', %s)",
        clock.today(),
    )
    assert api.sealed_counts()["late"] == 1
    assert api.open_due(**WHO) == 1
    assert api.sealed_counts() == {"total": 2, "sealed": 1, "late": 0}
    assert api.entries(kind="trace.open_due")[0]["detail"] == {"seals": [2]}
    assert api.open_due(**WHO) == 0
    assert len(api.entries(kind="trace.open_due")) == 1


def test_the_pages_role_opens_nothing_by_itself(sealed):
    for text in (
        "UPDATE trace_seal SET opened_at = now()",
        "INSERT INTO trace_opening (entry_id, asked_by, why) VALUES (1, 'a', 'b')",
    ):
        with pytest.raises(DatabaseError, match="permission denied"):
            as_pages(text)
    with transaction.atomic():
        sql(f"SET LOCAL ROLE {WEB_ROLE}")
        assert api.open_early(sealed, by="an", why="file:1") is False
        sql("RESET ROLE")
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        sql("UPDATE trace_opening SET asked_by = 'zo'")


def test_an_opening_that_nobody_told_of_is_found_at_night(sealed):
    api.Sequencer().step()
    sql("UPDATE trace_seal SET opened_at = now()")
    assert "1 seals were opened before their day, and no entry tells of it" in api.self_check(**WHO)


def client_of(name: str, role: str, settings) -> Client:
    settings.STORAGES = {
        **settings.STORAGES,
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    }
    account = access.open_account(username=name, display_name=name, role=role, password=None)
    access.choose_language(account, "en")
    client = Client()
    client.force_login(account)
    return client


def test_the_page_asks_and_another_agrees(sealed, settings):
    an, ad = client_of("an", "auditor", settings), client_of("ad", "audit_admin", settings)
    page = "/auditor/seals/"
    assert "letters, digits" in an.post(page, {"entry": sealed, "file": "because of him"}).content.decode()
    assert an.post(page, {"entry": sealed, "file": "A-17/2026"}).status_code == 302
    shown = an.get(page).content.decode()
    assert "Somebody else must agree." in shown
    assert "Agree and open" not in shown
    assert "second person" in an.post(page, {"entry": sealed, "file": "A-17/2026"}).content.decode()
    assert "Agree and open" in ad.get(page).content.decode()
    assert ad.post(page, {"entry": sealed, "file": "A-17/2026"}).status_code == 302
    assert [e["actor"] for e in api.who_looked(7)] == ["ad", "t"]
    assert client_of("of", "officer", settings).get(page).status_code == 403
