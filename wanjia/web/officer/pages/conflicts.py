"""Conflicts between the sources of a person: the queue, what each source says beside what the register holds, and an officer's decision."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _

from wanjia.access.api import Right
from wanjia.catalog.api import deciding
from wanjia.catalog.api.deciding import Conflict, Saying, Seen, Side
from wanjia.kernel import clock
from wanjia.kernel.errors import WanjiaError
from wanjia.privacy.api import Statement, mask_number
from wanjia.web.labels import DECIDED, spoken, word
from wanjia.web.listing import whole_number
from wanjia.web.officer.cases import AT_THE_COUNTER
from wanjia.web.officer.portrait import NUMBER_TYPES, record_words, rule_words
from wanjia.web.page import Audience, page
from wanjia.web.words import check_name, element_name, sex_words, source_name, value_words, vocabulary

VERDICTS = {
    "stands": gettext_lazy("The register's value stands"),
    "correct": gettext_lazy("The chosen value is right: correct the register"),
    "returned": gettext_lazy("Send back to the sources"),
}


@page("conflicts/", audience=Audience.OFFICER, right=Right.HANDLE_EVENTS)
def conflicts(request: HttpRequest) -> HttpResponse:
    """How many conflicts wait, by what was found. No person is read."""
    waiting = deciding.conflicts_waiting(officer=request.user, purpose=AT_THE_COUNTER)
    rows = [
        {"kind": code, "name": check_name(code), "meaning": spoken(check.meaning), "open": waiting[code]}
        for code, check in vocabulary().checks.items()
        if code in waiting
    ]
    rows.sort(key=lambda row: -row["open"])
    return render(request, "officer/conflicts.html", {"rows": rows, "total": sum(waiting.values())})


@page("conflicts/next/", audience=Audience.OFFICER, right=Right.HANDLE_EVENTS)
def next_conflict(request: HttpRequest) -> HttpResponse:
    """On to the conflict that is due first, of one kind if asked; back to the queue when none waits."""
    kind = _asked_kind(request)
    found = deciding.next_conflict(
        kind=kind,
        after=whole_number(request.GET.get("after", ""), digits=18),
        officer=request.user,
        purpose=AT_THE_COUNTER,
    )
    return redirect(f"/officer/conflicts/{found.id}/?kind={kind}") if found else redirect("conflicts")


@page("conflicts/<int:pk>/", audience=Audience.OFFICER, right=Right.HANDLE_EVENTS, methods=("GET", "POST"))
def conflict(request: HttpRequest, pk: int) -> HttpResponse:
    """What each source says beside what holds, traced before it is shown; the decision needs a reason, and leads on to the next conflict or to the
    case that corrects the register.
    """
    ask = {"officer": request.user, "purpose": AT_THE_COUNTER}
    kind, error, ground, right = _asked_kind(request), "", "", ""
    if request.method == "POST":
        ground, right = request.POST.get("v-ground", ""), request.POST.get("right", "")[:80]
        verdict = request.POST.get("verdict", "")
        if verdict in VERDICTS:
            try:
                made = deciding.decide_conflict(
                    pk, verdict, ground, mark=request.POST.get("mark", "")[:200], right=right, **ask
                )
                if made.case is not None:
                    return redirect("case_form", made.case)
                return redirect(f"/officer/conflicts/next/?kind={kind}")
            except WanjiaError as refused:
                error = refused.sentence(get_language() or "zh")
    seen = deciding.open_conflict(pk, **ask)
    return render(
        request,
        "officer/conflict.html",
        {
            **_told(seen, right),
            "error": error,
            "ground": ground,
            "kind": kind,
        },
    )


def _told(seen: Seen, right: str) -> dict[str, Any]:
    """The template's context of a conflict; only what the decision shows is in `seen`."""
    found, check = seen.conflict, vocabulary().checks.get(seen.conflict.kind)
    sides = [_side(side, right, is_other=number > 0) for number, side in enumerate(seen.sides)]
    may_be_right = any(cell.get("right") for side in sides for row in side["rows"] for cell in row["cells"])
    return {
        "conflict": found,
        "mark": seen.mark,
        "name": check_name(found.kind),
        "meaning": spoken(check.meaning) if check else "",
        "law": check.law if check else "",
        "element": element_name(found.element),
        "sources": [source_name(one) for one in found.sources],
        "is_late": found.due_on < clock.today(),
        "sides": sides,
        "decided": _decided(found),
        "verdicts": [(key, name) for key, name in VERDICTS.items() if key != "correct" or may_be_right],
        "may_be_right": may_be_right,
    }


