"""What held when: a page of one person, and JSON for programs of the officer's desk, over the officer's own session; both with purpose, decision
and trace like the person's page.
"""

from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext, gettext_lazy

from wanjia.access.api import Right
from wanjia.access.errors import OutsideArea, PurposeUnknown, RightMissing
from wanjia.kernel import clock
from wanjia.kernel.errors import WanjiaError
from wanjia.register import api as register
from wanjia.register.api import Node
from wanjia.register.errors import PersonUnknown
from wanjia.web.labels import RELATIONS, RESIDENCES, word
from wanjia.web.officer import readings
from wanjia.web.officer.forms import CASE, mark_mistakes
from wanjia.web.officer.names import MOST_NAMED, called
from wanjia.web.page import Audience, page
from wanjia.web.words import element_name, place_words, value_words

#: kind of residence → the use of its code (divisions/anchors.toml)
USES = {"domicile": "domicile_division", "residence": "residence_division"}
#: beyond these no time zone can be reckoned with
EARLIEST_YEAR, LATEST_YEAR = 1800, 9000
STATUS: dict[type[WanjiaError], int] = {RightMissing: 403, OutsideArea: 404, PersonUnknown: 404, PurposeUnknown: 400}


class QuestionUnreadable(WanjiaError):
    """A day, a moment, a basis or a division is not written as it should be."""

    code = "WEB-020"
    zh = "参数 {name} 无法识别。日期写作 2026-01-31，时刻写作 2026-01-31T12:00:00Z，基准为 domicile 或 residence。"
    en = "The parameter {name} cannot be read. A day is 2026-01-31, a moment 2026-01-31T12:00:00Z, a basis domicile or residence."
    exit_code = 2


class DayForm(forms.Form):
    """The day asked about, and as known at the end of which day."""

    true_on = forms.DateField(
        label=gettext_lazy("True on"),
        required=False,
        widget=forms.DateInput({"type": "date", "class": "form-control"}, format="%Y-%m-%d"),
    )
    known_on = forms.DateField(
        label=gettext_lazy("As known at the end of (optional)"),
        required=False,
        widget=forms.DateInput({"type": "date", "class": "form-control"}, format="%Y-%m-%d"),
    )


@page("persons/<int:person_id>/on-a-day/", audience=Audience.OFFICER, right=Right.OPEN_PERSON)
def person_on_a_day(request: HttpRequest, person_id: int) -> HttpResponse:
    """One person as of a day, as known on a day: state, household with who belonged to it, residences, relations.

    Needs the purpose stated on the person's page; each showing is a read of its own in the trace.
    """
    stated = readings.stated_purpose(request, person_id)
    if stated is None:
        return redirect("person", person_id)
    given = {"true_on": clock.today().isoformat(), **request.GET.dict()}
    form = mark_mistakes(DayForm(given))
    context: dict[str, Any] = {"form": form, "person_id": person_id}
    if form.is_valid():
        day = form.cleaned_data["true_on"] or clock.today()
        known = form.cleaned_data["known_on"]
        ask = {
            "true_on": day,
            "known_on": _end_of(known) if known and known < clock.today() else None,
            "officer": request.user,
            "purpose": stated["purpose"],
            "why": stated["why"],
        }
        context |= {"day": day, "known": known, **_held(person_id, ask)}
    return render(request, "officer/person_on_a_day.html", context)


