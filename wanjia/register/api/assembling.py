"""Dossiers put together from the lines the engine wrote: sorted and laid side by side in memory, without a step for each person."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from wanjia.register import rules


def put_together(choices: pa.Table, lines: pa.Table) -> pa.Table:
    """(person_id, content, locators) of every person, from (person_id, chosen) and (person_id, ordinal, line, locator).

    Everybody in `lines` must be once in `choices`, and nobody else.
    """
    persons = np.asarray(lines["person_id"])
    order = np.lexsort((np.asarray(lines["ordinal"]), persons))
    persons = persons[order]
    starts = np.flatnonzero(np.r_[True, persons[1:] != persons[:-1]]) if len(persons) else np.zeros(0, np.int64)
    chosen = choices.take(np.argsort(np.asarray(choices["person_id"]), kind="stable"))
    if not np.array_equal(np.asarray(chosen["person_id"]), persons[starts]):
        raise ValueError("the choices are not of those persons whose lines there are")
    taken = pa.array(order)
    content = pc.binary_join_element_wise(
        _text(chosen["chosen"]),
        _side_by_side(lines["line"], taken, starts),
        pa.scalar(rules.DOSSIER_PART, pa.large_string()),
    )
    return pa.table(
        {
            "person_id": persons[starts],
            "content": content,
            "locators": _side_by_side(lines["locator"], taken, starts),
        }
    )


def _text(column: pa.ChunkedArray) -> pa.Array:
    # 64-bit offsets: a country's dossiers are more than two gigabytes
    column = column.cast(pa.large_string())
    return column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column


def _side_by_side(column: pa.ChunkedArray, order: pa.Array, starts: np.ndarray) -> pa.Array:
    """The texts in that order, with all from one start up to the next made into one: they already lie side by side."""
    text = _text(column).take(order)
    if text.null_count:
        raise ValueError("a line is missing")
    _, offsets, content = text.buffers()
    ends = np.frombuffer(offsets, np.int64, len(text) + 1, text.offset * 8)
    bounds = ends[np.append(starts, len(text))]
    return pa.LargeStringArray.from_buffers(len(starts), pa.py_buffer(bounds), content)
