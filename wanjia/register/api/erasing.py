"""Erasing: the facts of one person, at all times, and what events said of them. The id stays, and means nobody."""

from collections.abc import Iterator

from django.db import connection, transaction

from wanjia.privacy import api as privacy
from wanjia.privacy.api import BlindKind
from wanjia.register.api.casework import named_in, opened
from wanjia.register.api.resolving import FACTS
from wanjia.register.errors import PersonStillStated
from wanjia.register.models import Basis, Event, EventParty, EventStep, Person, PersonRedirect
from wanjia.trace import api as trace


def ids_of(person_id: int) -> set[int]:
    """The person's id, and the ids under which sources know somebody whom an event founded."""
    former = PersonRedirect.objects.filter(person_id=person_id, event_id__isnull=False)
    return {person_id, *former.values_list("former_id", flat=True)}


@transaction.atomic
def erase_events(person_id: int, *, by: str, why: str) -> int:
    """Erase what events say of a person: the forms and reasons of every case they are in, drafts too, and what those did to them; how many cases.

    What the events did to others stands. The next run makes the register without them. Traced, to the person too.
    """
    cases = set(EventParty.objects.filter(person_id=person_id).values_list("event_id", flat=True))
    cases |= set(_drafts_naming(person_id))
    Event.objects.filter(pk__in=cases).update(form=b"")
    EventStep.objects.filter(event_id__in=cases).update(reason=b"")
    with connection.cursor() as cursor:
        # acts stay as they were written (migration 0007), but for this
        cursor.execute("SELECT set_config('wanjia.erasing', %s, true)", [str(person_id)])
        cursor.execute("DELETE FROM register_act WHERE person_id = %s", [person_id])
        cursor.execute("SELECT set_config('wanjia.erasing', '', true)")
    Basis.objects.filter(person_id=person_id).delete()
    EventParty.objects.filter(person_id=person_id).delete()
    PersonRedirect.objects.filter(person_id=person_id, event_id__isnull=False).delete()
    trace.record("register.erase_events", subject_ids=[person_id], by=by, why=why, detail={"cases": len(cases)})
    return len(cases)


def _drafts_naming(person_id: int) -> Iterator[int]:
    """Cases nobody submitted yet have no parties: their forms are looked through, for the id and for numbers the person is found by."""
    for event in Event.objects.filter(submitted_at=None).exclude(form=b"").iterator():
        form = opened(event).get("form", {})
        typed = form.get("numbers") if isinstance(form.get("numbers"), dict) else {}
        numbers = [one.strip().upper() for one in typed.values() if isinstance(one, str) and one.strip()]
        holders = privacy.find_by_blind(BlindKind.NUMBER, numbers) if numbers else {}
        if person_id in named_in(form) or any(person_id in found for found in holders.values()):
            yield event.pk


@transaction.atomic
def erase_person(person_id: int, *, by: str, why: str) -> int:
    """Delete all facts of a person who has left the register, of any valid or known time; how many. Traced, to the person too.

    Raises `PersonStillStated` while an active record speaks of them: the next run would make them again.
    """
    if Person.objects.filter(pk=person_id, left_at=None).exists():
        raise PersonStillStated()
    erased = 0
    with connection.cursor() as cursor:
        for fact in FACTS:
            cursor.execute(f"DELETE FROM {fact.table} WHERE person_id = %s", [person_id])
            erased += cursor.rowcount
    trace.record("register.erase_person", subject_ids=[person_id], by=by, why=why, detail={"facts": erased})
    return erased
