"""Rows pushed by HTTP to `wanjia serve`: the fast lane brings the register to the very state a whole run gives."""

import http.client
import json
import socket
import threading
import time

import pytest

pytestmark = pytest.mark.heavy

SOURCE = "death_certificates"
READY_SECONDS, SETTLE_SECONDS = 120, 120


class Served:
    """`wanjia serve` of an installation, ready to take pushes."""

    def __init__(self, installation) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self._process = installation.start("serve", "--port", str(self.port))
        self._is_ready = threading.Event()
        # read all the time: a full pipe would hold the server up
        threading.Thread(target=self._listen, daemon=True).start()
        threading.Thread(target=self._process.stdout.read, daemon=True).start()
        self.token = installation.wanjia("intake", "token", SOURCE, "--label", "hospital", "--why", "test").strip()

    def _listen(self) -> None:
        for line in self._process.stderr:
            if line.strip() == "ready":
                self._is_ready.set()

    def wait_until_ready(self) -> None:
        assert self._is_ready.wait(READY_SECONDS), "the worker is not ready"
        deadline = time.monotonic() + READY_SECONDS
        while time.monotonic() < deadline:
            try:
                return self.ask("GET", "/health/")
            except OSError:
                time.sleep(0.2)
        raise AssertionError("the pages do not answer")

    def ask(self, method: str, path: str, rows=None, key: str = "") -> tuple[int, dict]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        body = None if rows is None else json.dumps(rows, ensure_ascii=False).encode()
        connection.request(method, path, body, {"Authorization": f"Bearer {self.token}", "Idempotency-Key": key})
        answer = connection.getresponse()
        content = answer.read()
        return answer.status, json.loads(content) if content[:1] == b"{" else {}

    def push(self, rows, key: str) -> str:
        """Push rows; the address of the receipt."""
        status, receipt = self.ask("POST", f"/exchange/v1/sources/{SOURCE}/records", rows, key)
        assert status == 202, receipt
        return f"/exchange/v1/sources/{SOURCE}/receipts/{receipt['receipt']}"

    def state_of(self, receipt: str) -> str:
        return self.ask("GET", receipt)[1]["state"]

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait(60)


@pytest.fixture
def served(installation):
    installation.run()
    site = Served(installation)
    try:
        site.wait_until_ready()
        yield site
    finally:
        site.stop()


def pushed_rows(city) -> list[dict]:
    """What the city's hospitals push, and what goes wrong between machines: corrections, late arrivals, strangers, missing numbers."""
    rows = [
        row
        for path in sorted((city / "push").glob("*.jsonl"))
        for line in path.read_text().splitlines()
        for row in json.loads(line)["body"]
    ]
    assert len(rows) >= 20
    # what a source does not know, it leaves out
    rows.sort(key=lambda row: "身份证件号码" not in row)
    assert sum("身份证件号码" in row for row in rows) >= 10
    found = []
    for number, row in enumerate(rows):
        found.append(row)
        again = {**row, "死亡日期": "2026-06-28"}
        match number % 5:
            case 0:
                found.append({**again, "填报日期": "2026-07-01"})  # a correction
            case 1:
                found.append({**again, "填报日期": "2001-01-01"})  # written earlier, comes later
            case 2:
                found.append({**again, "死亡证明编号": f"X{number}", "姓名": "无名氏", "身份证件号码": ""})
            case 3:
                found.append({**row, "死亡证明编号": f"Y{number}", "身份证件号码": ""})
            case 4 if "身份证件号码" in row:
                found.append({**row, "死亡证明编号": f"Z{number}", "身份证件号码": row["身份证件号码"][:-1] + "0"})
    return found


def test_pushed_rows_make_the_state_that_a_whole_run_makes(installation, served):
    before = installation.digest()
    rows = pushed_rows(installation.city)
    receipts = []
    for start in range(0, len(rows), 7):
        receipts.append(served.push(rows[start : start + 7], f"push-{start}"))
        time.sleep(0.2)
    settled = wait_until_still(installation, served, receipts, before)
    served.stop()

    report = installation.run()
    assert not report["is_unchanged"], "the deliveries are new to the main job"
    assert installation.digest() == settled


def wait_until_still(installation, served, receipts, before: str) -> str:
    """The digest when every push was taken up and the register no longer changes."""
    deadline = time.monotonic() + SETTLE_SECONDS
    last = before
    while time.monotonic() < deadline:
        if all(served.state_of(receipt) == "standardised" for receipt in receipts):
            now = installation.digest()
            if now == last != before:
                return now
            last = now
        time.sleep(1)
    raise AssertionError("the worker did not settle the pushes")
