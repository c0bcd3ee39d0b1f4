"""Lets every system call of one round (record, sequence, export) fail, one at a time, and looks at the log after each. Run by test_failing_calls.

One process stands ready with everything imported; for each call it forks a child, lets strace hold on to it, and has the call fail there.
"""

import collections
import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

from wanjia.kernel.database import migrate, setup_django

setup_django()
migrate()

from django.db import connections  # noqa: E402

from wanjia.trace import api  # noqa: E402
from wanjia.trace.api.checking import PublicLog  # noqa: E402

CALLS = (
    "write", "pwrite64", "fsync", "fdatasync", "rename", "openat", "mkdir", "unlink", "rmdir", "link", "flock", "ftruncate", "close", "read",
    "socket", "connect", "sendto", "recvfrom", "poll", "sendmsg", "recvmsg",
)  # fmt: skip
ERRORS = {
    "write": ("EIO", "ENOSPC"),
    "openat": ("EIO", "ENOSPC"),
    "rename": ("EIO", "ENOSPC"),
    "mkdir": ("EIO", "ENOSPC"),
}
# a lost message can leave both ends waiting: such a round is killed, as an operator would
ENOUGH_SECONDS = 3


def one_round() -> None:
    api.record("test.read", subject_ids=[1, 2, 3], by="t", why="t")
    api.Sequencer().step()


def child() -> int:
    """A child that waits to be traced, then does one round and ends."""
    pid = os.fork()
    if pid:
        return pid
    # the parent's connection is not ours: it must be neither used nor said good-bye to
    kept = [connection.connection for connection in connections.all()]
    for connection in connections.all():
        connection.connection = None
    os.kill(os.getpid(), signal.SIGSTOP)
    status = 0
    try:
        one_round()
    except BaseException:
        status = 1
    os._exit(status if kept is not None else 2)


def traced(*inject: str, out: Path) -> int:
    """Run a round under strace; the child's exit status."""
    pid = child()
    os.waitpid(pid, os.WUNTRACED)
    tracer = subprocess.Popen(
        ["strace", "-f", "-qq", "-o", str(out), "-e", f"trace={','.join(CALLS)}", *inject, "-p", str(pid)],
        stderr=subprocess.DEVNULL,
    )  # fmt: skip
    while f"TracerPid:\t{tracer.pid}" not in Path(f"/proc/{pid}/status").read_text():
        time.sleep(0.002)
    os.kill(pid, signal.SIGCONT)
    deadline = time.monotonic() + ENOUGH_SECONDS
    while True:
        done, status = os.waitpid(pid, os.WNOHANG)
        if done:
            break
        if time.monotonic() > deadline:
            os.kill(pid, signal.SIGKILL)
        time.sleep(0.002)
    tracer.wait()
    return status


def look(seen: list[str]) -> None:
    """The public folder verifies as it was left; then a sound round heals it, and it goes on from every checkpoint seen so far."""
    folder = str(api.public_folder())
    PublicLog(folder).verify_all()
    one_round()
    log = PublicLog(folder)
    log.verify_all()
    for note in seen[-3:]:
        log.verify_since(note)
    seen.append((Path(folder) / "checkpoint").read_text())


def main() -> None:
    out = Path(sys.argv[1])
    one_round()
    traced(out=out)
    calls = collections.Counter(re.findall(r"^\d+ +(\w+)\(", out.read_text(), re.M))
    seen: list[str] = []
    look(seen)
    failed = 0
    for name, count in sorted(calls.items()):
        for number in range(1, count + 1):
            for error in ERRORS.get(name, ("EIO",)):
                status = traced("-e", f"inject={name}:error={error}:when={number}", out=out)
                failed += status != 0
                look(seen)
                print(name, number, error, status, file=sys.stderr)
    print(
        json.dumps(
            {"calls": calls, "failed": failed, "wrong": api.self_check(by="t", why="t"), "size": api.head().size}
        )
    )


main()
