"""A case becomes part of the register, or ceases to be: persons locked, checks run again, acts folded and written, vault and outbox told, all
traced, in one transaction.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from django.db import connection
from psycopg.types.json import Jsonb

from wanjia.access.models import Account
from wanjia.privacy import api as privacy
from wanjia.privacy.api import Said
from wanjia.register.api.declaring import event_book
from wanjia.register.api.doubles import Looked
from wanjia.register.api.forms import Judged
from wanjia.register.api.notices import tell
from wanjia.register.api.numbering import issue_citizen_number, issue_household_number
from wanjia.register.api.settling import (
    LOAD_LOCK,
    Held,
    ensure_whole,
    hold,
    keep_basis,
    moment,
    read,
    refolded,
    say_writing,
    waiting_shortly,
    write,
)
from wanjia.register.api.staging import (
    acts_of_scene,
    concerned_by,
    households_of,
    listed,
    office_of,
    said_of_scene,
    scene_of,
)
from wanjia.register.declared import EventKind
from wanjia.register.errors import DeciderNotAllowed, FormRefused, LaterEventStands, SubjectGone
from wanjia.register.models import Event, EventParty
from wanjia.register.rules import checks, effects
from wanjia.register.rules.folding import Act, Facts, fold, nothing
from wanjia.trace import api as trace


def share_register(cursor: Any) -> None:
    """Keep loads out until this transaction ends; other events go on."""
    cursor.execute("SELECT pg_advisory_xact_lock_shared(%s)", [LOAD_LOCK])


def register_case(
    event: Event,
    kind: EventKind,
    judged: Judged,
    match: Mapping[str, Any],
    *,
    looked: Looked | None = None,
    officer: Account,
    purpose: str,
) -> list[Said]:
    """Make a case part of the register; the caller holds its row. `looked`: what was seen of two who are to be one. Raises `FormRefused`,
    `RegisterBusy`, `SubjectGone`, `HouseholdWouldBreak`, `NumbersUsedUp`, `DeciderNotAllowed`.
    """
    with connection.cursor() as cursor, waiting_shortly():
        share_register(cursor)
        concerned = _locked(cursor, kind, judged)
        new = {party.role: _new_person(cursor) for party in kind.parties if party.is_new}
        say_writing(cursor, [*concerned, *new.values()])
        held = read(cursor, concerned)
        scene = scene_of(cursor, kind, judged, held, new=new, looked=looked, case=event.pk)
        if problems := listed(checks.problems(scene)):
            raise FormRefused(problems, people=judged.everybody)
        ensure_decider(officer, kind, office_of(scene))
        household_number = None
        if effects.makes_household(scene):
            household_number, scene.new_household = issue_household_number(office_of(scene))
            event.household_id = scene.new_household
        acts = acts_of_scene(scene)
        issued = _issued(scene)
        at = _founded(cursor, held, new)
        said = said_of_scene(
            scene, judged, acts, issued=issued, household_number=household_number, match=match, looked=looked
        )
        event.about_id = event.about_id or (scene.pair["event"] if scene.pair else None)
        event.office = office_of(scene)[:12]
        event.happened_on = date.fromisoformat(scene.day())
        for role, person in new.items():
            EventParty.objects.create(event=event, role=role, person_id=person)
        commit(cursor, event, held, acts, said, at=at)
        tell(event, f"{kind.code}.registered", at=at, kind=kind.code)
    _traced("register.event_register", event, acts, officer=officer, purpose=purpose)
    return said


def commit(
    cursor: Any, event: Event, held: Held, acts: Mapping[int, Sequence[Act]], said: Sequence[Said], *, at: Any
) -> None:
    """Fold the acts over what is held, write the difference, and keep basis, acts and amendments. Raises `HouseholdWouldBreak`."""
    before: dict[int, Facts] = {person: held.facts.setdefault(person, nothing()) for person in acts}
    after = {person: fold(before[person], done) for person, done in acts.items()}
    ensure_whole(held.facts, {**held.facts, **after})
    keep_basis(cursor, held, acts)
    write(cursor, held, after, at)
    rows = [(event.pk, person, Jsonb(act)) for person, done in acts.items() for act in done]
    cursor.executemany("INSERT INTO register_act (event_id, person_id, said) VALUES (%s, %s, %s)", rows)
    privacy.amend(event.pk, said, at=at)
    _lead_on(cursor, event.pk, acts, at)
    event.registered_at = at


def _lead_on(cursor: Any, event_id: int, acts: Mapping[int, Sequence[Act]], at: Any) -> None:
    """The ids of those who turned out to be others lead to these."""
    for person, done in acts.items():
        for act in done:
            if act["do"] == "absorb":
                cursor.execute(
                    "INSERT INTO register_personredirect (former_id, person_id, since, event_id) VALUES (%s, %s, %s, %s)"
                    " ON CONFLICT (former_id) DO UPDATE SET person_id = excluded.person_id, since = excluded.since, event_id = excluded.event_id",
                    [person, act["into"], at, event_id],
                )


def revoke_case(event: Event, by_event: Event, *, officer: Account, purpose: str) -> None:
    """Fold everybody of the event without it: the register is as if it had not been.

    Raises `LaterEventStands`, `RegisterBusy`, `HouseholdWouldBreak`.
    """
    with connection.cursor() as cursor, waiting_shortly():
        share_register(cursor)
        people = _people_of(cursor, event.pk)
        people += _led_here(cursor, event.pk, people)
        _hold_all(cursor, people)
        _ensure_last(cursor, event.pk, people)
        at = _again(cursor, people, without=event.pk)
        privacy.end_amendments(event.pk, at=at)
        cursor.execute("DELETE FROM register_personredirect WHERE event_id = %s", [event.pk])
        by_event.registered_at = at
        tell(by_event, f"{event.kind}.revoked", at=at, kind=event.kind, about=event.pk)
    _traced("register.event_revoke", event, people, officer=officer, purpose=purpose)


def reinstate_case(event: Event, by_event: Event, said: Sequence[Said], *, officer: Account, purpose: str) -> None:
    """The revoked event counts again, its acts in their old place. Raises what `revoke_case` raises, and `SubjectGone`."""
    with connection.cursor() as cursor, waiting_shortly():
        share_register(cursor)
        people = _people_of(cursor, event.pk)
        _hold_all(cursor, people)
        _ensure_there(cursor, event.pk)
        _ensure_last(cursor, event.pk, people)
        at = _again(cursor, people, without=None)
        privacy.amend(event.pk, said, at=at)
        by_event.registered_at = at
        tell(by_event, f"{event.kind}.reinstated", at=at, kind=event.kind, about=event.pk)
    _traced("register.event_reinstate", event, people, officer=officer, purpose=purpose)


def ensure_decider(officer: Account, kind: EventKind, office: str) -> None:
    """Raises `DeciderNotAllowed` unless the account's role decides this kind and its area covers the office."""
    from wanjia.access import api as access

    if officer.role not in kind.decided_by or not access.covers(officer.area, office):
        raise DeciderNotAllowed(office=office or "–", roles=", ".join(kind.decided_by))


