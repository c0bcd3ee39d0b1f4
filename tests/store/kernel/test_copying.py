"""Rows in bulk: other threads go on while the server is busy with them, and what it refuses is told."""

import threading
from contextlib import contextmanager

import psycopg
import pytest
from django.db import connection, transaction

from wanjia.kernel.database import copy_csv, ensure_server

LOCK = 0x57414E4A
#: several of them are more than the socket, the library and the server hold between them, so that whoever sends them has to wait
PIECE = b"".join(b"%d\n" % number for number in range(1_000_000))


@pytest.fixture
def cursor(db):
    with connection.cursor() as cursor:
        cursor.execute("CREATE TEMP TABLE copied (number bigint) ON COMMIT DROP")
        yield cursor


@contextmanager
def _beside():
    """A connection of its own to the same database."""
    other = connection.copy()
    other.inc_thread_sharing()
    try:
        with other.cursor() as cursor:
            yield cursor
    finally:
        other.close()


def _waits(beside) -> bool:
    beside.execute(
        "SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND objid = %s AND NOT granted)", [LOCK]
    )
    return beside.fetchone()[0]


def test_another_thread_goes_on_while_the_server_waits(cursor):
    """The server waits at the first row for a lock that only the other thread can open: if that one could not run, neither would go on."""
    cursor.execute("SET LOCAL lock_timeout = '20s'")
    cursor.execute(
        "CREATE FUNCTION pg_temp.wait() RETURNS trigger LANGUAGE plpgsql AS"
        f" $$ BEGIN PERFORM pg_advisory_xact_lock({LOCK}); RETURN NEW; END $$"
    )
    cursor.execute(
        "CREATE TRIGGER waits BEFORE INSERT ON copied FOR EACH ROW WHEN (NEW.number = 0) EXECUTE FUNCTION pg_temp.wait()"
    )
    seen = threading.Event()
    with _beside() as beside:
        beside.execute("SELECT pg_advisory_lock(%s)", [LOCK])

        def open_it() -> None:
            while not _waits(beside):
                pass
            seen.set()
            beside.execute("SELECT pg_advisory_unlock(%s)", [LOCK])

        opener = threading.Thread(target=open_it, daemon=True)
        opener.start()
        copy_csv(cursor, "copied", ("number",), [PIECE] * 6)
        opener.join(20)
    assert seen.is_set()
    cursor.execute("SELECT count(*) FROM copied")
    assert cursor.fetchone()[0] == 6_000_000


def test_a_row_that_is_refused_is_told_and_the_connection_goes_on(cursor):
    with pytest.raises(psycopg.DataError, match="bigint"), transaction.atomic():
        copy_csv(cursor, "copied", ("number",), [PIECE, b"none\n", PIECE])
    copy_csv(cursor, "copied", ("number",), [b"1\n2\n"])
    cursor.execute("SELECT count(*) FROM copied")
    assert cursor.fetchone()[0] == 2


def test_a_connection_that_breaks_is_told():
    with psycopg.connect(ensure_server()) as broken:
        cursor = broken.cursor()
        cursor.execute("CREATE TEMP TABLE copied (number bigint)")

        def pieces():
            yield PIECE
            with psycopg.connect(ensure_server(), autocommit=True) as beside:
                beside.execute("SELECT pg_terminate_backend(%s, 5000)", [broken.info.backend_pid])
            yield PIECE
            yield PIECE

        with pytest.raises(psycopg.OperationalError):
            copy_csv(cursor, "copied", ("number",), pieces())
