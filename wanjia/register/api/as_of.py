"""Any person, household, area list or count as of (true on a day, known at a moment).

An account asks for a purpose; access decides; each read is traced with `why`: the purpose, and the case if there is one.
"""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db import connection, transaction

from wanjia.access import api as access
from wanjia.access.api import Action, Decision, Right, SearchScope, raise_wall
from wanjia.access.models import Account
from wanjia.kernel import clock
from wanjia.privacy.api import ProtectedCount, protect_counts
from wanjia.register.api.finding import NOWHERE, subject_of, subjects_of
from wanjia.register.api.reading import as_of
from wanjia.register.errors import PersonUnknown
from wanjia.register.rules.trees import Node, family_tree
from wanjia.standards import api as standards
from wanjia.trace import api as trace

MOST_LISTED = 500
BASES = ("domicile", "residence")
HOUSEHOLD = "household"  # the field group of households and relatives
#: column of the state → column of the profile whose element says whether it is shown
STATED = {
    "sex": "sex",
    "birth_on": "birth_on",
    "died_on": "died_at",
    "registration_state": "registration_state",
    "marital_status": "marital_status",
    "marital_since": "marital_status",
}
PLACED = {"domicile": "domicile_division", "residence": "residence_division"}


@dataclass(frozen=True)
class Member:
    """Somebody who belonged to a household on a day."""

    person_id: int
    is_head: bool
    relation: str | None
    since: date | None
    until: date | None


@dataclass(frozen=True)
class Book:
    """A household as it is and was: who belongs or belonged, in the order of the book, and those of today as trees of relations."""

    members: list[Member]
    trees: list[Node]


@dataclass(frozen=True)
class Listed:
    """Somebody who was registered, or lived, in an area on a day."""

    person_id: int
    sex: str | None
    birth_year: int | None
    division: str
    since: date | None


@dataclass(frozen=True)
class AreaList:
    """Who was in an area: at most 500 persons; more are only said to be too many."""

    people: list[Listed]
    is_too_many: bool


def person_as_of(
    person_id: int,
    *,
    true_on: date | None = None,
    known_on: datetime | None = None,
    officer: Account,
    purpose: str,
    why: str = "",
) -> dict[str, list[dict[str, Any]]]:
    """What held of a person: kind of fact → rows, as far as the purpose shows it; relatives only where they may be found.

    Raises `OutsideArea` (also for an id of nobody), `PersonUnknown` (nothing known of that time).
    """
    access.require(officer, Right.OPEN_PERSON)
    access.require_purpose(officer, purpose)
    decision = access.require_decision(officer, Action.READ, subject_of(person_id), purpose)
    with access.reading_for(officer):
        found = as_of(
            [person_id],
            true_on=true_on,
            known_on=known_on,
            by=officer.username,
            why=why or purpose,
            detail={**decision.detail(), **_asked(true_on, known_on)},
        )
    return _shown(found[person_id], decision, officer)


def _shown(
    facts: dict[str, list[dict[str, Any]]], decision: Decision, officer: Account
) -> dict[str, list[dict[str, Any]]]:
    """The facts as far as the decision's fields go."""
    profile = standards.load_profile()

    def is_shown(column: str) -> bool:
        return profile.parts[column].element in decision.elements

    hidden = {column for column, said in STATED.items() if not is_shown(said)}
    relatives = subjects_of([one["other_id"] for one in facts["relation"]]).values()
    decided = access.decide_many(officer, Action.FIND, relatives, decision.purpose)
    is_family = HOUSEHOLD in decision.fields
    return {
        "state": [{c: None if c in hidden else v for c, v in one.items()} for one in facts["state"]],
        "membership": facts["membership"] if is_family else [],
        "residence": [one for one in facts["residence"] if is_shown(PLACED[one["kind"]])],
        "relation": [
            one
            for one in facts["relation"]
            if is_family and one["other_id"] in decided and decided[one["other_id"]].is_allowed
        ],
    }


