"""The persons that rows speak of: which cells say what of whom, as Arrow tables put together from standard values.

The rules themselves are relational and run in the engine (`standards.standardise`, `intake.bulk`); here their results are only laid side by
side, column by column, which costs a gather of places instead of a join of wide rows.
"""

from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import Executor, Future
from dataclasses import dataclass

import numpy
import pyarrow as pa
import pyarrow.compute as pc

from wanjia.intake.declared import Source, Subject
from wanjia.kernel.declared import Text
from wanjia.kernel.engine import Engine
from wanjia.standards import api as standards

ASSERTION_HEAD = ("assertion_id", "source", "delivery_id", "row_no", "record_key", "subject", "as_of")
ISSUE_SCHEMA = pa.schema([("assertion_id", pa.int64()), ("element", pa.string()), ("reason", pa.string())])
SUBJECT_BITS = 2
DELIVERY_BITS = 32
SOUGHT_AHEAD = 6  # columns whose texts are told apart before the engine asks for them: it waits for none
FEW_ROWS = 10_000  # up to here another thread costs more than it saves
_SAID = standards.ElementPart("said_on", "said_on", Text("记录日期", "day of the record"), "date")


def assertion_id(delivery_id: int, row_no: int, subject: int) -> int:
    """The id of what one row of a delivery says of its subject number `subject`."""
    return (delivery_id << DELIVERY_BITS) | (row_no << SUBJECT_BITS) | subject


@dataclass(frozen=True)
class Taken:
    """The rows that are taken: the text, which of its rows they are (None: all), and of these, in the same order, from `bulk.judged`
    row_no, record_key, row_digest, present_0, present_1 …
    """

    text: pa.Table
    rows: pa.Array | None
    judged: pa.Table


@dataclass(frozen=True)
class Spoken:
    """What a batch says: assertions, value issues (`ISSUE_SCHEMA`), and for every row taken the day it was true."""

    assertions: pa.Table
    issues: pa.Table
    as_of: pa.Array


def begin_spoken(
    engine: Engine,
    source: Source,
    profile: standards.Profile,
    taken: Taken,
    laying: Executor,
    *,
    delivery_id: int,
    received: pa.Scalar,
) -> Callable[[], Spoken]:
    """The assertions of the taken rows: one for each person a row speaks of, with the standard value of every element the source carries.

    The engine has done its part on return; what is returned puts together what `laying`, threads beside it, have laid out by then or will.
    """  # fmt: skip
    rows = taken.judged.num_rows
    readings = _readings(source, profile)
    places = [_places(taken.judged[f"present_{number}"].combine_chunks()) for number in range(len(source.subjects))]
    wanted = [
        _Wanted(name, readings[key], _of_text(taken, places[number]))
        for number, subject in enumerate(source.subjects)
        for key, name in _in_turn(subject, readings).items()
    ]
    if source.as_of.column:
        wanted.append(_Wanted(source.as_of.column, standards.Reading(_SAID), taken.rows))
    laid = _laid(engine, profile, taken.text, wanted, laying if rows > FEW_ROWS else None)
    return lambda: _together(source, readings, taken, places, laid, delivery_id, received)


def _together(
    source: Source, readings: dict[str, standards.Reading], taken: Taken, places: list[pa.Array | None], laid: deque[Future[pa.Table]],
    delivery_id: int, received: pa.Scalar,
) -> Spoken:  # fmt: skip
    rows = taken.judged.num_rows
    row_no = taken.judged["row_no"].combine_chunks()
    as_of, as_of_reason = _as_of(laid.pop().result() if source.as_of.column else None, rows, received)
    parts, issues = [], []
    for number, subject in enumerate(source.subjects):
        at = places[number]
        count = rows if at is None else len(at)
        heads = {
            "assertion_id": pa.array(_picked(row_no, at).to_numpy() * (1 << SUBJECT_BITS) + assertion_id(delivery_id, 0, number)),
            "source": pa.repeat(source.code, count),
            "delivery_id": pa.repeat(pa.scalar(delivery_id, pa.int32()), count),
            "row_no": _picked(row_no, at).cast(pa.int32()),
            "record_key": _picked(taken.judged["record_key"].combine_chunks(), at),
            "subject": pa.repeat(subject.role, count),
            "as_of": _picked(as_of, at),
        }  # fmt: skip
        reasons = {"as_of": _picked(as_of_reason, at)}
        for _ in _in_turn(subject, readings):
            values = laid.popleft().result()
            for name in values.column_names:
                (reasons if name.endswith("__reason") else heads)[name] = values[name].combine_chunks()
        parts.append(pa.table(heads))
        issues += [
            _issues(heads["assertion_id"], name.removesuffix("__reason"), reason) for name, reason in reasons.items()
        ]
    return Spoken(
        # a subject that has no column for an element says nothing of it
        _in_order(pa.concat_tables(parts, promote_options="default"), readings),
        pa.concat_tables([ISSUE_SCHEMA.empty_table(), *issues]),
        as_of,
    )


