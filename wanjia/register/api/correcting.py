"""A resident's request that was accepted, or an officer's finding of a conflict, begins the event that corrects the value; the event holds the
request's number if there is one."""

from django.db import connection, transaction

from wanjia.access.models import Account
from wanjia.kernel import clock
from wanjia.register.api.cases import open_case
from wanjia.register.api.casework import Case
from wanjia.register.api.declaring import event_book
from wanjia.register.api.forms import Judged
from wanjia.register.api.redirecting import forwarded
from wanjia.register.api.staging import office_before
from wanjia.register.declared import EventKind


def corrected_by(column: str) -> EventKind | None:
    """The kind of event that corrects a column of the profile; None where it is the sources' to put right."""
    kinds = event_book().kinds.values()
    return next((kind for kind in kinds if kind.corrects and column in kind.corrects.columns), None)


@transaction.atomic
def begin_correction(
    person_id: int, column: str, wanted: str, *, request: int | None = None, officer: Account, purpose: str
) -> Case | None:
    """A draft that corrects the person's value, filled in with what is said to be right; None where no event corrects this column.

    What was typed stands in it as typed: it is judged when the draft is submitted. Raises `RightMissing`, `PurposeUnknown`.
    """
    kind = corrected_by(column)
    if kind is None:
        return None
    said = kind.corrects
    stated = next(key for key, one in kind.fields.items() if one.element == column)
    values = {key: clock.today().isoformat() for key, one in kind.fields.items() if one.prefill == "today"}
    people = {said.person: [forwarded(person_id)]}
    form = {
        "values": {**values, said.by: said.columns[column], stated: wanted},
        "people": people,
        "declarant": _declarant(kind, is_asked=request is not None),
    }
    with connection.cursor() as cursor:
        # in the queue of the person's office from the beginning: a request must not wait for the one who accepted it
        office = office_before(cursor, kind, Judged(people=people))[:12]
    return open_case(kind.code, form, request=request, office=office, officer=officer, purpose=purpose)


def _declarant(kind: EventKind, *, is_asked: bool) -> str:
    by = "self" if is_asked else "office"
    return by if by in kind.declared_by else ""
