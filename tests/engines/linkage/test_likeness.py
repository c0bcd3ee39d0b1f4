"""Texts are as alike on Spark as on DuckDB: bytes are compared, half transpositions count alike, patterns are no patterns."""

import random

import pyarrow as pa
import pytest

from wanjia.linkage.adapters.workspace import Workspace
from wanjia.linkage.bulk import kinds
from wanjia.linkage.declared import Feature

pytestmark = pytest.mark.spark

LETTERS = "abcdeé王\\%_'"
# 0.9 and 0.8 to the last digit; an odd number of letters out of place; a backslash and wildcards, which LIKE would read as a pattern
KNOWN = [
    ("martha", "marhta"), ("dixon", "dicksonx"), ("1128736", "128176"), ("1284712", "1282"), ("abcdefghij", "abcdefghi"),
    ("smith\\", "smith\\son"), ("a_cd", "xabcdx"), ("50%off", "50 off"), ("王小明", "王晓明"), ("josé", "jose"), ("a", "a"), ("a", "b"),
]  # fmt: skip


def pairs(count: int) -> list[tuple[str, str]]:
    """Words, what slips of the pen make of them, and other words."""
    chance, found = random.Random(5), list(KNOWN)
    while len(found) < count:
        word = [chance.choice(LETTERS) for _ in range(chance.randint(1, 12))]
        other = list(word)
        for _ in range(chance.randint(1, 4)):
            at, slip = chance.randrange(len(other)), chance.choice("sidx")
            if slip == "s":
                other[at] = chance.choice(LETTERS)
            elif slip == "i":
                other.insert(at, chance.choice(LETTERS))
            elif slip == "d" and len(other) > 1:
                del other[at]
            elif at + 1 < len(other):
                other[at], other[at + 1] = other[at + 1], other[at]
        found.append(("".join(word), "".join(other)))
        found.append(("".join(word), "".join(chance.choices(LETTERS, k=chance.randint(1, 12)))))
    return found


def test_levels_of_texts_are_equal(engine, spark_engine):
    told = pairs(4000)
    table = pa.table({"i": range(len(told)), "f_t_l": [one for one, _ in told], "f_t_r": [two for _, two in told]})
    found = []
    for each in (engine, spark_engine):
        work = Workspace(each)
        work.put("likeness_pairs", table)
        levels = kinds.levels(Feature("t", "text", ["t"]), work.words)
        reached = ", ".join(f"({level.sql}) AS level_{i}" for i, level in enumerate(levels))
        distance = f"CAST({work.words['damerau']}(f_t_l, f_t_r) AS INT) AS distance"
        function = {"duckdb": "jaro_winkler_similarity", "spark": "jaro_winkler_of_bytes"}[work.kind]
        likeness = f"round({function}(f_t_l, f_t_r), 9) AS likeness"
        drawn = f"{work.drawn('f_t_l')} AS drawn"
        found.append(work.rows(f"SELECT i, {distance}, {likeness}, {drawn}, {reached} FROM likeness_pairs ORDER BY i"))
    one, other = found
    assert {row[-1] for row in one} == {True, False}, "the weakest level tells pairs apart"
    assert [(told[a[0]], a, b) for a, b in zip(one, other, strict=True) if a != b] == []
