"""The faults a row may have, and how often each source's rows have them (`faults.toml`)."""

import difflib
import tomllib
from functools import cache
from pathlib import Path

import numpy as np
import pyarrow as pa

# Order is the bit of a row's mask; names appear in truth/records.parquet. New ones go at the end.
FAULTS = (
    "number_missing", "number_transposed", "number_digit_off", "number_check_wrong", "number_first_generation", "number_of_another",
    "name_homophone", "name_look_alike", "name_variant", "name_former", "name_missing", "name_provisional",
    "sex_wrong", "birth_swapped", "birth_day_off", "birth_missing", "birth_month_only",
    "address_stale", "address_missing", "duplicate", "dead_still_active",
    "two_numbers", "shared_number", "twin", "broken_nobody", "broken_date",
    "name_spacing", "number_spelling",
)  # fmt: skip
BIT = {name: np.uint32(1 << position) for position, name in enumerate(FAULTS)}

# Rates that choose which rows are affected but are no mark of their own in the truth.
_OTHER_RATES = ("repeat", "broken_key", "mother_number_missing", "father_number_missing", "child_number_missing")

SOURCES = (
    "police_register", "residence_registration", "birth_certificates", "death_certificates", "marriages",
    "assistance", "social_insurance", "school_rolls", "medical_insurance",
)  # fmt: skip


@cache
def rates(source: str) -> dict[str, float]:
    """The declared rate of every fault in rows of `source`. Raises ValueError for a source, fault or rate that cannot be."""
    tables = tomllib.loads((Path(__file__).parent / "faults.toml").read_text(encoding="utf-8"))
    known = {*FAULTS, *_OTHER_RATES}
    for table, entries in tables.items():
        if table not in (*SOURCES, "every_source"):
            raise ValueError(f"faults.toml: no source {table!r}; did you mean {_near(table, SOURCES)!r}?")
        for fault, rate in entries.items():
            if fault not in known:
                raise ValueError(f"faults.toml: {table}: no fault {fault!r}; did you mean {_near(fault, known)!r}?")
            if not 0 <= rate <= 1:
                raise ValueError(f"faults.toml: {table}: {fault} is {rate}, but a rate lies between 0 and 1")
    return dict.fromkeys(known, 0.0) | tables["every_source"] | tables.get(source, {})


def _near(word: str, known) -> str | None:
    return next(iter(difflib.get_close_matches(word, list(known), n=1, cutoff=0.0)), None)


def as_lists(masks: np.ndarray) -> pa.ListArray:
    """Every row's faults as a list of names."""
    rows, bits = [], []
    for position in range(len(FAULTS)):
        hit = np.flatnonzero(masks & np.uint32(1 << position))
        rows.append(hit)
        bits.append(np.full(len(hit), position, dtype=np.int32))
    row, bit = np.concatenate(rows), np.concatenate(bits)
    order = np.lexsort((bit, row))
    offsets = np.zeros(len(masks) + 1, dtype=np.int32)
    np.cumsum(np.bincount(row, minlength=len(masks)), out=offsets[1:])
    return pa.ListArray.from_arrays(pa.array(offsets), pa.array(FAULTS).take(pa.array(bit[order])))
