"""How long until a pushed row can be read in the register: single rows at a steady rate, by HTTP, seen by another connection.

    WANJIA_HOME=… python -m bench.push CITY [--rate 100] [--seconds 300] [--record]

The home must hold a finished run of CITY. Starts `wanjia serve` (pages and worker) as anybody would, waits until it is ready, and sends
death certificates of residents who are alive in the register, each when it is due, whatever became of the others. A second database
connection asks twenty times a second which of these residents the register now knows to have died. The time of a row runs from
when it was due until it is read there: sender, server, worker, commit and the asking are all in it. A row that is never read counts
as endlessly late; a row that the house refuses, and says so in its receipt, is counted apart. Only residents are chosen whom the register
knows by number, name, sex and birth alike: of two persons whom the departments hold under one number the other's certificate goes, rightly, to
the other. Prints one JSON line; `--record` also writes bench/results/push.json and the page. Fictional data only.
"""

import argparse
import datetime
import http.client
import itertools
import json
import queue
import socket
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import pyarrow.parquet as pq

from bench.page import RESULTS, write_page

SOURCE = "death_certificates"
DIED_ON, FILED_ON = datetime.date(2026, 7, 1), datetime.date(2026, 7, 2)
SENDERS = 8
ASKING_SECONDS = 0.05
LAST_WAIT_SECONDS = 20.0
READY_SECONDS = 300.0
STARTED = int(time.time())  # so that another measurement's certificates are others
#: a word of its command line → the part of the house that a process is; the others answer requests
PARTS = {"worker": "worker", "sequence": "log", "timetable": "timetable"}
SHARES = {"p50": 0.5, "p90": 0.9, "p99": 0.99, "longest": 1.0}


@dataclass(frozen=True)
class Resident:
    """Somebody of whom a certificate is sent, and the person the register has for them."""

    person_id: int
    row: dict[str, str]


@dataclass
class Sent:
    """What the senders did: person → when their row was due, and the number of its receipt; how far behind they fell, in seconds."""

    due: dict[int, float] = field(default_factory=dict)
    receipts: dict[int, int] = field(default_factory=dict)
    behind: float = 0.0


@dataclass
class Seen:
    """What the eye saw: person → when."""

    at: dict[int, float] = field(default_factory=dict)
    failed: list[BaseException] = field(default_factory=list)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("city", type=Path)
    parser.add_argument("--rate", type=int, default=100)
    parser.add_argument("--seconds", type=int, default=300)
    parser.add_argument("--record", action="store_true")
    chosen = parser.parse_args()
    found = measure(chosen.city, chosen.rate, chosen.seconds)
    print(json.dumps(found))
    if chosen.record:
        (RESULTS / "push.json").write_text(json.dumps(found, indent=1) + "\n")
        write_page()


def measure(city: Path, rate: int, seconds: int) -> dict:
    """Push for so long and tell how late the rows were."""
    from wanjia.kernel.database import setup_django

    setup_django()
    from bench.run import machine
    from wanjia.intake import api as intake
    from wanjia.register import api as register

    residents = living_residents(city, rate * seconds)
    token = intake.issue_token(SOURCE, label="bench", by="bench", why="bench")
    port = free_port()
    began = time.monotonic()
    server = subprocess.Popen(
        [sys.executable, "-m", "wanjia", "serve", "--port", str(port)], stderr=subprocess.PIPE, text=True
    )
    try:
        wait_until_ready(server, port)
        ready = time.monotonic() - began
        sent, seen = Sent(), Seen()
        over = threading.Event()
        eye = threading.Thread(target=watch, args=(sent.due, seen, over))
        eye.start()
        before = processor_seconds(server)
        send_steadily(port, token, residents, rate, sent)
        deadline = time.monotonic() + LAST_WAIT_SECONDS
        while len(seen.at) < len(sent.due) and time.monotonic() < deadline and not seen.failed:
            time.sleep(0.1)
        after = processor_seconds(server)
        over.set()
        eye.join()
        if seen.failed:
            raise seen.failed[0]
        memory = peak_mb(psutil.Process(server.pid))
    finally:
        server.terminate()
        server.wait(60)
    unseen = [intake.receipt(sent.receipts[person], source=SOURCE) for person in sent.due if person not in seen.at]
    refused = sum(bool(receipt.refused) for receipt in unseen)
    waits = sorted(seen.at.get(person, float("inf")) - at for person, at in sent.due.items())
    # the refused are among those that were never seen, at the end
    waits = waits[: len(waits) - refused]
    return {
        **machine(), "persons": register.sizes()["persons"], "rows": len(waits), "rate": rate, "seconds": seconds,
        "refused": refused, "unseen": len(unseen) - refused, **{name: at_share(waits, share) for name, share in SHARES.items()},
        "sender_behind_seconds": round(sent.behind, 3), "ready_seconds": round(ready, 1), "peak_mb": memory,
        "processor_ms_per_row": {name: round(1000 * (spent - before.get(name, 0)) / len(residents), 2) for name, spent in after.items()},
    }  # fmt: skip


