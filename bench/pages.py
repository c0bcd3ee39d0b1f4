"""How long the pages of staff take, over real HTTP, beside what the database alone needs for the same queries.

    WANJIA_HOME=… python -m bench.pages CITY [--visits 40] [--save]

The home must hold a finished run of CITY (a million residents for the contract). Starts `wanjia serve` without the worker, logs in by the form, and
reads every page that is declared: first pages, filtered ones, deep ones, searches and records of different people. A time is that of one request on a
kept connection, until its last byte. The reference is the time PostgreSQL takes for the queries that the same page made when this process asked for
it, sent again alone. Prints a JSON line; `--save` writes bench/results/pages.json and the page. Fictional data only.
"""

import argparse
import contextlib
import csv
import json
import socket
import subprocess
import sys
import time
import tomllib
from collections.abc import Callable, Iterator
from itertools import cycle, islice
from pathlib import Path
from typing import Any

import pyarrow.compute as pc
import pyarrow.parquet as pq

from bench.page import write_page
from bench.run import RESULTS, ROOT, machine
from bench.visitor import Visitor

PURPOSE = {"purpose": "case", "case": "bench"}
LAST_PAGE = 200
AUDIENCES = ("officer", "steward", "planner", "auditor", "admin")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("city", type=Path)
    parser.add_argument("--visits", type=int, default=40)
    parser.add_argument("--save", action="store_true")
    chosen = parser.parse_args()
    from wanjia.kernel.database import migrate

    migrate()
    from wanjia.access import api as access
    from wanjia.register import api as register

    passwords = {account.username: account.password for account in access.make_demo_accounts()}
    people = _people(chosen.city, chosen.visits)
    taken: dict[str, list[float]] = {}
    with served() as url:
        visitors = {user: Visitor(url) for user in passwords if user != "resident"}
        for user, visitor in visitors.items():
            visitor.log_in(user, passwords[user])
        tours = _tours(people)
        for user, more in _declared(visitors).items():
            tours.setdefault(user, {}).update(more)
        for user, pages in tours.items():
            for name, tour in pages.items():
                tour(visitors[user])  # once unmeasured: the first visit of a page compiles its template
                taken[name] = [tour(visitors[user]) for _ in range(chosen.visits)]
        for visitor in visitors.values():
            visitor.close()
    asked = _asked_of_the_database(tours, chosen.visits)
    rows = [
        {
            "page": name, "visits": len(times), "p50_ms": _ms(times, 0.5), "p95_ms": _ms(times, 0.95), "longest_ms": _ms(times, 1),
            "database_p95_ms": _ms(asked[name], 0.95),
        }
        for name, times in taken.items()
    ]  # fmt: skip
    rows.sort(key=lambda row: -row["p95_ms"])
    bound = tomllib.loads((ROOT / "bench" / "thresholds.toml").read_text())["pages"]["p95_ms"]
    found = {**machine(), **register.sizes(), "pages": rows, "slow": [r["page"] for r in rows if r["p95_ms"] > bound]}
    print(json.dumps(found, ensure_ascii=False))
    if chosen.save:
        (RESULTS / "pages.json").write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n")
        write_page()
    sys.exit(bool(found["slow"]))


def _ms(times: list[float], share: float) -> float:
    return round(sorted(times)[min(len(times) - 1, int(len(times) * share))] * 1000, 1)


def syllables() -> dict[str, str]:
    """Character → its usual syllable without tone."""
    with (ROOT / "declared/cn/names/readings.csv").open(encoding="utf-8", newline="") as file:
        return {letter: row["syllable"] for row in csv.DictReader(file) for letter in row["characters"]}