def _locked(cursor: Any, kind: EventKind, judged: Judged) -> list[int]:
    """Lock the households, then everybody concerned; who that is may change until the households are locked."""
    households: list[int] = []
    while True:
        now = households_of(cursor, kind, judged)
        if set(now) <= set(households):
            break
        households = sorted({*households, *now})
        cursor.execute("SELECT id FROM register_household WHERE id = ANY(%s) ORDER BY id FOR UPDATE", [households])
        cursor.fetchall()
    return hold(cursor, concerned_by(cursor, judged, households))


def _hold_all(cursor: Any, people: Sequence[int]) -> None:
    """Lock these persons, also those who are nobody now, and their households."""
    cursor.execute("SELECT household_id FROM register_homes(%s)", [list(people)])
    households = sorted({row[0] for row in cursor.fetchall()})
    cursor.execute("SELECT id FROM register_household WHERE id = ANY(%s) ORDER BY id FOR UPDATE", [households])
    cursor.execute("SELECT id FROM register_person WHERE id = ANY(%s) ORDER BY id FOR UPDATE", [sorted(people)])


def _again(cursor: Any, people: Sequence[int], *, without: int | None) -> Any:
    """Fold these persons anew and write the difference; from when it is known."""
    after = refolded(cursor, list(people), without=without, counting=event_book().counting)
    # members of the households they were in and come back to: a head who is back must not stand beside the one who followed
    cursor.execute("SELECT household_id FROM register_homes(%s)", [list(people)])
    households = {row[0] for row in cursor.fetchall()}
    households |= {piece["household_id"] for facts in after.values() for piece in facts["membership"]}
    cursor.execute("SELECT id FROM register_household WHERE id = ANY(%s) ORDER BY id FOR UPDATE", [sorted(households)])
    cursor.execute("SELECT person_id FROM register_concerned(%s, %s)", [list(people), sorted(households)])
    around = sorted({row[0] for row in cursor.fetchall()} | set(people))
    say_writing(cursor, around)
    held = read(cursor, around)
    ensure_whole(held.facts, {**held.facts, **after})
    at = moment(held)
    write(cursor, held, after, at)
    return at


