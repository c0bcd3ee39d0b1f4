"""One typed text, read as the engine's expressions read a million: for what an officer types, an engine's start is longer than the whole answer.

The patterns are the same (patterns.py), and a generative test holds both readings together, text by text.
"""

import datetime
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from wanjia.standards.rules import patterns
from wanjia.standards.rules.patterns import DOTS, HAN, INVISIBLE, LATIN, NARROW, WIDE

_NARROWED = str.maketrans(WIDE, NARROW, INVISIBLE)
_JOINED_BY_DOT = str.maketrans(DOTS + ".", "·" * (len(DOTS) + 1))
_SIMPLE = str.maketrans(patterns.TRADITIONAL, patterns.SIMPLE)
_HYPHENED = str.maketrans(patterns.DASHES, patterns.HYPHENS)
_IN_DIGITS = str.maketrans(patterns.DIGIT_HAN, patterns.DIGITS)


@dataclass(frozen=True)
class TypedName:
    """A name's forms, as standardising makes them: for showing, for comparing, toneless syllables, surname and given name."""

    shown: str
    norm: str
    pinyin: str
    surname: str | None = None
    given: str | None = None


@dataclass(frozen=True)
class TypedNumber:
    """A citizen number in its form of 18, and its state: sound, sound15, check_failed, malformed."""

    number: str
    state: str


@dataclass(frozen=True)
class TypedAddress:
    """An address taken apart; what it does not name is empty. `division`: the finest one it names."""

    shown: str
    division: str | None
    place: str
    building: str
    unit: str
    room: str

    @property
    def norm(self) -> str:
        """Place, building, unit and room parted by |."""
        return "|".join((self.place, self.building, self.unit, self.room))


@dataclass(frozen=True)
class Reader:
    """The profile's tables for reading typed texts. Pure: everything is handed in, nothing is kept of what was read."""

    missing: Collection[str] = ()
    variants: Mapping[str, str] = field(default_factory=dict)  # character → the one it is folded to
    readings: Mapping[str, str] = field(default_factory=dict)  # character → toneless syllable
    surnames: Collection[str] = ()  # compound ones
    homophone_heads: Sequence[tuple[str, str]] = ()  # surname → characters usually read as the surname is
    prefixes: Collection[str] = ()  # of identity numbers
    paths: Mapping[str, str] = field(default_factory=dict)  # written path down to the county → code
    places: Mapping[tuple[str, str], str] = field(default_factory=dict)  # (parent, name) of towns and villages → code

    @cached_property
    def syllables(self) -> frozenset[str]:
        """Every toneless syllable that a character is read as, but for the few without a vowel, which no name has."""
        return frozenset(syllable for syllable in self.readings.values() if re.search("[aeiouv]", syllable))

    @cached_property
    def _fold(self) -> dict[int, str]:
        return {ord(variant): character for variant, character in self.variants.items()}

    @cached_property
    def _heads(self) -> dict[str, str]:
        return dict(self.homophone_heads)

    @cached_property
    def _path_lengths(self) -> list[int]:
        return sorted({len(path) for path in self.paths}, reverse=True)

    def is_missing(self, text: str) -> bool:
        """Whether the text says that nothing is known."""
        return text == "" or text in self.missing

    def name(self, text: str) -> TypedName | None:
        """A name in Han or Latin script, or None where there is nothing of a name in it."""
        clean = re.sub(r"[(（][^)）]*[)）]\Z", "", narrow(text))
        if self.is_missing(clean):
            return None
        is_han = re.search(f"[{HAN}]", clean) is not None
        if is_han:
            shown = re.sub(r"^·+|·+\Z|-+\Z", "", re.sub(" +", "", clean.translate(_JOINED_BY_DOT)))
        else:
            shown = re.sub(" +", " ", clean)
        if not re.search(f"[{HAN}{LATIN}]|[?�□*\ue000-\uf8ff]", shown):
            return None
        simple = shown.translate(self._fold) if is_han else shown
        norm = re.sub("[·. '’-]", "", simple.lower())
        surname, given = self._split(simple, is_han)
        spoken = self._heads[surname] + norm[len(surname) :] if surname in self._heads else norm
        pinyin = self.sounds(spoken) if is_han else re.sub("[.'’-]", "", shown.lower())
        return TypedName(shown, norm, pinyin, surname, given)

    def sounds(self, han: str) -> str:
        """The usual toneless syllables of characters, parted by spaces; what has none stays as it is."""
        return " ".join(self.readings.get(letter, letter) for letter in han)

    def _split(self, simple: str, is_han: bool) -> tuple[str | None, str | None]:
        if not is_han:
            return None, None
        if "·" in simple:
            return None, simple.partition("·")[0] or None
        if len(simple) < 2:
            return None, None
        at = 2 if len(simple) >= 3 and simple[:2] in self.surnames else 1
        return simple[:at], simple[at:]

    def number(self, text: str) -> TypedNumber | None:
        """A citizen number with 15 or 18 characters; None for an empty text. 15 digits become the 18 they stand for, if they can."""
        number = text
        if not re.search(patterns.PLAIN_NUMBER, text):
            number = re.sub("[ '\"`.,·—–_-]", "", narrow(text).upper())
        if self.is_missing(number):
            return None
        if re.fullmatch("[A-Z]{3}[0-9]{12}", number):
            return TypedNumber(number, "sound15" if number[:3] in self.prefixes else "malformed")
        if re.fullmatch("[0-9]{17}[0-9X]", number):
            seventeen = number[:17]
        elif re.fullmatch("[0-9]{15}", number):
            seventeen = with_century(number)
        else:
            return TypedNumber(number, "malformed")
        if not is_day(seventeen[6:14]) or seventeen[:6] not in self.prefixes:
            return TypedNumber(number, "malformed")
        whole = seventeen + check_character(seventeen)
        if len(number) == 15:
            return TypedNumber(whole, "sound15")
        return TypedNumber(number, "sound" if number == whole else "check_failed")

    def address(self, text: str) -> TypedAddress | None:
        """An address with or without the divisions before it, or None where there is nothing of an address in it."""
        written = text
        if re.search(patterns.UNCLEAN, text):
            written = re.sub("[ ,，、;；。]+", "", narrow(text)).translate(_SIMPLE).translate(_HYPHENED)
        if self.is_missing(written) or not re.search("[0-9A-Za-z㐀-鿿]", written):
            return None
        county, rest = self._county(written)
        town, rest = _cut(rest, patterns.TOWN)
        village, rest = _cut(rest, patterns.VILLAGE)
        town_code = self.places.get((county or "", town))
        division = self.places.get((town_code or "", village)) or town_code or county
        tail = _whole(patterns.TAIL, rest)
        road = rest[: len(rest) - len(tail)]
        dashed = re.search(patterns.DASHED, tail)
        if dashed and dashed[1]:
            building, unit, room = dashed[1], dashed[2], dashed[3]
        elif dashed:
            building, unit, room = dashed[2], "", dashed[3]
        else:
            building, unit, room = (_group(p, tail) for p in (patterns.BUILDING, patterns.UNIT, patterns.ROOM))
        # villages have no roads: "group 3, number 12" means nothing without the village's name
        place = road if re.search(patterns.HAS_ROAD, road) else village + road
        return TypedAddress(
            written, division, place.lower(), _in_digits(building), _in_digits(unit), (room or "").upper()
        )

    def _county(self, written: str) -> tuple[str | None, str]:
        head = _group(patterns.HEAD, written) or written[:12]
        for length in self._path_lengths:
            if length <= len(head) and (code := self.paths.get(head[:length])):
                return code, written[length:]
        return None, written