def household_as_of(
    household_id: int,
    *,
    true_on: date | None = None,
    known_on: datetime | None = None,
    officer: Account,
    purpose: str,
    why: str = "",
) -> list[Member]:
    """Who belonged to a household on a day (None: today), head first, of those whose household the purpose shows. Traced for each.

    Raises `PersonUnknown` when nobody is left to show: no such household then, or out of reach; the two are not told apart.
    """
    access.require(officer, Right.OPEN_PERSON)
    access.require_purpose(officer, purpose)
    day = true_on or clock.today()
    with transaction.atomic(), access.reading_for(officer), connection.cursor() as cursor:
        raise_wall(cursor)
        cursor.execute(
            "SELECT person_id, is_head, relation, lower(valid), upper(valid) FROM register_membership"
            f" WHERE household_id = %(household)s AND valid @> %(day)s::date AND {_KNOWN}"
            " ORDER BY is_head DESC, relation NULLS LAST, person_id",
            {"household": household_id, "day": day, "at": known_on},
        )
        members = [Member(*row) for row in cursor.fetchall()]
        decided = access.decide_many(
            officer, Action.READ, subjects_of([m.person_id for m in members]).values(), purpose
        )
        shown = [m for m in members if m.person_id in decided and HOUSEHOLD in decided[m.person_id].fields]
        trace.record(
            "register.household_as_of",
            subject_ids=[m.person_id for m in shown],
            by=officer.username,
            why=why or purpose,
            department=officer.department,
            detail=_asked(day, known_on),
        )
    if not shown:
        raise PersonUnknown()
    return shown


def household_history(household_id: int, *, officer: Account, purpose: str, why: str = "") -> Book:
    """Everybody who belongs or ever belonged to a household, as known now: those of today first, in the order of the book (head, then by what each
    is to the head, then by age). Only whose household the purpose shows; traced for each. Raises `PersonUnknown` when nobody is left to show.
    """
    access.require(officer, Right.OPEN_PERSON)
    access.require_purpose(officer, purpose)
    with transaction.atomic(), access.reading_for(officer), connection.cursor() as cursor:
        raise_wall(cursor)
        cursor.execute(
            "SELECT m.person_id, m.is_head, m.relation, lower(m.valid), upper(m.valid) FROM register_membership m"
            " LEFT JOIN register_personstate s ON s.person_id = m.person_id AND upper_inf(s.known)"
            " WHERE m.household_id = %s AND upper_inf(m.known)"
            " ORDER BY upper(m.valid) DESC NULLS FIRST, m.is_head DESC, m.relation NULLS LAST, s.birth_on NULLS LAST, m.person_id",
            [household_id],
        )
        members = [Member(*row) for row in cursor.fetchall()]
        subjects = subjects_of({m.person_id for m in members})
        decided = access.decide_many(officer, Action.READ, subjects.values(), purpose)
        shown = [m for m in members if m.person_id in decided and HOUSEHOLD in decided[m.person_id].fields]
        now = list(dict.fromkeys(m.person_id for m in shown if m.until is None))
        cursor.execute(
            "SELECT person_id, kind, other_id FROM register_relation"
            " WHERE upper_inf(known) AND upper_inf(valid) AND person_id = ANY(%(now)s) AND other_id = ANY(%(now)s) ORDER BY id",
            {"now": now},
        )
        ties = cursor.fetchall()
        trace.record(
            "register.household_members",
            subject_ids=sorted({m.person_id for m in shown}),
            by=officer.username,
            why=why or purpose,
            department=officer.department,
        )
    if not shown:
        raise PersonUnknown()
    return Book(shown, family_tree(now, ties))


