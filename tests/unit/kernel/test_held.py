"""Rows found by id: a table that is changed again and again holds what a dictionary would."""

import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from wanjia.kernel import held as module
from wanjia.kernel.held import Held

IDS = st.integers(0, 40)
STEPS = st.lists(st.tuples(st.sets(IDS, max_size=8), st.sets(IDS, max_size=8)), max_size=30)


def table(rows: dict[int, str]) -> pa.Table:
    return pa.table({"id": pa.array(list(rows), pa.int64()), "said": pa.array(list(rows.values()), pa.string())})


def told(found: pa.Table) -> dict[int, str]:
    return dict(zip(found["id"].to_pylist(), found["said"].to_pylist(), strict=True))


@settings(deadline=None)
@given(first=st.sets(IDS), steps=STEPS, asked=st.sets(st.integers(-2, 45)))
def test_it_holds_what_a_dictionary_would(first, steps, asked):
    module.MOST_GONE, before = 10, module.MOST_GONE
    try:
        expected = {one: f"first {one}" for one in first}
        held = Held(table(expected), "id")
        for number, (gone, fresh) in enumerate(steps):
            rows = {one: f"{number} {one}" for one in fresh}
            expected = {one: said for one, said in expected.items() if one not in gone | fresh} | rows
            held.replace(gone | fresh, table(rows))
            assert told(held.rows(asked)) == {one: said for one, said in expected.items() if one in asked}
        assert told(held.table()) == expected
    finally:
        module.MOST_GONE = before


WORDS = st.sampled_from(["a", "b", "c", None])
CODES = st.sampled_from([0, 1, -1, 2**64 - 1, 2**63, None])


@settings(deadline=None)
@given(
    first=st.dictionaries(IDS, st.tuples(WORDS, CODES)),
    steps=st.lists(st.tuples(st.sets(IDS, max_size=8), st.dictionaries(IDS, st.tuples(WORDS, CODES), max_size=8)), max_size=30),
    words=st.lists(WORDS, max_size=6),
    codes=st.lists(CODES, max_size=6),
)  # fmt: skip
def test_rows_are_found_by_what_they_say_now(first, steps, words, codes):
    def rows(held):
        said, code = zip(*held.values(), strict=True) if held else ((), ())
        return pa.table(
            {"id": pa.array(list(held), pa.int64()), "said": pa.array(said, pa.string()), "code": pa.array(code, pa.uint64())}
        )  # fmt: skip

    codes = [None if code is None else code % 2**64 for code in codes]
    first = {one: (word, None if code is None else code % 2**64) for one, (word, code) in first.items()}
    module.MOST_GONE, before = 10, module.MOST_GONE
    try:
        expected = dict(first)
        held = Held(rows(first), "id", sought=["said", "code"])
        for gone, given_rows in steps:
            fresh = {one: (word, None if code is None else code % 2**64) for one, (word, code) in given_rows.items()}
            expected = {one: said for one, said in expected.items() if one not in gone | set(fresh)} | fresh
            held.replace(gone | set(fresh), rows(fresh))
        for at, (column, asked, kind) in enumerate([("said", words, pa.string()), ("code", codes, pa.uint64())]):
            matched = held.matches(column, pa.array(asked, kind))
            assert sorted(zip(*(side.tolist() for side in matched), strict=True)) == [
                (place, one)
                for place, value in enumerate(asked)
                for one in sorted(expected)
                if value is not None and expected[one][at] == value
            ]
            assert held.find(column, pa.array(asked, kind)).tolist() == sorted(
                one for one, said in expected.items() if said[at] is not None and said[at] in asked
            )
    finally:
        module.MOST_GONE = before


def test_a_column_that_only_some_rows_have_is_null_elsewhere():
    held = Held(table({1: "a"}), "id")
    held.replace([], pa.table({"more": ["x"], "id": pa.array([2], pa.int64())}))
    assert held.rows([1, 2]).sort_by("id").to_pylist() == [
        {"id": 1, "said": "a", "more": None},
        {"id": 2, "said": None, "more": "x"},
    ]
