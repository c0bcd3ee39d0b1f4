"""The profile's tables inside an engine: loaded when first needed, once per engine and profile."""

import re
import weakref
from collections.abc import Hashable
from functools import cached_property
from typing import TYPE_CHECKING, Any

import ibis
import pyarrow as pa

from wanjia.kernel.engine import Engine

if TYPE_CHECKING:
    from wanjia.standards.api import Profile

_loaded: "weakref.WeakKeyDictionary[Engine, dict[int, Lookups]]" = weakref.WeakKeyDictionary()

HAN_NUMERALS = ["一", "二", "三", "四", "五", "六", "七", "八", "九", "十"]


def lookups_of(engine: Engine, profile: "Profile") -> "Lookups":
    """The tables of `profile` in `engine`."""
    of_engine = _loaded.setdefault(engine, {})
    if id(profile) not in of_engine:
        of_engine[id(profile)] = Lookups(engine, profile)
    return of_engine[id(profile)]


def forget_texts(engine: Engine) -> None:
    """Let go of the texts that were read with this engine and what they mean: they take memory that other stages need."""
    for lookups in _loaded.get(engine, {}).values():
        lookups.known.clear()


class Lookups:
    """What the rules look up. All keys are text; every table is small enough to be held by each worker."""

    def __init__(self, engine: Engine, profile: "Profile") -> None:
        # only a weak hold: the dictionary of the loaded must not keep a closed engine alive
        self._engine = weakref.proxy(engine)
        self._profile = profile
        # way of reading → its statements, and the texts that were read (see `meanings`)
        self.plans: dict[Hashable, tuple[list[tuple[str, str]], str]] = {}
        self.known: dict[Hashable, Any] = {}

    def _load(self, called: str, **columns: list) -> ibis.Table:
        fields = {key: pa.array(values, pa.string()) for key, values in columns.items()}
        return self._engine.load(f"standards_{self._profile.code}_{called}", pa.table(fields))

    @cached_property
    def missing(self) -> list[str]:
        """The texts that say that nothing is known."""
        return sorted({text.strip() for text in self._profile.file.missing})

    @cached_property
    def missing_pattern(self) -> str:
        """A pattern that finds these texts, the empty one, and no other. (\\z: for one engine $ is also before a line's end.)"""
        return "^(?:" + "|".join(re.escape(word) for word in self.missing) + r")?\z"

    @property
    def date_order(self) -> str:
        """How dates that begin with the day or the month are written here: ymd (never), dmy or mdy."""
        return self._profile.file.date_order

    @cached_property
    def spellings(self) -> ibis.Table:
        """set, spelling, code: every way to write a code of every code set."""
        rows = [
            (key, text, code) for key in self._profile.code_sets for text, code in self._profile.spellings(key).items()
        ]
        return self._load(
            "spellings", set=[r[0] for r in rows], spelling=[r[1] for r in rows], code=[r[2] for r in rows]
        )

    @cached_property
    def divisions(self) -> ibis.Table:
        """code, current: every division code there ever was, and the one that holds its place today."""
        codes = sorted({division.code for division in self._profile.divisions})
        return self._load(
            "divisions", code=codes, current=[self._profile.divisions.current_code(code) for code in codes]
        )

    @cached_property
    def prefixes(self) -> ibis.Table:
        """prefix: what an identity number may begin with: division codes, 81/82/83 0000, 9 + province + ISO numeric, ISO alpha-3."""
        return self._load("prefixes", prefix=sorted(self._profile.number_prefixes))

    @cached_property
    def paths(self) -> ibis.Table:
        """path, code: how a place down to the county is written at the head of an address."""
        written = self._profile.divisions.written_paths
        return self._load("paths", path=list(written), code=list(written.values()))

    @cached_property
    def path_lengths(self) -> list[int]:
        """The lengths that written paths have, in characters."""
        return sorted({len(path) for path in self._profile.divisions.written_paths})

    @cached_property
    def paths_hold_ascii(self) -> bool:
        """Does any written path hold a Latin letter or a digit, such as numbers of houses begin with?"""
        return any(re.search("[0-9A-Za-z]", path) for path in self._profile.divisions.written_paths)

    @cached_property
    def places(self) -> ibis.Table:
        """parent, name, code: towns by their county, villages and communities by their town."""
        below = self._profile.divisions.places_below
        return self._load("places", parent=[k[0] for k in below], name=[k[1] for k in below], code=list(below.values()))

    @cached_property
    def readings(self) -> ibis.Table:
        """character, syllable: the usual toneless reading of every character."""
        pairs = list(self._profile.readings.items())
        return self._load("readings", character=[p[0] for p in pairs], syllable=[p[1] for p in pairs])

    @cached_property
    def variants(self) -> tuple[str, str]:
        """Variant and traditional characters, and in the same places the ones they are folded to."""
        pairs = list(self._profile.variants.items())
        return "".join(p[0] for p in pairs), "".join(p[1] for p in pairs)

    @cached_property
    def variant_characters(self) -> ibis.Table:
        """character: every character that is folded to another."""
        return self._load("variants", character=list(self.variants[0]))

    @cached_property
    def surnames(self) -> list[tuple[str, str]]:
        """(surname, reading) of compound surnames, and of single ones that are read otherwise than their character usually is."""
        return self._profile.surnames

    @cached_property
    def homophone_heads(self) -> list[tuple[str, str]]:
        """(surname, characters whose usual reading is the surname's): what a name is read as, so that one table of readings does."""
        return self._profile.homophone_heads

    @cached_property
    def numerals(self) -> ibis.Table:
        """han, digits: the numbers 1 to 31 as dates write them in characters."""
        han = [_han(number) for number in range(1, 32)]
        digits = [f"{number:02d}" for number in range(1, 32)]
        other = {
            "廿": "20",
            **{f"廿{HAN_NUMERALS[n - 1]}": f"{20 + n}" for n in range(1, 10)},
            "卅": "30",
            "卅一": "31",
        }
        return self._load("numerals", han=[*han, *other], digits=[*digits, *other.values()])


def _han(number: int) -> str:
    tens, ones = divmod(number, 10)
    head = "" if tens == 0 else "十" if tens == 1 else HAN_NUMERALS[tens - 1] + "十"
    return head + (HAN_NUMERALS[ones - 1] if ones else "")
