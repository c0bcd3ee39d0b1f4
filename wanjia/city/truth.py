"""The truth, written apart from what departments send: who every row speaks of, and who every person is. Never read by the main job."""

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet

from wanjia.city import calendar, dwellings, faults, numbers, places
from wanjia.city.exports.writing import Export
from wanjia.city.population import LIVING, City

RECORDS = pa.schema(
    [
        ("source", pa.string()),
        ("record_key", pa.string()),
        ("subject", pa.string()),
        ("person", pa.int64()),
        ("faults", pa.list_(pa.string())),
    ]
)


def record_rows(export: Export) -> pa.Table:
    """One row per record and subject of an export, without those whose key is empty (they can be no record)."""
    tables = []
    for role, person in export.person.items():
        kept = np.asarray(export.keys.is_valid()) & (person >= 0)
        tables.append(
            pa.table(
                [
                    pa.array([export.source]).take(pa.array(np.zeros(int(kept.sum()), dtype=np.int32))),
                    export.keys.filter(pa.array(kept)),
                    pa.array([role]).take(pa.array(np.zeros(int(kept.sum()), dtype=np.int32))),
                    pa.array(person[kept].astype(np.int64)),
                    faults.as_lists(export.faults[role][kept]),
                ],
                schema=RECORDS,
            )
        )
    return pa.concat_tables(tables)


def write_persons(city: City, path: Path) -> None:
    """truth/persons.parquet: every person who ever was registered, with name, number, days, divisions and household."""
    people, homes = city.people, city.dwellings
    size = len(people)
    lives, registered = homes.home[people.household], homes.domicile[people.household]
    none = pa.scalar(None, pa.string())
    table = pa.table(
        {
            "person": pa.array(np.arange(size, dtype=np.int64)),
            "name": city.names,
            "former_name": city.former_names,
            "number": numbers.texts(city.numbers),
            "sex": pa.array(people.sex.astype(np.int64)),
            "birth": _dates(people.birth),
            "death": _dates(people.died),
            "left": _dates(people.left),
            "state": pa.array(["living", "dead", "gone"]).take(pa.array(people.state.astype(np.int32) - 1)),
            "local": pa.array(people.local),
            "domicile_division": pc.if_else(
                pa.array(people.local),
                dwellings.community_codes(homes, registered),
                pa.array(people.origin.astype(str)).cast(pa.string()),
            ),
            "residence_division": pc.if_else(
                pa.array(people.state == LIVING), dwellings.community_codes(homes, lives), none
            ),
            "household": pa.array(people.household),
            "relation": dwellings.padded(people.relation, 2),
            "mother": _persons(people.mother),
            "father": _persons(people.father),
            "spouse": _persons(people.spouse),
            "twin": pa.array(people.twin),
            "shares_number_with": _persons(city.shared_with),
            "two_numbers": pa.array(city.renumbered),
        }
    )
    pyarrow.parquet.write_table(table, path, compression="zstd")


def summary(city: City, rows: dict[str, int]) -> dict:
    """Population by sub-district, five-year age group and sex; rows by source; the figures that tests compare."""
    people, homes = city.people, city.dwellings
    living = np.flatnonzero(people.state == LIVING)
    table = places.communities()
    towns = sorted(set(table.town))
    town = np.array([towns.index(code) for code in table.town])[homes.community[homes.home[people.household[living]]]]
    group = np.minimum(people.age(city.today)[living] // 5, 19)
    counts = np.zeros((len(towns), 20, 2), dtype=int)
    np.add.at(counts, (town, group, people.sex[living] - 1), 1)
    family = living[~people.collective[living]]
    return {
        "reference_date": calendar.written(np.array([city.today]), "iso")[0].as_py(),
        "seed": city.seed,
        "residents": len(living),
        "locals": int(people.local[living].sum()),
        "floating": int((~people.local[living]).sum()),
        "persons": len(people),
        "family_households": len(np.unique(people.household[family])),
        "mean_household": round(len(family) / max(1, len(np.unique(people.household[family]))), 4),
        "rows": rows,
        "age_groups": [f"{5 * g}-{5 * g + 4}" if g < 19 else "95+" for g in range(20)],
        "by_town": {
            code: {"male": counts[i, :, 0].tolist(), "female": counts[i, :, 1].tolist()} for i, code in enumerate(towns)
        },
    }


def write_summary(content: dict, path: Path) -> None:
    """truth/summary.json."""
    path.write_text(json.dumps(content, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def _dates(days: np.ndarray) -> pa.Array:
    return pa.array(days, pa.int32(), mask=days == calendar.NO_DAY).cast(pa.date32())


def _persons(links: np.ndarray) -> pa.Array:
    return pa.array(links.astype(np.int64), mask=links < 0)
