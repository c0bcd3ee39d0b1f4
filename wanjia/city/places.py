"""The communities of the city as the generator needs them: codes now and before, names of every level, and how many live where."""

import csv
import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from wanjia.city import calendar
from wanjia.kernel import settings

CITY_ZH = "望川市"
PROVINCE_ZH = "澜江省"
FORMER_COUNTY_CODE = "990122"
FORMER_COUNTY_UNTIL = calendar.day(1999, 7, 1)
FORMER_COUNTY_NOW = "990104"


@dataclass(frozen=True)
class Communities:
    """The present communities, in order of code; arrays are parallel."""

    code: list[str]
    name: list[str]
    town: list[str]
    town_name: list[str]
    district: list[str]
    district_name: list[str]
    former_code: list[str]  # code before the last change; the same code if there was none
    former_town_name: list[str]
    changed_on: np.ndarray  # day of the change; NO_DAY if there was none
    rural: np.ndarray
    weight: np.ndarray  # relative number of inhabitants
    districts: list[str]
    district_index: np.ndarray


@cache
def communities(folder: Path | None = None) -> Communities:
    """Reads the divisions of code 99 from the profile."""
    base = folder or settings.PROJECT_ROOT / "declared" / "cn" / "divisions"
    with (base / "99.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    by_code = {row["code"]: row for row in rows}
    present = sorted(
        (row for row in rows if row["level"] == "village" and not row["valid_to"]), key=lambda r: r["code"]
    )
    before = {row["successors"]: row for row in rows if row["level"] == "village" and row["valid_to"]}
    centres = _centres(base / "99.geojson")
    middle = np.mean([centres[row["code"]] for row in present], axis=0)
    distance = np.array([np.hypot(*(centres[row["code"]] - middle)) for row in present])
    rural = np.array([row["code"][9:12] >= "200" for row in present])
    towns = [by_code[row["parent"]] for row in present]
    districts = sorted({town["parent"] for town in towns})
    former = [before.get(row["code"]) for row in present]
    return Communities(
        code=[row["code"] for row in present],
        name=[row["name_zh"] for row in present],
        town=[town["code"] for town in towns],
        town_name=[town["name_zh"] for town in towns],
        district=[town["parent"] for town in towns],
        district_name=[by_code[town["parent"]]["name_zh"] for town in towns],
        former_code=[old["code"] if old else row["code"] for old, row in zip(former, present, strict=True)],
        former_town_name=[
            by_code[old["parent"]]["name_zh"] if old else town["name_zh"]
            for old, town in zip(former, towns, strict=True)
        ],
        changed_on=np.array([_day(old["valid_to"]) if old else calendar.NO_DAY for old in former], dtype=np.int32),
        rural=rural,
        # the inner city is about five times as dense as its edge, villages hold half of what a community of their place would
        weight=np.exp(-1.7 * distance / distance.max()) * np.where(rural, 0.5, 1.0),
        districts=districts,
        district_index=np.array([districts.index(town["parent"]) for town in towns], dtype=np.int32),
    )


@cache
def elsewhere() -> tuple[list[str], list[str]]:
    """Real county codes of other places that floating residents come from, and their names."""
    with (Path(__file__).parent / "lists" / "elsewhere.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    return [row["code"] for row in rows], [row["name"] for row in rows]


def _day(text: str) -> int:
    year, month, number = text.split("-")
    return calendar.day(int(year), int(month), int(number))


def _centres(path: Path) -> dict[str, np.ndarray]:
    features = json.loads(path.read_text(encoding="utf-8"))["features"]
    found = {}
    for feature in features:
        if feature["properties"]["level"] == "village":
            ring = np.array(feature["geometry"]["coordinates"][0])
            found[feature["properties"]["code"]] = ring.mean(axis=0)
    return found
