"""Dossiers put together from the texts the engine wrote: brought in order and laid side by side in memory, without a step for each person."""

import numpy as np
import pyarrow as pa


def put_together(choices: pa.Table, lines: pa.Table) -> pa.Table:
    """(person_id, dossier) of every person, from (person_id, chosen) and (person_id, ordinal, line, locator).

    Everybody in `lines` must be once in `choices`, and nobody else.
    """
    persons = np.asarray(lines["person_id"])
    order = np.lexsort((np.asarray(lines["ordinal"]), persons))
    persons = persons[order]
    starts = np.flatnonzero(np.r_[True, persons[1:] != persons[:-1]]) if len(persons) else np.zeros(0, np.int64)
    chosen = np.argsort(np.asarray(choices["person_id"]), kind="stable")
    if not np.array_equal(np.asarray(choices["person_id"])[chosen], persons[starts]):
        raise ValueError("the choices are not of those persons whose lines there are")
    # each person's texts, side by side: what was chosen, the lines, the locators
    counts = np.diff(starts, append=len(persons))
    begins = 2 * starts + np.arange(len(starts))
    line_at = np.arange(len(persons)) + np.repeat(begins + 1 - starts, counts)
    texts = np.empty(len(starts) + 2 * len(persons), np.int64)
    texts[begins] = chosen
    texts[line_at] = len(starts) + order
    texts[line_at + np.repeat(counts, counts)] = len(starts) + len(persons) + order
    written = _together(choices["chosen"], lines["line"], lines["locator"]).take(pa.array(texts))
    if written.null_count:
        raise ValueError("a text is missing")
    _, offsets, content = written.buffers()
    ends = np.frombuffer(offsets, np.int64, len(written) + 1, written.offset * 8)
    bounds = ends[np.append(begins, len(written))]
    dossiers = pa.LargeStringArray.from_buffers(len(starts), pa.py_buffer(bounds), content)
    return pa.table({"person_id": persons[starts], "dossier": dossiers})


def _together(*columns: pa.ChunkedArray) -> pa.Array:
    """The columns' texts one after the other. With 64-bit offsets: a country's dossiers are more than two gigabytes."""
    chunks = [chunk for column in columns for chunk in column.cast(pa.large_string()).chunks]
    return pa.concat_arrays(chunks) if chunks else pa.array([], pa.large_string())
