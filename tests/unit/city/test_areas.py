"""The fictional divisions: declared files are what the generator makes, and the polygons cover without gaps."""

import csv
import itertools
import json
from collections import Counter

import pytest

from wanjia.city import areas, places
from wanjia.kernel.settings import PROJECT_ROOT

FOLDER = PROJECT_ROOT / "declared" / "cn" / "divisions"


@pytest.fixture(scope="module")
def rows() -> list[dict[str, str]]:
    with (FOLDER / "99.csv").open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def shapes() -> list[dict]:
    return json.loads((FOLDER / "99.geojson").read_text(encoding="utf-8"))["features"]


def _area(feature: dict) -> float:
    ring = feature["geometry"]["coordinates"][0]
    return sum(x1 * y2 - x2 * y1 for (x1, y1), (x2, y2) in itertools.pairwise(ring)) / 2


def test_the_declared_files_are_what_the_generator_makes():
    table, geometry = areas.draw_areas()
    assert (FOLDER / "99.csv").read_text(encoding="utf-8") == table
    assert (FOLDER / "99.geojson").read_text(encoding="utf-8") == geometry


def test_the_city_has_six_districts_48_sub_districts_and_300_communities(rows):
    present = Counter(row["level"] for row in rows if not row["valid_to"])
    assert present == {"province": 1, "city": 1, "county": 6, "town": 48, "village": 300}


def test_every_code_lies_in_its_parent_and_every_successor_exists(rows):
    present = {row["code"] for row in rows if not row["valid_to"]}
    every = {row["code"] for row in rows}
    for row in rows:
        assert row["level"] == "province" or row["parent"] in every
        if row["level"] in ("town", "village"):
            assert row["code"].startswith(row["parent"])
        if row["valid_to"]:
            assert row["successors"]
            assert set(row["successors"].split("|")) <= present


def test_one_sub_district_was_split_and_two_were_merged(rows):
    towns = {row["code"]: row for row in rows if row["level"] == "town" and row["valid_to"]}
    assert towns["990103003"]["successors"] == "990103009|990103010"
    assert {towns[code]["successors"] for code in ("990105005", "990105006")} == {"990105008"}
    assert {row["valid_to"] for row in towns.values()} == {"2021-07-01", "2023-03-01"}


def test_no_place_has_two_names_twice(rows):
    names = [row["name_zh"] for row in rows if row["level"] == "village" and not row["valid_to"]]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("level", ["county", "town", "village"])
def test_polygons_of_a_level_cover_the_city_without_gap_or_overlap(shapes, level):
    city = next(f for f in shapes if f["properties"]["level"] == "city")
    parts = [f for f in shapes if f["properties"]["level"] == level and not f["properties"]["valid_to"]]
    assert sum(_area(f) for f in parts) == pytest.approx(_area(city), rel=1e-9)
    borders = Counter()
    for feature in parts:
        ring = [tuple(point) for point in feature["geometry"]["coordinates"][0]]
        borders.update(itertools.pairwise(ring))
    assert max(borders.values()) == 1  # a border walked twice in one direction would be an overlap
    outer = {edge for edge in borders if edge[::-1] not in borders}
    ring = [tuple(point) for point in city["geometry"]["coordinates"][0]]
    assert outer == set(itertools.pairwise(ring))


def test_communities_read_back_with_their_codes_before_the_change():
    table = places.communities()
    changed = [i for i in range(len(table.code)) if table.former_code[i] != table.code[i]]
    assert {table.former_code[i][:9] for i in changed} == {"990103003", "990105005", "990105006"}
    assert len({table.former_code[i] for i in changed}) == len(changed)
    assert table.weight.min() > 0
