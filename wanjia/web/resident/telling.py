"""Entries of the trace and requests in plain words, for the person they are about. Everything is handed in."""

from collections.abc import Mapping
from datetime import UTC
from typing import Any

from django.utils.translation import gettext as _

from wanjia.access.api import book
from wanjia.kernel import clock
from wanjia.services.api import OFFICE, OUTCOMES, Kind, State, StepTold, Story
from wanjia.services.models import Case
from wanjia.web.labels import (
    CASE_KINDS,
    CASE_OUTCOMES,
    CASE_STATES,
    CASE_STEPS,
    OWN_PURPOSES,
    OWNERS,
    READ_KINDS,
    spoken,
    word,
)
from wanjia.web.words import element_name, source_name, value_words


def told(row: Mapping[str, Any], *, own: str) -> dict[str, Any]:
    """One look for the page: who (a department, never a name), what, for what, which fields, on which ground; `check`: what its receipt must say.

    A case number stays out: it belongs to whoever's case it is.
    """
    code = row["purpose"].partition(":")[0]
    purpose = book().purposes.get(code)
    return {
        "id": row["id"],
        "at": row["at"],
        "who": _who(row, own),
        "what": word(READ_KINDS, row["kind"]),
        "purpose": spoken(purpose.name) if purpose else str(OWN_PURPOSES.get(code, _("the register's own work"))),
        "groups": groups_of(row["fields"]),
        "law": purpose.law if purpose else "",
        "policies": [one.partition("@")[0] for one in row["basis"].split("; ") if one],
        "is_job": row["is_job"],
        "may_ask": row["actor"] != own,
        "seq": row["seq"],
        "check": {
            "place": row["seq"],
            "kind": row["kind"],
            "at": row["at"].astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
            "department": row["department"],
            "purpose": code,
        },
    }


def case_words(case: Case) -> dict[str, Any]:
    """A request for a list: what it is about, where it stands, until when the office has to act."""
    return {
        "id": case.id,
        "kind": word(CASE_KINDS, case.kind),
        "about": element_name(case.column) if case.column else "",
        "column": case.column,
        "department": word(OWNERS, case.department),
        "state": word(CASE_STATES, case.state),
        "outcome": word(CASE_OUTCOMES, case.outcome) if case.outcome else "",
        "opened_at": case.opened_at,
        "due_on": case.due_on if case.state in OFFICE else None,
        "is_overdue": case.state in OFFICE and case.due_on < clock.today(),
        "step": word(CASE_STEPS, OFFICE[State(case.state)]) if case.state in OFFICE else "",
        "needs_outcome": case.state in ("open", "appealed", "reopened"),
        "event": case.event_id,
        "outcomes": [(str(one), word(CASE_OUTCOMES, one)) for one in OUTCOMES[Kind(case.kind)]],
    }


def step_words(step: StepTold, story: Story, *, own: str) -> dict[str, Any]:
    """A step for the page: who (the resident, or the office, never a name), when, what was written."""
    said = step.words
    column = story.case.column
    return {
        "kind": word(CASE_STEPS, step.kind),
        "at": step.at,
        "who": _("Yourself") if step.by == own else word(OWNERS, story.case.department),
        "text": said.get("text", ""),
        "outcome": word(CASE_OUTCOMES, said["outcome"]) if said.get("outcome") else "",
        "current": value_words(column, said["current"]) if said.get("current") else "",
        "source": source_name(said["source"]) if said.get("source") else "",
        "wanted": said.get("wanted", ""),
        "now": value_words(column, said["now"]) if said.get("now") else "",
        "event": said.get("event"),
        "files": step.files,
        "is_erased": not said,
    }


def groups_of(fields: list[str]) -> list[str]:
    """The field groups that elements (keys) belong to, by their names."""
    wanted = set(fields)
    return [spoken(group.name) for group in book().fields.values() if wanted & set(group.elements)]


def _who(row: Mapping[str, Any], own: str) -> str:
    if row["actor"] == own:
        return _("Yourself")
    if row["department"]:
        return word(OWNERS, row["department"])
    return _("The register itself, many persons at once") if row["is_job"] else _("The register's office")
