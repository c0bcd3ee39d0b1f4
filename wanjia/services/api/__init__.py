"""The door of the residents' services."""

from wanjia.services.api.answering import act, answer_times, evidence, story, waiting
from wanjia.services.api.cases import (
    StepTold,
    Story,
    appeal,
    ask,
    correct,
    own_case,
    own_cases,
    own_evidence,
    service,
)
from wanjia.services.api.following import case_moved
from wanjia.services.api.keeping import KEYED, erase_person
from wanjia.services.api.looks import Looks, Month, look, looks, months, receipt
from wanjia.services.api.tracking import DEFAULT_LIMIT, Usage, find_usage, usage_period
from wanjia.services.rules.cases import (
    MOST_BYTES,
    MOST_FILES,
    OFFICE,
    OUTCOMES,
    AnswerTime,
    Kind,
    Outcome,
    State,
    StepKind,
)

__all__ = [
    "DEFAULT_LIMIT",
    "KEYED",
    "MOST_BYTES",
    "MOST_FILES",
    "OFFICE",
    "OUTCOMES",
    "AnswerTime",
    "Kind",
    "Looks",
    "Month",
    "Outcome",
    "State",
    "StepKind",
    "StepTold",
    "Story",
    "Usage",
    "act",
    "answer_times",
    "appeal",
    "ask",
    "case_moved",
    "correct",
    "erase_person",
    "evidence",
    "find_usage",
    "look",
    "looks",
    "months",
    "own_case",
    "own_cases",
    "own_evidence",
    "receipt",
    "service",
    "story",
    "usage_period",
    "waiting",
]
