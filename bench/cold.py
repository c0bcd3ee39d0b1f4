"""A register that was just started, with nothing of it in memory: what the first searches meet, and how long reading ahead takes."""

import fcntl
import os
import time
from collections.abc import Callable
from typing import Any


def is_cold() -> bool:
    """Make the system forget the files of the home's database, before it is started. False where that cannot be: the server is another's or runs."""
    from wanjia.kernel import settings

    folder = settings.home() / "database"
    if settings.database_url() or (folder / "cluster" / "postmaster.pid").exists():
        return False
    with open(folder / "users.lock", "w") as users:
        try:
            fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
    for path in (folder / "cluster").rglob("*"):
        if path.is_file():
            with open(path, "rb") as file:
                # what is not written yet cannot be forgotten
                os.fsync(file.fileno())
                os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
    return True


def cold(searches: Callable[[], list[dict[str, Any]]]) -> dict[str, Any]:
    """Searches of each kind before anything was read ahead, then how much `wanjia serve` reads ahead, and in how many seconds."""
    from wanjia.cli.serve import READ_AHEAD
    from wanjia.kernel.database import read_ahead

    rows, began = searches(), time.perf_counter()
    read = read_ahead(**READ_AHEAD)
    return {"searches": rows, "read_mb": read >> 20, "read_seconds": round(time.perf_counter() - began, 1)}
