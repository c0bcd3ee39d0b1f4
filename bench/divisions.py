"""How quickly 200,000 divisions answer while somebody types: the page that answers (without the network), and PostgreSQL asked the same beside it.

A made-up country: provinces, cities, counties, towns and villages with names of two or three common characters, so that names repeat as they do.
What is typed are beginnings of names, pinyin, first letters and codes, as they come key by key. PostgreSQL gets the same keys in one indexed table
(`text_pattern_ops`) and the same order of answers; nothing of the house is asked there.

Run: `python -m bench.divisions` (needs no city). Results: bench/results/divisions.json.
"""

import atexit
import csv
import json
import os
import random
import shutil
import statistics
import tempfile
import time
from pathlib import Path

VILLAGES, ASKED, KEPT = 200_000, 2_000, 8
FIRST = "东南西北上下大小新长石云青白红金银福永和安平清明"
SECOND = "山河湖海林泉桥门塘岭坪川溪湾庄村沙石井阳"
ENDINGS = {"province": "省", "city": "市", "county": "县", "town": "镇", "village": "村"}
SEED = 20261121


def country(count: int, draw: random.Random) -> list[dict[str, str]]:
    """Rows of a table of divisions, `count` in all; five provinces of ten cities of ten counties of ten towns, villages for the rest."""
    rows = []

    def row(code: str, level: str, parent: str) -> None:
        name = (
            draw.choice(FIRST)
            + draw.choice(SECOND)
            + (draw.choice(SECOND) if draw.random() < 0.5 else "")
            + ENDINGS[level]
        )
        rows.append(
            {
                "code": code, "name_zh": name, "name_en": "", "level": level, "parent": parent, "valid_from": "1949-10-01", "valid_to": "",
                "precision": "day", "successors": "", "source": "bench",
            }
        )  # fmt: skip

    towns = []
    for province in range(11, 16):
        row(f"{province}0000", "province", "")
        for city in range(1, 11):
            row(f"{province}{city:02d}00", "city", f"{province}0000")
            for county in range(1, 11):
                code = f"{province}{city:02d}{county:02d}"
                row(code, "county", f"{province}{city:02d}00")
                for town in range(1, 11):
                    row(f"{code}{town:03d}", "town", code)
                    towns.append(f"{code}{town:03d}")
    number = 0
    while len(rows) < count:
        number += 1
        for town in towns[: count - len(rows)]:
            row(f"{town}{number:03d}", "village", town)
    return rows


def typed(keys: list[str], draw: random.Random) -> list[str]:
    """What is typed key by key: beginnings of random keys, from one character to the whole."""
    chosen = (draw.choice(keys) for _ in range(ASKED))
    return [key[: draw.randint(1, len(key))] for key in chosen]


def spread(seconds: list[float]) -> dict[str, float]:
    """Milliseconds: median, 95th and 99th part of a hundred."""
    cuts = statistics.quantiles(seconds, n=100)
    return {name: round(cuts[at] * 1000, 3) for name, at in (("p50_ms", 49), ("p95_ms", 94), ("p99_ms", 98))}


def raw(rows: list[tuple[str, int, str]], questions: list[str]) -> dict[str, float]:
    """The same questions to PostgreSQL, one after the other over one connection: rows of (key, rank, code)."""
    import psycopg

    from wanjia.kernel.database import ensure_server

    with psycopg.connect(ensure_server(), autocommit=True) as connection, connection.cursor() as cursor:
        cursor.execute("CREATE TEMP TABLE bench_divisions (key text, rank bigint, code text)")
        with cursor.copy("COPY bench_divisions FROM STDIN") as copy:
            for one in rows:
                copy.write_row(one)
        cursor.execute("CREATE INDEX ON bench_divisions (key text_pattern_ops, rank)")
        cursor.execute("ANALYZE bench_divisions")
        times = []
        for question in questions:
            began = time.perf_counter()
            cursor.execute(
                f"SELECT code, min(rank) FROM bench_divisions WHERE key LIKE %s GROUP BY code ORDER BY 2 LIMIT {KEPT}",
                [question + "%"],
            )
            cursor.fetchall()
            times.append(time.perf_counter() - began)
    return spread(times)


def main() -> None:
    """Make the country, ask, write the figures."""
    home = Path(tempfile.mkdtemp(prefix="wanjia-bench-divisions-"))
    # registered before the server's own farewell, so it runs after it
    atexit.register(shutil.rmtree, home, ignore_errors=True)
    (home / "static").mkdir()
    root = Path(__file__).resolve().parents[1]
    os.environ["WANJIA_HOME"] = str(home)
    profile = home / "profile"
    shutil.copytree(root / "declared" / "cn", profile)
    for old in (profile / "divisions").glob("*.csv"):
        old.unlink()
    draw = random.Random(SEED)
    rows = country(VILLAGES, draw)
    with open(profile / "divisions" / "all.csv", "w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    os.environ["WANJIA_DECLARED"] = str(profile)
    told = measured(draw)
    (root / "bench" / "results" / "divisions.json").write_text(json.dumps(told, indent=2) + "\n", "utf-8")
    print(json.dumps(told, indent=2))


def measured(draw: random.Random) -> dict:
    """The figures: memory and time of making the keys, the finding alone, the page as Django answers it, PostgreSQL."""
    import django

    os.environ["DJANGO_SETTINGS_MODULE"] = "wanjia.settings"
    django.setup()
    from django.test import Client, override_settings

    from wanjia.access import api as access
    from wanjia.kernel import clock
    from wanjia.kernel.database import migrate
    from wanjia.standards import api as standards

    migrate()
    loaded = time.perf_counter()
    profile = standards.load_profile()
    began = time.perf_counter()
    picker = profile.picker
    made = time.perf_counter()
    keys = sorted({key for one in profile.divisions for key in picker.keys_of(one)})
    questions = typed(keys, draw)
    on = clock.today()
    times = []
    for question in questions:
        start = time.perf_counter()
        picker.find(question, on, limit=KEPT)
        times.append(time.perf_counter() - start)
    client = Client()
    client.force_login(access.open_account(username="bench", display_name="bench", role="officer", password=None))
    by_page = []
    with override_settings(ALLOWED_HOSTS=["*"]):
        for question in questions[: ASKED // 4]:
            start = time.perf_counter()
            answer = client.get(
                "/officer/cases/divisions.json?kind=birth&field=birth_place",
                headers={"X-Typed": "".join(f"%{byte:02x}" for byte in question.encode()), "X-Day": on.isoformat()},
            )
            by_page.append(time.perf_counter() - start)
            if answer.status_code != 200:
                raise SystemExit(f"the list answered {answer.status_code}")
    levels = {"province": 0, "city": 1, "county": 2, "town": 3, "village": 4}
    table = [
        (key, levels[one.level] * 10**12 + len(key) * 10**9 + place, one.code)
        for place, one in enumerate(profile.divisions)
        for key in set(picker.keys_of(one))
    ]
    return {
        "divisions": len(profile.divisions),
        "keys": len(table),
        "asked": len(questions),
        "load_seconds": round(began - loaded, 2),
        "keys_made_seconds": round(made - began, 2),
        "in_process": spread(times),
        "request": spread(by_page),
        "postgresql": raw(table, questions),
        "cores": os.cpu_count(),
    }


if __name__ == "__main__":
    main()
