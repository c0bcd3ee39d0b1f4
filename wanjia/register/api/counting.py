"""The population in numbers: counted once after a load, read as sums of cells, given out only protected."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime

from django.db import connection, transaction

from wanjia.kernel import clock
from wanjia.privacy.api import ProtectedCount, protect_counts
from wanjia.register.models import PopulationCount
from wanjia.trace import api as trace

MEN, WOMEN = "1", "2"
AGE_STEP = 5
LAST_AGE_GROUP = 95

# lived-in place: the one somebody stated, else the registered one (居住地未另报者按户籍地计)
COUNTING = """
INSERT INTO register_populationcell (count_id, basis, division, sex, age, people)
WITH living AS (
    SELECT person_id, coalesce(sex, '0') AS sex, coalesce(date_part('year', age(%(on)s::date, birth_on))::smallint, -1) AS age
    FROM register_personstate WHERE upper_inf(known) AND valid @> %(on)s::date
), registered AS (
    SELECT person_id, division_now FROM register_residence
    WHERE upper_inf(known) AND kind = 'domicile' AND valid @> %(on)s::date
), lived AS (
    SELECT person_id, division_now FROM register_residence
    WHERE upper_inf(known) AND kind = 'residence' AND valid @> %(on)s::date
), placed AS (
    SELECT sex, age, r.division_now AS registered_in, coalesce(l.division_now, r.division_now) AS lives_in
    FROM living LEFT JOIN registered r USING (person_id) LEFT JOIN lived l USING (person_id)
)
SELECT %(count)s, 'domicile', registered_in, sex, age, count(*) FROM placed WHERE registered_in IS NOT NULL GROUP BY 3, 4, 5
UNION ALL
SELECT %(count)s, 'residence', lives_in, sex, age, count(*) FROM placed WHERE lives_in IS NOT NULL GROUP BY 3, 4, 5
"""


@dataclass(frozen=True)
class AreaCounts:
    """Protected counts of the areas directly inside one area, and of the area itself, as of a day."""

    as_of: date
    counted_at: datetime
    total: ProtectedCount
    areas: dict[str, ProtectedCount]


@dataclass(frozen=True)
class AgeGroup:
    """One bar of a pyramid: ages `first` to `last` (None: and above)."""

    first: int
    last: int | None
    men: ProtectedCount
    women: ProtectedCount


@dataclass(frozen=True)
class Pyramid:
    """Protected counts by five-year age group and sex, as of a day. `total` counts also those of unknown age or sex."""

    as_of: date
    counted_at: datetime
    total: ProtectedCount
    groups: list[AgeGroup]


@transaction.atomic
def count_population(*, by: str, why: str, as_of: date | None = None) -> int:
    """Count the living of `as_of` (None: today) by division, sex and age, replacing the last counting. Returns its cells.

    One pass over the register: part of the main job after a load, not of a page.
    """
    on = as_of or clock.today()
    counted = PopulationCount.objects.create(counted_at=clock.now(), as_of=on)
    with connection.cursor() as cursor:
        # ranges give the planner no good estimate, and one nested loop over a whole register takes minutes
        cursor.execute("SET LOCAL enable_nestloop = off")
        cursor.execute(COUNTING, {"on": on, "count": counted.pk})
        cells = cursor.rowcount
    PopulationCount.objects.exclude(pk=counted.pk).delete()
    trace.record("register.count_population", by=by, why=why, detail={"cells": cells})
    return cells


def population_by_area(*, basis: str, within: str, areas: Iterable[str]) -> AreaCounts | None:
    """Protected counts of the divisions `areas` (codes of one level, all inside `within`); None before the first counting.

    `within` and `areas` are codes without zero padding (9901, 990102, 990102001 …). An aggregate without persons: no trace entry.
    """
    last = PopulationCount.objects.order_by("-pk").first()
    if last is None:
        return None
    wanted = list(areas)
    counts = dict.fromkeys(wanted, 0)
    width = len(wanted[0]) if wanted else 0
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT left(division, %s), sum(people) FROM register_populationcell"
            " WHERE count_id = %s AND basis = %s AND division LIKE %s GROUP BY 1",
            [width or 12, last.pk, basis, f"{within}%"],
        )
        sums = {code: int(people) for code, people in cursor.fetchall()}
    counts.update({code: people for code, people in sums.items() if code in counts})
    # people known only to the larger area stand between the sum of its parts and its own count, and so hide nobody's cell
    total = sum(sums.values())
    protected = protect_counts(counts, is_total_shown=total - sum(counts.values()) == 0)
    return AreaCounts(last.as_of, last.counted_at, protect_counts({"": total})[""], protected)


def population_pyramid(*, basis: str, within: str) -> Pyramid | None:
    """Protected counts by age group and sex of one division (code without zero padding); None before the first counting."""
    last = PopulationCount.objects.order_by("-pk").first()
    if last is None:
        return None
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT sex, least(age / %s, %s), sum(people), age < 0 FROM register_populationcell"
            " WHERE count_id = %s AND basis = %s AND division LIKE %s GROUP BY 1, 2, 4",
            [AGE_STEP, LAST_AGE_GROUP // AGE_STEP, last.pk, basis, f"{within}%"],
        )
        rows = cursor.fetchall()
    total = sum(int(people) for _sex, _group, people, _unknown in rows)
    counts = {(sex, group): 0 for sex in (MEN, WOMEN) for group in range(LAST_AGE_GROUP // AGE_STEP + 1)}
    for sex, group, people, is_unknown in rows:
        if not is_unknown and (sex, group) in counts:
            counts[sex, group] = int(people)
    protected = protect_counts(counts)
    groups = [
        AgeGroup(
            first=number * AGE_STEP,
            last=number * AGE_STEP + AGE_STEP - 1 if number * AGE_STEP < LAST_AGE_GROUP else None,
            men=protected[MEN, number],
            women=protected[WOMEN, number],
        )
        for number in range(LAST_AGE_GROUP // AGE_STEP + 1)
    ]
    return Pyramid(last.as_of, last.counted_at, protect_counts({"": total})[""], groups)


def sizes() -> dict[str, int]:
    """How many persons and households the register holds now."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT (SELECT count(*) FROM register_person WHERE left_at IS NULL),"
            " (SELECT count(*) FROM register_household WHERE left_at IS NULL)"
        )
        persons, households = cursor.fetchone()
    return {"persons": persons, "households": households}
