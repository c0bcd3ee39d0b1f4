"""Dossiers put together from the texts the engine wrote: brought in order and laid side by side in memory, without a step for each person."""

from collections.abc import Iterator

import numpy as np
import pyarrow as pa

from wanjia.kernel.ordering import order_by
from wanjia.register import rules

# so few that all that is made of their texts, sealing included, lies in memory that was used for others before: to touch memory for the first time
# costs more than the copying
PERSONS_AT_ONCE = 4_000
# that times the number of a column's values is no 64-bit number any more
LARGEST_KIND = 2**62


def in_words(choices: pa.Table) -> pa.Table:
    """(person_id, chosen) in order of persons, from what `dossiers.choices` asks: each text is written and kept once, and some thousands serve a
    million persons."""
    order = order_by(np.asarray(choices["person_id"]))
    held = choices.drop_columns(["person_id"])
    kinds, room = np.zeros(len(choices), np.int64), 1
    for column in held.columns:
        codes = column.combine_chunks().dictionary_encode(null_encoding="encode")
        if room * len(codes.dictionary) > LARGEST_KIND:
            kinds, room = _numbered(kinds)
        # whoever has the same of all columns so far and of this one is of one kind
        kinds = kinds * len(codes.dictionary) + np.asarray(codes.indices)
        room *= max(1, len(codes.dictionary))
    kinds, count = _numbered(kinds)
    one_of = np.zeros(count, np.int64)
    one_of[kinds] = np.arange(len(kinds))
    texts = pa.array([rules.chosen_text(one) for one in held.take(one_of).to_pylist()], pa.string())
    chosen = pa.DictionaryArray.from_arrays(kinds[order].astype(np.int32), texts)
    return pa.table({"person_id": choices["person_id"].combine_chunks().take(order), "chosen": chosen})


def _numbered(kinds: np.ndarray) -> tuple[np.ndarray, int]:
    """The kinds by numbers from 0 on, and how many there are."""
    codes = pa.array(kinds).dictionary_encode()
    return np.asarray(codes.indices).astype(np.int64), len(codes.dictionary)


def put_together(choices: pa.Table, lines: pa.Table) -> Iterator[pa.Table]:
    """(person_id, dossier) of every person, some at a time, from (person_id, chosen) as `in_words` gives it and (person_id, ordinal, line, locator).

    Everybody in `lines` must be once in `choices`, and nobody else.
    """
    persons = np.asarray(lines["person_id"])
    order = order_by(persons, np.asarray(lines["ordinal"]))
    persons = persons[order]
    starts = np.flatnonzero(np.r_[True, persons[1:] != persons[:-1]]) if len(persons) else np.zeros(0, np.int64)
    if not np.array_equal(np.asarray(choices["person_id"]), persons[starts]):
        raise ValueError("the choices are not of those persons whose lines there are")
    chosen = choices["chosen"].combine_chunks()
    if chosen.null_count:
        raise ValueError("a text is missing")
    kinds = len(chosen.dictionary)
    # each person's texts, side by side: what was chosen, the lines, the locators
    counts = np.diff(starts, append=len(persons))
    begins = 2 * starts + np.arange(len(starts))
    line_at = np.arange(len(persons)) + np.repeat(begins + 1 - starts, counts)
    texts = np.empty(len(starts) + 2 * len(persons), np.int64)
    texts[begins] = np.asarray(chosen.indices)
    texts[line_at] = kinds + order
    texts[line_at + np.repeat(counts, counts)] = kinds + len(persons) + order
    written = _together(pa.chunked_array([chosen.dictionary]), lines["line"], lines["locator"])
    if written.null_count:
        raise ValueError("a text is missing")
    return _dossiers(persons[starts], np.append(begins, len(texts)), texts, written)


def _dossiers(persons: np.ndarray, begins: np.ndarray, texts: np.ndarray, written: pa.Array) -> Iterator[pa.Table]:
    """Of each person the texts from `begins` to the next person's: `texts` says where they are in `written`."""
    for first in range(0, len(persons), PERSONS_AT_ONCE):
        here = begins[first : first + PERSONS_AT_ONCE + 1]
        taken = written.take(pa.array(texts[here[0] : here[-1]]))
        _, offsets, content = taken.buffers()
        bounds = np.frombuffer(offsets, np.int64, len(taken) + 1, taken.offset * 8)[here - here[0]]
        dossiers = pa.LargeStringArray.from_buffers(len(here) - 1, pa.py_buffer(bounds), content)
        yield pa.table({"person_id": persons[first : first + PERSONS_AT_ONCE], "dossier": dossiers})


def _together(*columns: pa.ChunkedArray) -> pa.Array:
    """The columns' texts one after the other. With 64-bit offsets: a country's dossiers are more than two gigabytes."""
    chunks = [chunk for column in columns for chunk in column.cast(pa.large_string()).chunks]
    return pa.concat_arrays(chunks) if chunks else pa.array([], pa.large_string())
