"""Whole runs in homes of their own, each with its own embedded server, driven by the command line as a user would."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest


class Installation:
    """One WANJIA_HOME and what a user types at it."""

    def __init__(self, home: Path, city: Path, temporary: Path) -> None:
        self.home, self.city = home, city
        temporary.mkdir(exist_ok=True)
        self.environment = {
            **{k: v for k, v in os.environ.items() if k not in ("DATABASE_URL", "WANJIA_DECLARED")},
            "WANJIA_HOME": str(home),
            "WANJIA_SOCIAL_INSURANCE_URL": f"sqlite:///{city / 'databases' / 'social_insurance.sqlite'}",
            "TMPDIR": str(temporary),
            "LANG": "C.UTF-8",
        }

    def start(self, *arguments: str) -> subprocess.Popen:
        """Start `wanjia …` in a process group of its own."""
        return subprocess.Popen(
            [sys.executable, "-m", "wanjia", *arguments], env=self.environment, text=True, start_new_session=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip

    def wanjia(self, *arguments: str, ends: tuple[int, ...] = (0,)) -> str:
        """Run `wanjia …` to its end; its stdout. Fails unless the exit code is one of `ends`."""
        process = self.start(*arguments)
        out, err = process.communicate(timeout=600)
        assert process.returncode in ends, f"exit {process.returncode}\n{out[-3000:]}\n{err[-3000:]}"
        assert "Traceback" not in err, err[-3000:]
        return out

    def run(self, inbox: Path | None = None) -> dict:
        """The main job over `inbox` (the city's own by default): its report."""
        return json.loads(
            self.wanjia("run", "--inbox", str(inbox or self.city / "inbox"), "--format", "json", ends=(0, 3))
        )

    def digest(self) -> str:
        """The digest of the register state."""
        return json.loads(self.wanjia("register", "digest", "--format", "json"))["digest"]


@pytest.fixture(scope="session")
def city(tmp_path_factory) -> Path:
    """A fictional city of 2,000, made once."""
    folder = tmp_path_factory.mktemp("city")
    made = subprocess.run(
        [sys.executable, "-m", "wanjia", "city", "make", "--residents", "2000", "--seed", "7", "--out", str(folder)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert made.returncode == 0, made.stderr
    return folder


@pytest.fixture
def installation(tmp_path, city):
    """A fresh installation."""
    return Installation(tmp_path / "home", city, tmp_path / "tmp")


@pytest.fixture
def another(tmp_path, city):
    """A second fresh installation, to compare with."""
    return Installation(tmp_path / "other", city, tmp_path / "tmp2")
