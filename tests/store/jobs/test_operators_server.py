"""The whole job and the pages on an operator's own server: Debian's PostgreSQL 15, an account that is no superuser, a password over TCP."""

import contextlib
import json
import os
import pwd
import re
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pyarrow.parquet as pq
import pytest

from bench.visitor import Visitor

pytestmark = [pytest.mark.heavy, pytest.mark.timeout(600)]

BINARIES = Path("/usr/lib/postgresql/15/bin")
ACCOUNTS = "from wanjia.kernel.database import migrate; migrate(); from wanjia.access import api;" \
           "print(*(f'{a.username} {a.password}' for a in api.make_demo_accounts()), sep=chr(10))"  # fmt: skip


@dataclass(frozen=True)
class Operator:
    """A running server: the administrator's address, and the words its log must not hold."""

    port: int
    password: str
    log: Path

    def url(self, user: str, password: str, name: str) -> str:
        return f"postgresql://{user}:{password}@127.0.0.1:{self.port}/{name}"

    def administer(self, *statements: str, name: str = "postgres") -> None:
        with psycopg.connect(self.url("postgres", self.password, name), autocommit=True) as connection:
            for statement in statements:
                connection.execute(statement)


@pytest.fixture
def operator() -> Iterator[Operator]:
    """A cluster as `pg_createcluster` leaves it (scram passwords), in a folder and on a port of its own."""
    if not (BINARIES / "initdb").exists():
        pytest.skip("Debian's PostgreSQL 15 is not installed: apt-get install postgresql")
    folder = Path(tempfile.mkdtemp(prefix="wanjia-operator-"))
    as_owner: list[str] = []
    if os.geteuid() == 0:
        owner = pwd.getpwnam("postgres")
        os.chown(folder, owner.pw_uid, owner.pw_gid)
        as_owner = ["setpriv", f"--reuid={owner.pw_uid}", f"--regid={owner.pw_gid}", "--clear-groups", "--"]

    def run(program: str, *arguments: str) -> None:
        done = subprocess.run(
            [*as_owner, str(BINARIES / program), *arguments], cwd="/", stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, check=False, timeout=120,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr

    password = secrets.token_urlsafe(12)
    (folder / "password").write_text(password)
    (folder / "password").chmod(0o644)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    cluster, log = folder / "cluster", folder / "server.log"
    run("initdb", "-D", str(cluster), "-U", "postgres", "--auth=scram-sha-256", f"--pwfile={folder / 'password'}",
        "--encoding=UTF8", "--locale=C.UTF-8", "--no-instructions")  # fmt: skip
    # what docs/how-to/run-elsewhere.md asks of an operator's configuration
    quiet = "-c log_min_error_statement=panic -c log_parameter_max_length_on_error=0 -c log_error_verbosity=terse"
    run("pg_ctl", "-D", str(cluster), "-s", "-w", "-l", str(log), "-o", f"-p {port} -k {folder} {quiet}", "start")
    try:
        yield Operator(port, password, log)
    finally:
        run("pg_ctl", "-D", str(cluster), "-s", "-m", "fast", "-w", "stop")
        shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def served(installation) -> Iterator[str]:
    """`wanjia serve`, with the worker; its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = installation.start("serve", "--port", str(port))
    try:
        for _ in range(240):
            assert server.poll() is None, server.communicate()[1][-3000:]
            with contextlib.suppress(OSError):
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                break
            time.sleep(0.25)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.communicate(timeout=60)


def passwords(installation) -> dict[str, str]:
    made = subprocess.run(
        [sys.executable, "-c", ACCOUNTS], env=installation.environment, capture_output=True, text=True, check=False
    )
    assert made.returncode == 0, made.stderr[-3000:]
    return dict(line.split() for line in made.stdout.splitlines())


def test_the_whole_job_and_the_pages(operator, installation, another):
    # as docs/how-to/run-elsewhere.md tells the administrator: the account owns its database and can make nothing else
    operator.administer(
        "CREATE ROLE wanjia LOGIN PASSWORD 'a b/c@d'",
        "CREATE ROLE wanjia_web NOLOGIN",
        "GRANT wanjia_web TO wanjia",
        "CREATE DATABASE register OWNER wanjia",
    )
    installation.environment["DATABASE_URL"] = operator.url("wanjia", "a%20b%2Fc%40d", "register")
    checks = json.loads(installation.wanjia("doctor", "--format", "json", ends=(0, 1)))
    database = next(check for check in checks["checks"] if check["name"] == "database")
    assert database["is_well"], database
    assert "DATABASE_URL, PostgreSQL 15." in database["found"], database

    report = installation.run()
    assert not (installation.home / "database").exists(), "no embedded server beside the operator's"
    embedded = another.run()
    assert report["linkage"]["persons"] == embedded["linkage"]["persons"] > 1000
    assert installation.digest() == another.digest(), "the register is the same on either server"
    assert installation.run()["is_unchanged"]
    installation.wanjia("register", "rebuild")

    known = passwords(installation)
    with served(installation) as url:
        seen = {}
        for user, addresses in {
            "steward": ["/steward/runs/", "/steward/quarantine/", "/steward/scorecards/", "/steward/findings/", "/steward/linkage/"],
            "planner": ["/planner/population/", "/planner/pyramid/"],
            "auditor": ["/auditor/trace/"],
        }.items():  # fmt: skip
            visitor = Visitor(url)
            visitor.log_in(user, known[user])
            for address in addresses:
                answer = visitor.get(address)
                assert answer.status == 200, address
                seen[address] = answer.text
            visitor.close()
        assert f"{report['register']['register_person.begun']:,}" in seen["/steward/runs/"]
        _an_officer_opens_a_person(url, known["officer"], installation.city)
    said = operator.log.read_text()
    assert "STATEMENT:" not in said
    assert "DETAIL:" not in said


def _an_officer_opens_a_person(url: str, password: str, city: Path) -> None:
    """Find by number, open, and the pages' own database role has opened the vault by its one way in."""
    persons = pq.read_table(city / "truth" / "persons.parquet", columns=["name", "number"]).to_pylist()
    officer = Visitor(url)
    officer.log_in("officer", password)
    for person in [p for p in persons if p["number"] and p["name"]][:20]:
        asked = {"query": person["number"], "birth_year": "", "purpose": "case", "case": "1"}
        hits = officer.send("/officer/find/", officer.get("/officer/find/"), **asked)
        assert hits.status == 200
        if found := re.search(r'action="(/officer/persons/\d+/)"', hits.text):
            break
    assert found, "nobody of twenty is found by number"
    shown = officer.send(found[1], hits, purpose="case", case="1")
    assert shown.status == 200
    assert person["name"] in shown.text
    officer.close()


def test_an_account_that_may_make_roles_needs_no_administrator(operator, installation):
    operator.administer("CREATE ROLE maker LOGIN CREATEROLE PASSWORD 'p'", "CREATE DATABASE made OWNER maker")
    installation.environment["DATABASE_URL"] = operator.url("maker", "p", "made")
    known = passwords(installation)
    with served(installation) as url:
        steward = Visitor(url)
        steward.log_in("steward", known["steward"])
        assert steward.get("/steward/runs/").status == 200
        steward.close()


def test_without_the_web_role_it_says_what_to_do_before_anything_is_made(operator, installation):
    operator.administer(
        "CREATE ROLE plain LOGIN PASSWORD 'p'", "CREATE DATABASE plainly OWNER plain", "CREATE ROLE wanjia_web NOLOGIN"
    )
    url = installation.environment["DATABASE_URL"] = operator.url("plain", "p", "plainly")
    refused = installation.start("run")
    _, err = refused.communicate(timeout=120)
    assert refused.returncode == 1
    assert 'GRANT wanjia_web TO "plain";' in err
    assert "Traceback" not in err
    checks = json.loads(installation.wanjia("doctor", "--format", "json", ends=(1,)))
    role = next(check for check in checks["checks"] if check["name"] == "web role")
    assert not role["is_well"]
    assert role["remedy"] in err
    with psycopg.connect(url) as connection:
        assert connection.execute("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'").fetchone() == (0,)

    operator.administer(role["remedy"])
    installation.wanjia("intake", "list")
    installation.wanjia("doctor", ends=(0,))
