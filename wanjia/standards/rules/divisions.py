"""The dated table of divisions: what a code named on a day, what became of it, and how its name may be written in an address."""

import datetime
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Any

LEVELS = ("province", "city", "county", "town", "village")
GROUPING_NAMES = ("市辖区", "县", "市")
_PROVINCE_ENDINGS = ("壮族自治区", "回族自治区", "维吾尔自治区", "特别行政区", "自治区", "省", "市")
_CITY_ENDINGS = ("地区", "市", "盟")


@dataclass(frozen=True)
class Division:
    """One code under one name and parent from `valid_from` (None: since before the records) until before `valid_to` (None: still).

    `precision` is "day", "month" or "year": with "year" the days are the first of January. `successors` are the codes it became.
    """

    code: str
    name_zh: str
    name_en: str
    level: str
    parent: str | None
    valid_from: datetime.date | None
    valid_to: datetime.date | None
    precision: str
    successors: tuple[str, ...]
    source: str

    def is_valid_on(self, day: datetime.date) -> bool:
        """Whether the code stood for this place on `day`; with year precision the whole year of its end still counts."""
        end = self.valid_to
        if end is not None and self.precision == "year":
            end = datetime.date(end.year + 1, 1, 1)
        return (self.valid_from is None or self.valid_from <= day) and (end is None or day < end)

    def name(self, lang: str) -> str:
        """The name in `lang` ("en", or anything that starts with "zh")."""
        return self.name_zh if lang.startswith("zh") else self.name_en


#: (code, the day it ended, what it became) → (the part of its people that went there, the part of those there that it had), as far as told
Shares = Mapping[tuple[str, datetime.date, str], tuple[Fraction | None, Fraction | None]]


@dataclass(frozen=True)
class Resolution:
    """What a code stood for, and what stands there today: none, one or several divisions."""

    division: Division
    today: tuple[Division, ...]


