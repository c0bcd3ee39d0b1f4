"""Entries are written once."""

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction

from wanjia.trace import api
from wanjia.trace.errors import DetailHoldsPersonalData, PurposeMissing

pytestmark = pytest.mark.django_db


def run(statement):
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)


@pytest.mark.parametrize(
    "statement", ["UPDATE trace_entry SET actor = 'x'", "DELETE FROM trace_entry", "TRUNCATE trace_entry"]
)
def test_even_the_owner_cannot_rewrite_entries(statement):
    api.record("test.done", by="t", why="t")
    with pytest.raises(DatabaseError, match="append-only"):
        run(statement)


def test_one_entry_for_each_subject():
    assert len(api.record("test.read", subject_ids=[1, 2], by="t", why="t", detail={"rows": 2})) == 2
    assert [e["detail"] for e in api.who_looked(1)] == [{"rows": 2}]


def test_an_entry_falls_with_its_change():
    with transaction.atomic():
        api.record("test.read", subject_ids=[1], by="t", why="t")
        transaction.set_rollback(True)
    assert api.who_looked(1) == []


def test_who_why_and_no_personal_data():
    with pytest.raises(PurposeMissing):
        api.record("test.read", by="t", why="")
    with pytest.raises(DetailHoldsPersonalData):
        api.record("test.read", by="t", why="t", detail={"name": "王伟"})
    with pytest.raises(IntegrityError):
        run("INSERT INTO trace_entry (kind, actor, purpose) VALUES ('x', '', 'y')")
