"""After a restart of the server a command looks at the log itself, and reads; after the log was made shorter it does not."""

import subprocess
import sys

import pytest

from tests.store.trace.faults.installation import FINISH, Installed

pytestmark = [pytest.mark.heavy, pytest.mark.timeout(300)]

SHORTEN = """
from wanjia.kernel.database import setup_django
setup_django()
from django.db import connection
with connection.cursor() as cursor:
    cursor.execute("SET session_replication_role = replica")
    cursor.execute("DELETE FROM trace_checkpoint")
    cursor.execute("DELETE FROM trace_place")
"""


def test_commands_read_after_a_restart_but_not_from_a_shorter_log(tmp_path):
    installed = Installed(tmp_path / "home")
    installed.prepare()
    installed.start_sequencer()
    installed.start_reader("reader")
    installed.wait_for_growth(0, 3, 60)
    installed.stop()
    assert installed.size() > 0

    def opened() -> str:
        done = subprocess.run(
            [sys.executable, "-m", "wanjia", "register", "show", "1"], env=installed.environment, capture_output=True, text=True, check=False
        )  # fmt: skip
        return done.stderr

    # the register holds nobody here, only the vault does: that is found out after the entry was let in
    for _ in range(2):
        assert "REGISTER-002" in opened()
    installed.do(FINISH)
    installed.do(SHORTEN)
    assert "TRACE-003" in opened()
