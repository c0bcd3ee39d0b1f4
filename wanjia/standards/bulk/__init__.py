"""Standardising: the one definition of how a written value becomes a standard one, as relational expressions.

Every type's rule is a function from a table with a text column to the same table with the canonical value, its derived columns and a
reason. The rules run once per distinct text (see `meanings`). Nothing here is Python run per row: DuckDB and Spark give the same rows.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from ibis.expr.types import Table

from wanjia.standards.bulk import addresses, codes, dates, names, numbers, words
from wanjia.standards.bulk.lookups import Lookups
from wanjia.standards.declared import ElementPart


@dataclass(frozen=True)
class Reading:
    """How one written column is read: as which part of which element, with the source's own spellings of codes."""

    part: ElementPart
    codes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Step:
    """What a type's rule is given: the column's reading, the profile's tables, and `keep`, which computes a table here and now.

    `keep` stops expressions from growing inside each other: an engine plans three small statements faster than one huge one.
    """

    reading: Reading
    lookups: Lookups
    keep: Callable[[Table], Table]

    @property
    def part(self) -> ElementPart:
        return self.reading.part


Rule = Callable[[Table, str, Step], Table]

RULES: dict[str, Rule] = {
    "identity_number": numbers.identity_number,
    "document_number": numbers.document_number,
    "organisation": numbers.organisation,
    "name": names.name,
    "address": addresses.address,
    "date": dates.date,
    "datetime": dates.moment,
    "code": codes.code,
    "division": codes.division,
    "boolean": codes.boolean,
    "integer": words.integer,
    "text": words.text,
}