def at_share(waits: list[float], share: float) -> float | None:
    """The wait that this share of rows did not exceed, in seconds; None when that row was never seen."""
    wait = waits[min(len(waits) - 1, int(len(waits) * share))]
    return round(wait, 3) if wait != float("inf") else None


def living_residents(city: Path, count: int) -> list[Resident]:
    """Residents of the truth whose number the register gives to exactly one person, alive, of the same name, sex and birth."""
    from django.db import connection

    from wanjia.privacy import api as privacy

    told = pq.read_table(
        city / "truth" / "persons.parquet", columns=["name", "number", "sex", "birth", "state", "domicile_division"]
    )
    chosen: list[Resident] = []
    for start in range(0, told.num_rows, 2 * count):
        people = [p for p in told.slice(start, 2 * count).to_pylist() if p["state"] == "living" and p["number"]]
        held = privacy.find_by_blind(privacy.BlindKind.NUMBER, {p["number"] for p in people})
        ids = [persons[0] for persons in held.values() if len(persons) == 1]
        named = {
            name: set(found)
            for name, found in privacy.find_by_blind(privacy.BlindKind.NAME, {p["name"] for p in people}).items()
        }
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT person_id, sex, birth_on FROM register_personstate WHERE upper_inf(known) AND died_on IS NULL"
                " AND person_id = ANY(%s)",
                [ids],
            )
            known = {person: (sex, birth) for person, sex, birth in cursor.fetchall()}
        for person in people:
            found = held.get(person["number"], [])
            is_named_so = len(found) == 1 and found[0] in named.get(person["name"], ())
            if is_named_so and known.get(found[0]) == (str(person["sex"]), person["birth"]):
                known.pop(found[0])
                chosen.append(Resident(found[0], certificate(len(chosen), person)))
        if len(chosen) >= count:
            return chosen[:count]
    raise SystemExit(f"the city has only {len(chosen)} residents to send a certificate of; {count} are needed")


def certificate(number: int, person: dict) -> dict[str, str]:
    """The row that a hospital's system would push."""
    return {
        "死亡证明编号": f"SWB{STARTED:x}-{number:06d}", "姓名": person["name"], "性别": "M" if person["sex"] == 1 else "F",
        "身份证件号码": person["number"], "出生日期": f"{person['birth']:%Y/%m/%d}", "死亡日期": f"{DIED_ON:%Y/%m/%d}",
        "死因编码": "I64", "户籍地址": f"望川市望湖区菱湖街道建设街{number % 400 + 1}号{number % 9 + 1}幢{number % 4 + 1}单元{number % 30 + 101}室",
        "填报日期": f"{FILED_ON:%Y/%m/%d}",
    }  # fmt: skip


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_until_ready(server: subprocess.Popen, port: int) -> None:
    """Until the worker says that it is ready and the pages answer. What they print is passed on."""
    said = threading.Event()

    def listen() -> None:
        for line in server.stderr:
            sys.stderr.write(line)
            if line.strip() == "ready":
                said.set()

    threading.Thread(target=listen, daemon=True).start()
    if not said.wait(READY_SECONDS):
        raise SystemExit("the worker is not ready")
    deadline = time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline:
        try:
            http.client.HTTPConnection("127.0.0.1", port, timeout=5).request("GET", "/")
            return
        except OSError:
            time.sleep(0.2)
    raise SystemExit("the pages do not answer")


