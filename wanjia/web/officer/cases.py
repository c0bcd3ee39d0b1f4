"""Events at the officer's desk: the work queue, the form of a kind, one case and what may happen to it next."""

import uuid
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _

from wanjia.access.api import Right
from wanjia.kernel import clock
from wanjia.kernel.errors import WanjiaError
from wanjia.register import api
from wanjia.register.api import Case
from wanjia.register.declared import EventKind
from wanjia.register.errors import CaseMovedOn, FieldError, FormRefused
from wanjia.web.labels import spoken
from wanjia.web.listing import whole_number
from wanjia.web.officer import event_form
from wanjia.web.page import Audience, page
from wanjia.web.words import place_words, value_words

#: for what an officer handles cases: whoever is in one sees it, with the number of the case
AT_THE_COUNTER = "case"
ON_A_PAGE = 30
#: tab → statuses it holds; each open case is in one of these, late ones are shown once more
TABS = {
    "drafts": (gettext_lazy("Drafts"), ("draft",)),
    "review": (gettext_lazy("To be checked"), ("submitted", "in_review")),
    "returned": (gettext_lazy("Returned"), ("returned",)),
    "registered": (gettext_lazy("To be issued"), ("registered",)),
}
LATE, DONE = "late", "done"
ASSIGN = "assign"
CLOSED = ("issued", "refused", "withdrawn", "revoked")


@page("cases/", audience=Audience.OFFICER, right=Right.HANDLE_EVENTS)
def work_queue(request: HttpRequest) -> HttpResponse:
    """The cases of the own area and the own drafts, by what they wait for."""
    tab = request.GET.get("tab", "")
    tab = tab if tab in (*TABS, LATE, DONE) else "review"
    sizes = api.queue_sizes(officer=request.user)
    statuses = None if tab == LATE else CLOSED if tab == DONE else TABS[tab][1]
    rows = api.cases(
        officer=request.user,
        purpose=AT_THE_COUNTER,
        statuses=statuses,
        mine=request.GET.get("mine") == "1",
        late=tab == LATE,
        before=whole_number(request.GET.get("before", ""), digits=18),
        limit=ON_A_PAGE + 1,
    )
    counts = [(key, name, sum(sizes[one] for one in held)) for key, (name, held) in TABS.items()]
    counts += [(LATE, _("Overdue"), sizes[LATE]), (DONE, _("Closed"), sum(sizes[one] for one in CLOSED))]
    context = {
        "tabs": [{"key": key, "name": name, "count": count, "is_here": key == tab} for key, name, count in counts],
        "tab": tab,
        "is_mine": request.GET.get("mine") == "1",
        "rows": [_line(case) for case in rows[:ON_A_PAGE]],
        "older": rows[ON_A_PAGE - 1].id if len(rows) > ON_A_PAGE else None,
    }
    return render(request, "officer/work_queue.html", context)


@page("cases/new/", audience=Audience.OFFICER, right=Right.HANDLE_EVENTS)
def new_case(request: HttpRequest) -> HttpResponse:
    """Every kind of event, to begin one; with `person`, for that person."""
    person = whole_number(request.GET.get("person", ""), digits=19)
    kinds = [
        {"code": kind.code, "name": spoken(kind.name), "meaning": spoken(kind.meaning), "role": _first_role(kind)}
        for kind in api.event_kinds()
    ]
    return render(request, "officer/new_case.html", {"kinds": kinds, "person": person})


@page("cases/new/<str:code>/", audience=Audience.OFFICER, right=Right.HANDLE_EVENTS, methods=("GET", "POST"))
def begin_case(request: HttpRequest, code: str) -> HttpResponse:
    """The blank form of a kind; the first save makes the draft, and the same form sent twice makes the same one."""
    kind = api.event_book().kind(code)
    if request.method == "POST":
        form = _filled(request, kind, _typed(request, kind))
        try:
            case = api.open_case(
                code, form, key=request.POST.get("key") or None, officer=request.user, purpose=AT_THE_COUNTER
            )
        except WanjiaError as error:
            return _form(request, kind, form, error=error)
        if "submit" not in case.may:
            return redirect("case", case.id)
        return _go_on(request, case, form)
    people = {
        party.role: [number]
        for party in kind.parties
        if (number := whole_number(request.GET.get(party.role, ""), digits=19)) is not None and not party.is_new
    }
    return _form(
        request, kind, _filled(request, kind, {"people": {role: list(map(str, ids)) for role, ids in people.items()}})
    )


