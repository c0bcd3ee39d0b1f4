"""Clocks and order of quality work (pure)."""

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
