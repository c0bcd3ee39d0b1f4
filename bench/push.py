"""How long until a pushed row is in the register: single rows at a steady rate, through the door the HTTP push uses.

    WANJIA_HOME=… python -m bench.push CITY [--rate 100] [--seconds 300]

The home must hold a finished run of CITY. Starts a worker, pushes a death certificate of a different resident each time, and reads
from the database when each row's persons were settled. Prints one JSON line: p50, p99, longest, rows per second. Fictional data only.
"""

import argparse
import json
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pyarrow.parquet as pq

SETTLED = """
SELECT extract(epoch FROM l.at - p.received_at), p.id
FROM intake_push p
JOIN intake_delivery d ON d.id = p.delivery_id
JOIN LATERAL (
    SELECT min(e.at) AS at FROM intake_deliveryevent e WHERE e.delivery_id = d.id AND e.status = 'standardised'
) s ON true
JOIN LATERAL (SELECT min(at) AS at FROM register_load WHERE at >= s.at) l ON true
WHERE p.id > %s AND l.at IS NOT NULL
"""


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("city", type=Path)
    parser.add_argument("--rate", type=int, default=100)
    parser.add_argument("--seconds", type=int, default=300)
    chosen = parser.parse_args()
    from wanjia.kernel.database import setup_django

    setup_django()
    from django.db import connection

    from wanjia.intake import api as intake
    from wanjia.intake.models import Push

    rows = _rows(chosen.city, chosen.rate * chosen.seconds + 200)
    worker = subprocess.Popen([sys.executable, "-m", "wanjia", "worker"])
    try:
        for number, row in enumerate(rows[:3]):
            _push(intake, row, f"warm-{time.time_ns()}-{number}")
            _wait_until_settled(Push)
        last = Push.objects.order_by("-id").values_list("id", flat=True).first()
        late = _steadily(intake, rows[3:], chosen.rate, chosen.seconds)
        _wait_until_settled(Push)
        time.sleep(2)
        with connection.cursor() as cursor:
            cursor.execute(SETTLED, [last])
            waits = sorted(float(row[0]) for row in cursor.fetchall())
    finally:
        worker.terminate()
        worker.wait(30)
    sent = chosen.rate * chosen.seconds
    found = {
        "rows": len(waits), "sent": sent, "rate": chosen.rate, "seconds": chosen.seconds,
        "p50": round(waits[len(waits) // 2], 3), "p99": round(waits[int(len(waits) * 0.99)], 3), "longest": round(waits[-1], 3),
        "sender_behind_seconds": round(late, 2),
    }  # fmt: skip
    print(json.dumps(found))


def _rows(city: Path, count: int) -> list[dict[str, str]]:
    persons = (
        pq.read_table(city / "truth" / "persons.parquet", columns=["name", "number", "sex", "birth"])
        .slice(0, 4 * count)
        .to_pylist()
    )
    chosen = [p for p in persons if p["number"] and p["name"] and p["birth"]][:count]
    return [
        {
            "死亡证明编号": f"SWB{number:08d}", "姓名": p["name"], "性别": "M" if str(p["sex"]) == "1" else "F",
            "身份证件号码": p["number"], "出生日期": str(p["birth"]), "死亡日期": "2026-07-01", "死因编码": "I64",
            "户籍地址": "", "填报日期": "2026-07-02",
        }
        for number, p in enumerate(chosen)
    ]  # fmt: skip


def _push(intake, row: dict[str, str], key: str) -> None:
    intake.receive_rows("death_certificates", [row], idempotency_key=key, by="bench", why="bench")


def _steadily(intake, rows: list[dict[str, str]], rate: int, seconds: int) -> float:
    """Push at the rate whatever the answers do (an open arrival rate). Returns how far behind the sender fell."""
    began, stamp, behind = time.monotonic(), time.time_ns(), 0.0
    with ThreadPoolExecutor(4) as pool:
        for number in range(rate * seconds):
            due = began + number / rate
            wait = due - time.monotonic()
            if wait > 0:
                time.sleep(wait)
            behind = max(behind, -wait)
            pool.submit(_push, intake, rows[number % len(rows)], f"{stamp}-{number}")
    return behind


def _wait_until_settled(push) -> None:
    for _ in range(1200):
        if not push.objects.filter(delivery=None).exists():
            return
        time.sleep(0.1)
    raise SystemExit("the worker did not take up the pushes")


if __name__ == "__main__":
    main()
