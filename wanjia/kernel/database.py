"""The database: the operator's PostgreSQL by DATABASE_URL, or the embedded server (embedded_server.py); its tables, and rows in bulk."""

import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from typing import Any

from wanjia.kernel import settings
from wanjia.kernel.embedded_server import EmbeddedServer
from wanjia.kernel.errors import WebRoleMissing
from wanjia.kernel.table_files import begin_to_write_out

MINIMUM_VERSION = 150000
#: what the pages' processes become: it may use everything but the vault's table
WEB_ROLE = "wanjia_web"

BINARY_HEADER = b"PGCOPY\n\xff\r\n\0" + bytes(8)
BINARY_TRAILER = b"\xff\xff"

COPY_WRITE_BYTES = 2_000_000

#: PostgreSQL's own limit of processes that help to build one index
INDEX_HELPERS = 2
#: an index is sorted in pieces of this size, and these are merged: quicker than all of it at once in memory that nobody had before
INDEX_SORT_MEMORY = "32MB"

#: any number that no other advisory lock uses
MIGRATION_LOCK = 0x4D494752


def ensure_server(home: Path | None = None, *, again: bool = False) -> str:
    """The URL of a running server: DATABASE_URL if set, else the embedded server of `home`, started if need be.

    `again`: look also where this process looked before, because the server may have died since. Raises `DatabaseUnavailable` with the reason.
    The server lives until the last process that called this has ended.
    """
    if url := settings.database_url():
        return url
    server = EmbeddedServer((home or settings.home()) / "database")
    server.hold(again=again)
    return server.url


def setup_django() -> None:
    """Make Django ready in this process (database started, apps loaded). Cheap when already done."""
    import django
    from django.apps import apps

    if not apps.ready:
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "wanjia.settings")
        django.setup()


def migrate() -> None:
    """Bring the database's tables up to date; quick when they are. Raises `WebRoleMissing` before anything is made.

    One process at a time: of several that meet an empty database the others wait, and find it done.
    """
    from django.core.management import call_command
    from django.db import connection

    setup_django()
    if not _is_behind():
        return
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", [MIGRATION_LOCK])
        try:
            if _is_behind():
                _make_web_role(cursor)
                call_command("migrate", verbosity=0, interactive=False)
        finally:
            # a connection that broke took its lock along
            if connection.is_usable():
                cursor.execute("SELECT pg_advisory_unlock(%s)", [MIGRATION_LOCK])


def _is_behind() -> bool:
    from django.db import connection
    from django.db.migrations.executor import MigrationExecutor

    executor = MigrationExecutor(connection)
    return bool(executor.migration_plan(executor.loader.graph.leaf_nodes()))


def web_role_remedy(cursor: Any) -> str | None:
    """What an administrator must run so that this account may become the pages' role; None when it may."""
    # from 16 on being a member is not enough to become the role
    needed = "SET" if _psycopg_cursor(cursor).connection.info.server_version >= 160000 else "MEMBER"
    cursor.execute(
        "SELECT current_user, (SELECT pg_has_role(current_user, oid, %s) FROM pg_roles WHERE rolname = %s)",
        [needed, WEB_ROLE],
    )
    account, may_become = cursor.fetchone()
    if may_become:
        return None
    making = "" if may_become is not None else f"CREATE ROLE {WEB_ROLE} NOLOGIN; "
    return f'{making}GRANT {WEB_ROLE} TO "{account}";'


def _make_web_role(cursor: Any) -> None:
    """See that the pages' role is there and that this account may become it; an account that may make roles does it itself."""
    from django.db import Error, transaction

    if (remedy := web_role_remedy(cursor)) is None:
        return
    try:
        with transaction.atomic():
            cursor.execute(remedy)
    except Error:
        raise WebRoleMissing(remedy=remedy) from None


def copy_rows(
    cursor: Any, table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]], *, types: Sequence[str] = ()
) -> int:
    """COPY `rows` into `table` (binary when `types`, PostgreSQL type names, are given). Returns how many."""
    names = ", ".join(f'"{column}"' for column in columns)
    how = " (FORMAT BINARY)" if types else ""
    count = 0
    with _psycopg_cursor(cursor).copy(f'COPY "{table}" ({names}) FROM STDIN{how}') as copy:
        if types:
            copy.set_types(list(types))
        for row in rows:
            copy.write_row(row)
            count += 1
    return count


def copy_csv(
    cursor: Any, table: str, columns: Sequence[str], pieces: Iterable[bytes], *, is_anew: bool = False
) -> None:
    """COPY CSV text into `table`, as the engine or Arrow wrote it (no header): several times faster than row by row.

    `is_anew`: the table is one of `filled_anew`.
    """
    _copy_pieces(cursor, table, columns, f"CSV{', FREEZE' if is_anew else ''}", pieces)


def copy_binary(
    cursor: Any, table: str, columns: Sequence[str], pieces: Iterable[bytes], *, is_anew: bool = False
) -> None:
    """COPY rows that are in binary form already (without header and trailer). `is_anew`: the table is one of `filled_anew`.

    Layout: https://www.postgresql.org/docs/current/sql-copy.html
    """
    framed = chain([BINARY_HEADER], pieces, [BINARY_TRAILER])
    _copy_pieces(cursor, table, columns, f"BINARY{', FREEZE' if is_anew else ''}", framed)


def _copy_pieces(cursor: Any, table: str, columns: Sequence[str], how: str, pieces: Iterable[bytes]) -> None:
    names = ", ".join(f'"{column}"' for column in columns)
    psycopg_cursor = _psycopg_cursor(cursor)
    with (
        _large_writes(psycopg_cursor) as writer,
        psycopg_cursor.copy(f'COPY "{table}" ({names}) FROM STDIN (FORMAT {how})', writer=writer) as copy,
    ):
        for piece in pieces:
            copy.write(piece)


