"""The officer's desk on a register of a million: searches of each kind, registering an event, and 200 officers at work over HTTP.

    WANJIA_HOME=… python -m bench.officers CITY [--officers 200] [--seconds 120] [--save]

The home must hold a finished run of CITY. Beside each figure stands what the database took of it: the time of its statements within the same
calls. Where nobody else has the home's database running, a few searches come first as a machine meets them that was just started. Officers
think between two pages for ten seconds on average, as people do; a page that does not answer 200 is an error. Changes names of some
residents of the home by events. Prints a JSON line; `--save` writes bench/results/officers.json and the page. Fictional data only.
"""

import argparse
import json
import random
import sys
import threading
import time
import tomllib
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow.compute as pc
import pyarrow.parquet as pq

from bench.cold import cold, is_cold
from bench.page import write_page
from bench.pages import served, syllables
from bench.run import RESULTS, ROOT, machine
from bench.visitor import Visitor

SEED = 20261121
THINKS_SECONDS = 10.0
PURPOSE = {"purpose": "case", "case": "bench"}
#: a search that asks to narrow is answered too; those that find nobody are counted
SEARCHES, COLD_SEARCHES, EVENTS, PAIRS = 200, 20, 100, 40
#: the first ones of a kind of call make what the process keeps afterwards
FIRST = 5


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("city", type=Path)
    parser.add_argument("--officers", type=int, default=200)
    parser.add_argument("--seconds", type=int, default=120)
    parser.add_argument("--save", action="store_true")
    chosen = parser.parse_args()
    from wanjia.kernel.database import migrate

    was_cold = is_cold()
    migrate()
    from wanjia.register import api as register
    from wanjia.trace import api as trace

    trace.confirm()
    chance = random.Random(SEED)
    people = _people(chosen.city, chance)
    bound = tomllib.loads((ROOT / "bench" / "thresholds.toml").read_text())["officers"]
    found = {
        **machine(),
        **register.sizes(),
        "cold": cold(lambda: _searches(_by_name_or_number(chance), people, chance, COLD_SEARCHES))
        if was_cold
        else None,
        "searches": _searches({**_by_name_or_number(chance), **_of_the_register()}, people, chance, SEARCHES),
        "events": _events(chance),
        "desks": _desks(people, chosen.officers, chosen.seconds),
    }
    slow = [row["kind"] for row in found["searches"] if row["p95_ms"] > bound["search_p95_ms"]]
    slow += [
        row["kind"] for row in found["events"] if row["kind"] == "register" and row["p95_ms"] > bound["register_p95_ms"]
    ]
    review = found["desks"]["review"]
    slow += [review["kind"]] if review["p95_ms"] > bound["next_pair_p95_ms"] else []
    slow += [row["kind"] for row in found["desks"]["pages"] if row["p95_ms"] > bound["page_p95_ms"]]
    found["slow"] = slow
    print(json.dumps(found, ensure_ascii=False))
    if chosen.save:
        (RESULTS / "officers.json").write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n")
        write_page()
    sys.exit(bool(slow or found["desks"]["errors"]))


def _people(city: Path, chance: random.Random) -> list[dict[str, Any]]:
    """Residents with a number and a name of at least two characters, drawn from the truth of the city."""
    persons = pq.read_table(city / "truth" / "persons.parquet")
    persons = persons.filter(pc.and_(pc.is_valid(persons["number"]), pc.greater(pc.utf8_length(persons["name"]), 1)))
    return persons.take(chance.sample(range(persons.num_rows), min(2000, persons.num_rows))).to_pylist()


def _row(kind: str, times: list[float], inside: list[float], **more: Any) -> dict[str, Any]:
    return {
        "kind": kind, "times": len(times), "p50_ms": _ms(times, 0.5), "p95_ms": _ms(times, 0.95), "longest_ms": _ms(times, 1),
        "database_p95_ms": _ms(inside, 0.95) if inside else None, **more,
    }  # fmt: skip


def _ms(times: list[float], share: float) -> float:
    return round(sorted(times)[min(len(times) - 1, int(len(times) * share))] * 1000, 1)


