"""Alerts and their outcomes, incidents, permission reviews, the time-line of a record."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from wanjia.access.api import Right
from wanjia.oversight import api
from wanjia.oversight.errors import StepNotYet
from wanjia.web.labels import (
    ALERT_STATES,
    INCIDENT_STEPS,
    NOTICE_PARTS,
    READ_KINDS,
    SEVERITIES,
    purpose_words,
    role_words,
    word,
)
from wanjia.web.listing import ROWS, whole_number
from wanjia.web.page import Audience, page
from wanjia.web.words import spoken

WHY = "oversight"
LONGEST = 4000


@page("alerts/", audience=Audience.AUDITOR, right=Right.OVERSEE)
def alerts(request: HttpRequest) -> HttpResponse:
    """Unusual reads by staff, newest first, and the rules that find them."""
    state = request.GET.get("state", "")
    state = state if state in ALERT_STATES else ""
    before = whole_number(request.GET.get("before", ""))
    found = api.alerts(state=state, before=before, limit=ROWS + 1)
    declared = api.declared_rules()
    context = {
        "rows": [_alert(alert, declared) for alert in found[:ROWS]],
        "older": found[ROWS - 1].id if len(found) > ROWS else None,
        "state": state,
        "states": ALERT_STATES,
        "rules": [
            {"name": spoken(rule.name), "meaning": spoken(rule.meaning), "version": rule.version, "is_on": rule.is_on}
            for rule in declared
        ],
    }
    return render(request, "auditor/alerts.html", context)


@page("alerts/<int:number>/", audience=Audience.AUDITOR, right=Right.OVERSEE, methods=("GET", "POST"))
def alert(request: HttpRequest, number: int) -> HttpResponse:
    """One alert: what met the rule, and its outcome."""
    who = {"by": request.user.username, "why": WHY}
    context: dict[str, Any] = {}
    if request.method == "POST":
        note, outcome = request.POST.get("note", "").strip()[:LONGEST], request.POST.get("outcome")
        if note and outcome in ("founded", "explained"):
            api.decide_alert(number, is_founded=outcome == "founded", note=note, **who)
            return redirect("alert", number)
        context["mistake"] = _("Choose an outcome and say why.")
    story = api.alert_story(number, **who)
    entries = [
        {**one, "kind_name": word(READ_KINDS, one["kind"]), "purpose_words": purpose_words(one["purpose"])}
        for one in story["entries"]
    ]
    context |= {"alert": _alert(story["alert"], api.declared_rules()), "note": story["note"], "entries": entries}
    return render(request, "auditor/alert.html", context)


@page("incidents/", audience=Audience.AUDITOR, right=Right.OVERSEE, methods=("GET", "POST"))
def incidents(request: HttpRequest) -> HttpResponse:
    """All incidents; a new one begins with what happened."""
    context: dict[str, Any] = {}
    if request.method == "POST":
        what, from_alert = _text(request), whole_number(request.POST.get("alert", ""))
        if what:
            opened = api.open_incident(
                what, alerts=[from_alert] if from_alert else [], by=request.user.username, why=WHY
            )
            return redirect("incident", opened)
        context["mistake"] = _("Say what happened.")
    context["rows"] = [
        {**one, "last_step": word(INCIDENT_STEPS, one["steps"][-1])} for one in api.incidents() if one["steps"]
    ]
    context["alert"] = whole_number(request.GET.get("alert", ""))
    return render(request, "auditor/incidents.html", context)


@page("incidents/<int:number>/", audience=Audience.AUDITOR, right=Right.OVERSEE, methods=("GET", "POST"))
def incident(request: HttpRequest, number: int) -> HttpResponse:
    """One incident from its opening to its close, the steps that may be taken now, and the notice."""
    who = {"by": request.user.username, "why": WHY}
    context: dict[str, Any] = {}
    if request.method == "POST":
        try:
            if _take(request, number, who):
                return redirect("incident", number)
            context["mistake"] = _("Say what was done.")
        except StepNotYet as error:
            context["mistake"] = error.sentence(get_language() or "zh")
    story = api.incident_story(number, **who)
    declared = api.declared_rules()
    for step in story["steps"]:
        step["name"] = word(INCIDENT_STEPS, step["kind"])
        if step["kind"] == "notify" and not step["no_notice"]:
            step["notice"] = api.notice_text(step["parts"], get_language() or "zh")
    taken = {step["kind"] for step in story["steps"]}
    context |= {
        "number": number,
        "story": story,
        "alerts": [_alert(one, declared) for one in story["alerts"]],
        # what was not done yet stands first, and so is chosen
        "steps_now": [
            (kind, word(INCIDENT_STEPS, kind))
            for kind in sorted(story["next"], key=taken.__contains__)
            if kind != "notify"
        ],
        "may_notify": "notify" in story["next"],
        "parts": [(part, NOTICE_PARTS[part], request.POST.get(part, "")) for part in api.NOTICE_PARTS],
    }
    return render(request, "auditor/incident.html", context)


@page("reviews/", audience=Audience.AUDITOR, right=Right.OVERSEE, methods=("GET", "POST"))
def reviews(request: HttpRequest) -> HttpResponse:
    """Campaigns over all accounts of staff."""
    if request.method == "POST":
        return redirect("review", api.open_review(by=request.user.username, why=WHY))
    return render(request, "auditor/reviews.html", {"rows": api.reviews()})


@page("reviews/<int:number>/", audience=Audience.AUDITOR, right=Right.OVERSEE, methods=("GET", "POST"))
def review(request: HttpRequest, number: int) -> HttpResponse:
    """The accounts of one campaign, unused ones first, with yes and no."""
    if request.method == "POST":
        account, needed = whole_number(request.POST.get("account", "")), request.POST.get("needed")
        if account is not None and needed in ("yes", "no"):
            api.answer(number, account, is_needed=needed == "yes", by=request.user.username, why=WHY)
        return redirect("review", number)
    rows = [
        {**item, "role_word": role_words(item["role"]), "is_own": item["username"] == request.user.username}
        for item in api.review_items(number)
    ]
    return render(request, "auditor/review.html", {"number": number, "rows": rows})


@page("records/", audience=Audience.AUDITOR, right=Right.OVERSEE)
def record_timeline(request: HttpRequest) -> HttpResponse:
    """What was done with one record, and when: entries of the trace, never its content."""
    person = whole_number(request.GET.get("person", ""), digits=19)
    context: dict[str, Any] = {"person": person}
    if person is not None:
        before = whole_number(request.GET.get("before", ""))
        found = api.record_timeline(person, before=before, limit=ROWS + 1, by=request.user.username, why=WHY)
        context["rows"] = [
            {
                **entry,
                "kind_name": word(READ_KINDS, entry["kind"]),
                "purpose_words": purpose_words(entry["purpose"]),
            }
            for entry in found[:ROWS]
        ]
        context["older"] = found[ROWS - 1]["id"] if len(found) > ROWS else None
    return render(request, "auditor/record_timeline.html", context)


def _alert(alert: Any, declared: list) -> dict[str, Any]:
    rule = next((rule for rule in declared if rule.code == alert.rule), None)
    return {
        "id": alert.id,
        "rule_name": spoken(rule.name) if rule else alert.rule,
        "meaning": spoken(rule.meaning) if rule else "",
        "version": alert.rule_version,
        "severity": alert.severity,
        "severity_word": word(SEVERITIES, alert.severity),
        "actor": alert.actor,
        "entries": alert.entries,
        "raised_at": alert.raised_at,
        "state": alert.state,
        "state_word": word(ALERT_STATES, alert.state),
        "decided_at": alert.decided_at,
        "decided_by": alert.decided_by,
        "incident": alert.incident_id,
    }


def _take(request: HttpRequest, number: int, who: dict[str, str]) -> bool:
    """Take the step the form asks for; False when it says nothing."""
    kind, text = request.POST.get("kind", ""), _text(request)
    if kind == "notify":
        parts = {part: request.POST.get(part, "").strip()[:LONGEST] for part in api.NOTICE_PARTS}
        reason = request.POST.get("no_notice", "").strip()[:LONGEST]
        api.notify(number, parts, needs_no_notice_because=reason, **who)
        return True
    if not text:
        return False
    if kind == "close":
        api.close_incident(number, text, **who)
    else:
        api.take_step(number, kind, text, **who)
    return True


def _text(request: HttpRequest) -> str:
    return request.POST.get("text", "").strip()[:LONGEST]
