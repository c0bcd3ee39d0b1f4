"""Who a form is about, and who stands around them: what the page of a form needs to be drawn. Each look is decided and traced."""

from collections.abc import Iterable, Mapping
from typing import Any

from django.db import connection, transaction

from wanjia.access import api as access
from wanjia.access.api import Action, Right, raise_wall
from wanjia.access.models import Account
from wanjia.kernel import clock
from wanjia.register.api.declaring import event_book
from wanjia.register.api.finding import subjects_of
from wanjia.register.api.forms import parties_judged, told_of_check, what_is_known
from wanjia.register.errors import FieldError
from wanjia.register.rules import forms
from wanjia.trace import api as trace


def parties_of(kind_code: str, form: Mapping[str, Any], *, officer: Account, purpose: str) -> dict[str, list[int]]:
    """Part → persons of a form, as far as this account reaches them; the rest of the form is not judged. Traced for each of them.

    Raises `RightMissing`, `PurposeUnknown`, `KindUnknown`.
    """
    access.require(officer, Right.HANDLE_EVENTS)
    access.require_purpose(officer, purpose)
    kind = event_book().kind(kind_code)
    judged = parties_judged(kind, form, officer=officer, purpose=purpose, today=clock.today())
    if judged.people:
        told_of_check({}, judged.everybody, officer=officer, why=f"{purpose}:{kind.code}", kind=kind.code)
    return judged.people


def household_typed(value: Any) -> int | None:
    """The id of the household that was typed, by id or number; None where there is none."""
    try:
        return forms.canonical(value, "household", what_is_known(clock.today()))
    except FieldError:
        return None


def members_around(
    kind_code: str, person_ids: Iterable[int], *, officer: Account, purpose: str
) -> list[dict[str, Any]]:
    """The parties of a form, and who belongs to their households now: {person_id, is_head, relation, birth_year}, heads first.

    Only whom the account may find for the purpose; each is traced as read.
    """
    access.require(officer, Right.HANDLE_EVENTS)
    wanted = list(person_ids)
    with transaction.atomic(), access.reading_for(officer), connection.cursor() as cursor:
        cursor.execute("SELECT household_id FROM register_homes(%s)", [wanted])
        homes = sorted({row[0] for row in cursor.fetchall()})
        cursor.execute("SELECT person_id FROM register_concerned(%s, %s)", [[], homes])
        around = {*wanted, *(row[0] for row in cursor.fetchall())}
        decided = access.decide_many(officer, Action.FIND, subjects_of(around).values(), purpose)
        shown = sorted(person for person in around if person in decided and decided[person].is_allowed)
        raise_wall(cursor)
        cursor.execute(
            "SELECT m.person_id, m.is_head, m.relation, date_part('year', s.birth_on)::int AS birth_year FROM register_membership m"
            " LEFT JOIN register_personstate s ON s.person_id = m.person_id AND upper_inf(s.known)"
            " WHERE upper_inf(m.known) AND upper_inf(m.valid) AND m.person_id = ANY(%s)"
            " ORDER BY m.household_id, m.is_head DESC, s.birth_on NULLS LAST, m.person_id",
            [shown],
        )
        names = [column.name for column in cursor.description]
        members = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
        there = {row["person_id"] for row in members}
        members += [
            {"person_id": person, "is_head": False, "relation": None, "birth_year": None}
            for person in dict.fromkeys(wanted)
            if person not in there
        ]
        trace.record(
            "register.household_members",
            subject_ids=sorted({*there, *wanted}),
            by=officer.username,
            why=f"{purpose}:{kind_code}",
            department=officer.department,
        )
    return members
