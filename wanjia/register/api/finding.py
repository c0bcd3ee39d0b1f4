"""Finding persons by number or name, and those around a person. Identity stays sealed: blind indexes give ids only."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db import connection, transaction

from wanjia.privacy import api as privacy
from wanjia.privacy.api import BlindKind
from wanjia.trace import api as trace

MOST_HITS = 500


@dataclass(frozen=True)
class Hit:
    """What a list of hits may show of a person: enough to choose by, and nothing sealed."""

    person_id: int
    sex: str | None
    birth_year: int | None
    died_on: date | None
    division: str | None


@dataclass(frozen=True)
class Found:
    """The answer to a search: how many match, and the hits unless they are too many to choose from."""

    total: int
    hits: list[Hit]
    is_too_many: bool


def find_persons(
    sought: Sequence[tuple[BlindKind, str]], *, by: str, why: str, birth_year: int | None = None, area: str = ""
) -> Found:
    """Persons who have any of the `sought` values (in match form), registered or living below the division `area`.

    More than 500 hits are counted, not listed. The search is one trace entry for each person listed, or one without a subject.
    """
    ids: set[int] = set()
    for kind, value in sought:
        ids.update(*privacy.find_by_blind(kind, [value]).values())
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT s.person_id, s.sex, date_part('year', s.birth_on)::int, s.died_on, r.division_now
            FROM register_personstate s
            LEFT JOIN LATERAL (
                SELECT division_now FROM register_residence r
                WHERE r.person_id = s.person_id AND upper_inf(r.known)
                ORDER BY kind = 'domicile' DESC, upper(valid) DESC NULLS FIRST LIMIT 1
            ) r ON true
            WHERE s.person_id = ANY(%(ids)s) AND upper_inf(s.known)
              AND (%(year)s::int IS NULL OR date_part('year', s.birth_on) = %(year)s)
              AND (%(area)s = '' OR EXISTS (
                SELECT FROM register_residence a WHERE a.person_id = s.person_id AND upper_inf(a.known)
                AND a.division_now LIKE %(area)s || '%%'))
            ORDER BY s.birth_on NULLS LAST, s.person_id LIMIT %(most)s
            """,
            {"ids": sorted(ids), "year": birth_year, "area": area, "most": MOST_HITS + 1},
        )
        hits = [Hit(*row) for row in cursor.fetchall()]
        is_too_many = len(hits) > MOST_HITS
        listed = [] if is_too_many else hits
        trace.record(
            "register.find_persons",
            subject_ids=[hit.person_id for hit in listed],
            by=by,
            why=why,
            detail={"hits": len(hits)},
        )
    return Found(MOST_HITS if is_too_many else len(hits), listed, is_too_many)


def household_members(household_id: int, *, by: str, why: str) -> list[dict[str, Any]]:
    """Who belongs to a household now: {person_id, is_head, relation, since, birth_year}, head first. Each is traced as read."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT m.person_id, m.is_head, m.relation, lower(m.valid) AS since, date_part('year', s.birth_on)::int AS birth_year
            FROM register_membership m
            LEFT JOIN register_personstate s ON s.person_id = m.person_id AND upper_inf(s.known)
            WHERE m.household_id = %s AND upper_inf(m.known) AND upper_inf(m.valid)
            ORDER BY m.is_head DESC, s.birth_on NULLS LAST, m.person_id
            """,
            [household_id],
        )
        names = [column.name for column in cursor.description]
        members = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
        trace.record("register.household_members", subject_ids=[m["person_id"] for m in members], by=by, why=why)
    return members


def where_registered(person_id: int) -> list[str]:
    """The divisions a person is registered or lives in now, or was last: what an area right is judged by, before anything is opened."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT DISTINCT ON (kind) division_now FROM register_residence WHERE person_id = %s AND upper_inf(known)"
            " ORDER BY kind, upper(valid) DESC NULLS FIRST",
            [person_id],
        )
        return [row[0] for row in cursor.fetchall()]


def forwarded(person_id: int) -> int:
    """The id a former id stands for now, or the id itself."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT person_id FROM register_personredirect WHERE former_id = %s", [person_id])
        row = cursor.fetchone()
    return row[0] if row else person_id