@contextmanager
def _database_time() -> Iterator[list[float]]:
    """A list whose sum is the time that statements of this thread took meanwhile."""
    from django.db import connection

    taken: list[float] = []

    def note(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        began = time.perf_counter()
        try:
            return execute(sql, params, many, context)
        finally:
            taken.append(time.perf_counter() - began)

    with connection.execute_wrapper(note):
        yield taken


def _timed(call: Callable[[], Any]) -> tuple[float, float, Any]:
    """(seconds, of which statements, what it returned)."""
    with _database_time() as inside:
        began = time.perf_counter()
        answer = call()
        return time.perf_counter() - began, sum(inside), answer


def _by_name_or_number(chance: random.Random) -> dict[str, Callable[[dict[str, Any]], str]]:
    """Kind of search → what is typed for a resident."""
    syllable = syllables()

    def mistyped(number: str) -> str:
        at = chance.randrange(6, 17)
        return number[:at] + str((int(number[at]) + 1) % 10) + number[at + 1 :]

    def letters(one: dict[str, Any]) -> str:
        return "".join(syllable[letter][0] for letter in one["name"])

    return {
        "number": lambda one: one["number"],
        "number, one digit wrong": lambda one: mistyped(one["number"]),
        "name": lambda one: one["name"],
        "name and year": lambda one: f"{one['name']} {one['number'][6:10]}",
        "pinyin": lambda one: "".join(syllable[letter] for letter in one["name"]),
        "first letters and year": lambda one: f"{letters(one)} {one['number'][6:10]}",
    }


def _searches(
    kinds: dict[str, Callable[[dict[str, Any]], str]], people: list[dict[str, Any]], chance: random.Random, count: int
) -> list[dict[str, Any]]:
    from wanjia.access.api import SearchScope
    from wanjia.register import api as register
    from wanjia.register.api.matching import ELEMENTS

    syllable = syllables()
    spoken = [one for one in people if all(letter in syllable for letter in one["name"])]
    scope = SearchScope(area="", elements=frozenset().union(*ELEMENTS.values()))
    # what is declared is read before a process of the pages answers
    register.sought_by("王 wang")
    register.sought_by("wang")
    rows = []
    for kind, query in kinds.items():
        times, inside, found = [], [], []
        for one in chance.choices(spoken, k=count):
            asked = query(one)
            seconds, statements, hits = _timed(
                lambda asked=asked: register.find_persons(
                    register.sought_by(asked), scope=scope, by="bench", why="bench", shown=slice(0, 25)
                )
            )
            times.append(seconds)
            inside.append(statements)
            found.append(bool(hits.hits or hits.is_too_many))
        rows.append(_row(kind, times, inside, found=sum(found)))
    return rows


def _of_the_register() -> dict[str, Callable[[dict[str, Any]], str]]:
    """Searches by what the truth of the city does not hold: address and household number of persons of the register."""
    from wanjia.privacy import api as privacy
    from wanjia.register.api.staging import tags_of_columns

    tags = tags_of_columns()
    texts: dict[str, list[str]] = {"address": [], "household number": []}
    for person in _adults(SEARCHES):
        said: dict[str, str] = {}
        for statement in privacy.open_person(person, by="bench", why="bench").statements:
            said.update(statement.values)
        for kind, tag in (("address", tags["domicile_address"]), ("household number", tags["household_number"])):
            if said.get(tag):
                texts[kind].append(said[tag])
    chance = random.Random(SEED)
    return {kind: (lambda _one, known=known: chance.choice(known)) for kind, known in texts.items() if known}


def _adults(count: int) -> list[int]:
    """Ids of living adults with a domicile, spread over the register."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT s.person_id FROM register_personstate s JOIN register_membership m USING (person_id)"
            " WHERE upper_inf(s.valid) AND upper_inf(s.known) AND upper_inf(m.valid) AND upper_inf(m.known)"
            " AND s.registration_state = '1' AND s.died_on IS NULL AND s.birth_on BETWEEN '1950-01-01' AND '2000-01-01'"
            " AND s.person_id %% 101 = 7 ORDER BY s.person_id LIMIT %s",
            [count],
        )
        return [row[0] for row in cursor.fetchall()]


def _events(chance: random.Random) -> list[dict[str, Any]]:
    """A change of name of each of some adults: opened and submitted by one, registered by another."""
    from wanjia.access import api as access
    from wanjia.register import api as register

    one, other = (
        _account(access, name, role) for name, role in (("bench-desk", "officer"), ("bench-chief", "supervisor"))
    )
    taken: dict[str, tuple[list[float], list[float]]] = defaultdict(lambda: ([], []))

    def step(kind: str, call: Callable[[], Any]) -> Any:
        seconds, statements, answer = _timed(call)
        taken[kind][0].append(seconds)
        taken[kind][1].append(statements)
        return answer

    for person in _adults(EVENTS + FIRST):
        form = {
            "values": {"kind": "20", "on": "2026-11-02", "name": "安" + chr(0x4E00 + chance.randrange(2000))},
            "people": {"person": [person]}, "declarant": "self", "evidence": {"ground": {"seen": True, "number": "1"}},
        }  # fmt: skip
        case = step(
            "open", lambda form=form: register.open_case("change_correction", form, officer=one, purpose="case")
        )
        case = step(
            "submit", lambda case=case: register.submit_case(case.id, version=case.version, officer=one, purpose="case")
        )
        step(
            "register",
            lambda case=case: register.move_case(
                case.id, "register", version=case.version, officer=other, purpose="case"
            ),
        )
    return [_row(kind, times[FIRST:], inside[FIRST:]) for kind, (times, inside) in taken.items()]


def _account(access: Any, username: str, role: str) -> Any:
    from wanjia.access.errors import AccountUnknown

    try:
        return access.account_named(username)
    except AccountUnknown:
        return access.open_account(username=username, display_name=username, role=role, password=None)


def _desks(people: list[dict[str, Any]], officers: int, seconds: int) -> dict[str, Any]:
    """Officers who look at their queue, find people, open their records and households, and begin cases, each thinking in between."""
    from django.contrib.auth.hashers import make_password

    from wanjia.access import api as access
    from wanjia.access.models import Account

    password = access.random_password()
    hashed = make_password(password)
    names = [f"bench-{n:03d}" for n in range(officers)]
    for name in names:
        account = _account(access, name, "officer")
        Account.objects.filter(pk=account.pk).update(password=hashed)
    taken: dict[str, list[float]] = defaultdict(list)
    errors: list[str] = []
    lock = threading.Lock()
    with served(workers=2) as url:
        visitors = [Visitor(url) for _ in names]
        for name, visitor in zip(names, visitors, strict=True):
            visitor.log_in(name, password)
        review = _next_pairs(visitors[0])
        ends = time.monotonic() + seconds
        desks = [
            threading.Thread(target=_desk, args=(visitor, people, random.Random(n), ends, taken, errors, lock))
            for n, visitor in enumerate(visitors)
        ]
        for desk in desks:
            desk.start()
        for desk in desks:
            desk.join()
    rows = [_row(page, times, []) for page, times in sorted(taken.items())]
    return {
        "officers": officers,
        "seconds": seconds,
        "requests": sum(map(len, taken.values())),
        "errors": errors,
        "review": review,
        "pages": rows,
    }


def _next_pairs(visitor: Visitor) -> dict[str, Any]:
    """From one pair of records that linking could not tell on to the next, until it is shown: one officer, before the others come."""
    times, behind = [], ""
    for _ in range(PAIRS + FIRST):
        began = time.perf_counter()
        shown = visitor.get(f"/officer/pairs/next/{behind}")
        times.append(time.perf_counter() - began)
        pair = shown.address.removeprefix("/officer/pairs/").partition("/")[0]
        if shown.status != 200 or not pair.isdigit():
            raise SystemExit("no pair of records waits in this home")
        behind = f"?after={pair}"
    return _row("on to the next pair", times[FIRST:], [])


def _desk(
    visitor: Visitor, people: list, chance: random.Random, ends: float, taken: dict, errors: list, lock: Any
) -> None:
    def see(page: str, answer: Any) -> Any:
        with lock:
            taken[page].append(answer.seconds)
            if answer.status != 200:
                errors.append(f"{page}: {answer.status}")
        return answer

    def think() -> bool:
        pause = min(chance.expovariate(1 / THINKS_SECONDS), 60.0)
        time.sleep(max(0.0, min(pause, ends - time.monotonic())))
        return time.monotonic() < ends

    try:
        while think():
            see("work queue", visitor.get("/officer/cases/"))
            if not think():
                return
            one = chance.choice(people)
            asked = chance.choice([one["number"], one["name"], f"{one['name']} {one['number'][6:10]}"])
            hits = see(
                "find",
                visitor.send("/officer/find/", visitor.get("/officer/find/"), query=asked, birth_year="", **PURPOSE),
            )
            person = hits.text.partition('action="/officer/persons/')[2].partition('/"')[0]
            if not person or not think():
                continue
            see("a person's record", visitor.send(f"/officer/persons/{person}/", hits, **PURPOSE))
            if not think():
                return
            page, address = chance.choice(
                [
                    ("household", f"/officer/persons/{person}/household/"),
                    ("as of a day", f"/officer/persons/{person}/on-a-day/?true_on=2020-01-01"),
                    ("form of a case", f"/officer/cases/new/change_correction/?person={person}"),
                ]
            )
            see(page, visitor.get(address))
    except Exception as error:
        with lock:
            errors.append(type(error).__name__)
    finally:
        visitor.close()


if __name__ == "__main__":
    main()
