"""What must be known of two persons before they can be one, besides their facts: their citizen numbers, who is at work on them, protection."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from wanjia.access import api as access
from wanjia.access.api import Action
from wanjia.access.models import Account
from wanjia.privacy import api as privacy
from wanjia.privacy.api import Dossier
from wanjia.register.api.declaring import event_book
from wanjia.register.api.explaining import beliefs, statements_about
from wanjia.register.api.finding import subject_of, subjects_of
from wanjia.register.api.matching import match_forms
from wanjia.register.rules import numbers, tag_of
from wanjia.register.rules.scene import Double, Scene
from wanjia.standards import api as standards

NUMBER, NAMES = "citizen_number", ("name", "former_name")


@dataclass(frozen=True)
class Looked:
    """What the dossiers of two persons said when they were opened, or that of one. `marks` tells whether their numbers are still those; `carried`:
    column → value that who stays lacks; `match`: its names in the forms by which persons are found; `names`: those of who is there already.
    """

    are_numbers_apart: bool
    marks: frozenset[tuple[int, bytes]]
    carried: Mapping[str, str] = field(default_factory=dict)
    match: Mapping[str, Any] = field(default_factory=dict)
    names: Mapping[str, Any] = field(default_factory=dict)


def open_both(
    one: int, other: int, *, officer: Account, purpose: str, why: str
) -> tuple[Dossier, Dossier, frozenset[str]]:
    """The dossiers of both, and the elements of both that may be shown. Each opening is traced before it returns, so this is never called inside a
    transaction.

    Raises `OutsideArea` unless the account may read both, and `PersonNotInVault`.
    """
    decided = [access.require_decision(officer, Action.READ, subject_of(p), purpose) for p in (one, other)]
    opened = [
        privacy.open_person(
            person,
            by=officer.username,
            why=why,
            department=officer.department,
            basis=decision.basis,
            fields=sorted(decision.elements),
        )
        for person, decision in zip((one, other), decided, strict=True)
    ]
    return opened[0], opened[1], frozenset(decided[0].elements) & frozenset(decided[1].elements)


def look(one: int, other: int, *, officer: Account, purpose: str, why: str) -> Looked:
    """Open both and see what matters for making them one (see `open_both`)."""
    # first: a number that comes while the dossiers are opened is then seen as a change
    marks = privacy.number_marks([one, other])
    mine, theirs, _ = open_both(one, other, officer=officer, purpose=purpose, why=why)
    return Looked(are_numbers_apart(mine, theirs), marks, *carried(mine, theirs), names=_names_of(mine))


def look_at_names(person: int, *, officer: Account, purpose: str, why: str) -> Looked | None:
    """The names of somebody whose birth is said anew: by their first letters and the new year they are to be found. Traced before it returns, so
    never called inside a transaction. None where the purpose does not show the account the name.
    """
    subject = subject_of(person)
    decision = access.decide(officer, Action.READ, subject, purpose) if subject else None
    if decision is None or not decision.is_allowed or "name" not in decision.elements:
        return None
    dossier = privacy.open_person(
        person,
        by=officer.username,
        why=why,
        department=officer.department,
        basis=decision.basis,
        fields=["name"],
    )
    return Looked(False, frozenset(), names=_names_of(dossier))


def _names_of(dossier: Dossier) -> dict[str, Any]:
    element = standards.load_profile().elements.get("name")
    said = {value for _column, value, _statement in statements_about(dossier, [element])} if element else set()
    return match_forms(sorted(said))


def are_numbers_apart(mine: Dossier, theirs: Dossier) -> bool:
    """Whether each has a sound citizen number and they share none: then the numbers speak of two persons."""
    element = standards.load_profile().elements.get(NUMBER)
    if element is None:
        return False
    tag = tag_of(element)
    said = [
        {s.values[tag] for s in dossier.statements if tag in s.values and numbers.is_sound(s.values[tag])}
        for dossier in (mine, theirs)
    ]
    return bool(said[0] and said[1] and not said[0] & said[1])


def carried(mine: Dossier, theirs: Dossier) -> tuple[dict[str, str], dict[str, Any]]:
    """What who stays lacks and the other has: column → value, and its names as persons are found by them."""
    elements = standards.load_profile().elements.values()
    held = {belief.element for belief in beliefs(mine, elements)}
    values = {b.column: b.value for b in beliefs(theirs, elements) if b.element not in held}
    return values, match_forms(sorted({values[name] for name in NAMES if name in values}))


def double_of(cursor: Any, scene: Scene, looked: Looked | None, case: int) -> Double:
    """What stands against the two of a scene being one, apart from `case` itself. Without a look any two unlike numbers are taken for sound."""
    both = [person for person in (scene.one("person"), scene.one("other")) if person is not None]
    waiting = [one.key for one in event_book().lifecycle.statuses if one.is_open and not one.counts]
    cursor.execute("SELECT event_id FROM register_cases_open(%s, %s, %s)", [both, waiting, case])
    cases = tuple(row[0] for row in cursor.fetchall())
    marks = privacy.number_marks(both)
    if looked is None or looked.marks != marks:
        of_each = [{mark for person, mark in marks if person == one} for one in both]
        are_apart = len(both) == 2 and bool(of_each[0] and of_each[1] and not of_each[0] & of_each[1])
    else:
        are_apart = looked.are_numbers_apart
    return Double(any(one.is_sealed for one in subjects_of(both).values()), are_apart, cases)
