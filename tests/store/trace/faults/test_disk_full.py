"""The disk is full: person reads are refused, none is served unlogged, and all goes on by itself when there is room again."""

import os
import shutil
import subprocess
import time

import pytest

from tests.store.trace.faults.installation import Installed
from wanjia.trace.api.checking import PublicLog

pytestmark = [pytest.mark.heavy, pytest.mark.timeout(600)]

DISK_MB = 320


@pytest.fixture
def small_disk(tmp_path):
    """A disk of its own, small enough to fill."""
    place = tmp_path / "disk"
    place.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={DISK_MB}m", "tmpfs", str(place)], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("mounting is not possible on this machine")
    yield place
    for _ in range(50):
        if subprocess.run(["umount", str(place)], capture_output=True, check=False).returncode == 0:
            return
        time.sleep(0.2)
    subprocess.run(["umount", "-l", str(place)], check=False)


def fill(place, leave: int = 0) -> None:
    """Take all room but `leave` bytes."""
    ballast = place / "ballast"
    with open(ballast, "ab") as file:
        free = shutil.disk_usage(place).free - leave
        while free > 0:
            try:
                file.write(bytes(min(free, 1 << 20)))
                file.flush()
            except OSError:
                break
            free -= 1 << 20


def until(is_so, seconds: float, what: str, installed: Installed) -> None:
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline, f"{what}: {(installed.home / 'log').read_text()[-2000:]}"
        time.sleep(0.1)


def test_no_room_no_reads_and_it_heals_by_itself(small_disk, tmp_path):
    installed = Installed(small_disk / "home")
    # acknowledgements and logs lie elsewhere: a reader must be able to say what it was told
    (tmp_path / "acks").mkdir()
    os.symlink(tmp_path / "acks", installed.home / "acks")
    (tmp_path / "log").touch()
    os.symlink(tmp_path / "log", installed.home / "log")
    installed.prepare()
    try:
        installed.start_sequencer()
        installed.start_reader("reader", pause=0.0)
        installed.start_reader("second reader", pause=0.0)
        installed.wait_for_growth(0, 100, 60)
        for _ in range(2):
            deadline, quiet_since, acks = time.monotonic() + 120, time.monotonic(), len(installed.acknowledged())
            # the server keeps some room of its own (the rest of a WAL segment): fill until nobody is answered for five seconds
            while time.monotonic() - quiet_since < 5:
                assert time.monotonic() < deadline, "reads go on with a full disk"
                fill(small_disk)
                time.sleep(0.3)
                if (now := len(installed.acknowledged())) > acks:
                    acks, quiet_since = now, time.monotonic()
            refused = len(installed.refusals())
            until(lambda n=refused: len(installed.refusals()) >= n + 30, 60, "no refusals", installed)
            assert len(installed.acknowledged()) == acks, "a read was answered while nothing could be written"
            size = installed.size()
            (small_disk / "ballast").unlink()
            installed.wait_for_growth(size, acks, 60)
        acknowledged = installed.acknowledged()
        told = installed.finish()
    finally:
        installed.stop()
    places = {(actor, int(why.split(":")[1])): seq for actor, why, seq in told["entries"] if ":" in why}
    assert not [one for one in acknowledged if places.get(one) is None], "answered, but not in the log"
    assert told["wrong"] == []
    assert PublicLog(told["public"]).verify_all().size >= len(acknowledged)
    print(f"\n{len(acknowledged)} answered, {len(installed.refusals())} refused")
