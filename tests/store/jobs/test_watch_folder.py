"""`wanjia intake watch` as an operator runs it: a file copied over a slow line is taken once and whole; Ctrl-C ends it properly."""

import csv
import io
import os
import select
import signal
import time

import pytest

pytestmark = [pytest.mark.heavy, pytest.mark.timeout(300)]

EVERY = 0.5


def lines_of(process, *, within: float) -> list[str]:
    """What the process printed during the next `within` seconds."""
    until, text = time.monotonic() + within, b""
    while (left := until - time.monotonic()) > 0:
        if select.select([process.stdout], [], [], left)[0]:
            text += os.read(process.stdout.fileno(), 65536)
    return text.decode().splitlines()


def test_watch_until_interrupted(installation, tmp_path):
    [source] = (installation.city / "inbox").glob("medical_insurance*.csv")
    content = source.read_bytes()
    folder = tmp_path / "drop"
    folder.mkdir()
    installation.wanjia("intake", "list")  # makes the database, so that the clock below measures watching alone
    watcher = installation.start("intake", "watch", str(folder), "--every", str(EVERY), "--why", "test")
    try:
        seen = lines_of(watcher, within=8)
        with open(folder / source.name, "wb") as file:
            for start in range(0, len(content), len(content) // 12 + 1):
                file.write(content[start : start + len(content) // 12 + 1])
                file.flush()
                seen += lines_of(watcher, within=EVERY * 0.6)
        assert seen == [], "a growing file is not read"
        seen = lines_of(watcher, within=40)
        assert len(seen) == 1, seen
        rows = len(list(csv.reader(io.StringIO(content.decode("gb18030"))))) - 2  # header and totals
        assert "medical_insurance #1  standardised" in seen[0]
        assert f"  {rows:,} in = " in seen[0], "whole"
        os.killpg(watcher.pid, signal.SIGINT)
        _, err = watcher.communicate(timeout=30)
    finally:
        if watcher.poll() is None:
            watcher.kill()
    assert watcher.returncode == 130
    assert "Traceback" not in err
    assert len(installation.wanjia("intake", "list").splitlines()) == 1
