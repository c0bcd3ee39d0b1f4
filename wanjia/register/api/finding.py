"""Finding persons by number or name, and those around a person. Identity stays sealed: blind indexes give ids only."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from django.db import connection, transaction

from wanjia.access.api import SearchScope, Subject, raise_wall, significant
from wanjia.kernel.database import id_array
from wanjia.privacy import api as privacy
from wanjia.privacy.api import BlindKind
from wanjia.register.api.matching import BESIDE, ELEMENTS, ORDER, Form, Found, Sought, sought_by
from wanjia.register.api.redirecting import forwarded_all
from wanjia.trace import api as trace

MOST_HITS = 500
#: a value that more people share is not looked through: whoever types it must narrow it
MOST_LOOKED_AT = 3000
NOWHERE = "-"  # no division's code begins so
LAST_SIGN = "\U0010ffff"  # no sign comes after it: what begins with x lies from x to x with it


@dataclass(frozen=True)
class Hit:
    """What a list of hits may show of a person: enough to choose by, and nothing sealed. `by`: what was found, the weightiest first.
    `division` is told of the shown ones alone."""

    person_id: int
    sex: str | None
    birth_year: int | None
    died_on: date | None
    division: str | None = None
    by: tuple[Form, ...] = ()


@dataclass(frozen=True)
class Hits:
    """The answer to a search: the hits, best first, unless they are too many to choose from. `left_out`: what was looked for besides
    (people of a name that sounds alike …), found too often, and so is not among them."""

    hits: list[Hit]
    is_too_many: bool = False
    left_out: tuple[Found, ...] = ()

    @property
    def total(self) -> int:
        """How many there are; 500 when they are too many to be counted."""
        return MOST_HITS if self.is_too_many else len(self.hits)


def find_persons(
    sought: Sought, *, scope: SearchScope, by: str, why: str, department: str = "", shown: slice = slice(None)
) -> Hits:
    """Persons within `scope` whom the query may mean, with what each was found by; others are neither listed nor counted. What the purpose does
    not need is not searched by.

    From 500 hits on they are not listed. The search is one trace entry for each person listed (`shown`: the part of the list that a page shows),
    or one without a subject; it is committed before anything is returned (ADR 8), so this is never called inside a transaction.
    Raises `PurposeMissing`, `LogNotShown`.
    """
    forms = [form for form in sought.forms if ELEMENTS[form.kind] <= scope.elements]
    typed = [form for form in forms if form.found not in BESIDE]
    beside = [form for form in forms if form.found in BESIDE]
    rows = _looked_up(typed, most=MOST_LOOKED_AT)
    with transaction.atomic(durable=True), connection.cursor() as cursor:
        raise_wall(cursor)
        hits = None if rows is None else _within(cursor, rows, sought, scope)
        left_out: dict[Found, None] = {}
        if hits is not None and beside:
            more = _looked_up(
                beside, most=MOST_LOOKED_AT if _narrows(sought, scope) else min(MOST_HITS, MOST_LOOKED_AT)
            )
            also = None if more is None else _within(cursor, {**more, **_joined(rows, more)}, sought, scope)
            if also is None:
                left_out = dict.fromkeys(form.found for form in beside)
            else:
                known = {hit.person_id for hit in also}
                hits = sorted([*also, *(hit for hit in hits if hit.person_id not in known)], key=_order)
        is_too_many = hits is None or len(hits) > MOST_HITS
        listed = [] if is_too_many else hits
        listed[shown] = _with_divisions(cursor, listed[shown])
        trace.record(
            "register.find_persons",
            subject_ids=[hit.person_id for hit in listed[shown]],
            by=by,
            why=why,
            department=department,
            detail={"hits": MOST_HITS if is_too_many else len(listed), **scope.detail()},
        )
    return Hits(listed, is_too_many, tuple(left_out))


def _narrows(sought: Sought, scope: SearchScope) -> bool:
    """Whether fewer may be listed than are looked up: else too many to list need not be looked through."""
    return bool(scope.area != "" or sought.division or sought.birth_year or sought.birth_on)


def _looked_up(forms: Sequence[Form], *, most: int) -> dict[int, list[Form]] | None:
    """Person → the forms by which found, weightiest first; None when they are more than `most`, too many to look through."""
    if not forms:
        return {}
    rows = privacy.look_up([(form.kind, form.value) for form in forms], most=most)
    if len(rows) > most:
        return None
    found: dict[int, list[Form]] = {}
    # what was said of somebody merged with another finds who they are now
    now = forwarded_all({person for _, person in rows})
    for place, person in rows:
        by = found.setdefault(now.get(person, person), [])
        if forms[place] not in by:
            by.append(forms[place])
    return {
        person: sorted(by, key=lambda form: ORDER.index(form.found)) if len(by) > 1 else by
        for person, by in found.items()
    }


def _joined(one: dict[int, list[Form]], other: dict[int, list[Form]]) -> dict[int, list[Form]]:
    """Those in both, with the forms of both."""
    return {person: [*one[person], *forms] for person, forms in other.items() if person in one}


def _within(cursor: Any, found: dict[int, list[Form]], sought: Sought, scope: SearchScope) -> list[Hit] | None:
    """The hits among `found` that the scope and what narrows the query leave, best first, without their divisions; None if they are too many."""
    within = significant(sought.division) if sought.division else ""
    # no area at all: nobody but those granted one by one
    area = NOWHERE if scope.area is None else scope.area
    among = [_OF_A_DIVISION] if within else []
    if not within.startswith(area):
        among.append(_OF_AN_AREA)
    else:
        among += [_OF_ALL] if within else [_LOOKED_UP, _OF_ALL]
    cursor.execute(
        f"""
        SELECT s.person_id, s.sex, date_part('year', s.birth_on)::int, s.died_on
        FROM register_personstate s
        WHERE {" AND ".join(among)} AND upper_inf(s.known)
          AND (%(year)s::int IS NULL OR date_part('year', s.birth_on) = %(year)s)
          AND (%(day)s::date IS NULL OR s.birth_on = %(day)s)
        LIMIT %(most)s
        """,
        {
            "ids": id_array(sorted(found)),
            "year": sought.birth_year,
            "day": sought.birth_on,
            "within": within,
            "area": area,
            "finds_sealed": scope.finds_sealed,
            "also": id_array(found.keys() & scope.also),
            "also_sealed": id_array(found.keys() & scope.also_sealed),
            "last": LAST_SIGN,
            "most": MOST_HITS + 1,
        },
    )
    rows = cursor.fetchall()
    if len(rows) > MOST_HITS:
        return None
    return sorted((Hit(*row, by=tuple(found[row[0]])) for row in rows), key=_order)


_UNSEALED = "NOT IN (SELECT id FROM register_person WHERE is_sealed)"
_LOOKED_UP = "s.person_id = ANY(%(ids)s::bigint[])"
# a division inside the area, or no area: whoever is there may be found, unless sealed
_OF_ALL = f"(%(finds_sealed)s OR s.person_id {_UNSEALED} OR s.person_id = ANY(%(also_sealed)s::bigint[]))"
# Who is registered or lives in an area is asked first, and by comparisons instead of LIKE: they leak nothing, so PostgreSQL makes them before it asks
# the wall of areas about a row, which costs a hundred times as much: asked about each of some thousand namesakes that alone would take too long
_OF_A_DIVISION = """s.person_id IN (
            SELECT w.person_id FROM register_residence w WHERE w.person_id = ANY(%(ids)s::bigint[]) AND upper_inf(w.known)
              AND w.division_now COLLATE "C" >= %(within)s AND w.division_now COLLATE "C" < %(within)s || %(last)s)"""
_OF_AN_AREA = f"""s.person_id IN (
            SELECT a.person_id FROM register_residence a WHERE a.person_id = ANY(%(ids)s::bigint[]) AND upper_inf(a.known)
              AND a.division_now COLLATE "C" >= %(area)s AND a.division_now COLLATE "C" < %(area)s || %(last)s
              AND (%(finds_sealed)s OR a.person_id {_UNSEALED})
            UNION SELECT granted FROM unnest(%(also)s::bigint[]) granted WHERE granted {_UNSEALED}
            UNION SELECT unnest(%(also_sealed)s::bigint[]))"""


def _with_divisions(cursor: Any, hits: list[Hit]) -> list[Hit]:
    """The same hits, each with the division where the person is registered, or else lives (or did last)."""
    cursor.execute(
        """
        SELECT DISTINCT ON (person_id) person_id, division_now FROM register_residence
        WHERE person_id = ANY(%s::bigint[]) AND upper_inf(known)
        ORDER BY person_id, kind = 'domicile' DESC, upper(valid) DESC NULLS FIRST
        """,
        [id_array(hit.person_id for hit in hits)],
    )
    divisions = dict(cursor.fetchall())
    return [replace(hit, division=divisions.get(hit.person_id)) for hit in hits]


def _order(hit: Hit) -> tuple:
    return (ORDER.index(hit.by[0].found), hit.died_on is not None, hit.birth_year or 9999, hit.person_id)


def numbers_of(typed: str) -> list[list[int]]:
    """The persons of a typed citizen number, by blind index: ids only, whoever asks; decide about each before anything is told."""
    forms = [form.value for form in sought_by(typed).forms if form.found is Found.NUMBER]
    found = privacy.find_by_blind(BlindKind.NUMBER, forms).values()
    now = forwarded_all({person for ids in found for person in ids})
    return [list(dict.fromkeys(now.get(person, person) for person in ids)) for ids in found]


def household_members(
    household_id: int,
    *,
    by: str,
    why: str,
    department: str = "",
    only: Sequence[int] | None = None,
    detail: Mapping[str, Any] | None = None,
) -> list[dict[str, Any]]:
    """Who belongs to a household now: {person_id, is_head, relation, since, birth_year}, head first. Each is traced as read.

    `only`: the members the asker may find; others are left out, and so not read. The entries are committed before anything is returned (ADR 8), so
    this is never called inside a transaction.
    """
    with transaction.atomic(durable=True), connection.cursor() as cursor:
        raise_wall(cursor)
        cursor.execute(
            """
            SELECT m.person_id, m.is_head, m.relation, lower(m.valid) AS since, date_part('year', s.birth_on)::int AS birth_year
            FROM register_membership m
            LEFT JOIN register_personstate s ON s.person_id = m.person_id AND upper_inf(s.known)
            WHERE m.household_id = %(household)s AND upper_inf(m.known) AND upper_inf(m.valid)
              AND (%(only)s::bigint[] IS NULL OR m.person_id = ANY(%(only)s))
            ORDER BY m.is_head DESC, s.birth_on NULLS LAST, m.person_id
            """,
            {"household": household_id, "only": None if only is None else list(only)},
        )
        names = [column.name for column in cursor.description]
        members = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
        trace.record(
            "register.household_members",
            subject_ids=[m["person_id"] for m in members],
            by=by,
            why=why,
            department=department,
            detail=dict(detail or {}),
        )
    return members


def members_of(household_id: int) -> list[int]:
    """The ids of a household's members now: to ask access about each, before anything of them is read."""
    with transaction.atomic(), connection.cursor() as cursor:
        raise_wall(cursor)
        cursor.execute(
            "SELECT person_id FROM register_membership WHERE household_id = %s AND upper_inf(known) AND upper_inf(valid)"
            " ORDER BY person_id",
            [household_id],
        )
        return [row[0] for row in cursor.fetchall()]


