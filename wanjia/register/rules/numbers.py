"""Citizen numbers (GB 11643-1999), one at a time (pure). In bulk they are read by wanjia.standards."""

import re
from datetime import date

WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
CHECKS = "10X98765432"
LAST_SEQUENCE = 999
_SHAPE = re.compile(r"[0-9]{17}[0-9X]")


def check_character(first: str) -> str:
    """The check character (MOD 11-2) that belongs to 17 digits."""
    return CHECKS[sum(int(digit) * weight for digit, weight in zip(first, WEIGHTS, strict=True)) % 11]


def citizen_number(division: str, born_on: date, sequence: int) -> str:
    """The number of the `sequence`-th person registered in the county (six digits) with that birth day; odd for men, even for women."""
    first = f"{division[:6]}{born_on:%Y%m%d}{sequence:03d}"
    return first + check_character(first)


def is_well_formed(number: str) -> bool:
    """Eighteen characters of the right kind."""
    return _SHAPE.fullmatch(number) is not None


def is_sound(number: str) -> bool:
    """Well formed, with the right check character and a real day of birth."""
    if not is_well_formed(number) or check_character(number[:17]) != number[17]:
        return False
    try:
        date(int(number[6:10]), int(number[10:12]), int(number[12:14]))
    except ValueError:
        return False
    return True


def parity_fits(number: str, sex: str | None) -> bool:
    """Whether the sequence is odd for a man and even for a woman; true where the sex is not known."""
    return sex not in ("1", "2") or int(number[16]) % 2 == (1 if sex == "1" else 0)
