"""Standardising: the one definition of how a written value becomes a standard one, as relational expressions.

Every type's rule is a function from a table with a text column to the same table with the canonical value, its derived columns and a
reason. The rules run once per distinct text and are joined back: people share names, days, codes and addresses, and for numbers a
narrow table costs less than carrying every other column along. Nothing here is Python run per row: DuckDB and Spark give the same rows.
"""

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import ibis

from wanjia.kernel.engine import Engine
from wanjia.standards.bulk import addresses, codes, dates, names, numbers, words
from wanjia.standards.bulk.lookups import Lookups, lookups_of
from wanjia.standards.declared import ElementPart

if TYPE_CHECKING:
    from wanjia.standards.api import Profile

_serial = itertools.count()


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
    keep: Callable[[ibis.Table], ibis.Table]

    @property
    def part(self) -> ElementPart:
        return self.reading.part


Rule = Callable[[ibis.Table, str, Step], ibis.Table]

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
RAW = "raw"


def standardise(
    table: ibis.Table,
    columns: Mapping[str, Reading],
    engine: Engine,
    profile: "Profile",
    *,
    keep: Sequence[str] = ("row_no",),
    name: str = "standardised",
) -> ibis.Table:
    """Standard values of the text columns of `table`, saved in the engine as table `name`.

    `columns`: column of `table` (text) → its reading. The result has the columns `keep` of `table` and, for every reading, its
    part's key, the derived columns (`ElementPart.derived`) and `<key>__reason`: null, or why the written value did not fit (see
    `REASONS`; the value is then null unless the reason keeps it). Empty cells and the profile's words for "nothing known" are null
    without a reason. A fault of the engine comes through as it is (`NotEnoughMemory`).

    The statements are made once for a table of the same name and columns read in the same way, so a pushed batch pays only for running.
    """
    lookups = lookups_of(engine, profile)
    asked = (
        table.op(),
        tuple((column, reading.part, tuple(sorted(reading.codes.items()))) for column, reading in columns.items()),
        tuple(keep),
        name,
    )
    if asked not in lookups.plans:
        lookups.plans[asked] = _plan(table, columns, engine, lookups, keep, name)
    statements = lookups.plans[asked]
    try:
        for target, statement in statements:
            engine.save_compiled(target, statement)
    finally:
        for target, _ in statements[:-1]:
            engine.drop(target)
    return engine.con.table(name)


def _plan(
    table: ibis.Table, columns: Mapping[str, Reading], engine: Engine, lookups: Lookups, keep: Sequence[str], name: str
) -> list[tuple[str, str]]:
    """(table to make, statement) in order; all but the last are temporary."""
    number = next(_serial)
    statements: list[tuple[str, str]] = []

    def kept(expression: ibis.Table) -> ibis.Table:
        target = f"standardising_{number}_{len(statements)}"
        statements.append((target, engine.compiled(expression)))
        return ibis.table(expression.schema(), name=target)

    result = table.select(*keep, *columns)
    for column, reading in columns.items():
        step = Step(reading, lookups, kept)
        outputs = [reading.part.key, *reading.part.derived, f"{reading.part.key}__reason"]
        values = kept(table.select(**{RAW: table[column]}).filter(ibis._[RAW].notnull()).distinct())
        meaning = kept(RULES[reading.part.type](values, RAW, step).select(RAW, *outputs))
        joined = result.left_join(meaning, result[column] == meaning[RAW])
        result = joined.select(*[result[c] for c in result.columns if c != column], *[meaning[o] for o in outputs])
    order = [*keep, *(c for r in columns.values() for c in (r.part.key, *r.part.derived, f"{r.part.key}__reason"))]
    statements.append((name, engine.compiled(result.select(*order))))
    return statements
