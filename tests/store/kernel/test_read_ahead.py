"""Reading ahead: the whole of what searches read, up to a part of the machine's memory, and nothing of a server that is not ours."""

import pytest
from django.db import connection

from wanjia.kernel import settings, table_files

pytestmark = pytest.mark.django_db


def bytes_of(kind: str, context: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT sum(pg_relation_size(oid)) FROM pg_class"
            " WHERE relnamespace = 'public'::regnamespace AND relkind = %s AND relname LIKE %s",
            [kind, f"{context}\\_%"],
        )
        return int(cursor.fetchone()[0])


@pytest.mark.skipif(settings.database_url() is not None, reason="the server is the operator's own")
def test_every_index_is_read_and_the_tables_asked_for(monkeypatch):
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO register_person (id, founded_at, is_sealed) SELECT n, now(), false FROM generate_series(1, 9000) n"
        )
        cursor.execute("SELECT count(*) FROM pg_class WHERE relname LIKE 'register\\_%' AND relkind = 'i'")
        assert cursor.fetchone()[0] > 20
    indexes, tables = bytes_of("i", "register"), bytes_of("r", "register")
    assert min(indexes, tables) > 100_000
    assert table_files.read_ahead(indexes=["register"], tables=[]) == indexes
    assert table_files.read_ahead(indexes=["register", "privacy"], tables=["register"]) == indexes + tables + bytes_of(
        "i", "privacy"
    )
    monkeypatch.setattr(table_files.os, "sysconf", {"SC_PHYS_PAGES": 40, "SC_PAGE_SIZE": 4096}.__getitem__)
    assert table_files.read_ahead(indexes=["register"], tables=["register"]) == 10 * 4096


def test_the_operators_own_server_is_left_alone(monkeypatch, django_assert_num_queries):
    monkeypatch.setattr(settings, "database_url", lambda: "postgresql://elsewhere/wanjia")
    with django_assert_num_queries(0):
        assert table_files.read_ahead(indexes=["register"], tables=["register"]) == 0