@contextmanager
def _large_writes(cursor: Any) -> Iterator[Any]:
    """A writer that hands each piece to the driver's library whole, which waits for the server by itself.

    The usual one goes through Python for every 128 KB, and each time has to wait for its turn beside a thread that computes; meanwhile the library
    moves what it could not send yet to and fro. A gigabyte takes it twice the time.
    """
    from psycopg.copy import LibpqWriter

    connection = cursor.connection.pgconn
    send = _sender(connection)

    class Writer(LibpqWriter):
        def write(self, data: Any) -> None:
            whole = memoryview(data)
            for start in range(0, len(whole), COPY_WRITE_BYTES):
                send(whole[start : start + COPY_WRITE_BYTES])

    usual = connection.nonblocking
    connection.nonblocking = 0
    try:
        yield Writer(cursor)
    finally:
        connection.nonblocking = usual


def _sender(connection: Any) -> Callable[[memoryview], None]:
    """What gives a piece of COPY to the server and waits until it is taken, while other threads go on.

    The driver's compiled part calls libpq with Python's lock held, so that nobody computes while the server is busy. Here the same function of the
    same library is called without it: it is looked up in what the driver's module is linked with. (The driver's part in Python does so by itself.)
    """
    import ctypes

    import pyarrow as pa
    from psycopg import OperationalError

    try:
        put = ctypes.CDLL(sys.modules[type(connection).__module__].__file__).PQputCopyData
    except (OSError, AttributeError):
        return connection.put_copy_data
    put.argtypes, put.restype = (ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int), ctypes.c_int

    def send(piece: memoryview) -> None:
        held = pa.py_buffer(piece)
        if put(connection.pgconn_ptr, held.address, held.size) < 0:
            raise OperationalError(connection.get_error_message())

    return send


@contextmanager
def filled_anew(
    cursor: Any, *tables: str, between: Callable[[], None] | None = None, in_order: bool = False
) -> Iterator[None]:
    """The tables are emptied; inside the block they have no indexes, keys and triggers, which come back afterwards, built in one go and so checked.

    Inside one transaction: it locks the tables against everybody. CHECK constraints stay. Because the tables are emptied in the transaction
    that fills them, PostgreSQL writes no log of their rows where no replica needs one (wal_level minimal): it syncs the tables before the
    commit instead, and a crash leaves them as they were. COPY may write rows frozen (`is_anew`): no later pass has to touch them.

    `between` is called before each index or key is built: other rows may wait to be written. `in_order`: rows come in the order of every index and
    key, which then stay and grow at their ends. For a large table that takes no longer than building them, and its rows need not be read again.
    """
    again: list[str] = []
    # what is synced before the commit is on its way to the disk by then, and nobody waits for all of it at once
    cursor.execute("SET LOCAL backend_flush_after = '2MB'")
    # one processor is for us, who make the next rows meanwhile, one for the connection; a helper would take ours, and a shared sort costs more
    spare = min(INDEX_HELPERS, max(0, settings.threads() - 2))
    cursor.execute(f"SET LOCAL max_parallel_maintenance_workers = {spare}")
    cursor.execute(f"SET LOCAL maintenance_work_mem = '{INDEX_SORT_MEMORY}'")
    for table in tables:
        cursor.execute(f'TRUNCATE "{table}"')
        if not in_order:
            again += _without_indexes(cursor, table)
        # row-level security that is forced on the owner too forbids COPY; the table is locked against everybody until it is back
        cursor.execute("SELECT relforcerowsecurity FROM pg_class WHERE oid = %s::regclass", [table])
        if cursor.fetchone()[0]:
            cursor.execute(f'ALTER TABLE "{table}" NO FORCE ROW LEVEL SECURITY')
            again.append(f'ALTER TABLE "{table}" FORCE ROW LEVEL SECURITY')
        cursor.execute(f'ALTER TABLE "{table}" DISABLE TRIGGER USER')
        again.append(f'ALTER TABLE "{table}" ENABLE TRIGGER USER')
    yield
    for statement in again:
        if between is not None:
            between()
        cursor.execute(statement)
    for table in tables:
        begin_to_write_out(cursor, table)


def _without_indexes(cursor: Any, table: str) -> list[str]:
    """Take the keys, constraints and indexes of a table away. Returns the statements that make them again."""
    again = []
    cursor.execute(
        "SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = %s::regclass AND contype IN ('p', 'u', 'x', 'f')",
        [table],
    )
    for name, definition in cursor.fetchall():
        cursor.execute(f'ALTER TABLE "{table}" DROP CONSTRAINT "{name}"')
        again.append(f'ALTER TABLE "{table}" ADD CONSTRAINT "{name}" {definition}')
    cursor.execute(
        "SELECT indexrelid::regclass::text, pg_get_indexdef(indexrelid) FROM pg_index WHERE indrelid = %s::regclass",
        [table],
    )
    for name, definition in cursor.fetchall():
        cursor.execute(f"DROP INDEX {name}")
        again.append(definition)
    return again


def id_array(ids: Iterable[int]) -> str:
    """`ids` as PostgreSQL writes an array, to stand before `::bigint[]`.

    The driver writes lists value by value, by looking up each value's type: of thousands of ids that takes longer than the query about them.
    """
    return "{" + ",".join(map(str, ids)) + "}"


def bytes_array(values: Iterable[bytes]) -> str:
    """The same for bytes, to stand before `::bytea[]`."""
    return "{" + ",".join(f'"\\\\x{value.hex()}"' for value in values) + "}"


def _psycopg_cursor(cursor: Any) -> Any:
    """The psycopg cursor under a Django cursor (or the cursor itself)."""
    return getattr(cursor, "cursor", cursor)
