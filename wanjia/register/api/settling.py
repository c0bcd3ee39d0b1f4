"""Facts of a few persons, read, folded and written within one transaction of an event: no engine, a handful of statements."""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from django.db import OperationalError, connection
from psycopg.types.json import Jsonb

from wanjia.kernel import clock
from wanjia.register.api.renewing import renewed
from wanjia.register.api.resolving import FACTS, FactTable
from wanjia.register.errors import HouseholdWouldBreak, RegisterBusy, SubjectGone
from wanjia.register.rules.folding import Act, Facts, fold, is_nobody, nothing, open_piece

LOAD_LOCK = 0x57414E4A  # "WANJ": loads hold it alone, events together (see loading.py)
WAIT_SECONDS = 3
KIND_OF = {
    "register_personstate": "state",
    "register_membership": "membership",
    "register_residence": "residence",
    "register_relation": "relation",
}


@contextmanager
def waiting_shortly() -> Iterable[None]:
    """Inside, whoever waits for another's lock longer than an officer should is told so. Raises `RegisterBusy`."""
    with connection.cursor() as cursor:
        cursor.execute(f"SET LOCAL lock_timeout = '{WAIT_SECONDS}s'")
    try:
        yield
    except OperationalError as refused:
        # 55P03 lock_not_available, 40P01 deadlock_detected
        if getattr(refused.__cause__, "sqlstate", None) in ("55P03", "40P01"):
            raise RegisterBusy() from None
        raise


@dataclass
class Held:
    """What the database holds now of some persons: their facts, and the rows these stand in."""

    facts: dict[int, Facts] = field(default_factory=dict)
    rows: dict[str, dict[tuple, int]] = field(default_factory=dict)  # table → content of a row → its id
    latest: datetime | None = None  # the newest beginning of a `known` time among them


def hold(cursor: Any, person_ids: Iterable[int]) -> list[int]:
    """Lock these persons against other events, in order of id. Raises `SubjectGone` if one was merged away meanwhile."""
    wanted = sorted(set(person_ids))
    cursor.execute("SELECT id, left_at FROM register_person WHERE id = ANY(%s) ORDER BY id FOR UPDATE", [wanted])
    found = dict(cursor.fetchall())
    if any(person not in found or found[person] is not None for person in wanted):
        raise SubjectGone()
    return wanted


def say_writing(cursor: Any, person_ids: Iterable[int]) -> None:
    """Tell the database whose facts this transaction may see and write, whatever the wall says (migration 0007)."""
    cursor.execute(
        "SELECT set_config('wanjia.writing', %s, true)", ["{" + ",".join(map(str, sorted(set(person_ids)))) + "}"]
    )


