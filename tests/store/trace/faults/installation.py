"""An installation of its own (home, embedded server, sequencer, readers), driven as separate processes so that they can be killed."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

PERSONS = 40

PREPARE = f"""
from datetime import UTC, datetime
import pyarrow as pa
from wanjia.kernel.database import migrate, setup_django
setup_django(); migrate()
from django.db import transaction
from wanjia.privacy import api
ids = list(range(1, {PERSONS} + 1))
written = [f"GA02=0p{{api.DOSSIER_PART}}0000{{api.DOSSIER_FIELD}}police_register{{api.DOSSIER_FIELD}}k{{api.DOSSIER_FIELD}}self"
           f"{{api.DOSSIER_FIELD}}2024-01-01{{api.DOSSIER_FIELD}}GA02=王伟{{api.DOSSIER_PART}}4" for _ in ids]
with transaction.atomic():
    api.keep_dossiers([pa.table({{"person_id": pa.array(ids, pa.int64()), "dossier": written}})],
                      at=datetime(2026, 1, 1, tzinfo=UTC))
"""

# reads one person after another; a read that was answered is acknowledged in a file, one number a line
READER = f"""
import os, sys, time
from wanjia.kernel.database import setup_django
setup_django()
from django.db import Error, connection
from wanjia.kernel.errors import WanjiaError
from wanjia.privacy import api
name, acks = sys.argv[1], os.open(sys.argv[2], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
number = 0
while True:
    number += 1
    try:
        value = api.open_person(number % {PERSONS} + 1, by=name, why=f"read:{{number}}").value("GA02")
    except (Error, WanjiaError) as refused:
        os.write(acks, b"refused %s\\n" % getattr(refused, "code", type(refused).__name__).encode())
        connection.close()
        time.sleep(0.05)
        continue
    assert value == "王伟"
    os.write(acks, b"%d\\n" % number)
    time.sleep(float(sys.argv[3]))
"""

# what a worker does to the log: bulk work, each a job entry in a transaction of its own
WORKER = """
import os, sys, time
from wanjia.kernel.database import setup_django
setup_django()
from django.db import Error, connection, transaction
from wanjia.trace import api
acks = os.open(sys.argv[2], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
number = 0
while True:
    number += 1
    try:
        with transaction.atomic():
            api.record_job("test.job", persons=range(number % 3000), by=sys.argv[1], why=f"job:{number}")
        os.write(acks, b"%d\\n" % number)
    except Error:
        connection.close()
    time.sleep(0.05)
"""

FINISH = """
import json, sys
from wanjia.kernel.database import setup_django
setup_django()
from django.db import connection
from wanjia.trace import api
while api.Sequencer().step() is not None:
    pass
with connection.cursor() as cursor:
    cursor.execute("SELECT actor, purpose, p.seq FROM trace_entry e LEFT JOIN trace_place p ON p.entry_id = e.id WHERE kind <> 'trace.self_check'")
    rows = cursor.fetchall()
print(json.dumps({"entries": rows, "wrong": api.self_check(by="t", why="t"), "public": str(api.public_folder())}))
"""


class Installed:
    """One home with everything that runs in it."""

    def __init__(self, home: Path) -> None:
        self.home = home
        home.mkdir(parents=True, exist_ok=True)
        self.environment = {
            **{k: v for k, v in os.environ.items() if k not in ("DATABASE_URL", "WANJIA_TRACE_WITNESSES")},
            "WANJIA_HOME": str(home),
            "PYTHONPATH": str(Path(__file__).parents[4]),
            "DJANGO_SETTINGS_MODULE": "wanjia.settings",
        }
        self.running: dict[str, subprocess.Popen] = {}
        self.names = 0

    def do(self, program: str, *arguments: str) -> str:
        """Run a program to its end; its stdout."""
        done = subprocess.run(
            [sys.executable, "-c", program, *arguments], env=self.environment, capture_output=True, text=True, check=False, timeout=880
        )  # fmt: skip
        assert done.returncode == 0, done.stderr[-3000:]
        return done.stdout

    def prepare(self) -> None:
        """Make database and vault, in a process that then keeps the server up."""
        waits = "\nimport pathlib, sys, time; pathlib.Path(sys.argv[1]).touch(); time.sleep(3600)"
        ready = self.home / "ready"
        self.running["holder"] = self._start("-c", PREPARE + waits, str(ready))
        deadline = time.monotonic() + 180
        while not ready.exists():
            assert self.running["holder"].poll() is None, (self.home / "log").read_text()[-3000:]
            assert time.monotonic() < deadline, "not ready"
            time.sleep(0.1)

    def start_sequencer(self) -> None:
        self.running["sequencer"] = self._start("-m", "wanjia", "trace", "sequence")

    def start_reader(self, role: str, *, pause: float = 0.005, program: str = READER) -> None:
        """A reader (or worker) under a name of its own: its acknowledgements are in `acks/<name>`."""
        self.names += 1
        name = f"{role}-{self.names}"
        (self.home / "acks").mkdir(exist_ok=True)
        self.running[role] = self._start("-c", program, name, str(self.home / "acks" / name), str(pause))

    def _start(self, *arguments: str) -> subprocess.Popen:
        return subprocess.Popen(
            [sys.executable, *arguments], env=self.environment, stdout=subprocess.DEVNULL, stderr=open(self.home / "log", "a"),
        )  # fmt: skip

    def kill(self, role: str) -> None:
        self.running[role].send_signal(signal.SIGKILL)
        self.running.pop(role).wait()

    def postmaster(self) -> int:
        return int((self.home / "database/cluster/postmaster.pid").read_text().split()[0])

    def backends(self) -> list[int]:
        """The server's processes that serve somebody."""
        mother, found = self.postmaster(), []
        for folder in Path("/proc").iterdir():
            if folder.name.isdigit():
                try:
                    parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
                    line = (folder / "cmdline").read_bytes()
                except OSError:
                    continue
                if parent == mother and line.startswith(b"postgres: wanjia"):
                    found.append(int(folder.name))
        return found

    def acknowledged(self) -> set[tuple[str, int]]:
        """(reader, number) of everything that was answered."""
        return {
            (path.name, int(line))
            for path in (self.home / "acks").iterdir()
            for line in path.read_text().splitlines()
            if line.isdigit()
        }

    def refusals(self) -> list[str]:
        return [
            line.split()[1]
            for path in (self.home / "acks").iterdir()
            for line in path.read_text().splitlines()
            if line.startswith("refused")
        ]

    def size(self) -> int:
        """How many entries the published checkpoint has."""
        try:
            return int((self.home / "trace/public/checkpoint").read_text().split("\n")[1])
        except OSError:
            return 0

    def wait_for_growth(self, beyond: int, acks_beyond: int, seconds: float = 30) -> float:
        """Until the published log and the answered reads have grown; how long it took. Fails after `seconds`."""
        began = time.monotonic()
        while time.monotonic() - began < seconds:
            if self.size() > beyond and len(self.acknowledged()) > acks_beyond:
                return time.monotonic() - began
            time.sleep(0.05)
        raise AssertionError(f"not back after {seconds} s: {(self.home / 'log').read_text()[-2000:]}")

    def stop(self) -> None:
        for process in self.running.values():
            process.kill()
            process.wait()
        self.running = {}

    def finish(self) -> dict:
        """Stop everything, publish what waits, and tell what the log holds."""
        self.stop()
        return json.loads(self.do(FINISH))
