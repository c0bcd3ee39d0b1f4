"""Texts to standard values: every distinct text is read once, and what it means is kept for the next delivery.

People share names, days, codes and addresses, and the same person is written alike by several departments: most texts of a city's second
source were read with its first. Statements are planned once for each way of reading, whatever the element's key, because planning
costs more than running them on a small batch.
"""

import dataclasses
import itertools
import threading
from collections.abc import Hashable, Iterable
from dataclasses import dataclass, field
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
    """Texts that were read, and row by row what they mean: in one table, or in those of `parts`, whose texts follow each other here."""

    texts: pa.ChunkedArray
    values: pa.Table | None
    parts: "list[Known]" = field(default_factory=list)
    _joining: threading.Lock = field(default_factory=threading.Lock)

    def whole(self) -> pa.Table:
        """The meanings, each column in one piece: put together when first taken from, which is not the engine's thread."""
        with self._joining:
            values = pa.concat_tables([part.whole() for part in self.parts]) if self.values is None else self.values
            self.values, self.parts = values.combine_chunks(), []
            return self.values

    def columns(self) -> list[pa.Array]:
        """The columns of the meanings."""
        return [column.chunk(0) if column.num_chunks else pa.array([], column.type) for column in self.whole().columns]

    def followed_by(self, other: "Known") -> "Known":
        """These texts and the others. Not put together yet: who asks for other texts alone may never need these."""
        return Known(
            pa.chunked_array([*self.texts.chunks, *other.texts.chunks]), None, [*(self.parts or [self]), other]
        )


@dataclass(frozen=True)
class Sought:
    """The different texts of a column, and for every row the place of its text among them (null for an empty cell).

    `known` are the texts that had been read when these were sought among them, `at` where they stand there; None: they were not sought.
    """

    texts: pa.Array
    places: pa.Array
    known: Known | None = None
    at: pa.Array | None = None


@dataclass(frozen=True)
class Meant:
    """What a column's texts mean: the columns' names, the meanings, for every text the place of its row, and the texts' places."""

    names: list[str]
    known: Known
    at: pa.Array
    places: pa.Array

    def table(self, rows: pa.Array | None = None) -> pa.Table:
        """The meanings for every row of the column, null for an empty cell; of the places `rows` of the column alone, if given."""
        places = self.places if rows is None else self.places.take(rows)
        places = self.at.take(places)
        return pa.table([_taken(column, places) for column in self.known.columns()], names=self.names)


def _taken(column: pa.Array, places: pa.Array) -> pa.Array:
    # most columns of reasons hold none
    return pa.nulls(len(places), column.type) if column.null_count == len(column) else column.take(places)


def standardise(
    texts: pa.Array | pa.ChunkedArray,
    reading: Reading,
    engine: Engine,
    profile: "Profile",
    *,
    rows: pa.Array | None = None,
) -> pa.Table:
    """Standard values of written texts, in their order; of the places `rows` of `texts` alone, if given.

    The three steps `sought`, `meant` and `Meant.table` in one: only the second runs statements, so who has many columns may do the others
    beside it. The columns are those of `meant`.
    """
    return meant(sought(texts, reading, engine, profile), reading, engine, profile).table(rows)


def meant(said: Sought, reading: Reading, engine: Engine, profile: "Profile") -> Meant:
    """What different texts mean.

    The columns are the part's key, its derived columns (`ElementPart.derived`) and `<key>__reason`: null, or why the written value
    did not fit (see `REASONS`; the value is then null unless the reason keeps it). Empty cells and the profile's words for "nothing known"
    are null without a reason. A fault of the engine comes through as it is (`NotEnoughMemory`).
    """
    known, at = _known(said, reading, engine, lookups_of(engine, profile))
    part = reading.part
    return Meant([part.key, *part.derived, f"{part.key}__reason"], known, at, said.places)


def prepare(readings: Iterable[Reading], engine: Engine, profile: "Profile") -> None:
    """Plan the statements of these readings now, for who has to wait for the texts: `meant` would plan them when it first needs them."""
    for reading in readings:
        of = _way(reading)
        _planned(Reading(of[0], reading.codes), of, engine, lookups_of(engine, profile))


