"""What an officer types, as the values that blind indexes were made of: the same readings as standardising gives, and those a slip away."""

import re
import unicodedata
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import NamedTuple

from wanjia.kernel import clock
from wanjia.privacy.api import BlindKind
from wanjia.standards import api as standards

EARLIEST_BIRTH_YEAR = 1880
MOST_INITIALS = 4
_YEAR, _DAY = re.compile(r"(18|19|20)\d\d"), re.compile(r"(18|19|20)\d{6}")
_NUMBER_SIGNS = re.compile("[ '\"`.,·—–_-]")
_LOOKS_LIKE_ADDRESS = re.compile("[0-9路街巷弄道村镇乡组号栋幢楼室]|社区|小区|胡同|大院|单元")


class Found(StrEnum):
    """By what a person was found, in order of how much it says."""

    NUMBER = "number"
    HOUSEHOLD = "household"
    NAME = "name"
    PINYIN = "pinyin"
    DOOR = "door"
    NEAR_NUMBER = "near_number"
    PLACE = "place"
    SOUND = "sound"
    INITIALS = "initials"


ORDER = list(Found)
#: kind of blind index → the elements whose values it holds
ELEMENTS = {
    BlindKind.NAME: {"name", "former_name"},
    BlindKind.PINYIN: {"name"},
    BlindKind.INITIALS: {"name", "birth_on"},
    BlindKind.NUMBER: {"citizen_number"},
    BlindKind.HOUSEHOLD: {"household_number"},
    BlindKind.DOOR: {"domicile_address", "residence_address"},
    BlindKind.PLACE: {"domicile_address", "residence_address"},
}
#: what is looked for besides what was typed: shown only while the list stays short enough to choose from
BESIDE = frozenset({Found.NEAR_NUMBER, Found.PLACE, Found.SOUND})


class Form(NamedTuple):
    """One value to look up, what a hit by it means, and for a near number the slip and its place."""

    kind: BlindKind
    value: str
    found: Found
    near: standards.Near | None = None


@dataclass(frozen=True)
class Sought:
    """What a query may mean, and to what it narrows the hits. `said` is the query without that; `number_state` that of a citizen number, or None."""

    said: str = ""
    forms: tuple[Form, ...] = ()
    number_state: str | None = None
    birth_year: int | None = None
    birth_on: date | None = None
    division: str | None = None


def sought_by(query: str, *, birth_year: int | None = None) -> Sought:
    """What a typed query may mean: a citizen number, also one slip off; a household's number; a name as written; pinyin with or without tones
    and spaces; its first letters; an address. Beside a name or an address a birth year, a birth date or a division narrows the hits; a year may
    also be told as `birth_year`.
    """
    reader = _reader()
    typed = unicodedata.normalize("NFKC", query).strip()
    plain = _NUMBER_SIGNS.sub("", typed).upper()
    if _is_number(plain, typed.split()):
        return _by_number(reader, plain, birth_year)
    words, narrowed = _narrowings(reader, typed.split())
    text = " ".join(words)
    # a Latin name is written with signs that have no sound; what has one is letters alone
    spoken = standards.without_tones(text) if re.fullmatch(r"[\W\d_a-zA-ZÀ-ɏ:]*", text) else ""
    forms = _by_sound(reader, text, spoken) if spoken else _by_writing(reader, text)
    told = birth_year or narrowed.birth_year
    year = told or (narrowed.birth_on.year if narrowed.birth_on else None)
    return Sought(text, tuple(_with_years(forms, year)), None, told, narrowed.birth_on, narrowed.division)


def _reader() -> standards.Reader:
    return standards.load_profile().reader


def match_forms(names: list[str]) -> dict[str, dict[str, str]]:
    """Names in the forms by which persons are found: name → {"norm", "pinyin"}."""
    read = {name: _reader().name(name) for name in names}
    return {name: {"norm": one.norm, "pinyin": one.pinyin} for name, one in read.items() if one}


def initials_of(pinyin: str, year: str) -> str:
    """First letters of the syllables with the year of birth, as the search index has them (bulk/dossiers.py)."""
    return re.sub(r"\B[a-z]| ", "", pinyin) + "|" + year


