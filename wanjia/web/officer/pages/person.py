"""One person's page: every value with its provenance, after the purpose is stated and traced."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from wanjia.access.api import (
    Action,
    Decision,
    Right,
    Subject,
    decide,
    decide_many,
    may,
    purposes_of,
    require_decision,
)
from wanjia.access.errors import OutsideArea
from wanjia.kernel import clock
from wanjia.linkage.errors import NoLinks, NoModel
from wanjia.privacy.api import open_person
from wanjia.register.api import (
    forwarded,
    household_members,
    members_of,
    merges_of,
    person_facts,
    subject_of,
    subjects_of,
)
from wanjia.trace.api import record, who_looked
from wanjia.web.labels import purpose_words
from wanjia.web.officer import readings
from wanjia.web.officer.forms import PurposeForm, mark_mistakes
from wanjia.web.officer.portrait import portrait
from wanjia.web.page import Audience, page

READS_SHOWN = 30


@page("persons/<int:person_id>/", audience=Audience.OFFICER, right=Right.OPEN_PERSON, methods=("GET", "POST"))
def person(request: HttpRequest, person_id: int) -> HttpResponse:
    """One person. Without a stated purpose it asks for one; each time the record is shown, one more read is in the trace."""
    now_id = forwarded(person_id)
    subject = _reachable(request, now_id)
    if now_id != person_id:
        return redirect("person", now_id)
    stated = readings.stated_purpose(request, person_id)
    if request.method == "POST":
        if request.POST.get("show") == "number" and stated:
            decision = require_decision(request.user, Action.READ, subject, stated["purpose"])
            if "citizen_number" in decision.elements:
                record(
                    "privacy.show_number",
                    subject_ids=[person_id],
                    by=request.user.username,
                    why=stated["why"],
                    detail=decision.detail(),
                )
                readings.show_number(request, person_id)
            return redirect("person", person_id)
        form = PurposeForm(request.POST, account=request.user)
        if form.is_valid():
            readings.state_purpose(request, person_id, why=form.why, **form.cleaned_data)
            return redirect("person", person_id)
        return render(request, "officer/person_purpose.html", {"form": mark_mistakes(form)})
    if stated is None:
        form = PurposeForm(initial=request.session.get("last_purpose"), account=request.user)
        return render(request, "officer/person_purpose.html", {"form": form})
    decision = require_decision(request.user, Action.READ, subject, stated["purpose"])
    return _shown(request, decision, person_id, stated)


def _reachable(request: HttpRequest, person_id: int) -> Subject:
    """The person, if some purpose of this account lets it read; else the refusal that also an id of nobody gets."""
    subject = subject_of(person_id)
    if subject is None or not any(
        decide(request.user, Action.READ, subject, purpose).is_allowed for purpose in purposes_of(request.user)
    ):
        raise OutsideArea(area=request.user.area or "–")
    return subject


def _shown(request: HttpRequest, decision: Decision, person_id: int, stated: dict) -> HttpResponse:
    """Open the record (traced with the decision) and lay out what the decision allows."""
    by, why, unit, detail = request.user.username, stated["why"], request.user.department, decision.detail()
    dossier = open_person(
        person_id,
        by=by,
        why=why,
        department=unit,
        basis=decision.basis,
        fields=sorted(decision.elements),
    )
    facts = person_facts(person_id, by=by, why=why, department=unit, basis=decision.basis, detail=detail)
    mates = []
    home = next((m for m in facts["membership"] if m["valid_to"] is None), None)
    if home and "household" in decision.fields:
        around = _findable(request, members_of(home["household_id"]), stated["purpose"])
        mates = household_members(home["household_id"], by=by, why=why, department=unit, only=around, detail=detail)
    relatives = _findable(request, [r["other_id"] for r in facts["relation"]], stated["purpose"])
    context = portrait(
        dossier,
        facts,
        decision=decision,
        relatives=relatives,
        mates=mates,
        links=_links(person_id),
        reads=who_looked(person_id, limit=READS_SHOWN),
        is_number_shown=stated["is_number_shown"],
        today=clock.today(),
    )
    token = request.session.get("last_search")
    context["may_handle"] = may(request.user, Right.HANDLE_EVENTS)
    context["merges"] = merges_of(person_id)
    context["back"] = reverse("persons_found", args=[token]) if token else reverse("find_person")
    context["read"] = {"at": clock.now(), "by": request.user.display_name, "why": purpose_words(why)}
    return render(request, "officer/person.html", context)


def _findable(request: HttpRequest, person_ids: list[int], purpose: str) -> list[int]:
    """Those of these persons whom the account may find: nobody else is shown around a person, not even as an id."""
    decided = decide_many(request.user, Action.FIND, subjects_of(person_ids).values(), purpose)
    return [person_id for person_id in person_ids if person_id in decided and decided[person_id].is_allowed]


def _links(person_id: int) -> list:
    """Evidence of the links; none where linking has not run here (a register loaded from elsewhere)."""
    from wanjia.kernel import settings
    from wanjia.kernel.lake import Lake
    from wanjia.linkage.api import links_of

    try:
        return links_of(Lake.open(settings.home()), person_id)
    except (NoLinks, NoModel):
        return []