def _people(city: Path, count: int) -> Iterator[dict[str, Any]]:
    """Residents with a number and a name, spread over the whole city, for ever."""
    persons = pq.read_table(city / "truth" / "persons.parquet", columns=["name", "number"])
    persons = persons.filter(pc.and_(pc.is_valid(persons["number"]), pc.greater(pc.utf8_length(persons["name"]), 1)))
    step = max(1, persons.num_rows // (count * 8))
    return cycle(persons.take(list(range(0, persons.num_rows, step))).to_pylist())


Tour = Callable[[Any], float]


def _tours(people: Iterator[dict[str, Any]]) -> dict[str, dict[str, Tour]]:
    """User → page → a visit of it, given who visits; returns the seconds of the request that matters."""
    from wanjia.catalog import api as catalog
    from wanjia.intake import api as intake
    from wanjia.web.words import vocabulary

    syllable = syllables()

    def found(visitor: Any, query: str) -> Any:
        answer = visitor.send("/officer/find/", visitor.get("/officer/find/"), query=query, birth_year="", **PURPOSE)
        _check(answer)
        return answer

    def by_number(visitor: Any) -> float:
        return found(visitor, next(people)["number"]).seconds

    def by_name(visitor: Any) -> float:
        return found(visitor, next(people)["name"]).seconds

    def by_pinyin(visitor: Any) -> float:
        spoken = [syllable.get(letter, "") for letter in next(people)["name"]]
        return found(visitor, " ".join(spoken)).seconds

    def record(visitor: Any) -> float:
        for person in islice(people, 50):
            hits = found(visitor, person["number"])
            address = hits.text.partition('action="/officer/persons/')[2].partition('"')[0]
            if address:
                answer = visitor.send(f"/officer/persons/{address}", hits, **PURPOSE)
                _check(answer)
                return answer.seconds
        raise LookupError("nobody of fifty is found by number")

    areas = [code for code in vocabulary().divisions if code.startswith("99")]
    refused = [f"/steward/quarantine/{row.id}/" for row in intake.refusals(limit=40)]
    sources = list(intake.sources())
    special = {
        "officer": {"find by number": by_number, "find by name": by_name, "find by pinyin": by_pinyin, "a person's record": record},
        "planner": {
            "population of an area": _plain(*(f"/planner/population/?area={code}" for code in areas)),
            "pyramid of an area": _plain(*(f"/planner/pyramid/?area={code}&by=domicile" for code in areas)),
        },
        "steward": {
            "quarantine, deep": _plain(*(f"/steward/quarantine/?page={n}" for n in (5, 10, 15))),
            "quarantine, one source": _plain(*(f"/steward/quarantine/?source={code}" for code in sources)),
            "a quarantined row": _plain(*refused),
            "findings, deep": _plain(*(f"/steward/findings/?page={n}" for n in range(20, LAST_PAGE, 20))),
            "findings, one source": _plain(*(f"/steward/findings/?source={code}" for code in sources)),
            "findings, one kind": _plain(*(f"/steward/findings/?kind={c['kind']}" for c in catalog.findings_summary())),
            "a source's scorecard": _plain(*(f"/steward/scorecards/{code}/" for code in sources)),
        },
        "auditor": {"trace of one account": _plain("/auditor/trace/?actor=officer", "/auditor/trace/?kind=privacy.open_person")},
    }  # fmt: skip
    return special


def _declared(user_of: dict[str, Visitor]) -> dict[str, dict[str, Tour]]:
    """Every declared page of staff without a blank in its address, those of tomorrow too: user who may → page → a visit of it."""
    from wanjia.web import urls

    found: dict[str, dict[str, Tour]] = {}
    for one in urls.DECLARED.values():
        if one.audience not in AUDIENCES or "GET" not in one.methods or "<" in one.address:
            continue
        address = f"/{one.address}"
        reader = next((user for user, visitor in user_of.items() if visitor.get(address).status == 200), None)
        if reader is None:
            raise SystemExit(f"no demo account may read {address}")
        found.setdefault(reader, {})[address] = _plain(address)
    return found


def _plain(*addresses: str) -> Tour:
    """A visit of these addresses in turn."""
    turn = cycle(addresses)

    def visit(visitor: Any) -> float:
        answer = visitor.get(next(turn))
        _check(answer)
        return answer.seconds

    return visit


def _check(answer: Any) -> None:
    if answer.status != 200:
        raise SystemExit(f"{answer.address.partition('?')[0]} answers {answer.status}")


@contextlib.contextmanager
def served(workers: int = 1) -> Iterator[str]:
    """`wanjia serve`, as one types it."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = subprocess.Popen(
        [sys.executable, "-m", "wanjia", "serve", "--no-worker", "--port", str(port), "--workers", str(workers)]
    )
    try:
        for _ in range(240):
            with contextlib.suppress(OSError):
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                break
            time.sleep(0.25)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait(60)


class _Inside:
    """The same visits inside this process, to see what a page asks of the database."""

    def __init__(self, username: str) -> None:
        from django.test import Client

        from wanjia.access.models import Account

        self._client = Client()
        self._client.force_login(Account.objects.get(username=username))
        self.asked: list[tuple[str, Any]] = []

    def get(self, address: str) -> Any:
        return self._see(self._client.get(address))

    def send(self, address: str, _form: Any, **fields: str) -> Any:
        return self._see(self._client.post(address, fields))

    def _see(self, answer: Any) -> Any:
        from types import SimpleNamespace

        from django.db import connection

        while answer.status_code in (301, 302, 303):
            answer = self._client.get(answer.headers["Location"])
        self.asked = []

        def note(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
            if sql.lstrip().upper().startswith(("SELECT", "WITH")):
                self.asked.append((sql, params))
            return execute(sql, params, many, context)

        # the page that counts, once more: this time what it asks is written down
        path, query = answer.request["PATH_INFO"], answer.request["QUERY_STRING"]
        with connection.execute_wrapper(note):
            answer = self._client.get(f"{path}?{query}")
        return SimpleNamespace(status=answer.status_code, address=path, text=answer.content.decode(), seconds=0.0)


def _asked_of_the_database(tours: dict[str, dict[str, Tour]], visits: int) -> dict[str, list[float]]:
    """Page → seconds of its queries alone, visit by visit. What they would write is rolled back."""
    from django.conf import settings
    from django.db import connections, transaction

    settings.ALLOWED_HOSTS = ["testserver"]
    again = connections["default"].copy("again")
    connections["again"] = again
    taken: dict[str, list[float]] = {}
    try:
        for user, pages in tours.items():
            visitor = _Inside(user)
            for name, tour in pages.items():
                for _ in range(visits):
                    tour(visitor)
                    with transaction.atomic(using="again"), again.cursor() as cursor:
                        began = time.perf_counter()
                        for sql, params in visitor.asked:
                            cursor.execute(sql, params)
                            cursor.fetchall()
                        taken.setdefault(name, []).append(time.perf_counter() - began)
                        transaction.set_rollback(True, using="again")
    finally:
        again.close()
    return taken


if __name__ == "__main__":
    main()
