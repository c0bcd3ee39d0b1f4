"""A failing write, fsync, rename, … at every system call of the sequencer and the export leaves a log that verifies (the way Tessera is tested)."""

import json
import shutil
from pathlib import Path

import pytest

from tests.store.trace.faults.installation import Installed

pytestmark = [pytest.mark.heavy, pytest.mark.timeout(900)]


def test_the_log_verifies_after_a_failure_at_every_system_call(tmp_path):
    assert shutil.which("strace"), "apt-get install strace"
    installed = Installed(tmp_path / "home")
    told = json.loads(
        installed.do(Path(__file__).with_name("failing_calls.py").read_text(), str(tmp_path / "strace.txt"))
    )
    print(f"\n{told}")
    assert told["wrong"] == []
    assert told["calls"]["fsync"] >= 4
    assert told["calls"]["rename"] >= 3
    assert told["calls"]["sendto"] >= 5
    assert told["failed"] > 30, "the failures were not felt: were they injected?"
