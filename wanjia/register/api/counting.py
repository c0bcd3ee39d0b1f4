"""The population in numbers: counted once after a load, read as sums of cells, given out only protected."""

import io
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime

import numpy as np
import pyarrow as pa
import pyarrow.csv
from django.db import connection, transaction

from wanjia.kernel import clock
from wanjia.kernel.database import copy_csv, filled_anew
from wanjia.kernel.engine import get_engine
from wanjia.privacy.api import ProtectedCount, protect_counts
from wanjia.register.api.resolving import Resolution
from wanjia.register.bulk.population import population
from wanjia.register.models import Basis, PopulationCount
from wanjia.standards import api as standards
from wanjia.trace import api as trace

MEN, WOMEN = "1", "2"
AGE_STEP = 5
LAST_AGE_GROUP = 95


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


def count_population(*, by: str, why: str, as_of: date | None = None, resolution: Resolution | None = None) -> int:
    """Count the living of `as_of` (None: today) by division, sex and age, replacing the last counting. Returns its cells.

    What is counted is the `resolution` that was just loaded, or else the state as the database holds it. One pass over the register: part of the
    main job after a load, not of a page.
    """
    on = as_of or clock.today()
    # where events or changes of divisions lie over what was resolved, only the database holds what follows
    if resolution is not None and not Basis.objects.exists() and not standards.load_profile().redrawn:
        cells = resolution.population(on)
    else:
        with get_engine() as engine:
            kept = (engine.load(f"counted_{name}", _kept(*asked)) for name, asked in _KEPT.items())
            cells = engine.arrow(population(*kept, on))
    return _keep_cells(cells, on, by=by, why=why)


_VALID = {"valid_from": pa.date32(), "valid_to": pa.date32()}
_KEPT = {
    "states": (
        "SELECT person_id, sex, birth_on, lower(valid), upper(valid) FROM register_personstate WHERE upper_inf(known)",
        {"person_id": pa.int64(), "sex": pa.string(), "birth_on": pa.date32(), **_VALID},
    ),
    "residences": (
        "SELECT person_id, kind, division_now, lower(valid), upper(valid) FROM register_residence WHERE upper_inf(known)",
        {"person_id": pa.int64(), "kind": pa.string(), "division_now": pa.string(), **_VALID},
    ),
}


def _kept(query: str, columns: dict[str, pa.DataType]) -> pa.Table:
    """The rows of a query, by COPY: read by compiled code, with no Python per row."""
    with connection.cursor() as cursor, cursor.cursor.copy(f"COPY ({query}) TO STDOUT (FORMAT CSV)") as copy:
        text = b"".join(bytes(piece) for piece in copy)
    if not text:
        return pa.table({name: pa.array([], kind) for name, kind in columns.items()})
    return pa.csv.read_csv(
        pa.py_buffer(text),
        read_options=pa.csv.ReadOptions(column_names=list(columns)),
        convert_options=pa.csv.ConvertOptions(column_types=columns, strings_can_be_null=True, null_values=[""]),
    )


@transaction.atomic
def _keep_cells(cells: pa.Table, on: date, *, by: str, why: str) -> int:
    counted = PopulationCount.objects.create(counted_at=clock.now(), as_of=on)
    cells = cells.append_column("count_id", pa.array(np.full(cells.num_rows, counted.pk)))
    text = io.BytesIO()
    pa.csv.write_csv(cells, text, pa.csv.WriteOptions(include_header=False))
    # only the last counting is kept, so its cells are all there are
    with connection.cursor() as cursor, filled_anew(cursor, "register_populationcell"):
        copy_csv(cursor, "register_populationcell", cells.column_names, [text.getvalue()], is_anew=True)
    PopulationCount.objects.exclude(pk=counted.pk).delete()
    trace.record("register.count_population", by=by, why=why, detail={"cells": cells.num_rows})
    return cells.num_rows


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
