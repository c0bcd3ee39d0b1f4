"""Words for the codes that contexts answer with; a code without a word is shown as it is, never hidden."""

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from wanjia.access.api import Right

ROLES: dict[str, str | Promise] = {
    "officer": _("Registry officer"),
    "steward": _("Data steward"),
    "planner": _("Planner"),
    "auditor": _("Auditor"),
    "admin": _("Administrator"),
}

RIGHTS: dict[str, str | Promise] = {
    Right.ENTER: _("log in"),
    Right.FIND_PERSON: _("find a person"),
    Right.OPEN_PERSON: _("open a person's record"),
    Right.SEE_RUNS: _("see runs"),
    Right.SEE_QUARANTINE: _("see the quarantine"),
    Right.SHOW_QUARANTINED_ROW: _("show a quarantined row as received"),
    Right.SEE_QUALITY: _("see data quality"),
    Right.SEE_LINKAGE: _("see the linkage"),
    Right.SEE_POPULATION: _("see population figures"),
    Right.SEE_TRACE: _("see the trace"),
}

#: purposes an officer may give before reading; the code goes into the trace with the case number
PURPOSES: dict[str, str | Promise] = {
    "case": _("Handle an application at the counter"),
    "verify": _("Verify an identity on request of the person"),
    "correct": _("Correct a record"),
    "quality": _("Answer a data quality finding"),
}

#: why a steward shows a quarantined row as it was received
SHOW_REASONS: dict[str, str | Promise] = {
    "mend_source": _("Mend the row at the source"),
    "mend_mapping": _("Check whether our mapping is wrong"),
    "answer": _("Answer a question of the delivering department"),
}

DIMENSIONS: dict[str, str | Promise] = {
    "conformity": _("Conformity"),
    "completeness": _("Completeness"),
    "accuracy": _("Accuracy"),
    "consistency": _("Consistency"),
    "timeliness": _("Timeliness"),
    "accessibility": _("Accessibility"),
}

RUN_STATES: dict[str, str | Promise] = {"open": _("running"), "done": _("done"), "failed": _("failed")}

BANDS: dict[str, str | Promise] = {"link": _("Linked"), "review": _("For review"), "none": _("Not linked")}


def word(words: dict[str, str | Promise], code: str) -> str:
    """The word for `code`, or the code itself."""
    return str(words.get(code, code))
