"""The population of years in the divisions of another year: counted by written code, restated along the lineage, given out only protected."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import takewhile

from django.db import connection, transaction
from django.db.models import Max, Min

from wanjia.access import api as access
from wanjia.access.api import Right
from wanjia.access.models import Account
from wanjia.kernel import clock
from wanjia.privacy.api import SMALLEST_COUNT, ProtectedCount, protect_counts
from wanjia.register.errors.divisions import AreaNotThere, YearNotCounted
from wanjia.register.models import DivisionCount, ResidenceKind
from wanjia.standards import api as standards
from wanjia.standards.api import Division, Divisions, UsedShare
from wanjia.trace import api as trace

YEARS_KEPT = 10
APART = ""  # who is known only to the area above the areas asked for


@dataclass(frozen=True)
class RestatedCount:
    """A protected count; `is_estimate` where only shares tell a part of it."""

    count: ProtectedCount
    is_estimate: bool


@dataclass(frozen=True)
class RestatedDay:
    """The living of a day in the divisions asked for: areas and `apart` make up the total."""

    as_of: date
    counted_at: datetime
    total: ProtectedCount
    areas: dict[str, RestatedCount]
    apart: ProtectedCount
    used: list[UsedShare]


@dataclass(frozen=True)
class Series:
    """Days in one set of divisions: `here` and the areas directly inside it on `divisions_on`."""

    here: Division | None
    areas: list[Division]
    divisions_on: date
    basis: str
    days: list[RestatedDay]


def year_ends(today: date, years: int = YEARS_KEPT) -> list[date]:
    """The last days of past years, and today."""
    return [*(date(year, 12, 31) for year in range(today.year - years, today.year)), today]


@transaction.atomic
def count_years(days: Iterable[date] | None = None, *, by: str, why: str) -> dict[date, int]:
    """Count the living of days (None: ends of the last ten years, and today) by the code their residence was written with, anew. People by day.

    One pass over the register for each day: part of the night, not of a page.
    """
    now = clock.now()
    wanted = sorted(set(days) if days is not None else year_ends(clock.today()))
    counted = {}
    with connection.cursor() as cursor:
        # of today's counts only the last are kept: a series is of years
        cursor.execute(
            "DELETE FROM register_divisioncount WHERE as_of = ANY(%s)"
            " OR NOT (extract(month FROM as_of) = 12 AND extract(day FROM as_of) = 31)",
            [wanted],
        )
        for day in wanted:
            cursor.execute(_COUNT, {"day": day, "now": now})
            cursor.execute(
                "SELECT coalesce(sum(people), 0) FROM register_divisioncount WHERE as_of = %s AND basis = 'residence'",
                [day],
            )
            counted[day] = int(cursor.fetchone()[0])
    trace.record("register.count_years", by=by, why=why, detail={"days": len(counted)})
    return counted


# the living without any place stand under no code, and so are in no division: as in the counting of the population
_COUNT = """
WITH living AS (SELECT person_id FROM register_personstate WHERE upper_inf(known) AND valid @> %(day)s::date),
placed AS (SELECT person_id, kind, division FROM register_residence WHERE upper_inf(known) AND valid @> %(day)s::date),
everybody AS (
    SELECT 'domicile' AS basis, d.division FROM living l JOIN placed d ON d.person_id = l.person_id AND d.kind = 'domicile'
    UNION ALL
    SELECT 'residence', coalesce(r.division, d.division) FROM living l
    LEFT JOIN placed r ON r.person_id = l.person_id AND r.kind = 'residence'
    LEFT JOIN placed d ON d.person_id = l.person_id AND d.kind = 'domicile'
    WHERE coalesce(r.division, d.division) IS NOT NULL)
INSERT INTO register_divisioncount (as_of, counted_at, basis, division, people)
SELECT %(day)s, %(now)s, basis, division, count(*) FROM everybody GROUP BY basis, division
"""


def days_counted() -> list[date]:
    """The days a series can be asked for, in order."""
    return list(DivisionCount.objects.order_by("as_of").values_list("as_of", flat=True).distinct())


def whole_area() -> str:
    """The code of the smallest division of today that holds everybody who is counted; empty where there is none, or several provinces."""
    ends = DivisionCount.objects.aggregate(first=Min("division"), last=Max("division"))
    pairs = zip(ends["first"] or "", ends["last"] or "", strict=False)
    shared = "".join(one for one, _ in takewhile(lambda pair: pair[0] == pair[1], pairs))
    divisions = standards.load_profile().divisions
    for length in (12, 9, 6, 4, 2):
        code = shared[:length].ljust(6, "0")
        found = divisions.find(code) if len(shared) >= length else None
        if found is not None and found.valid_to is None and divisions.children(code):
            return code
    return ""


def restated_series(
    *,
    officer: Account,
    basis: str = "residence",
    within: str = "",
    divisions_on: date | None = None,
    years: tuple[int, int] | None = None,
) -> Series:
    """The living of each counted day (of `years`, both included) in the divisions of `divisions_on` (None: today), directly inside `within` (a
    code of that day; none: the whole table). An aggregate without persons.

    Raises `RightMissing`, `YearNotCounted`, `AreaNotThere`, `ValueError` for another basis.
    """
    access.require(officer, Right.SEE_POPULATION)
    if basis not in ResidenceKind.values:
        raise ValueError("a basis is domicile or residence")
    divisions, to = standards.load_profile().divisions, divisions_on or clock.today()
    here = divisions.find(within, to) if within else None
    if within and (here is None or not here.is_valid_on(to)):
        raise AreaNotThere(area=within[:12], on=to)
    areas = divisions.children(within or None, to)
    days = [day for day in days_counted() if years is None or years[0] <= day.year <= years[1]]
    if not days:
        raise YearNotCounted()
    told = [_restated(divisions, day, basis, standards.significant(within), areas, to) for day in days]
    return Series(here, areas, to, basis, told)


def _restated(
    divisions: Divisions, day: date, basis: str, within: str, areas: Sequence[Division], to: date
) -> RestatedDay:
    rows = DivisionCount.objects.filter(as_of=day, basis=basis)
    people = dict(rows.values_list("division", "people"))
    codes = [standards.significant(one.code) for one in areas]
    found = standards.restate(divisions, people, on=day, to=to, within=within, areas=codes)
    protected = protect_counts(
        {**found.areas, APART: found.apart}, also=standards.tellable(found, SMALLEST_COUNT) - {APART}
    )
    total = found.apart + sum(found.areas.values())
    return RestatedDay(
        as_of=day,
        counted_at=rows.aggregate(at=Max("counted_at"))["at"],
        total=protect_counts({"": total})[""],
        areas={
            one.code: RestatedCount(protected[code], code in found.by_share)
            for one, code in zip(areas, codes, strict=True)
        },
        apart=protected[APART],
        used=found.used,
    )
