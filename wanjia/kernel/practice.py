"""The practice register: a home of its own beside the register in earnest, marked so that nothing in it can be taken for real."""

import fcntl
import os
from pathlib import Path

from wanjia.kernel import settings
from wanjia.kernel.errors import NotAPracticeHome, PracticeInUse

FOLDER = "practice"


def enter(*, makes: bool) -> Path:
    """Make this process, and what it starts, one of the practice register; its home, made and marked if `makes`. Raises `NotAPracticeHome`."""
    home = settings.home() if settings.is_practice() else settings.home() / FOLDER
    mark = home / settings.PRACTICE_MARK
    # the mark comes before all else: what is unmarked was not made here, and may be somebody's register in earnest
    if home.exists() and not mark.exists() and any(home.iterdir()):
        raise NotAPracticeHome()
    if makes:
        home.mkdir(parents=True, exist_ok=True)
        mark.touch()
    os.environ["WANJIA_HOME"] = str(home)
    return home


def ensure_unused(home: Path) -> None:
    """Raises `PracticeInUse` while any process uses the embedded server of `home`: each holds its lock (kernel/embedded_server.py)."""
    lock = home / "database" / "users.lock"
    if not lock.exists():
        return
    with open(lock) as users:
        try:
            fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise PracticeInUse() from None
