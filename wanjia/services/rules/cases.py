"""What may happen to a case, by whom, and how fast offices answer (pure)."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from statistics import median

from wanjia.services.errors import EvidenceRefused, NotYourselves, StepNotNow

MOST_BYTES = 2 * 1024 * 1024
MOST_FILES = 3
#: how a file begins → what it is; anything else is refused, whatever its name says
MEDIA = {b"\xff\xd8\xff": "image/jpeg", b"\x89PNG\r\n\x1a\n": "image/png", b"%PDF-": "application/pdf"}


class Kind(StrEnum):
    """What a resident asks for."""

    ASK = "ask"
    CORRECT = "correct"


class State(StrEnum):
    """Where a case stands. `ACCEPTED`: the office agrees, the value is to be put right; `REOPENED`: it was not, so the office answers again;
    `ANSWERED`: the resident may appeal; `CLOSED`: the end.
    """

    OPEN = "open"
    ANSWERED = "answered"
    APPEALED = "appealed"
    ACCEPTED = "accepted"
    REOPENED = "reopened"
    CLOSED = "closed"


class Outcome(StrEnum):
    """What the office says: of a look, that it was right or should not have been; of a value, that it will be corrected or not."""

    JUSTIFIED = "justified"
    UNJUSTIFIED = "unjustified"
    ACCEPTED = "accepted"
    REFUSED = "refused"


class StepKind(StrEnum):
    """What is done in a case."""

    OPEN = "open"
    ANSWER = "answer"
    APPEAL = "appeal"
    DECIDE = "decide"
    CARRY_OUT = "carry_out"
    UNDONE = "undone"  # the event that was to put the value right came to nothing, or was revoked


OUTCOMES = {Kind.ASK: (Outcome.JUSTIFIED, Outcome.UNJUSTIFIED), Kind.CORRECT: (Outcome.ACCEPTED, Outcome.REFUSED)}
#: states in which an office has to act, and the step that it takes
OFFICE = {
    State.OPEN: StepKind.ANSWER,
    State.APPEALED: StepKind.DECIDE,
    State.ACCEPTED: StepKind.CARRY_OUT,
    State.REOPENED: StepKind.ANSWER,
}


def next_state(kind: Kind, state: State, step: StepKind, outcome: Outcome | None = None) -> State:
    """The state after a step. Raises `StepNotNow`."""
    if OFFICE.get(state) == step:
        if step is StepKind.CARRY_OUT:
            return State.CLOSED
        if outcome in OUTCOMES[kind]:
            if outcome is Outcome.ACCEPTED:
                return State.ACCEPTED
            return State.ANSWERED if step is StepKind.ANSWER else State.CLOSED
    if state is State.ANSWERED and step is StepKind.APPEAL:
        return State.APPEALED
    if state is State.ACCEPTED and step is StepKind.UNDONE:
        return State.REOPENED
    if state is State.CLOSED and step in (StepKind.UNDONE, StepKind.CARRY_OUT):
        # a revoked registration, or one that was reinstated: told, but a closed case stays closed
        return State.CLOSED
    raise StepNotNow()


def ensure_other(by: str, *, looked: str, answered: Iterable[str]) -> None:
    """Nobody answers for their own look, nor decides an appeal against an answer of their own. Raises `NotYourselves`."""
    if by in (looked, *answered):
        raise NotYourselves()


def may_appeal_until(answered_on: date, days: int) -> date:
    """The last day of an appeal."""
    return answered_on + timedelta(days=days)


def media_of(content: bytes) -> str:
    """What a file is by its first bytes. Raises `EvidenceRefused`: too large, empty, or none of the kinds taken."""
    for begin, media in MEDIA.items():
        if content.startswith(begin) and len(content) <= MOST_BYTES:
            return media
    raise EvidenceRefused(megabytes=MOST_BYTES // (1024 * 1024))


@dataclass(frozen=True)
class AnswerTime:
    """How a department answers cases of a kind. None where there are too few to be told (limit 5)."""

    department: str
    kind: str
    asked: int | None
    answered: int | None
    in_time: int | None
    median_days: float | None
    overdue: int | None


def answer_times(
    cases: Iterable[tuple[str, str, datetime, date, datetime | None]], *, today: date, smallest: int
) -> list[AnswerTime]:
    """Figures by department and kind, from (department, kind, opened, due, answered at the office's time).

    Figures of fewer than `smallest` cases are left out.
    """
    by_office: dict[tuple[str, str], list[tuple[datetime, date, datetime | None]]] = {}
    for department, kind, opened, due, answered in cases:
        by_office.setdefault((department, kind), []).append((opened, due, answered))
    found = []
    for (department, kind), rows in sorted(by_office.items()):
        done = [(opened, due, at) for opened, due, at in rows if at is not None]
        late = sum(at is None and due < today for _opened, due, at in rows)
        is_told = len(done) >= smallest
        found.append(
            AnswerTime(
                department=department,
                kind=kind,
                asked=len(rows) if len(rows) >= smallest else None,
                answered=len(done) if is_told else None,
                in_time=sum(at.date() <= due for _opened, due, at in done) if is_told else None,
                median_days=round(median((at - opened) / timedelta(days=1) for opened, _due, at in done), 1)
                if is_told
                else None,
                overdue=late if len(rows) >= smallest else None,
            )
        )
    return found
