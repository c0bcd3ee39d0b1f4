"""Erasing: the facts of one person, at all times. The id stays, and means nobody."""

from django.db import connection, transaction

from wanjia.register.api.resolving import FACTS
from wanjia.register.errors import PersonStillStated
from wanjia.register.models import Person
from wanjia.trace import api as trace


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
