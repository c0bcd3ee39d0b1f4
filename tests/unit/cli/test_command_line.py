"""The command line: hints, exit codes, and a reference page that says what the commands say."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

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


@pytest.mark.parametrize(
    ("command", "code"),
    [("sys.exit(3)", 3), ("sys.exit()", 0), ("None", 0), ("sys.exit('one sentence')", 1), ("1 / 0", 1)],
)
def test_the_end_of_the_process_keeps_the_exit_code_and_what_was_said(command, code):
    """What is registered for the end runs, what is still in the pipes arrives, and nothing that Python holds is taken apart in an orderly end."""
    program = f"""
import atexit, sys
from wanjia import cli
class Held:
    def __del__(self): print("taken apart", flush=True)
held = Held()
def command(**_):
    print("said")
    atexit.register(print, "put in order")
    {command}
cli._wanjia = command
cli.main()
"""
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert ended.returncode == code
    is_orderly = "sentence" not in command and "1 / 0" not in command
    assert ended.stdout.split("\n")[:-1] == ["said", "put in order"] + ["taken apart"] * (not is_orderly)
    assert ("one sentence" in ended.stderr) == ("sentence" in command)
    assert ("ZeroDivisionError" in ended.stderr) == ("/" in command)


def test_output_that_cannot_be_written_is_no_success():
    """A full disk shows at the end, when the last output is written."""
    program = "from wanjia import cli; cli._wanjia = lambda **_: print('said'); cli.main()"
    kept_back = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    with open("/dev/full", "w") as full:
        ended = subprocess.run(
            [sys.executable, "-c", program], stdout=full, stderr=subprocess.PIPE, text=True, env=kept_back
        )
    assert ended.returncode == 120
    assert "No space left" in ended.stderr
