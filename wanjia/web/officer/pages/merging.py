"""Two entries of one person: beside each other with what would stay, before a case is made of it; and a merge undone."""

import uuid
from contextlib import suppress
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import get_language

from wanjia.access.api import Right
from wanjia.kernel import clock
from wanjia.kernel.errors import WanjiaError
from wanjia.linkage.api import reviewing
from wanjia.linkage.errors import PairDecided, ReasonNeeded, ReviewCaseUnknown
from wanjia.register import api
from wanjia.register.declared import EventKind
from wanjia.register.errors import FormRefused
from wanjia.web.labels import spoken
from wanjia.web.listing import whole_number
from wanjia.web.officer import event_form
from wanjia.web.officer.beside import side_by_side
from wanjia.web.officer.cases import AT_THE_COUNTER
from wanjia.web.page import Audience, page

CHOICE = "c-"  # before a field's key: whose value is taken


@page("persons/<int:person_id>/merge/", audience=Audience.OFFICER, right=Right.HANDLE_EVENTS, methods=("GET", "POST"))
def merge_persons(request: HttpRequest, person_id: int) -> HttpResponse:
    """What merging another entry into this person would do; each look is traced for both. Submitting makes the case, which another decides."""
    kind, person = api.event_book().kind(api.MERGE), api.forwarded(person_id)
    if person != person_id:
        return redirect("merge_persons", person)
    given = request.POST if request.method == "POST" else request.GET
    form = event_form.typed(kind, _asked(given, person), officer=request.user, purpose=AT_THE_COUNTER)
    choices = {key: given.get(f"{CHOICE}{key}", "") for key in kind.fields}
    context: dict[str, Any] = {
        "kind": _named(kind),
        "person": person,
        "typed_other": given.get("p-other", given.get("other", ""))[:40],
        "ground": form["values"]["ground"],
        "household": form["values"]["household"],
        "declarant": form["declarant"],
        "declarants": event_form.declarants(kind),
        "key": given.get("key") or uuid.uuid4(),
        "pair": whole_number(given.get("pair", ""), digits=18),
    }
    if not context["typed_other"]:
        return render(request, "officer/merge.html", context)
    ask = {"officer": request.user, "purpose": AT_THE_COUNTER}
    is_asked, case = request.method == "POST" and given.get("do") == "submit", 0
    if is_asked and given.get("key"):
        # the draft comes first: the same page sent twice finds its case, and not an open case that stands against the merge
        draft = api.open_case(api.MERGE, form, key=given["key"], **ask)
        if "submit" not in draft.may:
            return redirect("case", draft.id)
        case = draft.id
    try:
        take = {key for key, who in choices.items() if who == "other"}
        seen = api.preview_merge(form, take=take, case=case, **ask)
    except FormRefused as refused:
        return render(request, "officer/merge.html", {**context, "mistakes": _sentences(kind, refused)})
    if is_asked and not seen.problems:
        answer = _submitted(request, api.MERGE, seen.form)
        if context["pair"] is not None and {seen.person, seen.other} == _persons_of(context["pair"]):
            # the merge is what an officer found of the pair; somebody may have been faster, and the case tells so
            with suppress(PairDecided, ReviewCaseUnknown, ReasonNeeded):
                reviewing.decide_pair(context["pair"], "same", form["values"]["ground"], **ask)
        return answer
    problems = {key: said for key, said in seen.problems.items() if is_asked or key not in ("ground", "declarant")}
    context |= side_by_side(seen, choices) | {"mistakes": _sentences(kind, FormRefused(problems))}
    return render(request, "officer/merge.html", context)