def _people_of(cursor: Any, event_id: int) -> list[int]:
    cursor.execute(
        "SELECT set_config('wanjia.writing', (SELECT coalesce(array_agg(person_id)::text, '{}') FROM register_people_of(%s)), true)",
        [event_id],
    )
    cursor.execute("SELECT person_id FROM register_people_of(%s)", [event_id])
    return sorted(row[0] for row in cursor.fetchall())


def _led_here(cursor: Any, event_id: int, people: Sequence[int]) -> list[int]:
    """Others with acts of their own who came to be related to whom an event made one with another: they are folded anew with them."""
    cursor.execute(
        "SELECT DISTINCT (said->>'into')::bigint FROM register_act WHERE event_id = %s AND said->>'do' = 'absorb'",
        [event_id],
    )
    stayed = [row[0] for row in cursor.fetchall()]
    if not stayed:
        return []
    cursor.execute("SELECT person_id FROM register_concerned(%s, '{}')", [stayed])
    around = sorted({row[0] for row in cursor.fetchall()} - set(people))
    say_writing(cursor, [*people, *around])
    cursor.execute("SELECT person_id FROM register_basis WHERE person_id = ANY(%s)", [around])
    return sorted(row[0] for row in cursor.fetchall())


def _ensure_last(cursor: Any, event_id: int, people: Sequence[int]) -> None:
    """Raises `LaterEventStands` when one of the persons has a later event that counts. Who only became somebody else's relative by it may have."""
    cursor.execute(
        "SELECT DISTINCT person_id FROM register_act WHERE event_id = %s AND person_id = ANY(%s) AND said->>'do' <> 'rename'",
        [event_id, list(people)],
    )
    concerned = [row[0] for row in cursor.fetchall()]
    counting = list(event_book().counting)
    cursor.execute(
        "SELECT DISTINCT a.event_id FROM register_act a JOIN register_event e ON e.id = a.event_id"
        " WHERE a.person_id = ANY(%s) AND e.status = ANY(%s) AND a.id > (SELECT max(id) FROM register_act WHERE event_id = %s)"
        " AND a.event_id <> %s AND a.said->>'do' NOT IN ('touch', 'rename') ORDER BY 1",
        [concerned, counting, event_id, event_id],
    )
    later = {row[0] for row in cursor.fetchall()}
    # what later was said of two who were one may be about either: nobody but an officer can tell
    cursor.execute(
        "SELECT event_id FROM register_events_after((SELECT array_agg((said->>'into')::bigint) FROM register_act"
        " WHERE event_id = %s AND said->>'do' = 'absorb'), %s, %s)",
        [event_id, counting, event_id],
    )
    later = [str(one) for one in sorted(later | {row[0] for row in cursor.fetchall()})]
    if later:
        raise LaterEventStands(count=len(later), numbers=", ".join(later[:5]))


def _ensure_there(cursor: Any, event_id: int) -> None:
    """Raises `SubjectGone` when somebody of the event is nobody now, whom it did not found itself: the event that did was revoked."""
    cursor.execute(
        "SELECT EXISTS (SELECT FROM register_act a JOIN register_person p ON p.id = a.person_id"
        " WHERE a.event_id = %(event)s AND p.left_at IS NOT NULL AND NOT EXISTS (SELECT FROM register_act f"
        "  WHERE f.event_id = %(event)s AND f.person_id = a.person_id AND f.said->>'do' = 'found'))",
        {"event": event_id},
    )
    if cursor.fetchone()[0]:
        raise SubjectGone()


def _new_person(cursor: Any) -> int:
    cursor.execute("SELECT nextval('register_person_by_event')")
    return cursor.fetchone()[0]


def _founded(cursor: Any, held: Held, new: Mapping[str, int]) -> Any:
    at = moment(held)
    for person in new.values():
        cursor.execute("INSERT INTO register_person (id, founded_at, is_sealed) VALUES (%s, %s, false)", [person, at])
    return at


def _issued(scene: Any) -> dict[int, str]:
    """person → citizen number given out by the event."""
    use = effects.needs_number(scene)
    if use is None:
        return {}
    place = scene.placed.get(scene.values.get(scene.kind.office), office_of(scene))
    born = date.fromisoformat(scene.day("birth_on"))
    return {
        person: issue_citizen_number(place, born, str(scene.values.get("sex"))) for person in scene.all_of(use.person)
    }


def _traced(kind: str, event: Event, people: Any, *, officer: Account, purpose: str) -> None:
    trace.record(
        kind,
        subject_ids=sorted(people),
        by=officer.username,
        why=f"{purpose}:{event.pk}",
        department=officer.department,
        detail={"event": event.pk, "kind": event.kind},
    )
