"""One field of a form: what was typed becomes a canonical value, or a sentence says why not (pure).

Nothing typed is ever part of a sentence. Everything is bounded before it is looked at, so ten million characters cost what two hundred do.
"""

import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from wanjia.kernel.declared import did_you_mean
from wanjia.register.errors import fields as wrong
from wanjia.register.rules import numbers

LONGEST = {
    "name": 50,
    "address": 200,
    "text": 500,
    "document_number": 40,
    "organisation": 18,
    "code": 60,
    "division": 60,
    "date": 20,
    "datetime": 30,
    "identity_number": 30,
}
EARLIEST_YEAR = 1880
MOST_MEMBERS = 200
# beyond control characters proper: marks that turn the direction of writing, and characters nobody sees
_HIDDEN = re.compile("[\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb\u00ad\u061c]|[\U000e0000-\U000e007f]")
_DAY = re.compile(r"(\d{4})-?(\d{2})-?(\d{2})")
_MINUTE = re.compile(r"(\d{4}-\d{2}-\d{2})[T ](\d{2}):(\d{2})(?::(\d{2}))?")
_DOTS = str.maketrans({"•": "·", "‧": "·", "∙": "·", "・": "·", "．": "·", "･": "·"})


@dataclass(frozen=True)
class Known:
    """What judging a field asks of the profile and the register: spellings of a code set, the division that is meant, whether a household is there.

    `by_pinyin`: names of codes by pinyin and by its initials, asked where nothing else fits; `numbered`: the id of the household with a number.
    """

    spellings: Callable[[str], Mapping[str, str]]
    division: Callable[[str], str]
    is_household: Callable[[int], bool]
    today: date
    by_pinyin: Callable[[str], Mapping[str, str]] = lambda codes: {}
    numbered: Callable[[str], int | None] = lambda number: None


def canonical(
    value: Any,
    kind: str,
    known: Known,
    *,
    codes: str = "",
    future: bool = False,
    least: int = 0,
    most: int = 200,
    pattern: str | None = None,
) -> Any:
    """The value in its canonical form; None for an empty one. Days are "YYYY-MM-DD". Raises a `FieldError`."""
    if kind == "household":
        return _household(value, known)
    if kind == "relations":
        return _relations(value, known)
    if kind == "boolean":
        return _boolean(value)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, str | int | date):
        raise wrong.WrongShape()
    text = clean(str(value), LONGEST.get(kind, 200))
    if text is None:
        return None
    if kind == "code":
        return _code(text, codes, known)
    if kind == "integer":
        return _integer(text, least, most)
    if kind == "division":
        return known.division(text)
    if kind == "identity_number":
        return _identity_number(text)
    if kind in ("date", "datetime"):
        return (_day if kind == "date" else _minute)(text, known.today, future)
    if kind == "name":
        return _name(text)
    if kind == "document_number":
        return _document_number(text, pattern)
    return text


def clean(text: str, most: int) -> str | None:
    """Text of at most `most` characters, without space around it, in one form of writing (NFC); None if nothing is left. Raises a `FieldError`."""
    if len(text) > most * 4:
        raise wrong.FieldTooLong(most=most, length=len(text))
    if _HIDDEN.search(text) or any(unicodedata.category(one) in ("Cc", "Cs", "Co", "Cn") for one in text):
        raise wrong.FieldHoldsControl()
    text = unicodedata.normalize("NFC", " ".join(text.split()))
    if len(text) > most:
        raise wrong.FieldTooLong(most=most, length=len(text))
    return text or None


def day_of(text: str) -> date:
    """A day written as 2026-01-31 or 20260131. Raises `NotADate`, `DayNotReal`."""
    found = _DAY.fullmatch(text)
    if found is None or not text.isascii():
        raise wrong.NotADate()
    try:
        return date(*map(int, found.groups()))
    except ValueError:
        raise wrong.DayNotReal() from None


def _day(text: str, today: date, future: bool) -> str:
    day = day_of(text)
    if day.year < EARLIEST_YEAR:
        raise wrong.DayTooLongAgo(year=EARLIEST_YEAR)
    if day > today and not future:
        raise wrong.DayInFuture()
    return day.isoformat()


def _minute(text: str, today: date, future: bool) -> str:
    found = _MINUTE.fullmatch(text)
    if found is None:
        return _day(text, today, future)
    day, hour, minute, second = found.groups()
    if int(hour) > 23 or int(minute) > 59 or int(second or 0) > 59:
        raise wrong.NotADate()
    return f"{_day(day, today, future)}T{hour}:{minute}:{second or '00'}"


def _identity_number(text: str) -> str:
    number = unicodedata.normalize("NFKC", text).replace(" ", "").upper()
    if not numbers.is_well_formed(number):
        raise wrong.NumberMalformed()
    if not numbers.is_sound(number):
        raise wrong.CheckDigitWrong()
    return number


def _code(text: str, codes: str, known: Known) -> str:
    key = re.sub(r"\s+", "", unicodedata.normalize("NFKC", text)).upper()
    spellings = known.spellings(codes)
    found = spellings.get(key)
    if found is None and key.isascii() and key.isalpha():
        found = known.by_pinyin(codes).get(key)
    if found is None:
        near = did_you_mean(key, spellings)
        raise wrong.CodeNotInSet(
            near_zh=f"；是否应为“{near}”" if near else "", near_en=f"; did you mean {near!r}" if near else ""
        )
    return found


def _integer(text: str, least: int, most: int) -> int:
    if not re.fullmatch(r"-?[0-9]{1,9}", text) or not least <= int(text) <= most:
        raise wrong.NotAnInteger(least=least, most=most)
    return int(text)


def _name(text: str) -> str:
    text = text.translate(_DOTS).strip("·")
    # letters and marks of any script, the middle dot, and for Latin names space, hyphen, apostrophe
    if not text or any(unicodedata.category(one)[0] not in "LM" and one not in "· -'" for one in text):
        raise wrong.NotAName()
    return text


def _document_number(text: str, pattern: str | None) -> str:
    number = unicodedata.normalize("NFKC", text).replace(" ", "").upper()
    if not re.fullmatch(pattern or r"[0-9A-Z〔〕\[\]()\-/号第字一-鿿]{1,40}", number):
        raise wrong.WrongPattern(example="A123456789")
    return number


def _household(value: Any, known: Known) -> int | None:
    if value in (None, ""):
        return None
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise wrong.WrongShape()
    text = str(value)[:200].strip().upper()
    if re.fullmatch(r"[0-9]{1,19}", text) and known.is_household(int(text)):
        return int(text)
    if not re.fullmatch(r"[0-9A-Z]{1,30}", text) or (found := known.numbered(text)) is None:
        raise wrong.HouseholdNotKnown()
    return found


def _relations(value: Any, known: Known) -> dict[str, str] | None:
    if value in (None, "", {}):
        return None
    if not isinstance(value, Mapping) or len(value) > MOST_MEMBERS:
        raise wrong.WrongShape()
    said = {}
    for person, relation in value.items():
        if not re.fullmatch(r"[0-9]{1,19}", str(person)) or not isinstance(relation, str) or len(relation) > 60:
            raise wrong.WrongShape()
        said[str(int(person))] = _code(relation, "kinship", known)
    return said


def _boolean(value: Any) -> bool | None:
    if value in (None, ""):
        return None
    if isinstance(value, bool):
        return value
    if value in ("yes", "true", "1", "on"):
        return True
    if value in ("no", "false", "0", "off"):
        return False
    raise wrong.WrongShape()
