"""Kill -9 at ten random moments, start again: the same state as an undisturbed run, nothing lost, nothing doubled."""

import os
import random
import signal
import time

import pytest

pytestmark = pytest.mark.heavy

SEED = 20261121
KILLS = 10


def reconciled(deliveries):
    """Deliveries that said something; a pull done again brings its last rows again, and they are all exact repeats."""
    return sorted(
        (d["source"], d["rows_in"], d["accepted"], d["quarantined"], d["repeats"]) for d in deliveries if d["accepted"]
    )


def test_the_job_killed_ten_times_ends_as_if_never_disturbed(installation, another):
    began = time.monotonic()
    undisturbed = another.run()
    whole = time.monotonic() - began
    expected = another.digest()

    chance = random.Random(SEED)
    for _ in range(KILLS):
        process = installation.start("run", "--inbox", str(installation.city / "inbox"))
        time.sleep(chance.uniform(0.1, whole))
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
    installation.run()
    assert installation.digest() == expected

    listed = installation.wanjia("intake", "list", "--format", "ndjson")
    import json

    deliveries = [json.loads(line) for line in listed.splitlines()]
    assert reconciled(deliveries) == reconciled(undisturbed["deliveries"])
    for delivery in deliveries:
        assert delivery["rows_in"] == delivery["accepted"] + delivery["quarantined"] + delivery["repeats"]


def test_the_same_deliveries_again_change_nothing(installation):
    installation.run()
    before = installation.digest()
    again = installation.run()
    assert again["is_unchanged"]
    assert again["known_again"] >= 7
    assert installation.digest() == before


def test_a_withdrawn_delivery_leaves_the_state_as_if_it_had_never_come(installation, another, tmp_path):
    import json
    import shutil

    without = tmp_path / "without"
    shutil.copytree(installation.city / "inbox", without)
    for path in without.glob("medical_insurance*"):
        path.unlink()
    another.run(without)

    report = installation.run()
    withdrawn = next(d["delivery"] for d in report["deliveries"] if d["source"] == "medical_insurance")
    assert installation.digest() != another.digest(), "the delivery made a difference"
    installation.wanjia("intake", "withdraw", str(withdrawn), "--why", "sent by mistake")
    json.loads(installation.wanjia("run", "--format", "json", ends=(0, 3)))
    assert installation.digest() == another.digest()


def test_rebuilding_from_history_gives_the_same_state(installation):
    installation.run()
    before = installation.digest()
    installation.wanjia("register", "rebuild")
    assert installation.digest() == before