def address_forms(text: str) -> list[tuple[BlindKind, str]]:
    """The forms by which an address's people are found."""
    address = _reader().address(text) if text else None
    if address is None or not address.place:
        return []
    return [
        (BlindKind.DOOR, "|".join((address.place, address.building, address.room))),
        (BlindKind.PLACE, address.place),
    ]


def _is_number(plain: str, words: list[str]) -> bool:
    if not re.fullmatch("[0-9A-Z]*[0-9][0-9A-Z]*", plain) or sum(c.isdigit() for c in plain) < len(plain) / 2:
        return False
    # "lyy 1990" is letters and a year
    return not (any(w.isalpha() for w in words) and any(_YEAR.fullmatch(w) or _DAY.fullmatch(w) for w in words))


def _with_years(forms: list[Form], year: int | None) -> list[Form]:
    """Initials are hashed together with the year of birth: that year's, or every year's."""
    years = [str(year)] if year else ["", *map(str, range(EARLIEST_BIRTH_YEAR, clock.today().year + 1))]
    plain = [form for form in forms if form.found is not Found.INITIALS]
    initials = [form.value for form in forms if form.found is Found.INITIALS]
    return plain + [Form(BlindKind.INITIALS, f"{one}|{y}", Found.INITIALS) for one in initials for y in years]


def _by_number(reader: standards.Reader, plain: str, birth_year: int | None) -> Sought:
    forms = [Form(BlindKind.HOUSEHOLD, plain, Found.HOUSEHOLD)]
    typed = reader.number(plain)
    number = typed.number if typed else plain
    forms.append(Form(BlindKind.NUMBER, number, Found.NUMBER))
    near = standards.near_numbers(number).items()
    forms += [Form(BlindKind.NUMBER, other, Found.NEAR_NUMBER, slip) for other, slip in near]
    return Sought(plain, tuple(forms), typed.state if typed else "malformed", birth_year)


def _by_sound(reader: standards.Reader, text: str, spoken: str) -> list[Form]:
    ways = standards.ways_to_part(spoken, reader.syllables)
    latin = reader.name(text)
    forms = [Form(BlindKind.PINYIN, way, Found.PINYIN) for way in ways]
    if latin:
        forms.append(Form(BlindKind.NAME, latin.norm, Found.NAME))
    letters = "".join(
        way[0][0] if len(word) > 1 and (way := standards.ways_to_part(word, reader.syllables)) else word
        for word in spoken.split()
    )
    joined = spoken.replace(" ", "")
    # letters that can be no syllables, or so few that they may be either
    for initials in dict.fromkeys([joined if len(joined) <= MOST_INITIALS else "", "" if ways else letters]):
        if 2 <= len(initials) <= MOST_INITIALS + 1:
            forms.append(Form(BlindKind.INITIALS, initials, Found.INITIALS))
    return forms


def _by_writing(reader: standards.Reader, text: str) -> list[Form]:
    forms = []
    name = None if re.search("[0-9]", text) else reader.name(text)
    if name:
        forms.append(Form(BlindKind.NAME, name.norm, Found.NAME))
        forms.append(Form(BlindKind.PINYIN, name.pinyin, Found.SOUND))
    if _LOOKS_LIKE_ADDRESS.search(text):
        forms += [Form(kind, value, Found[kind.name]) for kind, value in address_forms(text)]
    return forms


def _narrowings(reader: standards.Reader, words: list[str]) -> tuple[list[str], Sought]:
    """The words that say whom, and what the others narrow to: a year, a day, a division (a word of its own, or at the head of an address)."""
    kept: list[str] = []
    year, day, division = None, None, None
    for word in words:
        if _YEAR.fullmatch(word):
            year = int(word)
        elif _DAY.fullmatch(word) and (read := _day(word)):
            day = read
        else:
            address = reader.address(word)
            if address and address.division:
                division = address.division
            if not (address and address.division) or address.place:
                kept.append(word)
    return kept, Sought(birth_year=year, birth_on=day, division=division)


def _day(digits: str) -> date | None:
    try:
        return date(int(digits[:4]), int(digits[4:6]), int(digits[6:]))
    except ValueError:
        return None