def send_steadily(port: int, token: str, residents: list[Resident], rate: int, sent: Sent) -> None:
    """Send every row when it is due, whatever became of the others."""
    began, stamp = time.time() + 0.5, time.time_ns()
    waiting: queue.SimpleQueue = queue.SimpleQueue()
    failures: list[str] = []

    def send() -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        while (number := waiting.get()) is not None:
            sent.behind = max(sent.behind, time.time() - (began + number / rate))
            try:
                connection.request(
                    "POST",
                    f"/exchange/v1/sources/{SOURCE}/records",
                    json.dumps(residents[number].row, ensure_ascii=False).encode(),
                    {
                        "Authorization": f"Bearer {token}",
                        "Idempotency-Key": f"{stamp}-{number}",
                        "Content-Type": "application/json",
                    },
                )
                answer = connection.getresponse()
                body = answer.read()
            except (OSError, http.client.HTTPException) as failure:
                # told at the end: a sender that died unheard would leave its row to look lost
                failures.append(f"{type(failure).__name__} {failure}")
                connection.close()
                continue
            if answer.status == 202:
                sent.receipts[residents[number].person_id] = json.loads(body)["receipt"]
            else:
                failures.append(f"{answer.status} {body[:300]!r}")

    senders = [threading.Thread(target=send) for _ in range(SENDERS)]
    for sender in senders:
        sender.start()
    for number, resident in enumerate(residents):
        at = began + number / rate
        if (wait := at - time.time()) > 0:
            time.sleep(wait)
        sent.due[resident.person_id] = at
        waiting.put(number)
    for _ in senders:
        waiting.put(None)
    for sender in senders:
        sender.join()
    if failures:
        raise SystemExit(f"{len(failures)} rows were not taken: {failures[0]}")


def watch(due: dict[int, float], seen: Seen, over: threading.Event) -> None:
    """Ask over a connection of its own which of those who are due the register knows to have died."""
    import psycopg

    from wanjia.kernel.database import ensure_server

    try:
        with psycopg.connect(ensure_server(), autocommit=True) as connection:
            missing: set[int] = set()
            known = 0
            while not over.is_set():
                # only what came since: looking through all rows twenty times a second would take the time that is measured
                fresh = list(itertools.islice(due.copy(), known, None))
                known += len(fresh)
                missing.update(fresh)
                found = connection.execute(
                    "SELECT person_id FROM register_personstate WHERE person_id = ANY(%s) AND upper_inf(known) AND died_on = %s",
                    [list(missing), DIED_ON],
                ).fetchall()
                now = time.time()
                seen.at.update({person: now for (person,) in found})
                missing.difference_update(person for (person,) in found)
                time.sleep(ASKING_SECONDS)
    except BaseException as failure:
        seen.failed.append(failure)


def peak_mb(started: psutil.Process) -> dict[str, int]:
    """The peak of resident memory of the worker and of the pages' processes, in MB."""
    peaks: dict[str, int] = {}
    for process in started.children(recursive=True):
        name = process_part(process)
        status = Path(f"/proc/{process.pid}/status").read_text()
        kilobytes = int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM")))
        peaks[name] = max(peaks.get(name, 0), kilobytes // 1024)
    return peaks


def processor_seconds(server: subprocess.Popen) -> dict[str, float]:
    """What each part has taken of the processors so far, in seconds; the database as far as it is our embedded one."""
    from wanjia.kernel import settings

    spent = {"bench": sum(psutil.Process().cpu_times()[:2])}
    parts = [(process_part(process), process) for process in psutil.Process(server.pid).children(recursive=True)]
    if (running := settings.home() / "database" / "cluster" / "postmaster.pid").exists():
        postmaster = psutil.Process(int(running.read_text().split()[0]))
        parts += [("database", process) for process in (postmaster, *postmaster.children(recursive=True))]
    for part, process in parts:
        spent[part] = spent.get(part, 0.0) + sum(process.cpu_times()[:2])
    return spent


def process_part(process: psutil.Process) -> str:
    """Which part of the house a process started by `wanjia serve` is."""
    words = process.cmdline()
    return next((part for word, part in PARTS.items() if word in words), "pages")


if __name__ == "__main__":
    main()