def prepare(engine: Engine, source: Source, profile: standards.Profile) -> None:
    """Plan now how the cells of the source are read, for who has to wait for them."""
    readings = list(_readings(source, profile).values())
    standards.prepare(readings + [standards.Reading(_SAID)] * bool(source.as_of.column), engine, profile)


@dataclass(frozen=True)
class _Wanted:
    """A column of the text that is wanted in standard values, of the places `rows` (None: of all)."""

    name: str
    reading: standards.Reading
    rows: pa.Array | None


def _laid(
    engine: Engine, profile: standards.Profile, text: pa.Table, wanted: list[_Wanted], laying: Executor | None
) -> deque[Future[pa.Table]]:
    """The wanted columns' standard values, in order. With `laying` texts are told apart and values laid out there while the engine reads others."""
    tables: deque[Future[pa.Table]] = deque()
    if laying is None:
        for one in wanted:
            tables.append(Future())
            tables[-1].set_result(standards.standardise(text[one.name], one.reading, engine, profile, rows=one.rows))
        return tables

    def seek(ones: list[_Wanted]) -> list[Future[standards.Sought]]:
        return [laying.submit(standards.sought, text[one.name], one.reading, engine, profile) for one in ones]

    said = seek(wanted[:SOUGHT_AHEAD])
    for place, one in enumerate(wanted):
        said += seek(wanted[place + SOUGHT_AHEAD : place + SOUGHT_AHEAD + 1])
        meant = standards.meant(said.pop(0).result(), one.reading, engine, profile)
        tables.append(laying.submit(meant.table, one.rows))
    return tables


def _in_turn(subject: Subject, readings: Iterable[str]) -> dict[str, str]:
    """Which column of the text tells each element of a subject, in the readings' order."""
    columns = {column.part or column.element: name for name, column in subject.columns.items()}
    return {key: columns[key] for key in readings if key in columns}


def _places(present: pa.Array) -> pa.Array | None:
    """The rows that speak of a subject; None when all do, and nothing need be moved."""
    return None if pc.all(present).as_py() else pa.array(numpy.flatnonzero(present.to_numpy(zero_copy_only=False)))


def _of_text(taken: Taken, at: pa.Array | None) -> pa.Array | None:
    """Where in the text the taken rows `at` stand."""
    return at if taken.rows is None else _picked(taken.rows, at)


def _picked(array: pa.Array, at: pa.Array | None) -> pa.Array:
    return array if at is None else array.take(at)


def _in_order(table: pa.Table, readings: dict[str, standards.Reading]) -> pa.Table:
    names = [name for reading in readings.values() for name in (reading.part.key, *reading.part.derived)]
    return table.select([*ASSERTION_HEAD, *names])


def _issues(assertion_ids: pa.Array, element: str, reason: pa.Array) -> pa.Table:
    if reason.null_count == len(reason):
        return ISSUE_SCHEMA.empty_table()
    wrong = pc.is_valid(reason)
    ids = assertion_ids.filter(wrong)
    return pa.table([ids, pa.repeat(element, len(ids)), reason.filter(wrong)], schema=ISSUE_SCHEMA)


def _as_of(said: pa.Table | None, rows: int, received: pa.Scalar) -> tuple[pa.Array, pa.Array]:
    """The day each row was true, and why it is not the day the source wrote (`said`, None when it writes none).

    It is the day of receipt when the source gives none, an unreadable one, or one that had not come yet; the reason says which.
    """
    if said is None:
        return pa.repeat(received, rows), pa.nulls(rows, pa.string())
    day, year, reason = (said[name].combine_chunks() for name in ("said_on", "said_on__year", "said_on__reason"))
    is_late = pc.fill_null(pc.greater(day, received), False)
    # a year or a month alone is no day
    is_unreadable = pc.or_(pc.is_valid(reason), pc.and_(pc.is_null(day), pc.is_valid(year)))
    as_of = pc.if_else(pc.or_(pc.is_null(day), is_late), received, day)
    why = pc.if_else(
        is_unreadable, "AS_OF_UNREADABLE", pc.if_else(is_late, "AS_OF_IN_FUTURE", pa.scalar(None, pa.string()))
    )
    return as_of, why


def _readings(source: Source, profile: standards.Profile) -> dict[str, standards.Reading]:
    """How every element the source carries is read. Local spellings of codes are the source's, over all its subjects."""
    codes: dict[str, dict[str, str]] = {}
    parts: dict[str, standards.ElementPart] = {}
    for subject in source.subjects:
        for column in subject.columns.values():
            part = profile.part_of(column.element, column.part)
            parts[part.key] = part
            codes.setdefault(part.key, {}).update(column.codes)
    return {key: standards.Reading(part, codes[key]) for key, part in parts.items()}
