"""kill -9 of sequencer, worker, reader, database backend and postmaster: nothing acknowledged is lost, no gap, no fork, back within 30 s."""

import os
import random
import signal
import threading
import time

import pytest

from tests.store.trace.faults.installation import WORKER, Installed
from wanjia.trace.api.checking import PublicLog

pytestmark = [pytest.mark.heavy, pytest.mark.timeout(900)]

TRIALS = int(os.environ.get("WANJIA_KILLS", "100"))
TARGETS = ("sequencer", "backend", "worker", "postmaster", "reader", "backend", "sequencer", "two at once")


def watch(installed: Installed, seen: dict[str, str], is_over: threading.Event) -> None:
    """Keep every checkpoint that was ever published."""
    while not is_over.is_set():
        try:
            note = (installed.home / "trace/public/checkpoint").read_text()
            seen.setdefault("\n".join(note.split("\n")[:3]), note)
        except OSError:
            pass
        time.sleep(0.02)


def test_nothing_acknowledged_is_lost_whoever_is_killed(tmp_path):
    installed, chance = Installed(tmp_path / "home"), random.Random(9)
    installed.prepare()
    seen: dict[str, str] = {}
    is_over = threading.Event()
    threading.Thread(target=watch, args=(installed, seen, is_over), daemon=True).start()
    slowest = 0.0
    try:
        installed.start_sequencer()
        installed.start_reader("reader")
        installed.start_reader("second reader")
        installed.start_reader("worker", program=WORKER)
        installed.wait_for_growth(0, 0)
        for trial in range(TRIALS):
            time.sleep(chance.random() * 0.8)
            target = TARGETS[trial % len(TARGETS)]
            if target in ("sequencer", "two at once"):
                installed.kill("sequencer")
            elif target == "reader":
                installed.kill("reader")
            elif target == "worker":
                installed.kill("worker")
            if target == "postmaster":
                os.kill(installed.postmaster(), signal.SIGKILL)
            elif target in ("backend", "two at once") and (backends := installed.backends()):
                os.kill(chance.choice(backends), signal.SIGKILL)
            size, acks = installed.size(), len(installed.acknowledged())
            if "sequencer" not in installed.running:
                installed.start_sequencer()
            if "reader" not in installed.running:
                installed.start_reader("reader")
            if "worker" not in installed.running:
                installed.start_reader("worker", program=WORKER)
            slowest = max(slowest, installed.wait_for_growth(size, acks))
    finally:
        is_over.set()
        for role in [role for role in installed.running if role != "holder"]:
            installed.kill(role)
    acknowledged = installed.acknowledged()
    told = installed.finish()
    places = {(actor, int(why.split(":")[1])): seq for actor, why, seq in told["entries"] if ":" in why}
    assert not [one for one in acknowledged if places.get(one) is None], "acknowledged, but not in the log"
    assert told["wrong"] == []
    log = PublicLog(told["public"])
    head = log.verify_all()
    assert head.size >= len(acknowledged)
    for note in seen.values():
        log.verify_since(note)
    print(
        f"\n{TRIALS} kills, {len(acknowledged)} acknowledged, {len(seen)} checkpoints, {head.size} entries, slowest return {slowest:.1f} s"
    )
