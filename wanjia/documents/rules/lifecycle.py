"""What may become of a document (pure): one table, and the state as the fold of the steps."""

from collections.abc import Iterable
from datetime import date
from enum import StrEnum


class State(StrEnum):
    """Whether a document counts. While a revocation waits for the second person it still does."""

    VALID = "valid"
    ASKED = "asked"
    REVOKED = "revoked"
    SUPERSEDED = "superseded"


class StepKind(StrEnum):
    """What was done with a document."""

    ISSUED = "issued"
    PRINTED = "printed"
    ASKED = "asked"
    REFUSED = "refused"
    REVOKED = "revoked"
    SUPERSEDED = "superseded"
    ERASED = "erased"


class Reason(StrEnum):
    """Why a document counts no more. A choice, no free text: nothing personal gets into a log."""

    MISTAKE = "mistake"
    LOST = "lost"
    DAMAGED = "damaged"
    OUTDATED = "outdated"
    OBTAINED_WRONGLY = "obtained_wrongly"
    ENDED = "ended"


#: reasons for which a new one is made in its place
REISSUE_REASONS = (Reason.LOST, Reason.DAMAGED, Reason.OUTDATED, Reason.MISTAKE)
IN_FORCE = (State.VALID, State.ASKED)

NEXT: dict[State | None, dict[StepKind, State]] = {
    None: {StepKind.ISSUED: State.VALID},
    State.VALID: {
        StepKind.PRINTED: State.VALID,
        StepKind.ASKED: State.ASKED,
        StepKind.REVOKED: State.REVOKED,
        StepKind.SUPERSEDED: State.SUPERSEDED,
    },
    State.ASKED: {
        StepKind.REFUSED: State.VALID,
        StepKind.REVOKED: State.REVOKED,
    },
    State.REVOKED: {StepKind.ERASED: State.REVOKED},
    State.SUPERSEDED: {StepKind.ERASED: State.SUPERSEDED},
}


def after(state: State | None, step: StepKind) -> State | None:
    """The state after a step, or None when the step is not possible."""
    return NEXT[state].get(step)


def fold(steps: Iterable[StepKind]) -> State | None:
    """The state that follows from all steps; None for none. Raises ValueError when one was not possible."""
    state: State | None = None
    for step in steps:
        following = after(state, step)
        if following is None:
            raise ValueError(f"{step} is not possible when {state}")
        state = following
    return state


def shown(state: State, expires_on: date | None, today: date) -> str:
    """What the public is told: valid, expired, revoked or superseded. That a revocation was asked for is nobody's business yet."""
    if state in IN_FORCE:
        return "expired" if expires_on is not None and expires_on < today else "valid"
    return str(state)
