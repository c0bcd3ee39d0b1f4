"""Protection orders: a sealed person is found and read only by whom a right or a grant lets."""

from django.db import transaction

from wanjia.access import api as access
from wanjia.access.api import Action, Right
from wanjia.access.models import Account
from wanjia.register.api.finding import subject_of
from wanjia.register.models import Person
from wanjia.trace import api as trace


@transaction.atomic
def seal_person(person_id: int, *, supervisor: Account, purpose: str, is_sealed: bool = True) -> None:
    """Seal a person's record, or (`is_sealed` False) end that. Traced, also to the person.

    Raises `RightMissing`, and `OutsideArea` when the supervisor may not find the person.
    """
    access.require(supervisor, Right.SEAL_PERSON)
    access.require_decision(supervisor, Action.FIND, subject_of(person_id), purpose)
    Person.objects.filter(id=person_id).update(is_sealed=is_sealed)
    trace.record(
        "register.seal_person" if is_sealed else "register.unseal_person",
        subject_ids=[person_id],
        by=supervisor.username,
        why=purpose,
        department=supervisor.department,
    )