def sought(texts: pa.Array | pa.ChunkedArray, reading: Reading, engine: Engine, profile: "Profile") -> Sought:
    """The different texts of a column, sought among those that were read the same way before."""
    encoded = pc.dictionary_encode(texts)
    if isinstance(encoded, pa.DictionaryArray):
        different, places = encoded.dictionary, encoded.indices
    elif encoded.num_chunks:
        different = encoded.chunk(0).dictionary
        places = pa.concat_arrays([chunk.indices for chunk in encoded.chunks])
    else:
        different, places = pa.array([], pa.string()), pa.array([], pa.int32())
    known: Known | None = lookups_of(engine, profile).known.get(_way(reading))
    if known is None or _is_too_large(known, different):
        return Sought(different, places)
    return Sought(different, places, known, _index_in(known.texts, different))


def _is_too_large(known: Known, texts: pa.Array) -> bool:
    return len(known.texts) > KNOWN_PER_TEXT * len(texts) + KNOWN_ANYWAY


def _places_in(known: Known, said: Sought) -> pa.Array:
    """Where the texts stand among the known. What is known only grows: where they were sought before, only what came since is looked through."""
    if said.known is known:
        return said.at
    before = len(said.known.texts) if said.known is not None else 0
    places = _index_in(known.texts.slice(before), said.texts)
    if not before:
        return places
    return pc.coalesce(said.at, pc.add(places, pa.scalar(before, pa.int32())))


def _index_in(known: pa.ChunkedArray, texts: pa.Array) -> pa.Array:
    """For each of different texts the place where it stands among the known, if it does."""
    if len(texts) > len(known):
        return pc.index_in(texts, value_set=known)
    # to look up costs a fraction of what it costs to put in: the fewer are put in, and the more looked up
    found = pc.fill_null(pc.index_in(known, value_set=texts), -1).to_numpy()
    places = numpy.flatnonzero(found >= 0)
    at = numpy.full(len(texts), -1, numpy.int32)
    at[found[places]] = places
    return pa.array(at, mask=at < 0)


def _way(reading: Reading) -> tuple[ElementPart, tuple[tuple[str, str], ...]]:
    """What readings have in common that read alike, whatever the element's key."""
    part = dataclasses.replace(reading.part, key=VALUE, element=VALUE, name=Text("值", "value"))
    return part, tuple(sorted(reading.codes.items()))


def _known(said: Sought, reading: Reading, engine: Engine, lookups: Lookups) -> tuple[Known, pa.Array]:
    """Meanings among which are those of the texts, and for every text the place of its row."""
    of, texts = _way(reading), said.texts
    alike = Reading(of[0], reading.codes)
    known: Known | None = lookups.known.get(of)
    if known is None or _is_too_large(known, texts):
        read, at = _read(texts, alike, of, engine, lookups)
        lookups.known.setdefault(of, read)
        return read, at
    # another column of the same kind may have been read since
    at = _places_in(known, said)
    if not at.null_count:
        return known, at
    unknown = pc.is_null(at)
    read, read_at = _read(texts.filter(unknown), alike, of, engine, lookups)
    both = lookups.known[of] = known.followed_by(read)
    if at.null_count == len(at):
        return read, read_at
    return both, pc.replace_with_mask(at, unknown, pc.add(read_at, pa.scalar(len(known.texts), pa.int32())))


def _read(texts: pa.Array, reading: Reading, of: Hashable, engine: Engine, lookups: Lookups) -> tuple[Known, pa.Array]:
    """The rule's values of different texts, in the order in which the engine gives them, and for every text the place of its row."""
    engine.put(WRITTEN, pa.table({AT: pa.array(numpy.arange(len(texts))), RAW: texts}), lent=True)
    steps, last = _planned(reading, of, engine, lookups)
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
    # the texts are put into the values' order, because they are one column and the values are many
    order = values[AT].to_numpy()
    at = numpy.empty(len(texts), numpy.int32)
    at[order] = numpy.arange(len(texts), dtype=numpy.int32)
    return Known(pa.chunked_array([texts.take(pa.array(order))]), values.drop([AT])), pa.array(at)


def _planned(reading: Reading, of: Hashable, engine: Engine, lookups: Lookups) -> tuple[list[tuple[str, str]], str]:
    """The statements of `_plan`, which are made once."""
    if of not in lookups.plans:
        lookups.plans[of] = _plan(reading, engine, lookups)
    return lookups.plans[of]


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