def say_cases(*event_ids: int) -> None:
    """Tell the database which cases' parties this transaction may see and write (migration 0007)."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('wanjia.cases', %s, true)", ["{" + ",".join(map(str, event_ids)) + "}"])


def read(cursor: Any, person_ids: Iterable[int]) -> Held:
    """The present facts of these persons; of somebody unknown: nothing."""
    wanted = list(person_ids)
    held = Held({person: nothing() for person in wanted})
    for fact in FACTS:
        columns = [name for name in (*fact.keys, *fact.values) if name != "person_id"]
        cursor.execute(
            f"SELECT id, person_id, {', '.join(columns)}, lower(valid), upper(valid), lower(known) FROM {fact.table}"
            " WHERE upper_inf(known) AND person_id = ANY(%s) ORDER BY lower(valid) NULLS FIRST, id",
            [wanted],
        )
        of_table = held.rows[fact.table] = {}
        for number, person, *values, begins, ends, known in cursor.fetchall():
            piece = {name: _plain(value) for name, value in zip(columns, values, strict=True)}
            piece |= {"from": _plain(begins), "to": _plain(ends)}
            kind = KIND_OF[fact.table]
            if kind == "state":
                held.facts[person]["state"] = piece
            else:
                held.facts[person][kind].append(piece)
            of_table[_content(person, piece)] = number
            held.latest = known if held.latest is None else max(held.latest, known)
    return held


def moment(held: Held) -> datetime:
    """From when what is written now is known: now, or the first moment after all that it ends (no load runs: the lock is shared)."""
    now = clock.now()
    return now if held.latest is None or held.latest < now else held.latest + timedelta(microseconds=1)


def write(cursor: Any, held: Held, after: Mapping[int, Facts], at: datetime) -> int:
    """Make `after` the facts of these persons, as known from `at`: rows that hold no longer end, new ones begin. How many rows changed."""
    changed = 0
    begun: list[tuple[FactTable, list[tuple[int, dict[str, Any]]]]] = []
    for fact in FACTS:
        rows, kind = held.rows[fact.table], KIND_OF[fact.table]
        wanted: dict[tuple, tuple[int, dict[str, Any]]] = {}
        for person, facts in after.items():
            pieces = facts[kind] if kind != "state" else [facts["state"]] if facts["state"] else []
            wanted.update({_content(person, piece): (person, piece) for piece in pieces})
        ended = [number for content, number in rows.items() if content[0] in after and content not in wanted]
        fresh = [one for content, one in wanted.items() if content not in rows]
        if ended:
            cursor.execute(
                f"UPDATE {fact.table} SET known = tstzrange(lower(known), %s), sole = false WHERE id = ANY(%s)",
                [at, ended],
            )
        if fresh:
            cursor.execute(
                f"UPDATE {fact.table} SET sole = false WHERE sole AND person_id = ANY(%s)", [[p for p, _ in fresh]]
            )
            begun.append((fact, fresh))
        changed += len(ended) + len(fresh)
    for fact, fresh in begun:
        columns = [name for name in (*fact.keys, *fact.values) if name != "person_id"]
        place = f"(%s, {', '.join(['%s'] * len(columns))}, daterange(%s, %s), tstzrange(%s, NULL), false)"
        given = [
            value
            for person, piece in fresh
            for value in (person, *(piece[name] for name in columns), piece["from"], piece["to"], at)
        ]
        cursor.execute(
            f"INSERT INTO {fact.table} (person_id, {', '.join(columns)}, valid, known, sole)"
            f" VALUES {', '.join([place] * len(fresh))}",
            given,
        )
    _keep_subjects(cursor, held, after, at)
    return changed


def keep_basis(cursor: Any, held: Held, person_ids: Iterable[int]) -> None:
    """Keep what is held now as the basis of those who have none yet."""
    for person in person_ids:
        cursor.execute(
            "INSERT INTO register_basis (person_id, facts) VALUES (%s, %s) ON CONFLICT (person_id) DO NOTHING",
            [person, Jsonb(held.facts[person])],
        )


def refolded(
    cursor: Any, person_ids: Sequence[int], *, without: int | None = None, counting: Sequence[str]
) -> dict[int, Facts]:
    """The facts of these persons, folded anew from basis and acts; `without`: as if that event had not been."""
    cursor.execute("SELECT person_id, facts FROM register_basis WHERE person_id = ANY(%s)", [list(person_ids)])
    basis = dict(cursor.fetchall())
    acts = acts_of(cursor, person_ids, without=without, counting=counting)
    absorbed = absorbed_now(cursor, without=without)
    found = {
        person: fold(unpacked(basis.get(person)) or nothing(), acts.get(person, ()), absorbed=absorbed)
        for person in person_ids
    }
    for facts in found.values():
        renewed(facts["residence"])
    return found


def acts_of(
    cursor: Any, person_ids: Sequence[int] | None, *, without: int | None = None, counting: Sequence[str]
) -> dict[int, list[Act]]:
    """person → acts that count, in the order of their events. None: of everybody."""
    cursor.execute(
        "SELECT a.person_id, a.said FROM register_act a JOIN register_event e ON e.id = a.event_id"
        " WHERE (%(all)s OR a.person_id = ANY(%(ids)s)) AND e.status = ANY(%(counting)s) AND a.event_id IS DISTINCT FROM %(without)s"
        " ORDER BY a.id",
        {"all": person_ids is None, "ids": list(person_ids or []), "counting": list(counting), "without": without},
    )
    found: dict[int, list[Act]] = {}
    for person, said in cursor.fetchall():
        found.setdefault(person, []).append(unpacked(said))
    return found


def absorbed_now(cursor: Any, *, without: int | None = None) -> dict[int, int]:
    """Merged-away person → who they are, by events; `without`: as if that event had not been."""
    cursor.execute(
        "SELECT former_id, person_id FROM register_personredirect WHERE event_id IS NOT NULL AND event_id IS DISTINCT FROM %s",
        [without],
    )
    return dict(cursor.fetchall())


def merged_now(cursor: Any, *, counting: Sequence[str]) -> dict[int, int]:
    """Person who was taken into another by a merge → who stayed, at the end of as many merges as there were."""
    cursor.execute(
        "SELECT a.person_id, (a.said->>'into')::bigint FROM register_act a JOIN register_event e ON e.id = a.event_id"
        " WHERE a.said->>'do' = 'absorb' AND e.status = ANY(%s)",
        [list(counting)],
    )
    into = dict(cursor.fetchall())
    last = {}
    for former, person in into.items():
        while person in into:
            person = into[person]
        last[former] = person
    return last


def ensure_whole(before: Mapping[int, Facts], after: Mapping[int, Facts]) -> None:
    """Raises `HouseholdWouldBreak`: a household that had a head and keeps members has one head; nobody is married to two or to themselves."""
    rosters: dict[int, list[bool]] = {}
    for facts in after.values():
        piece = open_piece(facts, "membership", "domicile")
        if piece:
            rosters.setdefault(piece["household_id"], []).append(piece["is_head"])
    had_head = {
        piece["household_id"]
        for facts in before.values()
        if (piece := open_piece(facts, "membership", "domicile")) and piece["is_head"]
    }
    touched = {
        piece["household_id"]
        for person, facts in after.items()
        for side in (facts, before.get(person, nothing()))
        for piece in side["membership"]
        if side["membership"] != (before.get(person, nothing()) if side is facts else facts)["membership"]
    }
    for household in touched:
        heads = sum(rosters.get(household, ()))
        new_here = household not in had_head and not any(
            p["household_id"] == household for f in before.values() for p in f["membership"] if p["to"] is None
        )
        if heads > 1 or (rosters.get(household) and heads == 0 and (household in had_head or new_here)):
            raise HouseholdWouldBreak()
    for facts in after.values():
        for fact in ("membership", "residence", "relation"):
            if len({p["kind"] for p in facts[fact] if p["to"] is None}) < sum(p["to"] is None for p in facts[fact]):
                raise HouseholdWouldBreak()


def _keep_subjects(cursor: Any, held: Held, after: Mapping[int, Facts], at: datetime) -> None:
    gone = [person for person, facts in after.items() if is_nobody(facts)]
    here = [person for person, facts in after.items() if not is_nobody(facts)]
    if gone:
        cursor.execute("UPDATE register_person SET left_at = %s WHERE id = ANY(%s) AND left_at IS NULL", [at, gone])
    if here:
        cursor.execute("UPDATE register_person SET left_at = NULL WHERE id = ANY(%s) AND left_at IS NOT NULL", [here])
    touched = {
        piece["household_id"]
        for person, facts in after.items()
        for side in (facts, held.facts.get(person, nothing()))
        for piece in side["membership"]
    }
    if touched:
        cursor.execute("SELECT register_keep_households(%s, %s)", [sorted(touched), at])


def _content(person: int, piece: Mapping[str, Any]) -> tuple:
    return (person, *sorted(piece.items()))


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date) else value


def unpacked(value: Any) -> Any:
    """What a JSON column holds: Django's own connections give it as text."""
    if isinstance(value, str):
        import json

        return json.loads(value)
    return value
