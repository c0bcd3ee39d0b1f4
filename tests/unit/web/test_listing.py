"""Pages of a list."""

import pytest
from django.test import RequestFactory

from wanjia.web.listing import MOST_PAGES, ROWS, Listing, page_number, whole_number


@pytest.mark.parametrize(
    ("asked", "page"),
    [("", 1), ("1", 1), ("7", 7), ("0", 1), ("-3", 1), ("x", 1), ("٣", 1), ("99999", MOST_PAGES), ("9" * 40, 1)],
)
def test_page_asked_for(asked, page):
    assert page_number(RequestFactory().get("/", {"page": asked})) == page


def test_places_and_neighbours():
    rows = [None] * ROWS
    first, middle, last = Listing(rows, 120, 1), Listing(rows, 120, 2), Listing(rows[:20], 120, 3)
    assert (first.first, first.last, first.previous, first.next) == (1, 50, None, 2)
    assert (middle.first, middle.last, middle.previous, middle.next) == (51, 100, 1, 3)
    assert (last.first, last.last, last.previous, last.next) == (101, 120, 2, None)


def test_an_empty_list_has_no_place():
    nothing = Listing([], 0, 1)
    assert (nothing.first, nothing.last, nothing.pages, nothing.next) == (0, 0, 0, None)


@pytest.mark.parametrize(
    ("text", "number"), [("12", 12), (" 7 ", 7), ("", None), ("1e3", None), ("-1", None), ("1" * 19, None)]
)
def test_whole_number(text, number):
    assert whole_number(text) == number
