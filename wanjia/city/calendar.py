"""Days as numbers (days since 1970-01-01) and their texts as departments write them."""

import datetime
from typing import Literal

import numpy as np
import pyarrow as pa

DateStyle = Literal["iso", "compact", "slash", "chinese", "serial", "spoken"]

EPOCH = datetime.date(1970, 1, 1)
FIRST_DAY = (datetime.date(1900, 1, 1) - EPOCH).days
LAST_DAY = (datetime.date(2031, 1, 1) - EPOCH).days
NO_DAY = np.int32(-(2**31))  # "never": an event that did not happen
YEAR = 365.2425
EXCEL_EPOCH = (datetime.date(1899, 12, 30) - EPOCH).days


def day(year: int, month: int, number: int) -> int:
    """The day number of a date."""
    return (datetime.date(year, month, number) - EPOCH).days


REFERENCE = day(2026, 6, 30)  # the city is described as of this day
WINDOW_START = day(2016, 7, 1)  # ten years of events end on the reference day


def parts(days: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Year, month and day of month of every day number."""
    stamps = days.astype("datetime64[D]")
    months = stamps.astype("datetime64[M]")
    years = stamps.astype("datetime64[Y]")
    return (
        years.astype(np.int64) + 1970,
        (months - years.astype("datetime64[M]")).astype(np.int64) + 1,
        (stamps - months.astype("datetime64[D]")).astype(np.int64) + 1,
    )


def years_between(earlier: np.ndarray, later: np.ndarray | int) -> np.ndarray:
    """Completed years between two days (close enough for ages; leap days are averaged)."""
    return np.floor((later - earlier) / YEAR).astype(np.int32)


_TEXTS: dict[str, pa.Array] = {}


def _texts(style: DateStyle) -> pa.Array:
    if style not in _TEXTS:
        found = []
        for number in range(FIRST_DAY, LAST_DAY):
            d = EPOCH + datetime.timedelta(days=number)
            match style:
                case "iso":
                    found.append(f"{d.year:04d}-{d.month:02d}-{d.day:02d}")
                case "compact":
                    found.append(f"{d.year:04d}{d.month:02d}{d.day:02d}")
                case "slash":
                    found.append(f"{d.year}/{d.month}/{d.day}")
                case "chinese":
                    found.append(f"{d.year:04d}年{d.month:02d}月{d.day:02d}日")
                case "spoken":
                    found.append(f"{d.year}年{d.month}月{d.day}日")
                case "serial":
                    found.append(str(number - EXCEL_EPOCH))
        _TEXTS[style] = pa.array(found)
    return _TEXTS[style]


def written(days: np.ndarray, style: DateStyle) -> pa.Array:
    """The days as texts in one style; `NO_DAY` becomes null."""
    days = np.asarray(days)
    missing = days == NO_DAY
    positions = np.clip(days.astype(np.int64) - FIRST_DAY, 0, LAST_DAY - FIRST_DAY - 1)
    return _texts(style).take(pa.array(positions, mask=missing))


def from_parts(year: np.ndarray, month: np.ndarray, number: np.ndarray) -> np.ndarray:
    """Day numbers from years, months and days of month (a day beyond the month's end runs over into the next)."""
    months = ((year - 1970) * 12 + month - 1).astype("datetime64[M]")
    return (months.astype("datetime64[D]").astype(np.int64) + number - 1).astype(np.int32)