@page("cases/<int:pk>/form/", audience=Audience.OFFICER, right=Right.HANDLE_EVENTS, methods=("GET", "POST"))
def case_form(request: HttpRequest, pk: int) -> HttpResponse:
    """The form of a draft, or of a case that came back. With `check`, also what is wrong with it now."""
    case = api.read_case(pk, officer=request.user, purpose=AT_THE_COUNTER)
    if "submit" not in case.may:
        return redirect("case", pk)
    kind = api.event_book().kind(case.kind)
    if request.method == "POST":
        form = _filled(request, kind, _typed(request, kind))
        version = whole_number(request.POST.get("version", ""), digits=9) or 0
        try:
            if version != case.version or form != case.form:
                case = api.keep_draft(pk, form, version=version, officer=request.user, purpose=AT_THE_COUNTER)
        except WanjiaError as error:
            return _form(request, kind, form, case=case, error=error)
        return _go_on(request, case, form)
    form, problems = dict(case.form or {}), {}
    if request.GET.get("check"):
        problems = api.check_form(case.kind, form, officer=request.user, purpose=AT_THE_COUNTER)
    return _form(request, kind, form, case=case, problems=problems)


@page("cases/<int:pk>/", audience=Audience.OFFICER, right=Right.HANDLE_EVENTS, methods=("GET", "POST"))
def case(request: HttpRequest, pk: int) -> HttpResponse:
    """One case: what it says, what was done with it, and what may happen next."""
    error: WanjiaError | None = None
    if request.method == "POST":
        try:
            _do(request, pk, whole_number(request.POST.get("version", ""), digits=9) or 0)
            return redirect("case", pk)
        except WanjiaError as refused:
            error = refused
    found = api.read_case(pk, officer=request.user, purpose=AT_THE_COUNTER)
    steps = api.case_steps(pk, officer=request.user, purpose=AT_THE_COUNTER)
    return render(request, "officer/case.html", _told(found, steps, error, request))


def _do(request: HttpRequest, pk: int, version: int) -> None:
    """Give the case to somebody's desk, or do what may happen next with it."""
    asked: dict[str, Any] = {"version": version, "officer": request.user, "purpose": AT_THE_COUNTER}
    verb = request.POST.get("verb", "")[:40]
    if verb == ASSIGN:
        api.assign_case(pk, request.POST.get("to", "")[:64], **asked)
    else:
        api.move_case(pk, verb, reason=request.POST.get("reason", ""), **asked)


def _typed(request: HttpRequest, kind: EventKind) -> dict[str, Any]:
    return event_form.typed(kind, request.POST, officer=request.user, purpose=AT_THE_COUNTER)


def _told(found: Case, steps: list, error: WanjiaError | None, request: HttpRequest) -> dict[str, Any]:
    lifecycle = api.event_book().lifecycle
    kind = api.event_book().kinds.get(found.kind)
    form = found.form or {}
    values = form.get("values", {}) if isinstance(form.get("values"), dict) else {}
    lang = get_language() or "zh"
    moves = [lifecycle.move(verb) for verb in found.may if verb != "submit"]
    return {
        "case": _line(found),
        "may_edit": "submit" in found.may,
        "moves": [{"verb": m.verb, "name": spoken(m.name), "needs_reason": m.needs_reason} for m in moves if m],
        "may_preview": found.kind == api.MERGE and "register" in found.may,
        "needs_reason": any(m.needs_reason for m in moves if m),
        "people": [
            {"role": spoken(party.name) if (party := kind and kind.party(role)) else role, "ids": ids}
            for role, ids in found.people.items()
        ],
        "said": [
            (spoken(one.name), event_form.shown_value(one, values[key]))
            for key, one in (kind.fields.items() if kind else ())
            if values.get(key) not in (None, "", {})
            and one.type != "relations"
            and event_form.is_asked(kind, one, values)
        ],
        "steps": [
            {
                "at": step.at,
                "by": step.by,
                "verb": spoken(move.name) if (move := lifecycle.move(step.verb)) else _OTHERS.get(step.verb, step.verb),
                "status": spoken(lifecycle.status(step.status).name),
                "reason": step.reason,
            }
            for step in steps
        ],
        "error": error.sentence(lang) if error else "",
        "problems": [
            (_label(kind, where), problem.sentence(lang))
            for where, said in (error.problems.items() if isinstance(error, FormRefused) else ())
            for problem in said
        ],
        "desks": [
            {"username": one.username, "name": one.display_name, "is_own": one.pk == request.user.pk}
            for one in api.desks_for(found)
        ],
        "typed_reason": request.POST.get("reason", "")[:500] if error else "",
    }


_OTHERS = {"open": gettext_lazy("opened"), "save": gettext_lazy("saved"), "assign": gettext_lazy("assigned")}


