"""A database of its own, with real commits: three processes make its tables at once, and a read whose entry cannot be committed returns nothing."""

import json
import os
import subprocess
import sys
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest

from wanjia.kernel.database import ensure_server

pytestmark = [pytest.mark.heavy, pytest.mark.timeout(200)]

MIGRATE = "from wanjia.kernel.database import migrate; migrate()"
#: the three reads of the register that are more than one statement: each is tried with a commit that fails, then with one that does not
READS = """
import json
from wanjia.kernel.database import setup_django
setup_django()
from django.db import Error, connection, transaction
from wanjia.access.api import SearchScope
from wanjia.register import api

WHO = {"by": "t", "why": "t"}
READS = {
    "register.as_of": lambda: api.as_of([1], **WHO),
    "register.find_persons": lambda: api.find_persons(api.Sought(), scope=SearchScope(area=""), **WHO),
    "register.household_members": lambda: api.household_members(1, **WHO),
}
with connection.cursor() as cursor:
    cursor.execute("INSERT INTO register_person (id, founded_at, is_sealed) VALUES (1, now(), false)")
    cursor.execute("INSERT INTO register_personstate (person_id, sex, valid, known, sole) VALUES (1, '2', '[2000-01-01,)', '[2000-01-01,)', true)")
    cursor.execute("CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'disk full'; END $$")
told = {}
for kind, read in READS.items():
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE CONSTRAINT TRIGGER fails AFTER INSERT ON trace_entry DEFERRABLE INITIALLY DEFERRED"
            " FOR EACH ROW EXECUTE FUNCTION fail()"
        )
    said = []
    try:
        said.append(str(read()))
    except Error as error:
        said.append(str(error).splitlines()[0])
    with connection.cursor() as cursor:
        cursor.execute("DROP TRIGGER fails ON trace_entry")
    said.append(len(str(read())) > 0)
    other = connection.copy()
    with other.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM trace_entry WHERE kind = %s", [kind])
        said.append(cursor.fetchone()[0])
    other.close()
    try:
        with transaction.atomic():
            read()
    except RuntimeError:
        said.append("refused inside a transaction")
    told[kind] = said
print(json.dumps(told))
"""


def run(script: str, url: str) -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, "-c", script], env={**os.environ, "DATABASE_URL": url}, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )  # fmt: skip


@pytest.fixture(scope="module")
def url():
    """A new, empty database on this run's server, whose tables three processes have made at once."""
    server = ensure_server()
    name = f"fresh_{os.getpid()}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"')
    parts = urlsplit(server)
    fresh = urlunsplit(parts._replace(path=f"/{name}"))
    processes = [run(MIGRATE, fresh) for _ in range(3)]
    ends = [process.communicate(timeout=150) for process in processes]
    assert [process.returncode for process in processes] == [0, 0, 0], ends
    yield fresh
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


def test_processes_that_meet_an_empty_database_make_its_tables_once(url):
    with psycopg.connect(url) as connection:
        count, different, running = connection.execute(
            "SELECT count(*), count(DISTINCT (app, name)), (SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND database ="
            " (SELECT oid FROM pg_database WHERE datname = current_database())) FROM django_migrations"
        ).fetchone()
    assert count == different > 30
    assert running == 0, "a lock was left behind"


def test_no_data_without_a_committed_entry(url):
    process = run(READS, url)
    out, err = process.communicate(timeout=100)
    assert process.returncode == 0, err
    for kind, said in json.loads(out).items():
        assert said == ["disk full", True, 1, "refused inside a transaction"], (kind, said)