def subjects_of(person_ids: Iterable[int]) -> dict[int, Subject]:
    """What deciding about persons needs, by id, before anything is opened: where each is registered or lives (or did last), and whether sealed.

    Ids of nobody are left out. Nothing of it goes to a page.
    """
    wanted = list(person_ids)
    if not wanted:
        return {}
    with connection.cursor() as cursor:
        cursor.execute("SELECT person_id, divisions, is_sealed FROM register_subjects(%s)", [wanted])
        return {row[0]: Subject(row[0], tuple(row[1]), row[2]) for row in cursor.fetchall()}


def somebody() -> int | None:
    """The id of one living adult in a household, always the same: whom the demonstration's resident account stands for."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT m.person_id FROM register_membership m JOIN register_personstate s USING (person_id)"
            " WHERE upper_inf(m.known) AND upper_inf(m.valid) AND upper_inf(s.known) AND s.died_on IS NULL"
            " AND m.is_head AND s.birth_on < '2000-01-01' ORDER BY m.person_id LIMIT 1"
        )
        row = cursor.fetchone()
    return row[0] if row else None


def subject_of(person_id: int) -> Subject | None:
    """`subjects_of` for one person; None for an id of nobody."""
    return subjects_of([person_id]).get(person_id)


def kin_of(person_id: int) -> set[int]:
    """Ids of a person's relatives and of all who ever were in one household with them. Ids only: nothing is opened, so nothing is traced here."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT other_id FROM register_relation WHERE person_id = %(id)s UNION SELECT person_id FROM register_relation WHERE other_id = %(id)s"
            " UNION SELECT o.person_id FROM register_membership m JOIN register_membership o USING (household_id) WHERE m.person_id = %(id)s",
            {"id": person_id},
        )
        return {row[0] for row in cursor.fetchall()} - {person_id}
