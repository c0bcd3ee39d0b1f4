"""`wanjia timetable work`: a department's database is pulled when it is due and the register follows, also when the worker is killed at it."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest

pytestmark = [pytest.mark.heavy, pytest.mark.timeout(600)]

PATIENCE = 240
STATES = (
    "import json; from wanjia.kernel.database import setup_django; setup_django();"
    "from procrastinate.contrib.django.models import ProcrastinateJob as J;"
    "print(json.dumps(list(J.objects.order_by('id').values_list('task_name', 'status'))))"
)


def deliveries(installation) -> list[dict]:
    return [json.loads(line) for line in installation.wanjia("intake", "list", "--format", "ndjson").splitlines()]


def states(installation) -> list[tuple[str, str]]:
    asked = subprocess.run(
        [sys.executable, "-c", STATES], env=installation.environment, capture_output=True, text=True, check=True
    )
    return [tuple(one) for one in json.loads(asked.stdout)]


def wait_for(condition, what: str) -> None:
    until = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < until, f"waited in vain for {what}"
        time.sleep(1)


def last_of(installation, job: str) -> str | None:
    shown = json.loads(installation.wanjia("timetable", "show", "--format", "json"))["jobs"]
    return next(one["last"] for one in shown if one["job"] == job)


def test_a_due_pull_reaches_the_register_also_after_a_kill(installation, another, tmp_path):
    nothing = tmp_path / "nothing"
    nothing.mkdir()
    another.run(nothing)
    expected = another.digest()

    installation.wanjia("intake", "list")
    worker = installation.start("timetable", "work")
    try:
        wait_for(lambda: deliveries(installation), "the pull")
        # the delivery has landed; the main job is at it
        os.killpg(worker.pid, signal.SIGKILL)
        worker.communicate()
        assert ("minutely.pull_what_is_due", "doing") in states(installation), "killed in the middle of the job"

        worker = installation.start("timetable", "work")
        wait_for(lambda: last_of(installation, "minutely.pull_what_is_due") == "succeeded", "the job")
        assert installation.digest() == expected
        [delivery] = deliveries(installation)
        assert (delivery["source"], delivery["status"]) == ("social_insurance", "standardised")
        wait_for(lambda: all(state != "doing" for _, state in states(installation)), "what was cut short")
        assert all(status in ("succeeded", "todo", "aborted") for _, status in states(installation)), "nothing failed"
        worker.send_signal(signal.SIGTERM)
        _, err = worker.communicate(timeout=60)
        assert worker.returncode == 0
        assert "Traceback" not in err
    finally:
        if worker.poll() is None:
            os.killpg(worker.pid, signal.SIGKILL)
            worker.communicate()
    assert len(deliveries(installation)) == 1, "an hour has not passed, so it was pulled once"
