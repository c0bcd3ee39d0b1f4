"""Pages of a list: which rows, how many in all, what comes before and after."""

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest

ROWS = 50
MOST_PAGES = 200


@dataclass(frozen=True)
class Listing:
    """One page of a list of `total` rows."""

    rows: list[Any]
    total: int
    page: int
    size: int = ROWS

    @property
    def first(self) -> int:
        """Place of the first row shown, counted from 1; 0 for an empty list."""
        return (self.page - 1) * self.size + 1 if self.rows else 0

    @property
    def last(self) -> int:
        """Place of the last row shown."""
        return (self.page - 1) * self.size + len(self.rows)

    @property
    def pages(self) -> int:
        """How many pages there are; beyond MOST_PAGES one must filter, because deep offsets are slow."""
        return min(-(-self.total // self.size), MOST_PAGES)

    @property
    def previous(self) -> int | None:
        """The page before, or None."""
        return self.page - 1 if self.page > 1 else None

    @property
    def next(self) -> int | None:
        """The page after, or None."""
        return self.page + 1 if self.page < self.pages else None


def page_number(request: HttpRequest) -> int:
    """The page asked for, from 1 to MOST_PAGES; anything else is the first."""
    asked = request.GET.get("page", "")
    return min(max(int(asked), 1), MOST_PAGES) if asked.isascii() and asked.isdigit() and len(asked) < 6 else 1


def whole_number(text: str, digits: int = 18) -> int | None:
    """A whole number typed by a user, or None."""
    text = text.strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) <= digits else None