@page("persons/<int:person_id>/household/", audience=Audience.OFFICER, right=Right.OPEN_PERSON)
def household_of_person(request: HttpRequest, person_id: int) -> HttpResponse:
    """The household a person belongs to now, in the order of its book, and who belonged to it before, by name where the purpose shows it: each
    opened and traced. Needs the stated purpose.
    """
    stated = readings.stated_purpose(request, person_id)
    if stated is None:
        return redirect("person", person_id)
    ask = {"officer": request.user, "purpose": stated["purpose"], "why": stated["why"]}
    try:
        facts = register.person_as_of(person_id, true_on=clock.today(), **ask)
    except PersonUnknown:
        # who has died, or of whom nothing holds today, has a page that leads here, and no household
        facts = {"membership": []}
    home = next((one["household_id"] for one in facts["membership"]), None)
    book = register.household_history(home, **ask) if home is not None else None
    members = book.members if book else []
    names = called([one.person_id for one in members], **ask)
    rows = [
        {
            "person_id": one.person_id,
            "called": names.get(one.person_id),
            "relation": gettext("head") if one.is_head else value_words("relation_to_head", one.relation),
            "since": one.since,
            "until": one.until,
        }
        for one in members
    ]
    context = {
        "person_id": person_id,
        "household": home,
        "is_some_unnamed": len({row["person_id"] for row in rows}) > MOST_NAMED,
        "most_named": MOST_NAMED,
        "now": [row for row in rows if row["until"] is None],
        "before": [row for row in rows if row["until"] is not None],
        "trees": _trees(book.trees, {row["person_id"]: row for row in rows if row["until"] is None}) if book else [],
        "history": _history(rows),
    }
    return render(request, "officer/household.html", context)


def _trees(nodes: list[Node], rows: dict[int, dict[str, Any]]) -> list[dict[str, Any]]:
    """Trees of relations for the template: each person with what they are to the head."""
    return [
        {
            "person": rows[one.person_id],
            "spouse": rows.get(one.spouse_id) if one.spouse_id is not None else None,
            "children": _trees(one.children, rows),
        }
        for one in nodes
    ]