def _label(kind: EventKind | None, where: str) -> str:
    if kind is None:
        return where
    if one := kind.fields.get(where):
        return spoken(one.name) if one.name else where
    if party := kind.party(where):
        return spoken(party.name)
    return next((spoken(one.name) for one in kind.evidence if f"evidence.{one.key}" == where), "")


def _line(found: Case) -> dict[str, Any]:
    """A case as lists show it."""
    kind = api.event_book().kinds.get(found.kind)
    return {
        "id": found.id,
        "name": spoken(kind.name) if kind else found.kind,
        "status": spoken(api.event_book().lifecycle.status(found.status).name),
        "version": found.version,
        "office": place_words(
            "case_office", found.office, registration=clock.day_of(found.registered_at) if found.registered_at else None
        ),
        "opened_at": found.opened_at,
        "opened_by": found.opened_by,
        "assigned_to": found.assigned_to,
        "handled_by": found.handled_by,
        "happened_on": found.happened_on,
        "due_on": found.due_on,
        "is_late": found.is_late,
        "registered_at": found.registered_at,
        "request": found.request,
        "is_draft": found.status == api.event_book().lifecycle.first,
    }


def _go_on(request: HttpRequest, found: Case, form: dict[str, Any]) -> HttpResponse:
    """After a save: submit, if that was asked for; what is wrong is said on the form of the kept draft."""
    if request.POST.get("do") != "submit":
        checks = "?check=1" if request.POST.get("do") == "check" else "?saved=1"
        return redirect(f"/officer/cases/{found.id}/form/{checks}")
    try:
        api.submit_case(found.id, form, version=found.version, officer=request.user, purpose=AT_THE_COUNTER)
    except FormRefused:
        return redirect(f"/officer/cases/{found.id}/form/?check=1")
    except CaseMovedOn:
        return redirect("case", found.id)
    return redirect("case", found.id)


def _form(
    request: HttpRequest,
    kind: EventKind,
    form: dict[str, Any],
    *,
    case: Case | None = None,
    problems: dict[str, list[FieldError]] | None = None,
    error: WanjiaError | None = None,
) -> HttpResponse:
    if isinstance(error, FormRefused):
        problems, error = error.problems, None
    context = {
        "kind": {"code": kind.code, "name": spoken(kind.name), "meaning": spoken(kind.meaning), "law": kind.law},
        "case": case,
        "key": request.POST.get("key") or uuid.uuid4(),
        "error": error.sentence(get_language() or "zh") if error else "",
        "is_saved": bool(request.GET.get("saved")),
        "is_checked": bool(request.GET.get("check")) and not problems,
        **event_form.drawn(kind, form, problems or {}, _members(request, kind, form)),
    }
    return render(request, "officer/event_form.html", context)


def _filled(request: HttpRequest, kind: EventKind, form: dict[str, Any]) -> dict[str, Any]:
    """The form with empty fields filled in from what the officer may read of the persons in it."""
    values = dict(form.get("values") or {})
    empty = [
        key
        for key, one in kind.fields.items()
        if one.prefill and not values.get(key) and event_form.is_asked(kind, one, values)
    ]
    if not empty:
        return form
    reached = api.parties_of(kind.code, form, officer=request.user, purpose=AT_THE_COUNTER)
    people = {role: ids[0] for role, ids in reached.items() if ids}
    ask = {"fields": empty, "officer": request.user, "purpose": AT_THE_COUNTER}
    household = next(
        (api.household_typed(values.get(k)) for k, f in kind.fields.items() if f.type == "household"), None
    )
    known = api.prefilled(kind.code, people, household=household, **ask)
    if household is None and (home := api.household_typed(known.get("household"))) is not None:
        known |= api.prefilled(kind.code, people, household=home, **ask)
    return {**form, "values": {**values, **{key: said for key, said in known.items() if not values.get(key)}}}


def _members(request: HttpRequest, kind: EventKind, form: dict[str, Any]) -> list[dict[str, Any]]:
    """Who may need a relation to a head: the parties, and who belongs to their households."""
    if not any(one.type == "relations" for one in kind.fields.values()):
        return []
    people = api.parties_of(kind.code, form, officer=request.user, purpose=AT_THE_COUNTER)
    named = [person for ids in people.values() for person in ids]
    if not named:
        return []
    rows = api.members_around(kind.code, named, officer=request.user, purpose=AT_THE_COUNTER)
    return [
        {
            "person_id": row["person_id"],
            "words": " · ".join(
                str(one)
                for one in (
                    row["birth_year"],
                    _("head") if row["is_head"] else value_words("relation_to_head", row["relation"]),
                )
                if one and one != "–"
            ),
        }
        for row in rows
    ]


def _first_role(kind: EventKind) -> str:
    return next((party.role for party in kind.parties if not party.is_new), "")
