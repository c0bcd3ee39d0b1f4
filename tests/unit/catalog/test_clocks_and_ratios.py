"""Clocks, ratios and order of quality work."""

from datetime import date

import pytest

from wanjia.catalog.rules import Ratio, Tally, due_on, ratios, worst_first


@pytest.mark.parametrize(
    ("opened", "due"),
    [
        (date(2026, 11, 16), date(2026, 11, 30)),  # a Monday: the Monday two weeks on
        (date(2026, 11, 20), date(2026, 12, 4)),  # a Friday
        (date(2026, 11, 21), date(2026, 12, 4)),  # a Saturday counts from the Friday before
        (date(2026, 11, 22), date(2026, 12, 4)),
    ],
)
def test_ten_working_days(opened, due):
    assert due_on(opened) == due


@pytest.mark.parametrize(("days", "due"), [(1, date(2026, 11, 23)), (2, date(2026, 11, 24)), (6, date(2026, 11, 30))])
def test_weekends_do_not_count(days, due):
    assert due_on(date(2026, 11, 20), days) == due


def test_working_days_counted_one_by_one_agree():
    from datetime import timedelta

    for start in range(14):
        for days in range(1, 23):
            opened = date(2026, 3, 1) + timedelta(days=start)
            counted, day = 0, opened
            while counted < days:
                day += timedelta(days=1)
                counted += day.weekday() < 5
            assert due_on(opened, days) == day


def test_ratios_have_numerators_and_denominators():
    made = ratios(Tally(expected=10, given=8, misfits=1, shared=4, differs=2, stale=1, contradicted=1))
    assert made == {
        "conformity": Ratio(8, 9),
        "completeness": Ratio(8, 10),
        "accuracy": Ratio(2, 4),
        "consistency": Ratio(7, 8),
        "timeliness": Ratio(3, 4),
    }


def test_nothing_to_count_makes_no_ratio():
    assert set(ratios(Tally(expected=5, given=5))) == {"conformity", "completeness", "consistency"}


def test_a_ratio_never_leaves_zero_to_one():
    for ratio in ratios(Tally(expected=3, given=5, contradicted=9, shared=2, differs=2, stale=2)).values():
        assert 0 <= ratio.good <= ratio.counted


def test_worst_first():
    cells = [(9, 10), (0, 5), (10, 10), (90, 100)]
    # of equal ratios the one with more bad values comes first
    assert sorted(cells, key=lambda c: worst_first(*c)) == [(0, 5), (90, 100), (9, 10), (10, 10)]