def _history(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What happened to the household, newest first: who came, who left, whose place in it changed."""
    ended = {(row["person_id"], row["until"]) for row in rows if row["until"]}
    begun = {(row["person_id"], row["since"]) for row in rows}
    found = []
    for row in rows:
        if row["since"]:
            is_change = (row["person_id"], row["since"]) in ended
            what = gettext("is now: %(relation)s") if is_change else gettext("entered as: %(relation)s")
            found.append(
                {
                    "day": row["since"],
                    "person_id": row["person_id"],
                    "called": row["called"],
                    "what": what % {"relation": row["relation"]},
                }
            )
        if row["until"] and (row["person_id"], row["until"]) not in begun:
            found.append(
                {
                    "day": row["until"],
                    "person_id": row["person_id"],
                    "called": row["called"],
                    "what": gettext("left"),
                }
            )
    return sorted(found, key=lambda one: (one["day"], one["person_id"]), reverse=True)


def _end_of(day: date) -> datetime:
    """The moment a day ends, where the registry is."""
    return timezone.make_aware(datetime.combine(day + timedelta(days=1), time.min))


def _held(person_id: int, ask: dict[str, Any]) -> dict[str, Any]:
    """What held, in words; empty lists where nothing was known."""
    try:
        facts = register.person_as_of(person_id, **ask)
    except PersonUnknown:
        return {"is_nothing": True}
    state = facts["state"][0] if facts["state"] else {}
    shown = [
        (element_name(column), value_words(column, value.isoformat() if isinstance(value, date) else value))
        for column in ("sex", "birth_on", "registration_state", "marital_status")
        if (value := state.get(column)) is not None
    ]
    if state.get("died_on"):
        shown.append((gettext("Died"), state["died_on"].isoformat()))
    homes = []
    for home in facts["membership"]:
        try:
            members = register.household_as_of(home["household_id"], **ask)
        except PersonUnknown:
            members = []
        homes.append(
            [
                {
                    "person_id": one.person_id,
                    "relation": gettext("head") if one.is_head else value_words("relation_to_head", one.relation),
                    "since": one.since,
                }
                for one in members
            ]
        )
    return {
        "state": shown,
        "homes": homes,
        "residences": [
            {
                "kind": word(RESIDENCES, one["kind"]),
                "division": place_words(USES[one["kind"]], one["division"], residence=one["valid_from"]),
                "from": one["valid_from"],
                "to": one["valid_to"],
            }
            for one in facts["residence"]
        ],
        "relations": [
            {"label": word(RELATIONS, one["kind"]), "person_id": one["other_id"], "from": one["valid_from"]}
            for one in facts["relation"]
        ],
    }


@page("api/as-of/persons/<int:person_id>", audience=Audience.OFFICER, right=Right.OPEN_PERSON)
def person_as_of(request: HttpRequest, person_id: int) -> HttpResponse:
    """The facts of a person: GET with `purpose`, and `case`, `true_on`, `known_on` if asked for."""
    return _answered(
        request,
        lambda when, purpose: register.person_as_of(
            person_id, **when, officer=request.user, purpose=purpose, why=_why(request)
        ),
    )


@page("api/as-of/households/<int:household_id>", audience=Audience.OFFICER, right=Right.OPEN_PERSON)
def household_as_of(request: HttpRequest, household_id: int) -> HttpResponse:
    """Who belonged to a household."""

    def ask(when: dict[str, Any], purpose: str) -> Any:
        members = register.household_as_of(
            household_id, **when, officer=request.user, purpose=purpose, why=_why(request)
        )
        return {"members": [asdict(one) for one in members]}

    return _answered(request, ask)


@page("api/as-of/areas/<str:division>", audience=Audience.OFFICER, right=Right.FIND_PERSON)
def area_as_of(request: HttpRequest, division: str) -> HttpResponse:
    """Who was registered or lived in a division (`basis`)."""

    def ask(when: dict[str, Any], purpose: str) -> Any:
        found = register.area_as_of(
            division, **when, **_basis(request), officer=request.user, purpose=purpose, why=_why(request)
        )
        return {"people": [asdict(one) for one in found.people], "is_too_many": found.is_too_many}

    return _answered(request, ask)


@page("api/as-of/counts/<str:division>", audience=Audience.STAFF, right=Right.SEE_POPULATION)
def count_as_of(request: HttpRequest, division: str) -> HttpResponse:
    """How many were registered or lived in a division; small numbers are held back. Needs no purpose: nobody is read."""

    def ask(when: dict[str, Any], purpose: str) -> Any:
        count = register.count_as_of(division, **when, **_basis(request), officer=request.user)
        return {"people": count.people, "is_held_back": count.is_held_back}

    return _answered(request, ask)


def _answered(request: HttpRequest, ask: Callable[[dict[str, Any], str], Any]) -> HttpResponse:
    """The answer as JSON, or a problem (RFC 9457) in the user's language."""
    try:
        when = {
            "true_on": _read(request, "true_on", date.fromisoformat),
            "known_on": _read(request, "known_on", _moment),
        }
        said = ask(when, request.GET.get("purpose", ""))
    except ValueError:
        return _problem(request, QuestionUnreadable(name="basis, division"))
    except WanjiaError as error:
        return _problem(request, error)
    return JsonResponse({"schema": 1, **said}, json_dumps_params={"ensure_ascii": False})


def _read(request: HttpRequest, name: str, reads: Callable[[str], Any]) -> Any:
    text = request.GET.get(name, "")
    if not text:
        return None
    try:
        when = reads(text[:40])
    except ValueError:
        raise QuestionUnreadable(name=name) from None
    if not EARLIEST_YEAR <= when.year <= LATEST_YEAR:
        raise QuestionUnreadable(name=name)
    return when


def _moment(text: str) -> datetime:
    when = datetime.fromisoformat(text)
    return when if when.tzinfo else when.replace(tzinfo=UTC)


def _basis(request: HttpRequest) -> dict[str, str]:
    return {"basis": request.GET["basis"]} if request.GET.get("basis") else {}


def _why(request: HttpRequest) -> str:
    """Purpose and case as the trace keeps them; a case that is no case number is left out."""
    purpose, case = request.GET.get("purpose", ""), request.GET.get("case", "")
    return f"{purpose}:{case}" if case and CASE.match(case) else purpose


def _problem(request: HttpRequest, error: WanjiaError) -> HttpResponse:
    status = STATUS.get(type(error), 400)
    said = {
        "type": f"urn:wanjia:error:{error.code}",
        "title": type(error).__name__,
        "status": status,
        "detail": error.sentence(getattr(request, "LANGUAGE_CODE", "zh")),
        "code": error.code,
    }
    return JsonResponse(
        said, status=status, content_type="application/problem+json", json_dumps_params={"ensure_ascii": False}
    )
