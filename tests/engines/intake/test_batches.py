"""A batch becomes the same assertions, issues and heads on DuckDB and on Spark."""

import datetime
import json

import pyarrow as pa
import pytest

from wanjia.intake.adapters.json_lines import read_json_lines

pytestmark = pytest.mark.spark
RECEIVED = datetime.date(2026, 11, 21)


@pytest.mark.parametrize("source", ["marriages", "police_register"])
def test_batches_are_equal(home, engine, spark_engine, source):
    from wanjia.intake.api.batch import standardise_text
    from wanjia.intake.api.sources import source_named
    from wanjia.standards import api as standards

    declared, profile = source_named(source), standards.load_profile()
    example = declared.examples[0].row
    lines = [{**example, declared.key[0]: str(number // 2)} for number in range(6)]
    lines += [{**example, declared.key[0]: ""}, {**example, declared.key[0]: "x", declared.as_of.column: "2030-01-01"}]
    lines += [{declared.key[0]: "nobody"}]
    raw = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines).encode()
    results = [
        standardise_text(
            on, declared, read_json_lines(raw, declared), profile,
            delivery_id=7, received_on=RECEIVED, standing_before=[],
        )
        for on in (engine, spark_engine)
    ]  # fmt: skip
    first, second = results
    assert (first.rows_in, first.accepted, first.repeats) == (second.rows_in, second.accepted, second.repeats)
    assert (first.accepted, first.repeats, len(first.refused)) == (4, 3, 2)
    assert first.refused == second.refused
    assert _rows(first.assertions, "assertion_id") == _rows(second.assertions, "assertion_id")
    assert _rows(first.heads, "row_no") == _rows(second.heads, "row_no")
    assert sorted(map(str, first.issues.to_pylist())) == sorted(map(str, second.issues.to_pylist()))
    assert any(issue["reason"] == "AS_OF_IN_FUTURE" for issue in first.issues.to_pylist())


def test_a_cell_that_says_nothing_is_the_same_cell_everywhere(engine, spark_engine):
    from wanjia.intake.bulk import is_blank

    missing = ["无", "-", "\\", "N/A", "a|b", "x.y", "(空)", " 未填 ", "[", "$^*+?{}"]
    spaces = " \t\n\r\v\f"
    words = ["", *(word.strip() for word in missing)]
    blank = [None, *words, *(spaces + word + spaces for word in words)]
    filled = ["无名", "--", "x-y", "aab", "ab", "xzy", "(空", "\u3000", "\u3000无", "无\n无", "N/A.", "\\\\", "\x00"]
    texts = pa.table({"n": list(range(len(blank) + len(filled))), "cell": pa.array([*blank, *filled], pa.string())})
    for on in (engine, spark_engine):
        table = on.load("cells", texts)
        found = on.arrow(table.select("n", says_nothing=is_blank(table.cell, missing))).sort_by("n")
        assert found["says_nothing"].to_pylist() == [True] * len(blank) + [False] * len(filled), on.kind


def _rows(table, key: str) -> list[dict]:
    return sorted(table.to_pylist(), key=lambda row: row[key])
