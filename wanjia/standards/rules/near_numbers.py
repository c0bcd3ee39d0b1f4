"""Numbers that one slip of the hand away from another: one digit wrong, two neighbours swapped, one left out, one too many.

MOD 11-2 finds every single wrong digit and every swap of neighbours, so no two sound numbers are that near: whoever is found by a near number has
the number that was meant, or a record in which it was mistyped.
"""

import re
from collections.abc import Iterator
from typing import Literal, NamedTuple

Slip = Literal["digit", "swap", "missing", "extra"]
LENGTH = 18
_NUMBER = re.compile("[0-9]{17}[0-9X]")
_DIGITS = "0123456789"


class Near(NamedTuple):
    """How a near number differs from what was typed: the slip, and the place (from 1) of its first character in the near number."""

    slip: Slip
    place: int


def near_numbers(typed: str) -> dict[str, Near]:
    """Every number of 18 characters that is one slip from `typed` (17 to 19 characters) → the slip; itself is not among them."""
    found: dict[str, Near] = {}
    if re.fullmatch("[0-9X]{17,19}", typed):
        for number, near in _slips(typed):
            if number != typed and _NUMBER.fullmatch(number):
                found.setdefault(number, near)
    return found


def _slips(typed: str) -> Iterator[tuple[str, Near]]:
    if len(typed) == LENGTH:
        for at in range(LENGTH - 1):
            yield typed[:at] + typed[at + 1] + typed[at] + typed[at + 2 :], Near("swap", at + 1)
        for at in range(LENGTH):
            for digit in _DIGITS + ("X" if at == LENGTH - 1 else ""):
                yield typed[:at] + digit + typed[at + 1 :], Near("digit", at + 1)
    elif len(typed) == LENGTH - 1:
        for at in range(LENGTH):
            for digit in _DIGITS + ("X" if at == LENGTH - 1 else ""):
                yield typed[:at] + digit + typed[at:], Near("missing", at + 1)
    else:
        for at in range(LENGTH + 1):
            yield typed[:at] + typed[at + 1 :], Near("extra", at + 1)
