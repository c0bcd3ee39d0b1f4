"""What the trace costs and how soon it is public: logged reads beside bare ones, commit → checkpoint, proofs and "who looked" at a million entries.

    python -m bench.trace [--entries 1000000] [--seconds 20] [--clients 16]
    python -m bench.trace --search 10000000

Makes a home of its own with its own server, fills the log, starts the sequencer, and measures from client processes through the real opening of the
vault. With --search it measures an auditor's search instead, over so many entries. Prints one JSON line, and writes bench/results/trace.json
(trace_search.json) and the page. Fictional data only.
"""

import argparse
import atexit
import json
import multiprocessing
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time

from bench.page import RESULTS, write_page

PERSONS = 2_000
MODES = {
    "bare_select": "SELECT version, blob FROM privacy_vaultentry WHERE person_id = %(person)s AND known_to IS NULL",
    "select_and_insert": "INSERT INTO bench_bare (person, at) VALUES (%(person)s, now())",
    "logged_read": "SELECT version, blob FROM privacy_open_person(%(person)s, 'bench', 'bench', '{}')",
}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--entries", type=int, default=1_000_000)
    parser.add_argument("--seconds", type=int, default=20)
    parser.add_argument("--clients", type=int, default=16)
    parser.add_argument("--search", type=int, metavar="ENTRIES")
    chosen = parser.parse_args()
    home = tempfile.mkdtemp(prefix="wanjia-bench-trace-")
    os.environ["WANJIA_HOME"] = home
    os.environ.pop("DATABASE_URL", None)
    # registered before the server's own farewell, so it runs after it
    atexit.register(shutil.rmtree, home, ignore_errors=True)
    found = measure_search(chosen.search) if chosen.search else measure(chosen)
    name = "trace_search.json" if chosen.search else "trace.json"
    (RESULTS / name).write_text(json.dumps(found, indent=1) + "\n")
    write_page()
    print(json.dumps(found))


def measure_search(entries: int) -> dict:
    """An auditor's search (bench/trace_search.py)."""
    os.environ["DJANGO_SETTINGS_MODULE"] = "wanjia.settings"
    from wanjia.kernel.database import migrate, setup_django

    setup_django()
    migrate()
    from bench.trace_search import measure

    return measure(entries)


def measure(chosen: argparse.Namespace) -> dict:
    """Every figure, in one run."""
    from wanjia.kernel.database import ensure_server, migrate, setup_django

    setup_django()
    migrate()
    url = ensure_server()
    fill(chosen.entries)
    found = {
        "entries": chosen.entries,
        "clients": chosen.clients,
        "cpus": os.cpu_count(),
        "load_before": round(os.getloadavg()[0], 2),
    }
    found |= proofs()
    sequencer = subprocess.Popen([sys.executable, "-m", "wanjia", "trace", "sequence"])
    try:
        for mode in MODES:
            found[mode] = flood(url, mode, chosen.clients, chosen.seconds)
        found["logged_at_1000"] = flood(url, "logged_read", chosen.clients, chosen.seconds, rate=1000)
        found["publish"] = published(chosen.seconds)
    finally:
        sequencer.terminate()
        sequencer.wait(30)
    return found


def fill(entries: int) -> None:
    """A vault of fictional persons and a log of so many entries, published."""
    from datetime import UTC, datetime

    import pyarrow as pa
    from django.db import connection, transaction

    from wanjia.privacy import api as privacy
    from wanjia.trace import api as trace

    ids = list(range(1, PERSONS + 1))
    written = [
        f"GA02=0p{privacy.DOSSIER_PART}0000{privacy.DOSSIER_FIELD}police_register{privacy.DOSSIER_FIELD}k{privacy.DOSSIER_FIELD}self"
        f"{privacy.DOSSIER_FIELD}2024-01-01{privacy.DOSSIER_FIELD}GA02=王伟{privacy.DOSSIER_PART}4"
        for _ in ids
    ]
    persons = pa.table({"person_id": pa.array(ids, pa.int64()), "dossier": written})
    with transaction.atomic(), connection.cursor() as cursor:
        privacy.keep_dossiers([persons], at=datetime(2026, 1, 1, tzinfo=UTC))
        cursor.execute("CREATE TABLE bench_bare (id bigserial PRIMARY KEY, person bigint, at timestamptz)")
    began = time.monotonic()
    sequencer = trace.Sequencer()
    with connection.cursor() as cursor:
        for start in range(0, entries, 20_000):
            cursor.execute(
                "INSERT INTO trace_entry (kind, actor, department, purpose, basis, subject) SELECT 'privacy.open_person', 'officer:' || n %% 500,"
                " 'department-' || n %% 40, 'certificate:A-' || n, 'policy:officer', n %% %s FROM generate_series(%s, %s) n",
                [20_000 if entries >= 20_000 else 100, start, min(start + 20_000, entries) - 1],
            )
            sequencer.step()
        while sequencer.step() is not None:
            pass
        cursor.execute("ANALYZE")
    print(f"filled in {time.monotonic() - began:.0f} s", file=sys.stderr)