def narrow(text: str) -> str:
    """Half-width, ordinary spaces, no invisible characters, no space at the ends."""
    return text.translate(_NARROWED).strip(" ")


def check_character(seventeen: str) -> str:
    """The MOD 11-2 check character of seventeen digits."""
    return patterns.CHECK_CHARACTERS[sum(int(d) * w for d, w in zip(seventeen, patterns.WEIGHTS, strict=True)) % 11]


def with_century(fifteen: str) -> str:
    """The first seventeen of the eighteen characters that a number of fifteen became."""
    century = "18" if re.search(patterns.BORN_BEFORE_1900, fifteen[12:15]) else "19"
    return fifteen[:6] + century + fifteen[6:]


def is_day(digits: str) -> bool:
    """Whether eight digits are a day of the calendar, in the years that people are born in."""
    try:
        day = datetime.date(int(digits[:4]), int(digits[4:6]), int(digits[6:8]))
    except ValueError:
        return False
    return patterns.OLDEST_YEAR <= day.year <= patterns.LATEST_YEAR


def _group(pattern: str, text: str) -> str:
    found = re.search(pattern, text)
    return (found[1] or "") if found else ""


def _whole(pattern: str, text: str) -> str:
    found = re.search(pattern, text)
    return found[0] if found else ""


def _cut(rest: str, pattern: str) -> tuple[str, str]:
    name = _group(pattern, rest)
    return (name, re.sub(patterns.OFFICE, "", rest[len(name) :])) if name else ("", rest)


def _in_digits(text: str) -> str:
    """A building's or unit's number in digits: 三 is 3, 十 is 10, 十二 is 12; letters in capitals."""
    if re.search(f"[{patterns.DIGIT_HAN}十]", text):
        digits = text.translate(_IN_DIGITS)
        if digits == "十":
            digits = "10"
        elif re.fullmatch("十[0-9]", digits):
            digits = digits.replace("十", "1")
        elif re.fullmatch("[0-9]十", digits):
            digits = digits.replace("十", "0")
        elif re.fullmatch("[0-9]十[0-9]", digits):
            digits = digits.replace("十", "")
        text = digits
    return text.upper()
