"""Which division somebody means by what they typed, on the day by which it is read."""

import re
from datetime import date
from typing import Any

from wanjia.access import api as access
from wanjia.access.api import Right
from wanjia.access.models import Account
from wanjia.kernel import clock
from wanjia.register.api.declaring import event_book
from wanjia.register.declared import FormField
from wanjia.register.errors import FieldError
from wanjia.register.errors.fields import DivisionNotKnown, DivisionNotThen, SeveralDivisions
from wanjia.register.rules.forms import day_of
from wanjia.standards import api as standards
from wanjia.standards.api import Days, Division, Pick, Profile

#: what a field of no element speaks of: where somebody is registered from then on
USE = "domicile_division"
MOST_CHOICES = 8
#: "990104 青枫区", as the list of choices writes it
_CODE_FIRST = re.compile(r"([0-9]{6}(?:[0-9]{3}){0,2})(?: .*)?")


def use_of(field: FormField) -> str:
    """The use (divisions/anchors.toml) that a form's field makes of a division."""
    return field.element or USE


def days_of(happened_on: Any, today: date) -> Days:
    """The days by which the divisions of a form are read, from the day of the event as it was typed; what is no day is not known."""
    try:
        day = day_of(str(happened_on)[:10]) if happened_on else None
    except FieldError:
        day = None
    return Days(today, event=day, residence=day)


def meant(profile: Profile, text: str, on: date) -> str:
    """The code of the division that was typed: a code, or a name, pinyin or first letters that fit one division of that day only.

    Raises `DivisionNotKnown`, `SeveralDivisions`, `DivisionNotThen` (the last two with the codes to choose from).
    """
    if found := _CODE_FIRST.fullmatch(text):
        return _by_code(profile, found[1], on)
    if text.isdigit():
        # a part of a code would fit many
        raise DivisionNotKnown()
    picks = profile.picker.find(text, on, limit=MOST_CHOICES + 1)
    standing = [one for one in picks if one.is_valid]
    exact = [one for one in standing if one.is_exact] or standing
    if len(exact) == 1:
        return exact[0].division.code
    if exact:
        raise SeveralDivisions(choices=[one.division.code for one in exact[:MOST_CHOICES]])
    if picks:
        raise _not_then(picks[0].division, on, picks[0].instead)
    raise DivisionNotKnown()


def suggested(typed: str, *, kind: str, field: str, happened_on: str, officer: Account) -> tuple[date, list[Pick]]:
    """What fits a field of a form while it is being typed, and the day by which it is read. No person is read: no trace.

    Raises `RightMissing`, `KindUnknown`.
    """
    access.require(officer, Right.HANDLE_EVENTS)
    one, profile = event_book().kind(kind).fields.get(field), standards.load_profile()
    days = days_of(happened_on, clock.today())
    on = profile.day_of_use(use_of(one) if one is not None else USE, days)
    return on, profile.picker.find(typed, on, limit=MOST_CHOICES)


def _by_code(profile: Profile, code: str, on: date) -> str:
    known = next((one for one in (code, code[:6]) if one in profile.divisions), None)
    if known is None:
        raise DivisionNotKnown()
    found = profile.divisions.find(known, on)
    if not found.is_valid_on(on):
        raise _not_then(found, on, standards.standing(profile.divisions, found, on))
    return code


def _not_then(one: Division, on: date, instead: Any) -> DivisionNotThen:
    return DivisionNotThen(
        choices=[other.code for other in instead][:MOST_CHOICES], name=one.name_zh, name_en=one.name_en, on=on
    )