def proofs() -> dict:
    """Milliseconds of proofs, receipts and "who looked", each with a fresh cache of tiles."""
    from wanjia.trace import api

    chance, size = random.Random(1), api.head().size
    return {
        "inclusion_ms": timed(lambda: api.inclusion_proof(chance.randrange(size)), 300),
        "consistency_ms": timed(lambda: api.consistency_proof(chance.randrange(1, size)), 300),
        "receipt_ms": timed(lambda: api.receipt(chance.randrange(1, size)), 100),
        "who_looked_ms": timed(lambda: api.who_looked(chance.randrange(20_000)), 300),
        "search_ms": timed(
            lambda: api.entries(department=f"department-{chance.randrange(40)}", kind="privacy.open_person"), 100
        ),
    }


def timed(what, count: int) -> dict:
    """p50, p99 and the longest, in milliseconds."""
    what()
    took = []
    for _ in range(count):
        began = time.perf_counter()
        what()
        took.append(1000 * (time.perf_counter() - began))
    return spread(took)


def spread(took: list[float]) -> dict:
    """p50, p99 and the longest."""
    took = sorted(took)
    return {
        "p50": round(took[len(took) // 2], 2), "p99": round(took[min(len(took) - 1, int(len(took) * 0.99))], 2), "longest": round(took[-1], 2),
    }  # fmt: skip


def flood(url: str, mode: str, clients: int, seconds: int, rate: int | None = None) -> dict:
    """What `clients` connections get done at once; with `rate`, an open arrival rate over all of them, waiting in line counted."""
    with multiprocessing.get_context("fork").Pool(clients) as pool:
        share = rate / clients if rate else None
        took = [
            one
            for some in pool.starmap(client, [(url, mode, seconds, share, n) for n in range(clients)])
            for one in some
        ]
    return {"per_second": round(len(took) / seconds), **{name + "_ms": value for name, value in spread(took).items()}}


def client(url: str, mode: str, seconds: int, rate: float | None, number: int) -> list[float]:
    """One connection: reads until the time is over; milliseconds of each."""
    import psycopg

    chance, took = random.Random(number), []
    with psycopg.connect(url, autocommit=True) as connection:
        began = time.perf_counter()
        end, done = began + seconds, 0
        while (now := time.perf_counter()) < end:
            due = began + (done + number / 16) / rate if rate else now
            if due > now:
                time.sleep(due - now)
            person = chance.randrange(1, PERSONS)
            if mode == "select_and_insert":
                with connection.transaction():
                    connection.execute(MODES[mode], {"person": person})
                    connection.execute(MODES["bare_select"], {"person": person}).fetchall()
            else:
                connection.execute(MODES[mode], {"person": person}).fetchall()
            took.append(1000 * (time.perf_counter() - due))
            done += 1
    return took


def published(seconds: int) -> dict:
    """Seconds from an entry's commit to a published checkpoint that has it, while 200 others a second are written."""
    from django.db import connection

    from wanjia.trace import api

    waits, end = [], time.monotonic() + seconds
    while time.monotonic() < end:
        api.record("bench.wait", subject_ids=range(100), by="bench", why="bench")
        [entry] = api.record("bench.wait", subject_ids=[1], by="bench", why="bench")
        began = time.monotonic()
        with connection.cursor() as cursor:
            while True:
                cursor.execute(
                    "SELECT p.seq < (SELECT max(size) FROM trace_checkpoint) FROM trace_place p WHERE p.entry_id = %s",
                    [entry],
                )
                row = cursor.fetchone()
                if row and row[0]:
                    break
                time.sleep(0.01)
        waits.append(time.monotonic() - began)
    return {f"{name}_seconds": value for name, value in spread(waits).items()}


if __name__ == "__main__":
    main()
