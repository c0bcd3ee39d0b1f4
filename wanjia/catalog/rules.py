"""Clocks and order of quality work, and whether a conflict is still the one that was decided (pure)."""

import json
from collections.abc import Iterable
from dataclasses import astuple, dataclass
from datetime import date, timedelta

ANSWER_WORKING_DAYS = 10  # correction requests: verify, correct and answer (State Council Order 809, art. 26)


def due_on(opened_on: date, working_days: int = ANSWER_WORKING_DAYS) -> date:
    """The last day to answer: `working_days` weekdays after `opened_on`.

    Public holidays are not counted as free: the clock is then stricter than the law, never looser.
    """
    weeks, rest = divmod(working_days, 5)
    due = opened_on
    # from a weekend the first working day is the coming Monday
    if due.weekday() >= 5:
        due -= timedelta(days=due.weekday() - 4)
    due += timedelta(weeks=weeks)
    for _ in range(rest):
        due += timedelta(days=3 if due.weekday() == 4 else 1)
    return due


def worst_first(good: int, counted: int) -> tuple[float, int]:
    """The order of a scorecard: lowest ratio first; of equal ratios the one with more bad values."""
    return (good / counted if counted else 1.0, good - counted)


@dataclass(frozen=True)
class Ratio:
    """`good` of `counted`: one cell of a scorecard."""

    good: int
    counted: int


@dataclass(frozen=True)
class Tally:
    """The counts of one source and element from which its ratios are made.

    `expected` records about people of whom anybody states the element, `given` that do, `misfits` that tried, `shared` statements that can be
    compared with another, `differs` of those from what holds, `stale` of those and older than it, `contradicted` by a cross-check.
    """

    expected: int = 0
    given: int = 0
    misfits: int = 0
    shared: int = 0
    differs: int = 0
    stale: int = 0
    contradicted: int = 0


def ratios(tally: Tally) -> dict[str, Ratio]:
    """The ratios of one source and element under five of the six indicators of GB/T 36344-2018 (accessibility is a source's as a whole).

    - conformity: values that fit their element, of values given
    - completeness: records with a value, of records about people who are known to have one
    - accuracy: statements that say what holds, of those that can be compared
    - consistency: statements no cross-check objects to, of statements
    - timeliness: statements not overtaken by a newer one, of those that can be compared
    How indicators break down into ratios is this product's own choice; the standard's sub-indicators were not read.
    """
    tried = tally.given + tally.misfits
    counted = {
        "conformity": Ratio(tally.given, tried),
        "completeness": Ratio(min(tally.given, tally.expected), tally.expected),
        "accuracy": Ratio(tally.shared - tally.differs, tally.shared),
        "consistency": Ratio(max(0, tally.given - tally.contradicted), tally.given),
        "timeliness": Ratio(tally.shared - tally.stale, tally.shared),
    }
    return {name: ratio for name, ratio in counted.items() if ratio.counted}


@dataclass(frozen=True)
class Stated:
    """One value that a source states in a conflict. `place`: of whom, the person's own first."""

    place: int
    source: str
    subject: str
    column: str
    value: str


def said_of(stated: Iterable[Stated]) -> str:
    """What is stated as one text: alike when the same sources state the same values, whatever the order, the day and the record."""
    return json.dumps(sorted({astuple(one) for one in stated}), ensure_ascii=False, separators=(",", ":"))
