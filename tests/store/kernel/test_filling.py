"""Tables filled anew: keys and indexes hold afterwards, whether built at the end or kept; letting go of a table's files changes nothing."""

import psycopg
import pytest
from django.db import IntegrityError, connection, transaction

from wanjia.kernel import settings
from wanjia.kernel.database import copy_csv, filled_anew
from wanjia.kernel.table_files import begin_to_write_out, let_go_behind

PIECES = [b"".join(b"%d,%d\n" % (n, n % 7) for n in range(start, start + 1000)) for start in range(0, 5000, 1000)]


@pytest.fixture
def cursor(db):
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE filled (id bigint PRIMARY KEY, kind int)")
        cursor.execute("CREATE INDEX filled_of ON filled (id) WHERE kind > 3")
        cursor.execute("INSERT INTO filled VALUES (-1, 1)")
        yield cursor


def kept(cursor):
    cursor.execute("SELECT indexrelid::regclass::text, indisvalid FROM pg_index WHERE indrelid = 'filled'::regclass")
    indexes = sorted(cursor.fetchall())
    cursor.execute("SELECT count(*), min(id), max(id) FROM filled")
    rows = cursor.fetchone()
    cursor.execute("SET LOCAL enable_seqscan = off")
    cursor.execute("SELECT kind FROM filled WHERE id = 4321")
    return indexes, rows, cursor.fetchone()


@pytest.mark.parametrize("in_order", [False, True])
def test_keys_and_indexes_hold_afterwards(cursor, in_order):
    with filled_anew(cursor, "filled", in_order=in_order):
        copy_csv(cursor, "filled", ("id", "kind"), PIECES, is_anew=True)
    assert kept(cursor) == ([("filled_of", True), ("filled_pkey", True)], (5000, 0, 4999), (4321 % 7,))
    with (
        pytest.raises((IntegrityError, psycopg.IntegrityError)),
        transaction.atomic(),
        filled_anew(cursor, "filled", in_order=in_order),
    ):
        copy_csv(cursor, "filled", ("id", "kind"), [*PIECES, b"4999,0\n"], is_anew=True)
    assert kept(cursor)[1] == (5000, 0, 4999), "a key that is met twice leaves what was there"


def test_what_the_system_lets_go_of_is_there_all_the_same(cursor, monkeypatch):
    monkeypatch.setattr("wanjia.kernel.table_files.LET_GO_BYTES", 10_000)
    with filled_anew(cursor, "filled", in_order=True):
        copy_csv(cursor, "filled", ("id", "kind"), let_go_behind(cursor, "filled", PIECES), is_anew=True)
    assert kept(cursor)[1:] == ((5000, 0, 4999), (4321 % 7,))


def test_the_files_of_the_operators_own_server_are_left_alone(cursor, monkeypatch, django_assert_num_queries):
    monkeypatch.setattr(settings, "database_url", lambda: "postgresql://elsewhere/wanjia")
    monkeypatch.setattr("wanjia.kernel.table_files.let_go_of_file", pytest.fail)
    monkeypatch.setattr("wanjia.kernel.table_files.LET_GO_BYTES", 0)
    with django_assert_num_queries(0):
        begin_to_write_out(cursor, "filled")
        assert list(let_go_behind(cursor, "filled", PIECES)) == PIECES
