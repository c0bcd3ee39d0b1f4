"""Texts to standard values: every distinct text is read once, and what it means is kept for the next delivery.

People share names, days, codes and addresses, and the same person is written alike by several departments: most texts of a city's second
source were read with its first. Statements are planned once for each way of reading, whatever the element's key, because planning
costs more than running them on a small batch.
"""

import dataclasses
import itertools
from collections.abc import Hashable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import ibis
import numpy
import pyarrow as pa
import pyarrow.compute as pc

from wanjia.kernel.engine import Engine
from wanjia.standards.bulk import RULES, Reading, Step
from wanjia.standards.bulk.lookups import Lookups, lookups_of
from wanjia.standards.declared import ElementPart, Text

if TYPE_CHECKING:
    from wanjia.standards.api import Profile

RAW, AT, VALUE, REASON = "raw", "at", "value", "reason"
WRITTEN = "standardising_written"
# looking up what is known costs a pass over it: no batch pays for one that is so many times as large as itself
KNOWN_PER_TEXT = 20
KNOWN_ANYWAY = 10_000
FEW_TEXTS = 1_000

_serial = itertools.count()


@dataclass
class Known:
    """Texts that were read, and row by row what they mean."""

    texts: pa.Array
    values: pa.Table


def standardise(
    texts: pa.Array | pa.ChunkedArray,
    reading: Reading,
    engine: Engine,
    profile: "Profile",
    *,
    rows: pa.Array | None = None,
) -> pa.Table:
    """Standard values of written texts, in their order; of the places `rows` of `texts` alone, if given (null where a place is null).

    The columns are the part's key, its derived columns (`ElementPart.derived`) and `<key>__reason`: null, or why the written value
    did not fit (see `REASONS`; the value is then null unless the reason keeps it). Empty cells and the profile's words for "nothing known"
    are null without a reason. A fault of the engine comes through as it is (`NotEnoughMemory`).
    """
    distinct, places = _distinct(texts)
    if rows is not None:
        places = places.take(rows)
    values, at = _values(distinct, reading, engine, lookups_of(engine, profile))
    found = at.take(places)
    part = reading.part
    names = [part.key, *part.derived, f"{part.key}__reason"]
    return pa.table([_taken(column, found) for column in values.columns], names=names)


def _distinct(texts: pa.Array | pa.ChunkedArray) -> tuple[pa.Array, pa.Array]:
    """The different texts, and for every row the place of its text among them (null for an empty cell)."""
    encoded = pc.dictionary_encode(texts)
    if isinstance(encoded, pa.DictionaryArray):
        return encoded.dictionary, encoded.indices
    if not encoded.num_chunks:
        return pa.array([], pa.string()), pa.array([], pa.int32())
    return encoded.chunk(0).dictionary, pa.concat_arrays([chunk.indices for chunk in encoded.chunks])


def _taken(column: pa.ChunkedArray, places: pa.Array) -> pa.Array:
    chunks = column.chunks
    whole = chunks[0] if len(chunks) == 1 else pa.concat_arrays(chunks) if chunks else pa.array([], column.type)
    return whole.take(places)


def _values(texts: pa.Array, reading: Reading, engine: Engine, lookups: Lookups) -> tuple[pa.Table, pa.Array]:
    """What the texts mean: rows of meanings, and for every text the place of its row."""
    part = dataclasses.replace(reading.part, key=VALUE, element=VALUE, name=Text("值", "value"))
    of = (part, tuple(sorted(reading.codes.items())))
    alike = Reading(part, reading.codes)
    known: Known | None = lookups.known.get(of)
    if known is not None and len(known.texts) > KNOWN_PER_TEXT * len(texts) + KNOWN_ANYWAY:
        return _read(texts, alike, of, engine, lookups), pa.array(numpy.arange(len(texts)))
    if known is None:
        values = _read(texts, alike, of, engine, lookups)
        lookups.known[of] = Known(texts, values)
        return values, pa.array(numpy.arange(len(texts)))
    at = pc.index_in(texts, value_set=known.texts)
    if at.null_count:
        fresh = texts.filter(pc.is_null(at))
        values = _read(fresh, alike, of, engine, lookups)
        after = pa.array(numpy.cumsum(pc.is_null(at).to_numpy(zero_copy_only=False)) - 1 + len(known.texts), pa.int32())
        at = pc.if_else(pc.is_null(at), after, at)
        known = lookups.known[of] = Known(
            pa.concat_arrays([known.texts, fresh]), pa.concat_tables([known.values, values]).combine_chunks()
        )
    return known.values, at


def _read(texts: pa.Array, reading: Reading, of: Hashable, engine: Engine, lookups: Lookups) -> pa.Table:
    """The rule's values of different texts, in their order."""
    engine.load(WRITTEN, pa.table({AT: pa.array(numpy.arange(len(texts))), RAW: texts}))
    if of not in lookups.plans:
        lookups.plans[of] = _plan(reading, engine, lookups)
    steps, last = lookups.plans[of]
    try:
        for target, statement in steps:
            engine.save_compiled(target, statement)
        values = engine.fetch(last)
    finally:
        # few rows lie there until the next reading takes their place: dropping a table costs as much as making it
        if len(texts) > FEW_TEXTS:
            for target, _ in steps:
                engine.drop(target)
            engine.drop(WRITTEN)
    order = numpy.empty(len(texts), numpy.int64)
    order[values[AT].to_numpy()] = numpy.arange(len(texts))
    return values.drop([AT]).combine_chunks().take(pa.array(order))


def _plan(reading: Reading, engine: Engine, lookups: Lookups) -> tuple[list[tuple[str, str]], str]:
    """The statements that read `WRITTEN`: (tables to make, in order), and the one whose rows are the values."""
    number = next(_serial)
    steps: list[tuple[str, str]] = []

    def kept(expression: ibis.Table) -> ibis.Table:
        target = f"standardising_{number}_{len(steps)}"
        steps.append((target, engine.compiled(expression)))
        return ibis.table(expression.schema(), name=target)

    written = ibis.table({AT: "int64", RAW: "string"}, name=WRITTEN)
    part: ElementPart = reading.part
    values = RULES[part.type](written, RAW, Step(reading, lookups, kept))
    outputs = values.select(AT, part.key, *part.derived, f"{part.key}__reason")
    return steps, engine.compiled(outputs)