def _decided(found: Conflict) -> dict[str, Any] | None:
    made = found.decided
    if made is None:
        return None
    return {"verdict": word(DECIDED, made.verdict), "by": made.by, "at": made.at, "case": made.case}


def _side(side: Side, right: str, *, is_other: bool) -> dict[str, Any]:
    """One person as a table: a row for each record, a column for each entry in question; what the register holds comes first."""
    columns = list(dict.fromkeys([*side.held, *(saying.column for saying in side.sayings)]))
    records: list[tuple[Statement, dict[str, Saying]]] = []
    for saying in side.sayings:
        mine = next((said for statement, said in records if statement is saying.statement), None)
        if mine is None:
            records.append((saying.statement, mine := {}))
        mine[saying.column] = saying
    records += [(statement, {}) for statement in side.unshown]
    # what is objected to comes first, then the newest
    records.sort(key=lambda one: (not _is_objected(one[1]), -(one[0].as_of.toordinal() if one[0].as_of else 0)))
    return {
        "person": side.person,
        "is_other": is_other,
        "columns": [{"name": element_name(c), "order": _order(c)} for c in columns],
        "held": [
            {
                "name": element_name(c),
                "shown": _shown(c, belief.value, side),
                "why": rule_words(belief),
                "source": _winner(belief),
            }
            if (belief := side.held.get(c))
            else {"name": element_name(c)}
            for c in columns
        ],
        "rows": [
            {
                "source": source_name(statement.source),
                "reliability": _reliability(statement.source),
                "as_of": statement.as_of,
                "record": record_words(statement),
                "is_objected": _is_objected(said),
                "is_shown": bool(said),
                "cells": [_cell(side, said[c], right) if c in said else {"name": element_name(c)} for c in columns],
            }
            for statement, said in records
        ],
    }


def _cell(side: Side, saying: Saying, right: str) -> dict[str, Any]:
    name = deciding.right_of(side, saying) if saying.can_be_right else ""
    return {
        "name": element_name(saying.column),
        "shown": _shown(saying.column, saying.value, side),
        "agrees": saying.is_held,
        "right": name,
        "is_chosen": bool(name) and name == right,
    }


def _is_objected(said: dict[str, Saying]) -> bool:
    # a record that says nothing of what is shown is here because it is objected to
    return not said or any(one.is_objected for one in said.values())


def _winner(belief: Any) -> str:
    return source_name(belief.winner.source) if belief.winner else str(_("several sources"))


def _shown(column: str, value: str, side: Side) -> str:
    """A value in words; a number masked, with what it says of birth and sex where those are shown anyway."""
    if vocabulary().columns[column].type not in NUMBER_TYPES:
        return value_words(column, value)
    masked = mask_number(value)
    if column != "citizen_number" or len(value) != 18 or not value[:17].isdigit():
        return masked
    told = []
    if "birth_on" in side.elements:
        told.append(f"{value[6:10]}-{value[10:12]}-{value[12:14]}")
    if "sex" in side.elements:
        told.append(sex_words("1" if int(value[16]) % 2 else "2"))
    return f"{masked} ({', '.join(told)})" if told else masked


def _order(column: str) -> list[str]:
    """The declared order of sources for a column: those of it that are sources."""
    element = vocabulary().elements[vocabulary().columns[column].element]
    known = vocabulary().sources
    return [source_name(one) for one in element.resolve.precedence if one in known]


def _reliability(source: str) -> float | None:
    declared = vocabulary().sources.get(source)
    return declared.reliability if declared else None


def _asked_kind(request: HttpRequest) -> str:
    kind = request.GET.get("kind", "")
    return kind if kind in vocabulary().checks else ""
