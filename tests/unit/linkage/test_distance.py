"""Levels by distance, whose quicker bound must change nothing: also not what is unknown."""

import duckdb
import pytest

from wanjia.linkage.adapters.workspace import DIALECT
from wanjia.linkage.bulk import kinds
from wanjia.linkage.declared import Feature

PAIRS = [
    ("19850312", "19850312"),
    ("19850312", "19850321"),
    ("19850312", "19580321"),
    ("19850312", "18950321"),
    ("19850312", "20011105"),
    ("ca", "abc"),
    ("ab", "ba"),
    ("abcd", "badc"),
    ("", "ab"),
    (None, "19850312"),
    ("19850312", None),
]


@pytest.mark.parametrize("pair", PAIRS)
def test_near_numbers_are_those_the_distance_says(pair):
    feature = Feature(key="x", kind="number", elements=["x"])
    _same, *near = kinds.levels(feature, DIALECT["duckdb"])
    with duckdb.connect() as engine:
        for edits, level in enumerate(near, start=1):
            pair_of = "SELECT CAST($1 AS VARCHAR) AS f_x_l, CAST($2 AS VARCHAR) AS f_x_r"
            asked = f"SELECT {level.sql}, damerau_levenshtein(f_x_l, f_x_r) <= {edits} FROM ({pair_of}) t"
            found, plain = engine.execute(asked, list(pair)).fetchall()[0]
            assert found is plain
