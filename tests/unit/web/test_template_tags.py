"""What templates show of numbers."""

import pytest

from wanjia.web.templatetags.wanjia import bar, count, percent, seconds


@pytest.mark.parametrize(("number", "shown"), [(None, "–"), (0, "0"), (999, "999"), (1234567, "1,234,567")])
def test_counts_are_grouped(number, shown):
    assert count(number) == shown


@pytest.mark.parametrize(
    ("ratio", "shown"),
    [(None, "–"), (1, "100.0%"), (0, "0.0%"), (0.98765, "98.8%"), (0.99996, "99.9%"), (0.9999999, "99.9%")],
)
def test_less_than_all_never_reads_as_all(ratio, shown):
    assert percent(ratio) == shown


@pytest.mark.parametrize(("length", "shown"), [(None, "–"), (0.04, "0.0 s"), (119.94, "119.9 s"), (125, "2 min 05 s")])
def test_durations(length, shown):
    assert seconds(length) == shown


@pytest.mark.parametrize(
    ("value", "whole", "width"), [(1, 4, "25.00"), (0, 4, "0.00"), (9, 4, "100.00"), (None, 4, "0.00"), (3, 0, "0.00")]
)
def test_a_bar_stays_inside_its_frame(value, whole, width):
    assert f'class="bar-part" width="{width}"' in bar(value, whole)


def test_a_bar_has_no_inline_style():
    assert "style=" not in bar(1, 2)