class Divisions:
    """All divisions of a profile. Codes have 2 to 12 digits in steps of the administration; unknown finer digits are not judged."""

    def __init__(self, rows: Iterable[Division], shares: Shares | None = None) -> None:
        self.shares: Shares = shares or {}
        self._spans: dict[str, list[Division]] = defaultdict(list)
        for row in rows:
            self._spans[row.code].append(row)
        for spans in self._spans.values():
            spans.sort(key=lambda span: (span.valid_from or datetime.date.min, span.valid_to or datetime.date.max))

    def __len__(self) -> int:
        return len(self._spans)

    def __contains__(self, code: str) -> bool:
        return code in self._spans

    def __iter__(self) -> Iterator[Division]:
        for spans in self._spans.values():
            yield from spans

    def spans(self, code: str) -> tuple[Division, ...]:
        """Everything that `code` has stood for, oldest first; empty if it never was a code."""
        return tuple(self._spans.get(code, ()))

    def find(self, code: str, on: datetime.date | None = None) -> Division | None:
        """What `code` stood for on a day; without a day, or on a day outside its years, the nearest in time."""
        spans = self._spans.get(code)
        if not spans:
            return None
        if on is None:
            return spans[-1]
        valid = [span for span in spans if span.is_valid_on(on)]
        # an end known by the year only overlaps its successor's first year: the code's later meaning is the one in force
        return valid[-1] if valid else min(spans, key=lambda span: _distance(span, on))

    def resolve(self, code: str, on: datetime.date | None = None) -> Resolution | None:
        """The division of `code` on a day and its successors today, through every change; None if the code is unknown.

        An abolished code is accepted for any day: numbers and old papers keep the code of their time.
        """
        division = self.find(code, on)
        return None if division is None else Resolution(division, self._today(division))

    def current_code(self, code: str) -> str | None:
        """One code of today for `code`: itself, its only successor, or the smallest present division that holds all successors."""
        division = self.find(code)
        if division is None:
            return None
        today = [one.code for one in self._today(division)]
        if len(today) == 1:
            return today[0]
        return self._common(today) if today else self._present_parent(division)

    def children(self, code: str | None, on: datetime.date | None = None) -> list[Division]:
        """The divisions directly below `code` (None: provinces) on a day, today if none is said, in order of code."""
        found: dict[str, Division] = {}
        for span in self._below.get(code or None, ()):
            if span.valid_to is None if on is None else span.is_valid_on(on):
                found.setdefault(span.code, span)
        return [found[one] for one in sorted(found)]

    @cached_property
    def _below(self) -> dict[str | None, list[Division]]:
        found: dict[str | None, list[Division]] = defaultdict(list)
        for division in self:
            found[division.parent or None].append(division)
        return found

    def path(self, code: str, on: datetime.date | None = None) -> list[Division]:
        """From the province down to the division of `code`; empty if the code is unknown."""
        found: list[Division] = []
        at: str | None = code
        while at and (division := self.find(at, on)) is not None and division not in found:
            found.insert(0, division)
            at = division.parent
        return found

    def became(self, division: Division) -> list[Division]:
        """What a division that ended became at once, in the order told."""
        return [after for code in division.successors if (after := self._after(code, division)) is not None]

    def came_from(self, division: Division) -> list[Division]:
        """What became this division at once, in order of code."""
        return sorted(self._before.get((division.code, division.valid_from), ()), key=lambda one: one.code)

    @cached_property
    def _before(self) -> dict[tuple[str, datetime.date | None], list[Division]]:
        found: dict[tuple[str, datetime.date | None], list[Division]] = defaultdict(list)
        for division in self:
            for after in self.became(division) if division.valid_to is not None else ():
                found[after.code, after.valid_from].append(division)
        return found

    def _today(self, division: Division) -> tuple[Division, ...]:
        found: dict[str, Division] = {}
        seen: set[tuple[str, datetime.date | None]] = set()
        waiting = [division]
        while waiting:
            one = waiting.pop(0)
            if (one.code, one.valid_from) in seen:
                continue
            seen.add((one.code, one.valid_from))
            if one.valid_to is None:
                found[one.code] = one
                continue
            waiting += self.became(one)
        return tuple(found[code] for code in sorted(found))

    def _after(self, code: str, before: Division) -> Division | None:
        """What the successor `code` stood for when `before` ended; spans that ended by then are passed over."""
        later = [
            s
            for s in self._spans.get(code, ())
            if s is not before and (s.valid_to is None or s.valid_to > before.valid_to)
        ]
        return later[0] if later else None

    def _common(self, codes: list[str]) -> str | None:
        chains = [[d.code for d in self.path(code)] for code in codes]
        shared = [code for code in chains[0] if all(code in chain for chain in chains)]
        return shared[-1] if shared else None

    def _present_parent(self, division: Division) -> str | None:
        parent = self.find(division.parent) if division.parent else None
        while parent is not None and parent.valid_to is not None:
            today = self._today(parent)
            if len(today) == 1:
                return today[0].code
            parent = self.find(parent.parent) if parent.parent else None
        return parent.code if parent else None

    @cached_property
    def written_paths(self) -> dict[str, str]:
        """How a place down to the county may be written at the head of an address → its code.

        Levels may be shortened or left out; a writing that fits two places means neither, save that a present place
        goes before an abolished one.
        """
        present: dict[str, set[str]] = defaultdict(set)
        former: dict[str, set[str]] = defaultdict(set)
        for spans in self._spans.values():
            for span in spans:
                if span.level in LEVELS[:3] and span.name_zh not in GROUPING_NAMES:
                    target = present if span.valid_to is None else former
                    for text in self._writings(span):
                        target[text].add(span.code)
        known = {text: next(iter(codes)) for text, codes in former.items() if len(codes) == 1 and text not in present}
        return known | {text: next(iter(codes)) for text, codes in present.items() if len(codes) == 1}

    def _writings(self, span: Division) -> Iterator[str]:
        if span.level == "province":
            yield from _shortened(span, "province")
            return
        above = self.find(span.parent) if span.parent else None
        province = self.find(f"{span.code[:2]}0000")
        provinces = {"", *(_shortened(province, "province") if province else ())}
        if span.level == "city":
            for head in provinces:
                for name in _shortened(span, "city"):
                    # a bare short name ("朝阳") is more often a road or a district than the city
                    if head or name == span.name_zh:
                        yield head + name
            return
        has_city = above is not None and above.level == "city" and above.name_zh not in GROUPING_NAMES
        cities = {"", *(_shortened(above, "city") if has_city else ())}
        if above is not None and above.level == "city" and not has_city:
            cities.add(above.name_zh)
        for head in provinces:
            for middle in cities:
                if head or middle or len(span.name_zh) > 2:
                    yield head + middle + span.name_zh

    @cached_property
    def places_below(self) -> dict[tuple[str, str], str]:
        """(code of the county or town, name of the town or village in it) → code, for every year."""
        return {
            (span.parent, span.name_zh): span.code
            for spans in self._spans.values()
            for span in sorted(spans, key=lambda s: s.valid_to is None)
            if span.level in LEVELS[3:] and span.parent
        }


def number_prefixes(divisions: Iterable[Division], countries: Iterable[Any]) -> frozenset[str]:
    """What an identity number may begin with. `countries`: rows of a code set (numeric code, spellings with the three letters)."""
    rows, listed = list(divisions), list(countries)
    provinces = {division.code[:2] for division in rows if division.level == "province"}
    known = {division.code for division in rows if len(division.code) == 6} | {"810000", "820000", "830000"}
    known |= {f"9{province}{row.code}" for province in provinces for row in listed}
    return frozenset(known | {spelling for row in listed for spelling in row.spellings if len(spelling) == 3})


def _shortened(division: Division, level: str) -> list[str]:
    names = [division.name_zh]
    if level == "province":
        names += [division.name_zh.removesuffix(e) for e in _PROVINCE_ENDINGS if division.name_zh.endswith(e)][:1]
    elif division.name_zh.endswith("自治州"):
        names.append(division.name_zh[:2] + "州")
    else:
        names += [
            division.name_zh.removesuffix(e)
            for e in _CITY_ENDINGS
            if division.name_zh.endswith(e) and len(division.name_zh) > len(e) + 1
        ][:1]
    return names


def _distance(span: Division, on: datetime.date) -> int:
    if span.valid_from is not None and on < span.valid_from:
        return (span.valid_from - on).days
    return (on - span.valid_to).days if span.valid_to is not None and on >= span.valid_to else 0