@page("cases/<int:pk>/merge/", audience=Audience.OFFICER, right=Right.HANDLE_EVENTS)
def merge_of_case(request: HttpRequest, pk: int) -> HttpResponse:
    """What registering a submitted merge would do now: for who decides it."""
    case = api.read_case(pk, officer=request.user, purpose=AT_THE_COUNTER)
    if case.kind != api.MERGE or "register" not in case.may:
        return redirect("case", pk)
    kind = api.event_book().kind(api.MERGE)
    context = {"kind": _named(kind), "case": pk}
    try:
        seen = api.preview_merge(dict(case.form or {}), case=pk, officer=request.user, purpose=AT_THE_COUNTER)
    except FormRefused as refused:
        return render(request, "officer/merge.html", {**context, "mistakes": _sentences(kind, refused)})
    context |= side_by_side(seen, {}) | {"mistakes": _sentences(kind, FormRefused(seen.problems))}
    return render(request, "officer/merge.html", context)


@page(
    "persons/<int:person_id>/unmerge/<int:merge>/",
    audience=Audience.OFFICER,
    right=Right.HANDLE_EVENTS,
    methods=("GET", "POST"),
)
def undo_merge(request: HttpRequest, person_id: int, merge: int) -> HttpResponse:
    """Ask for a merge to be undone; another officer decides, and then both are as they were."""
    kind = api.event_book().kind(api.UNMERGE)
    ground = request.POST.get("v-ground", "")
    declarant = request.POST.get("declarant", "")
    context = {
        "kind": _named(kind),
        "person": person_id,
        "merge": merge,
        "ground": ground,
        "declarant": declarant,
        "declarants": event_form.declarants(kind),
        "former": api.former_ids(person_id),
        "key": request.POST.get("key") or uuid.uuid4(),
    }
    if request.method == "POST":
        values = {"merge": str(merge), "on": clock.today().isoformat(), "ground": ground}
        form = {"values": values, "people": {"person": [str(person_id)]}, "declarant": declarant}
        problems = api.check_form(kind.code, form, officer=request.user, purpose=AT_THE_COUNTER)
        if not problems:
            return _submitted(request, kind.code, form)
        context["mistakes"] = _sentences(kind, FormRefused(problems))
    return render(request, "officer/unmerge.html", context)


def _persons_of(pair: int) -> set[int]:
    try:
        found = reviewing.pair_of(pair)
    except ReviewCaseUnknown:
        return set()
    return {found.person_l, found.person_r}


def _asked(given: Any, person: int) -> Any:
    """What was typed, in the names the form of a kind has."""
    asked = given.copy()
    asked["p-person"] = str(person)
    asked["p-other"] = given.get("p-other", given.get("other", ""))
    asked["v-on"] = clock.today().isoformat()
    for key in api.event_book().kind(api.MERGE).fields:
        if key not in ("on", "ground", "household"):
            asked[f"v-{key}"] = ""
    return asked


def _submitted(request: HttpRequest, code: str, form: Any) -> HttpResponse:
    ask = {"officer": request.user, "purpose": AT_THE_COUNTER}
    case = api.open_case(code, form, key=request.POST.get("key") or None, **ask)
    if "submit" not in case.may:
        return redirect("case", case.id)
    try:
        case = api.submit_case(case.id, form, version=case.version, **ask)
    except WanjiaError:
        return redirect(f"/officer/cases/{case.id}/form/?check=1")
    return redirect("case", case.id)


def _named(kind: EventKind) -> dict[str, str]:
    return {"code": kind.code, "name": spoken(kind.name), "meaning": spoken(kind.meaning), "law": kind.law}


def _sentences(kind: EventKind, refused: FormRefused) -> list[tuple[str, str, str]]:
    """(control, label, sentence) of each mistake."""
    lang, found = get_language() or "zh", []
    for where, said in refused.problems.items():
        field, party = kind.fields.get(where), kind.party(where)
        label = spoken(field.name) if field and field.name else spoken(party.name) if party else ""
        control = "declarant" if where == "declarant" else f"p-{where}" if party else f"v-{where}"
        found += [(control, label, problem.sentence(lang)) for problem in said]
    return found
