"""Choosing a division by code, name, pinyin, first letters or English name, of those that stand on a day (pure).

One sorted table of keys; what is typed is the beginning of a key, and a range of the table is found by halving. Of a long range only the best are
looked at one by one, so that a single letter costs about what a whole name does.
"""

import datetime
import re
import unicodedata
from bisect import bisect_left
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from wanjia.standards.rules.changes import significant
from wanjia.standards.rules.divisions import LEVELS, Division, Divisions

LONGEST = 60
MOST_ABOVE = 200  # places above that are considered: a first word that fits more of them says nothing
_LAST = "\U0010ffff"
_MIN, _MAX = datetime.date.min.toordinal(), datetime.date.max.toordinal()
_FORMER, _OTHER_KEY, _LEVEL = 1 << 40, 1 << 36, 1 << 32


@dataclass(frozen=True)
class Pick:
    """A division that fits what was typed. `is_valid`: it stands on the day asked about; else `instead` says what stood there that day."""

    division: Division
    is_valid: bool
    is_exact: bool
    instead: tuple[Division, ...] = ()


class Picker:
    """The keys of all divisions of a table. `readings`: character → syllable without tone."""

    def __init__(self, divisions: Divisions, readings: Mapping[str, str]) -> None:
        self._divisions = divisions
        self._readings = readings
        self._rows = sorted(divisions, key=lambda one: (one.code, one.valid_from or datetime.date.min))
        keys = [(key, place) for place, one in enumerate(self._rows) for key in set(self.keys_of(one))]
        keys.sort()
        self._keys = [key for key, _ in keys]
        self._owners = np.array([place for _, place in keys], np.int64)
        self._codes = np.array([int(one.code.ljust(12, "0")) for one in self._rows], np.int64)
        self._from = np.array([one.valid_from.toordinal() if one.valid_from else _MIN for one in self._rows])
        self._to = np.array([_end(one) for one in self._rows])
        levels = np.array([LEVELS.index(one.level) for one in self._rows], np.int64)
        lengths = np.array([min(len(key), 255) for key in self._keys], np.int64)
        owners = self._owners
        # shorter keys first within a level, then in order of code
        self._ranks = levels[owners] * _LEVEL + lengths * (1 << 24) + owners if len(owners) else owners

    def __len__(self) -> int:
        return len(self._rows)

    def find(self, typed: str, on: datetime.date, *, limit: int = 10) -> list[Pick]:
        """At most `limit` divisions that fit, best first: those that stand on the day before others, whole keys before beginnings, large before
        small.

        Words before the last one name what lies above ("青枫区 云台", "qingfeng yuntai"); Chinese names may be written without spaces.
        """
        words = [one for one in (_key(word) for word in typed[:LONGEST].split()) if one]
        if not words:
            return []
        found = self._best(words[-1], on, limit, self._above(words[:-1], on))
        if not found and len(words) > 1:
            found = self._best("".join(words), on, limit, None)
        if not found and len(words) == 1 and not words[0].isascii():
            for cut in range(len(words[0]) - 1, 1, -1):
                ends = self._best(words[0][cut:], on, MOST_ABOVE, None)
                if found := [one for one in ends if self._is_led_by(one[0], words[0][:cut], on)][:limit]:
                    break
        return [self._pick(place, is_exact, on) for place, is_exact in found]

    def _is_led_by(self, place: int, head: str, on: datetime.date) -> bool:
        """Whether `head` names what lies above a division, from large to small; levels may be left out, and the ending of a name."""
        row = self._rows[place]
        above = self._divisions.path(row.parent, on) if row.parent else []
        for name in (_key(one.name_zh) for one in above):
            if head.startswith(name):
                head = head[len(name) :]
            elif len(name) > 2 and head.startswith(name[:-1]):
                head = head[len(name) - 1 :]
        return not head

    def _above(self, words: list[str], on: datetime.date) -> list[tuple[int, int]] | None:
        """Ranges of codes inside what these words name, one inside the other; None: anywhere."""
        inside: list[tuple[int, int]] | None = None
        for word in words:
            places = [place for place, _ in self._best(word, on, MOST_ABOVE, inside)]
            inside = [_range(self._rows[place].code) for place in places]
        return inside

    def _best(
        self, word: str, on: datetime.date, limit: int, inside: list[tuple[int, int]] | None
    ) -> list[tuple[int, bool]]:
        first, after = bisect_left(self._keys, word), bisect_left(self._keys, word + _LAST)
        if first == after or inside == []:
            return []
        exact = bisect_left(self._keys, word + "\0") - first
        owners = self._owners[first:after]
        ranks = self._ranks[first:after].copy()
        ranks[exact:] += _OTHER_KEY
        day = on.toordinal()
        ranks += ((self._from[owners] > day) | (self._to[owners] <= day)) * _FORMER
        if inside is not None:
            codes = self._codes[owners]
            fits = np.zeros(len(owners), bool)
            for low, high in inside:
                fits |= (codes > low) & (codes < high)
            owners, ranks = owners[fits], ranks[fits]
            exact = int(fits[:exact].sum())
        # a division may fit by several keys
        most = min(len(owners), limit * 5)
        best = np.argpartition(ranks, most - 1)[:most] if most and most < len(owners) else np.arange(len(owners))
        places: dict[int, bool] = {}
        for at in sorted(best.tolist(), key=lambda one: ranks[one]):
            places.setdefault(int(owners[at]), at < exact)
        return list(places.items())[:limit]

    def _pick(self, place: int, is_exact: bool, on: datetime.date) -> Pick:
        one = self._rows[place]
        if one.is_valid_on(on):
            return Pick(one, True, is_exact)
        return Pick(one, False, is_exact, tuple(standing(self._divisions, one, on)))

    def keys_of(self, one: Division) -> Iterator[str]:
        """By what a division is found: code, name, English name, pinyin, first letters."""
        yield one.code
        yield _key(one.name_zh)
        if english := _key(one.name_en):
            yield english
        syllables = [self._readings.get(character, "") for character in one.name_zh]
        if all(syllables):
            yield "".join(syllables)
            yield "".join(syllable[0] for syllable in syllables)


def standing(divisions: Divisions, one: Division, on: datetime.date) -> list[Division]:
    """What stood on a day where a division stands on others: what it became by then, or came from."""
    found, waiting, seen = [], [one], set()
    while waiting:
        at = waiting.pop(0)
        if (at.code, at.valid_from) in seen:
            continue
        seen.add((at.code, at.valid_from))
        if at.is_valid_on(on):
            found.append(at)
        elif at.valid_to is not None and at.valid_to <= on:
            waiting += divisions.became(at)
        else:
            waiting += divisions.came_from(at)
    return sorted(found, key=lambda division: division.code)


def _key(text: str) -> str:
    plain = unicodedata.normalize("NFKD", text).casefold()
    return re.sub(r"[^\w]|_", "", "".join(one for one in plain if not unicodedata.combining(one)))


def _range(code: str) -> tuple[int, int]:
    known = significant(code)
    width = 10 ** (12 - len(known))
    return int(known) * width, (int(known) + 1) * width


def _end(one: Division) -> int:
    if one.valid_to is None:
        return _MAX
    return (datetime.date(one.valid_to.year + 1, 1, 1) if one.precision == "year" else one.valid_to).toordinal()
