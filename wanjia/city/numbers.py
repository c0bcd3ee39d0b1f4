"""Citizen identity numbers (GB 11643-1999), made and spoilt in bulk as byte matrices of 18 columns."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from wanjia.city import calendar, chance

WEIGHTS = np.array([7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2], dtype=np.int32)
CHECKS = np.frombuffer(b"10X98765432", dtype=np.uint8)
ZERO = ord("0")


def check_characters(numbers: np.ndarray) -> np.ndarray:
    """The check character (MOD 11-2) that belongs to the first 17 digits of every row."""
    digits = numbers[:, :17].astype(np.int32) - ZERO
    return CHECKS[(digits @ WEIGHTS) % 11]


def _digits(values: np.ndarray, width: int) -> np.ndarray:
    powers = 10 ** np.arange(width - 1, -1, -1, dtype=np.int64)
    return ((values[:, None].astype(np.int64) // powers) % 10 + ZERO).astype(np.uint8)


def make(division: np.ndarray, birth: np.ndarray, sex: np.ndarray, first: int = 0) -> np.ndarray:
    """Numbers of persons by first place of registration (six digits as integers), birth day and sex.

    The sequence is counted per place, day and sex from a start that differs between them, so no two persons share a number and
    twins, who stand next to each other, get neighbouring ones. `first` shifts the start, for numbers that must differ from those
    given before. Raises ValueError if a place registers more than 100 of one sex on one day.
    """
    span = calendar.LAST_DAY - calendar.FIRST_DAY
    group = (division.astype(np.int64) * span + (birth - calendar.FIRST_DAY)) * 2 + (sex == 1)
    rank = chance.rank_within(group)
    if len(rank) and rank.max() >= 100:
        raise ValueError("more births of one sex on one day in one county than a sequence holds")
    start = (group * 2654435761 % 4294967296 % 41).astype(np.int64)
    sequence = 2 * (start + rank + first) % 998 + np.where(sex == 1, 1, 2)
    year, month, number = calendar.parts(birth)
    rows = np.empty((len(birth), 18), dtype=np.uint8)
    rows[:, 0:6] = _digits(division, 6)
    rows[:, 6:14] = _digits(year * 10000 + month * 100 + number, 8)
    rows[:, 14:17] = _digits(sequence, 3)
    rows[:, 17] = check_characters(rows)
    return rows


def texts(rows: np.ndarray, missing: np.ndarray | None = None) -> pa.Array:
    """The rows as texts; trailing zero bytes (15-digit numbers) are cut, rows marked missing are null."""
    fixed = np.ascontiguousarray(rows).view("S18").ravel()
    lengths = np.char.str_len(fixed) if (rows[:, 15:] == 0).any() else None
    if lengths is None:
        offsets = np.arange(len(rows) + 1, dtype=np.int32) * 18
        body = np.ascontiguousarray(rows).tobytes()
    else:
        offsets = np.zeros(len(rows) + 1, dtype=np.int32)
        np.cumsum(lengths, out=offsets[1:])
        body = rows[np.arange(18)[None, :] < lengths[:, None]].tobytes()
    made = pa.StringArray.from_buffers(len(rows), pa.py_buffer(offsets.tobytes()), pa.py_buffer(body))
    if missing is None or not missing.any():
        return made
    return pc.if_else(pa.array(missing), pa.scalar(None, pa.string()), made)


def transpose(rows: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Two different neighbouring digits exchanged, check character left as it was."""
    spoilt = rows.copy()
    differ = spoilt[:, 6:16] != spoilt[:, 7:17]
    weight = rng.random(differ.shape) * differ
    place = 6 + np.argmax(weight, axis=1)
    line = np.arange(len(rows))
    spoilt[line, place], spoilt[line, place + 1] = rows[line, place + 1], rows[line, place]
    return spoilt


def miss_digit(rows: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """One digit among the 17 replaced by another, check character left as it was."""
    spoilt = rows.copy()
    line, place = np.arange(len(rows)), rng.integers(0, 17, len(rows))
    spoilt[line, place] = (spoilt[line, place] - ZERO + rng.integers(1, 10, len(rows)).astype(np.uint8)) % 10 + ZERO
    return spoilt


def wrong_check(rows: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Another check character than the digits ask for."""
    spoilt = rows.copy()
    order = np.argsort(CHECKS)
    at = order[np.searchsorted(CHECKS[order], rows[:, 17])]
    spoilt[:, 17] = CHECKS[(at + rng.integers(1, 11, len(rows))) % 11]
    return spoilt


def first_generation(rows: np.ndarray) -> np.ndarray:
    """The 15-digit form issued before 1999: no century, no check character (ends in zero bytes)."""
    old = np.zeros_like(rows)
    old[:, 0:6] = rows[:, 0:6]
    old[:, 6:15] = rows[:, 8:17]
    return old


def foreign_numbers(province: np.ndarray, country: np.ndarray, birth: np.ndarray, sex: np.ndarray) -> np.ndarray:
    """Numbers of the foreign permanent resident card since 2023: 9, province, ISO 3166-1 numeric country, birth, sequence, check."""
    return make(900000 + province * 1000 + country, birth, sex)