def area_as_of(
    division: str,
    *,
    basis: str = "domicile",
    true_on: date | None = None,
    known_on: datetime | None = None,
    officer: Account,
    purpose: str,
    why: str = "",
) -> AreaList:
    """Who was registered (`basis` domicile) or lived (residence) in a division, by its code of then or of today. Traced for each who is listed.

    Raises `RightMissing`, `PurposeUnknown`, `ValueError` for another basis.
    """
    access.require(officer, Right.FIND_PERSON)
    access.require_purpose(officer, purpose)
    scope = access.search_scope(officer, purpose)
    day = true_on or clock.today()
    with transaction.atomic(), access.reading_for(officer), connection.cursor() as cursor:
        raise_wall(cursor)
        cursor.execute(
            "SELECT r.person_id, s.sex, date_part('year', s.birth_on)::int, r.division, lower(r.valid) FROM register_residence r"
            " LEFT JOIN LATERAL (SELECT sex, birth_on FROM register_personstate s WHERE s.person_id = r.person_id"
            f"  AND {_KNOWN.replace('known', 's.known')} LIMIT 1) s ON true"
            f" WHERE {_IN_AREA} AND {_KNOWN.replace('known', 'r.known')} AND {_REACHED}"
            " ORDER BY r.person_id LIMIT %(most)s",
            {**_area(division, basis, day, known_on), **_reach(scope), "most": MOST_LISTED + 1},
        )
        people = [Listed(*row) for row in cursor.fetchall()]
        is_too_many = len(people) > MOST_LISTED
        # whoever has moved away since is found by the new place only: the same decision as for one person
        decided = access.decide_many(
            officer, Action.FIND, subjects_of([one.person_id for one in people]).values(), purpose
        )
        reached = [one for one in people if one.person_id in decided and decided[one.person_id].is_allowed]
        shown = [] if is_too_many else reached
        trace.record(
            "register.area_as_of",
            subject_ids=[one.person_id for one in shown],
            by=officer.username,
            why=why or purpose,
            department=officer.department,
            detail={**scope.detail(), **_asked(day, known_on), "division": division, "listed": len(shown)},
        )
    return AreaList(shown, is_too_many)


def count_as_of(
    division: str,
    *,
    basis: str = "domicile",
    true_on: date | None = None,
    known_on: datetime | None = None,
    officer: Account,
) -> ProtectedCount:
    """How many were registered, or lived, in a division on a day, as known at a moment. Small counts are held back. No person is read: no subject.

    Raises `RightMissing`, `ValueError` for another basis.
    """
    access.require(officer, Right.SEE_POPULATION)
    day = true_on or clock.today()
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "SELECT register_count_as_of(%(code)s, %(basis)s, %(day)s, %(at)s)", _area(division, basis, day, known_on)
        )
        people = cursor.fetchone()[0]
        trace.record(
            "register.count_as_of",
            by=officer.username,
            why="population",
            department=officer.department,
            detail={**_asked(day, known_on), "division": division},
        )
    return protect_counts({"": people})[""]


_KNOWN = "CASE WHEN %(at)s::timestamptz IS NULL THEN upper_inf(known) ELSE known @> %(at)s::timestamptz END"
_IN_AREA = "(r.division LIKE %(code)s || '%%' OR r.division_now LIKE %(code)s || '%%') AND r.kind = %(basis)s AND r.valid @> %(day)s::date"
_REACHED = (
    "(r.person_id = ANY(%(also_sealed)s) OR ((%(finds_sealed)s OR r.person_id NOT IN (SELECT id FROM register_person WHERE is_sealed))"
    " AND (r.person_id = ANY(%(also)s) OR %(area)s = '' OR EXISTS (SELECT FROM register_residence a WHERE a.person_id = r.person_id"
    " AND upper_inf(a.known) AND a.division_now LIKE %(area)s || '%%'))))"
)


def _area(division: str, basis: str, day: date, known_on: datetime | None) -> dict[str, Any]:
    if basis not in BASES or not division.isascii() or not division.isdigit():
        raise ValueError("a basis is domicile or residence, a division a code")
    return {"code": access.significant(division), "basis": basis, "day": day, "at": known_on}


def _reach(scope: SearchScope) -> dict[str, Any]:
    return {
        "area": NOWHERE if scope.area is None else scope.area,
        "finds_sealed": scope.finds_sealed,
        "also": list(scope.also),
        "also_sealed": list(scope.also_sealed),
    }


def _asked(true_on: date | None, known_on: datetime | None) -> dict[str, str]:
    return {name: when.isoformat() for name, when in (("true_on", true_on), ("known_on", known_on)) if when is not None}
