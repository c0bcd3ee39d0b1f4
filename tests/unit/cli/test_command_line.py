"""The command line: hints, exit codes, and a reference page that says what the commands say."""

import json
import os
import subprocess
import sys
from pathlib import Path

from tools import write_commands

ROOT = Path(__file__).resolve().parents[3]


def wanjia(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "wanjia", *arguments], capture_output=True, text=True, cwd=ROOT, check=False
    )


def test_a_misspelt_command_is_a_usage_error_with_a_hint():
    done = wanjia("docter")
    assert done.returncode == 2
    assert "Did you mean 'doctor'?" in done.stderr
    assert done.stdout == ""


def test_a_wrong_option_and_a_missing_folder_are_usage_errors():
    assert wanjia("run", "--inbocks", "x").returncode == 2
    done = wanjia("run", "--inbox", "/nowhere/at/all")
    assert done.returncode == 2
    assert "does not exist" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_doctor_looks_at_everything(tmp_path):
    from wanjia.kernel.database import ensure_server

    done = subprocess.run(
        [sys.executable, "-m", "wanjia", "doctor", "--format", "json"],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "DATABASE_URL": ensure_server(), "WANJIA_HOME": str(tmp_path)},
    )
    assert "Traceback" not in done.stderr
    checks = {check["name"]: check for check in json.loads(done.stdout)["checks"]}
    for name in ("python", "database", "web role", "profile", "engine"):
        assert checks[name]["is_well"], checks[name]
    assert done.returncode == any(check["is_needed"] and not check["is_well"] for check in checks.values())


def test_the_reference_page_is_what_the_commands_say():
    assert write_commands.page() == write_commands.PAGE.read_text(encoding="utf-8"), (
        "run: python tools/write_commands.py"
    )
