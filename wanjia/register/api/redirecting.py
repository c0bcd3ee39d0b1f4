"""Former ids: a person whose records all belong to another person now is found under that one."""

from collections.abc import Iterable, Mapping

from django.db import connection, transaction

from wanjia.kernel import clock
from wanjia.kernel.database import id_array
from wanjia.register.models import Person, PersonRedirect
from wanjia.trace import api as trace


def persons_who_left() -> list[int]:
    """Ids of which no active record speaks any more."""
    return list(Person.objects.filter(left_at__isnull=False).order_by("pk").values_list("pk", flat=True))


@transaction.atomic
def redirect_persons(successors: Mapping[int, int], *, by: str, why: str) -> int:
    """Make `successors` (former id → person) the redirects: new ones begin, and an id that is a person again, or stands for nobody, has none.

    Returns how many changed; without a change there is no trace entry.
    """
    held = dict(PersonRedirect.objects.filter(event_id=None).values_list("former_id", "person_id"))
    # what an event made one stays one until the event is revoked
    merged = set(PersonRedirect.objects.exclude(event_id=None).values_list("former_id", flat=True))
    successors = {former: person for former, person in successors.items() if former not in merged}
    gone = [former for former in held if former not in successors]
    changed = [(former, person) for former, person in successors.items() if held.get(former) != person]
    if not gone and not changed:
        return 0
    at = clock.now()
    PersonRedirect.objects.filter(former_id__in=[*gone, *(former for former, _ in changed)]).delete()
    PersonRedirect.objects.bulk_create(
        [PersonRedirect(former_id=former, person_id=person, since=at) for former, person in changed], batch_size=10_000
    )
    with connection.cursor() as cursor:
        # a seal is about somebody, not about an id: whom a sealed id stands for now is sealed too
        cursor.execute(
            "UPDATE register_person p SET is_sealed = true FROM register_personredirect r JOIN register_person f ON f.id = r.former_id"
            " WHERE p.id = r.person_id AND f.is_sealed AND NOT p.is_sealed"
        )
    trace.record("register.redirect_persons", by=by, why=why, detail={"begun": len(changed), "ended": len(gone)})
    return len(gone) + len(changed)


def forwarded(person_id: int) -> int:
    """The id a former id stands for now, or the id itself."""
    return forwarded_all([person_id]).get(person_id, person_id)


def forwarded_all(person_ids: Iterable[int]) -> dict[int, int]:
    """Former id → the id it stands for now, of those among these ids that are former ones: through as many merges as there were."""
    asked = id_array(person_ids)
    if asked == id_array(()):
        return {}
    with connection.cursor() as cursor:
        cursor.execute("SELECT former_id FROM register_personredirect WHERE former_id = ANY(%s::bigint[])", [asked])
        former = [row[0] for row in cursor.fetchall()]
        if not former:
            # nearly always: a search asks about hundreds who never were anybody else
            return {}
        # UNION, so that even a circle would end
        cursor.execute(
            "WITH RECURSIVE led AS (SELECT former_id AS asked, person_id FROM register_personredirect WHERE former_id = ANY(%s)"
            " UNION SELECT l.asked, r.person_id FROM led l JOIN register_personredirect r ON r.former_id = l.person_id)"
            " SELECT asked, person_id FROM led l WHERE NOT EXISTS (SELECT FROM register_personredirect r WHERE r.former_id = l.person_id)",
            [former],
        )
        return dict(cursor.fetchall())


def former_ids(person_id: int) -> list[int]:
    """The ids that stand for this person now and were persons of their own before."""
    with connection.cursor() as cursor:
        cursor.execute(
            "WITH RECURSIVE led AS (SELECT former_id FROM register_personredirect WHERE person_id = %s"
            " UNION SELECT r.former_id FROM led l JOIN register_personredirect r ON r.person_id = l.former_id)"
            " SELECT former_id FROM led ORDER BY former_id",
            [person_id],
        )
        return [row[0] for row in cursor.fetchall()]
