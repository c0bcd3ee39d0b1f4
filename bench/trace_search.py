"""An auditor's search over a very large trace: every filter and every pair of filters, through the page and cold from disk.

    python -m bench.trace --search 10000000

The entries are those of a city's year: accounts, each of one department, that work in office hours at very different rates; purposes and kinds that
go with the department; a few persons asked about often; jobs at night. Places in the public log are filled in without proofs, which a search never
reads.
"""

import itertools
import os
import statistics
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

BATCH = 500_000
ACCOUNTS, PERSONS, DAYS = 2_000, 1_200_000, 400
BEGIN = np.datetime64("2025-06-01T00:00:00", "us")
DEPARTMENTS = np.array([f"department_{n}" for n in range(12)])
KINDS = np.array(
    ["privacy.open_person", "register.find_persons", "register.as_of", "register.household_members", "privacy.show_number", "access.log_in",
     "access.log_out", "register.register_event", "services.take_up", "access.break_glass"]
)  # fmt: skip
KIND_SHARES = np.array([0.38, 0.22, 0.2, 0.1, 0.02, 0.03, 0.02, 0.02, 0.0099, 0.0001])
PURPOSES = np.array(["case", "certificate", "quality", "emergency", "correction", "household"])


def pieces(entries: int) -> Iterator[bytes]:
    """The entries as CSV: id, at, kind, actor, department, purpose, basis, subject, reach, detail; in the order of time."""
    import pyarrow as pa
    import pyarrow.compute as pc
    from pyarrow import csv

    chance = np.random.default_rng(17)
    weights = 1 / (10 + np.arange(ACCOUNTS))
    weights /= weights.sum()
    of_department = chance.integers(0, len(DEPARTMENTS), ACCOUNTS)
    # each department has the purposes of its own work
    its_purposes = np.array([chance.permutation(len(PURPOSES))[:3] for _ in DEPARTMENTS])
    for first in range(0, entries, BATCH):
        count = min(BATCH, entries - first)
        numbers = np.arange(first, first + count)
        day = numbers * DAYS // entries
        second = chance.normal(13 * 3600, 2.5 * 3600, count).clip(0, 86_399).astype("timedelta64[s]")
        at = (
            BEGIN
            + day.astype("timedelta64[D]")
            + second
            + chance.integers(0, 1_000_000, count).astype("timedelta64[us]")
        )
        at.sort()
        kind = KINDS[chance.choice(len(KINDS), count, p=KIND_SHARES)]
        account = chance.choice(ACCOUNTS, count, p=weights)
        department = of_department[account]
        purpose = PURPOSES[its_purposes[department, chance.choice(3, count, p=[0.6, 0.3, 0.1])]]
        case = chance.integers(0, max(entries // 3, 1), count)
        subject = (PERSONS * chance.random(count) ** 3).astype(np.int64) + 1
        has_none = np.char.startswith(kind, "access.log")
        is_job = chance.random(count) < 0.0005
        purposes = pc.binary_join_element_wise(pa.array(purpose), pc.cast(pa.array(case), pa.string()), ":A-")
        purposes = pc.if_else(pa.array(chance.random(count) < 0.7), purposes, pa.array(purpose))
        table = pa.table({
            "id": numbers + 1,
            "at": pc.strftime(pa.array(at), "%Y-%m-%dT%H:%M:%SZ"),
            "kind": np.where(is_job, "register.load", kind),
            "actor": np.where(is_job, "job:nightly", np.char.add("account_", account.astype(str))),
            "department": DEPARTMENTS[department],
            "purpose": pc.if_else(pa.array(is_job), "nightly", purposes),
            "basis": np.full(count, "officer-reads-in-area sha256:0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f"),
            "subject": pa.array(subject, mask=has_none | is_job),
            "reach": np.where(is_job, 2, 0),
            "detail": np.full(count, '{"fields": ["GA01", "GA02", "GA05"]}'),
        })  # fmt: skip
        buffer = pa.BufferOutputStream()
        csv.write_csv(table, buffer, csv.WriteOptions(include_header=False))
        yield buffer.getvalue().to_pybytes()


def fill(entries: int) -> float:
    """A trace of so many entries, indexes built once, vacuumed but for the newest half percent as a running server would be. Seconds."""
    from django.db import connection, transaction

    from wanjia.kernel.database import copy_csv, filled_anew

    began = time.monotonic()
    with transaction.atomic(), connection.cursor() as cursor:
        # entries are never emptied or left without waiting for a place, but here
        cursor.execute("SET LOCAL session_replication_role = replica")
        with filled_anew(cursor, "trace_entry", "trace_place"):
            columns = ["id", "at", "kind", "actor", "department", "purpose", "basis", "subject", "reach", "detail"]
            copy_csv(cursor, "trace_entry", columns, pieces(entries))
            cursor.execute(
                "INSERT INTO trace_place (seq, entry_id, commitment)"
                " SELECT id - 1, id, sha256(int8send(id)) FROM trace_entry ORDER BY id"
            )
        cursor.execute("SELECT setval(pg_get_serial_sequence('trace_entry', 'id'), %s)", [entries])
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE trace_entry")
        cursor.execute("VACUUM ANALYZE trace_place")
        # the newest are not vacuumed yet on a running server
        cursor.execute("SET session_replication_role = replica")
        cursor.execute(
            "INSERT INTO trace_entry (kind, actor, department, purpose, basis, subject, reach, detail, at)"
            " SELECT kind, actor, department, purpose, basis, subject, reach, detail, at + interval '400 days' FROM trace_entry WHERE id <= %s",
            [entries // 200],
        )
        cursor.execute("SET session_replication_role = origin")
    return time.monotonic() - began


def questions() -> dict[str, list[dict[str, str]]]:
    """What is asked, by name: each filter, each pair, some more; with several values each, common, rare, and such as never meet."""
    days = [("2025-07-03", "2025-07-04"), ("2026-02-01", "2026-03-31"), ("2025-06-01", "2026-12-31")]
    values: dict[str, list[dict[str, str]]] = {
        "action": [{"kind": kind} for kind in ("privacy.open_person", "access.log_in", "access.break_glass")],
        "who": [{"actor": actor} for actor in ("account_0", "account_300", "account_1999", "nobody")],
        "department": [{"department": name} for name in ("department_0", "department_7", "nobody")],
        "purpose": [{"purpose": purpose} for purpose in ("case", "emergency", "certificate", "nothing")],
        "case": [{"purpose": f"{purpose}:A-{n}"} for purpose in ("case", "quality") for n in (1, 77, 900_000)],
        "whose": [{"subject": str(person)} for person in (1, 2, 500, 1_199_999)],
        "time": [{"since": since, "until": until} for since, until in days],
        "bulk work": [{"work": "bulk"}],
    }  # fmt: skip
    asked = {"nothing": [{}], **values}
    for (one, some), (other, more) in itertools.combinations(values.items(), 2):
        if {one, other} != {"purpose", "case"}:
            asked[f"{one} and {other}"] = [{**a, **b} for a, b in itertools.product(some[:3], more[:3])]
    asked["four at once"] = [
        {"kind": kind, "department": name, "purpose": purpose, "since": since, "until": until}
        for kind in KINDS[:3] for name in ("department_0", "department_1") for purpose in PURPOSES[:2] for since, until in days[:2]
    ]  # fmt: skip
    return asked


def measure(entries: int) -> dict[str, Any]:
    """Every question: milliseconds of the whole page (first page, and the next where there is one), warm; and the worst ones cold."""
    from django.conf import settings
    from django.db import connection
    from django.test import Client
    from django.test.utils import override_settings

    from wanjia.access import api as access

    load_before = round(os.getloadavg()[0], 2)
    filled = fill(entries)
    print(f"{entries:,} entries in {filled:.0f} s", file=sys.stderr)
    client = Client()
    client.force_login(access.open_account(username="au", display_name="au", role="auditor", password=None))

    def page(query: dict[str, str]) -> tuple[float, str]:
        began = time.perf_counter()
        answer = client.get("/auditor/trace/", query, headers={"host": "localhost"})
        took = 1000 * (time.perf_counter() - began)
        assert answer.status_code == 200, answer.status_code
        assert b"aria-invalid" not in answer.content, query
        return took, answer.content.decode()

    # without collectstatic there is no manifest; names stay as they are
    plain = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    override_settings(STORAGES={**settings.STORAGES, "staticfiles": plain}).enable()
    page({})
    found, slowest = {}, []
    for name, queries in questions().items():
        took = []
        for query in queries:
            once, text = page(query)
            took.append(once)
            if "hx-get=" in text:
                next_page = dict(pair.split("=", 1) for pair in text.split('hx-get="?')[1].split('"')[0].split("&amp;"))
                took.append(page({**query, "before": next_page["before"]})[0])
            slowest.append((max(took[-2:]), query))
        found[name] = {"median": round(statistics.median(took), 1), "longest": round(max(took), 1), "asked": len(took)}
    cold = []
    for _, query in sorted(slowest, key=lambda one: -one[0])[:10]:
        connection.close()
        forget()
        cold.append((round(page(query)[0], 1), query))
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relname, pg_relation_size(oid) FROM pg_class WHERE relname LIKE 'trace_%' AND pg_relation_size(oid) > 1e7 ORDER BY 2 DESC"
        )
        sizes = {name: round(size / 1e6) for name, size in cursor.fetchall()}
    return {
        "entries": entries, "load_before": load_before, "filled_seconds": round(filled), "page_ms": found,
        "cold_longest_ms": max(cold)[0], "cold_ms": cold, "sizes_mb": sizes,
    }  # fmt: skip


def forget() -> None:
    """Start the server anew and let the system forget the pages of its files: what comes next comes from disk."""
    from wanjia.kernel import settings
    from wanjia.kernel.database import _EmbeddedServer

    server = _EmbeddedServer(settings.home() / "database")
    server._pg_ctl("stop", "-m", "fast", "-w")
    for path in Path(settings.home(), "database", "cluster", "base").rglob("*"):
        if path.is_file():
            with open(path, "rb") as file:
                os.fdatasync(file.fileno())
                os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
    server.hold(again=True)
