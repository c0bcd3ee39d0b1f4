"""Counts as they may be given out: small ones held back, also against subtraction."""

from hypothesis import given
from hypothesis import strategies as st

from wanjia.privacy.rules import SMALLEST_COUNT, protect_counts

COUNTS = st.dictionaries(st.integers(0, 30), st.integers(0, 60), max_size=12)


def test_small_counts_are_held_back_and_zero_is_not():
    given_out = protect_counts({"a": 0, "b": 3, "c": 9, "d": 10}, is_total_shown=False)
    assert {key: count.people for key, count in given_out.items()} == {"a": 0, "b": None, "c": None, "d": 10}
    assert [key for key, count in given_out.items() if count.is_small] == ["b", "c"]


def test_a_lone_small_count_takes_the_next_larger_with_it():
    given_out = protect_counts({"a": 4, "b": 40, "c": 25})
    assert {key: count.people for key, count in given_out.items()} == {"a": None, "b": 40, "c": None}
    assert not given_out["c"].is_small


def test_nothing_is_held_back_where_nothing_is_small():
    assert [count.people for count in protect_counts({"a": 10, "b": 0, "c": 99}).values()] == [10, 0, 99]


@given(COUNTS)
def test_subtraction_never_gives_one_small_number(counts):
    given_out = protect_counts(counts)
    held = [key for key, count in given_out.items() if count.people is None]
    assert all(count.people == counts[key] for key, count in given_out.items() if count.people is not None)
    assert all(count.people is None for key, count in given_out.items() if 0 < counts[key] < SMALLEST_COUNT)
    others = [key for key in counts if key not in held and counts[key] >= SMALLEST_COUNT]
    if held and others:
        assert len(held) >= 2
        assert sum(counts[key] for key in held) >= 2 * SMALLEST_COUNT
