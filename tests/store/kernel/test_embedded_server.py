"""The embedded server: started by whoever comes first, stopped by whoever leaves last, whatever was killed in between."""

import os
import signal
import subprocess
import sys
import time

import psycopg
import pytest

SHOW_POSTMASTER = """
import sys, psycopg
from wanjia.kernel.database import ensure_server
url = ensure_server()
with psycopg.connect(url) as c:
    c.execute("CREATE TABLE IF NOT EXISTS kept (n int)")
    c.execute("INSERT INTO kept VALUES (1)")
    c.commit()
    print(url, c.execute("SELECT count(*) FROM kept").fetchone()[0], flush=True)
if "wait" in sys.argv:
    sys.stdin.read()
"""


def start(home, *arguments):
    environment = {**os.environ, "WANJIA_HOME": str(home)}
    environment.pop("DATABASE_URL", None)
    return subprocess.Popen(
        [sys.executable, "-c", SHOW_POSTMASTER, *arguments],
        env=environment,
        text=True,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def first_line(process):
    line = process.stdout.readline().split()
    assert line, process.stderr.read()
    return line[0], int(line[1])


def is_up(url):
    try:
        psycopg.connect(url).close()
    except psycopg.OperationalError:
        return False
    return True


def postmaster(home):
    return int((home / "database" / "cluster" / "postmaster.pid").read_text().splitlines()[0])


def wait_until_gone(pid):
    for _ in range(100):
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return
        if "State:\tZ" in open(f"/proc/{pid}/status").read():
            return
        time.sleep(0.1)
    pytest.fail("the server did not end")


@pytest.mark.heavy
def test_the_server_outlives_killed_parents_and_stale_locks(tmp_path):
    first = start(tmp_path, "wait")
    url, rows = first_line(first)
    assert rows == 1

    second = start(tmp_path, "wait")
    assert first_line(second) == (url, 2)

    first.send_signal(signal.SIGKILL)
    first.wait()
    assert is_up(url), "somebody still uses it"

    second.send_signal(signal.SIGKILL)
    second.wait()
    server = postmaster(tmp_path)
    os.kill(server, signal.SIGKILL)
    wait_until_gone(server)
    assert (tmp_path / "database" / "cluster" / "postmaster.pid").exists(), "a stale lock file stays behind"

    third = start(tmp_path)
    assert first_line(third) == (url, 3), "what was committed before the kills is there"
    third.communicate()
    assert not is_up(url), "the last one to leave stops it"
    assert not os.path.exists(url.partition("host=")[2]), "and takes its socket's folder along"
