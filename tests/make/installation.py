"""A whole installation in a home of its own, with its own embedded server, driven by the command line as a user would."""

import json
import os
import signal
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any


def noon_now() -> str:
    """A time zone in which it is about noon, so that no day begins between two runs that are compared: people would be a day older."""
    # its names say how far Greenwich is ahead
    return f"Etc/GMT{datetime.now(UTC).hour - 12:+d}"


class Installation:
    """One WANJIA_HOME and what a user types at it."""

    def __init__(self, home: Path, city: Path, temporary: Path) -> None:
        self.home, self.city = home, city
        self._started: list[subprocess.Popen] = []
        temporary.mkdir(exist_ok=True)
        self.environment = {
            **{k: v for k, v in os.environ.items() if k not in ("DATABASE_URL", "WANJIA_DECLARED")},
            "WANJIA_HOME": str(home),
            "WANJIA_SOCIAL_INSURANCE_URL": f"sqlite:///{city / 'databases' / 'social_insurance.sqlite'}",
            "TMPDIR": str(temporary),
            "LANG": "C.UTF-8",
            "WANJIA_TIME_ZONE": noon_now(),
        }

    def start(self, *arguments: str) -> subprocess.Popen:
        """Start `wanjia …` in a process group of its own."""
        process = subprocess.Popen(
            [sys.executable, "-m", "wanjia", *arguments], env=self.environment, text=True, start_new_session=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip
        self._started.append(process)
        return process

    def stop(self) -> None:
        """Kill what a test that failed half-way left running."""
        for process in self._started:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.communicate()

    def wanjia(self, *arguments: str, ends: tuple[int, ...] = (0,)) -> str:
        """Run `wanjia …` to its end; its stdout. Fails unless the exit code is one of `ends`."""
        process = self.start(*arguments)
        out, err = process.communicate(timeout=600)
        assert process.returncode in ends, f"exit {process.returncode}\n{out[-3000:]}\n{err[-3000:]}"
        assert "Traceback" not in err, err[-3000:]
        return out

    def run(self, inbox: Path | None = None, *, engine: str = "duckdb") -> dict:
        """The main job over `inbox` (the city's own by default) on an engine: its report."""
        chosen = ["--engine", engine, "--inbox", str(inbox or self.city / "inbox")]
        return json.loads(self.wanjia("run", *chosen, "--format", "json", ends=(0, 3)))

    def told(self, script: str) -> Any:
        """What a Python script in this installation prints as JSON. Fails unless it ends well."""
        done = subprocess.run(
            [sys.executable, "-c", script], env=self.environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr[-3000:]
        return json.loads(done.stdout)

    def digest(self) -> str:
        """The digest of the register state."""
        return json.loads(self.wanjia("register", "digest", "--format", "json"))["digest"]


def make_city(folder: Path, *, residents: int) -> Path:
    """A fictional city in `folder`, by the command line."""
    made = subprocess.run(
        [sys.executable, "-m", "wanjia", "city", "make", "--residents", str(residents), "--seed", "7", "--out", str(folder)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert made.returncode == 0, made.stderr
    return folder
