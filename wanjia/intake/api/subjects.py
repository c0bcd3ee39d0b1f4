"""The persons that rows speak of: which cells say what of whom, as Arrow tables put together from standard values.

The rules themselves are relational and run in the engine (`standards.standardise`, `intake.bulk`); here their results are only laid side by
side, column by column, which costs a gather of places instead of a join of wide rows.
"""

from dataclasses import dataclass

import numpy
import pyarrow as pa
import pyarrow.compute as pc

from wanjia.intake.declared import Source
from wanjia.kernel.declared import Text
from wanjia.kernel.engine import Engine
from wanjia.standards import api as standards

ASSERTION_HEAD = ("assertion_id", "source", "delivery_id", "row_no", "record_key", "subject", "as_of")
ISSUE_SCHEMA = pa.schema([("assertion_id", pa.int64()), ("element", pa.string()), ("reason", pa.string())])
SUBJECT_BITS = 2
DELIVERY_BITS = 32
_SAID = standards.ElementPart("said_on", "said_on", Text("记录日期", "day of the record"), "date")


def assertion_id(delivery_id: int, row_no: int, subject: int) -> int:
    """The id of what one row of a delivery says of its subject number `subject`."""
    return (delivery_id << DELIVERY_BITS) | (row_no << SUBJECT_BITS) | subject


@dataclass(frozen=True)
class Taken:
    """The rows that are taken: their text, and from `bulk.judged` row_no, record_key, row_digest, present_0, present_1 … in the same order."""

    text: pa.Table
    judged: pa.Table


@dataclass(frozen=True)
class Spoken:
    """What a batch says: assertions, value issues (`ISSUE_SCHEMA`), and for every row taken the day it was true."""

    assertions: pa.Table
    issues: pa.Table
    as_of: pa.Array


def spoken(engine: Engine, source: Source, profile: standards.Profile, taken: Taken, *, delivery_id: int, received: pa.Scalar) -> Spoken:  # fmt: skip
    """The assertions of the taken rows: one for each person a row speaks of, with the standard value of every element the source carries."""
    rows = taken.judged.num_rows
    as_of, as_of_reason = _as_of(engine, source, profile, taken, received)
    readings = _readings(source, profile)
    row_no = taken.judged["row_no"].combine_chunks()
    parts, issues = [], []
    for number, subject in enumerate(source.subjects):
        present = taken.judged[f"present_{number}"].combine_chunks()
        # None: every row speaks of this subject, and nothing need be moved
        at = None if pc.all(present).as_py() else pa.array(numpy.flatnonzero(present.to_numpy(zero_copy_only=False)))
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
        columns = {column.part or column.element: name for name, column in subject.columns.items()}
        for key, reading in readings.items():
            if key not in columns:
                continue
            texts = taken.text[columns[key]]
            values = standards.standardise(texts, reading, engine, profile, rows=at)
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


def _as_of(
    engine: Engine, source: Source, profile: standards.Profile, taken: Taken, received: pa.Scalar
) -> tuple[pa.Array, pa.Array]:
    """The day each row was true, and why it is not the day the source wrote.

    It is the day of receipt when the source gives none, an unreadable one, or one that had not come yet; the reason says which.
    """
    rows = taken.judged.num_rows
    if not source.as_of.column:
        return pa.repeat(received, rows), pa.nulls(rows, pa.string())
    said = standards.standardise(taken.text[source.as_of.column], standards.Reading(_SAID), engine, profile)
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
