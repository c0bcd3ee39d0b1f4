"""Numbers of documents (pure): a letter for the kind, fourteen random characters, a check character.

The alphabet and the check are those of GB 32100-2015 (no I, O, Z, S, V; weights are powers of 3 modulo 31): 31 is prime, so every single wrong
character and every exchange of two neighbours is noticed. Fourteen characters are 69 bits: whoever tries a thousand numbers a second finds one of ten
million documents in two thousand years.
"""

from collections.abc import Callable

ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
LENGTH = 16
_PLACE = {character: place for place, character in enumerate(ALPHABET)}
#: what is misread for a character of the alphabet; those left out of it stand for what they look like
_MISREAD = str.maketrans({"I": "1", "O": "0", "Z": "2", "S": "5", "V": "U"})


def check_character(body: str) -> str:
    """The last character that belongs to the first fifteen."""
    total = sum(_PLACE[character] * pow(3, place, 31) for place, character in enumerate(body))
    return ALPHABET[-total % 31]


def draw(letter: str, below: Callable[[int], int]) -> str:
    """A new number; `below(n)` gives a random whole number from 0 to n - 1."""
    body = letter + "".join(ALPHABET[below(31)] for _ in range(LENGTH - 2))
    return body + check_character(body)


def read(typed: str) -> str | None:
    """The number somebody typed or scanned, without blanks and hyphens, or None when it can be none: wrong length or check."""
    if len(typed) > 100:
        return None
    plain = "".join(c for c in typed.upper() if not c.isspace() and c not in "-‐‑–—－").translate(_MISREAD)
    if len(plain) != LENGTH or any(c not in _PLACE for c in plain) or check_character(plain[:-1]) != plain[-1]:
        return None
    return plain


def grouped(number: str) -> str:
    """A number as it is printed: four groups of four."""
    return "-".join(number[at : at + 4] for at in range(0, len(number), 4))
