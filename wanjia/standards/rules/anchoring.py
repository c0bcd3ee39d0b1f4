"""By which day a division code is read (pure): the declared anchor of its use, and what stands in where that day is not known."""

import datetime
from dataclasses import dataclass

from wanjia.standards.rules.divisions import Division, Divisions

#: where the day of an anchor is not known, the next one: a case that nobody has registered yet is read as of today
INSTEAD = {"residence": "event", "event": "registration", "registration": "today"}


@dataclass(frozen=True)
class Days:
    """The days a record knows: when it happened, when it was registered, since when somebody lives there; and today."""

    today: datetime.date
    event: datetime.date | None = None
    registration: datetime.date | None = None
    residence: datetime.date | None = None


@dataclass(frozen=True)
class Place:
    """A division as it is shown: its name with those above it on the day it is read by, and what it is called today where that differs.

    `name` is the code itself where it was never one.
    """

    code: str
    on: datetime.date
    name: str
    today: str | None = None
    codes_today: tuple[str, ...] = ()

    def said(self, lang: str, which: str = "then_and_today") -> str:
        """The place in words: the name of then, that of today, or both where they differ."""
        if self.today is None or which == "then":
            return self.name
        if which == "today":
            return self.today
        return f"{self.name} (today {self.today})" if lang == "en" else f"{self.name}（今{self.today}）"


def anchored(anchor: str, days: Days) -> datetime.date:
    """The day of an anchor, or of the next that is known."""
    while (day := getattr(days, anchor)) is None:
        anchor = INSTEAD[anchor]
    return day


def place_of(divisions: Divisions, code: str, on: datetime.date, today: datetime.date, lang: str) -> Place:
    """What the code was called on a day, and what stands there today."""
    known = next((one for one in (code, code[:9], code[:6]) if one in divisions), None)
    if known is None:
        return Place(code, on, code)
    name = _whole(divisions.path(known, on), lang)
    found = divisions.resolve(known, on)
    now = tuple(one.code for one in found.today) if found else ()
    names_now = [_whole(divisions.path(one, today), lang) for one in now]
    is_same = names_now == [name] or not names_now
    return Place(code, on, name, None if is_same else (" / " if lang == "en" else "、").join(names_now), now)


def _whole(path: list[Division], lang: str) -> str:
    names = [one.name(lang) for one in path]
    return "".join(names) if lang.startswith("zh") else ", ".join(reversed(names))
