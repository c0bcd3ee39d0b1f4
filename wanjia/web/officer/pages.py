"""Find a person, and one person's page: every value with its provenance, after the purpose is stated and traced."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _

from wanjia.access.api import (
    Action,
    Decision,
    Right,
    Subject,
    break_glass,
    decide,
    decide_many,
    mark_seen,
    may,
    may_break_glass,
    purposes_of,
    require_decision,
    revoke_grant,
    search_scope,
)
from wanjia.access.api import notices as notices_for
from wanjia.access.errors import OutsideArea
from wanjia.kernel import clock
from wanjia.linkage.errors import NoLinks, NoModel
from wanjia.privacy.api import open_person
from wanjia.register.api import (
    find_persons,
    forwarded,
    household_members,
    members_of,
    numbers_of,
    person_facts,
    sought_by,
    subject_of,
    subjects_of,
)
from wanjia.trace.api import record, who_looked
from wanjia.web.labels import OWNERS, purpose_words, word
from wanjia.web.listing import whole_number
from wanjia.web.officer import (
    as_of,  # noqa: F401  declares its pages
    cases,  # noqa: F401  declares its pages
    readings,
)
from wanjia.web.officer.emergency import EmergencyForm
from wanjia.web.officer.forms import FindForm, PurposeForm, mark_mistakes
from wanjia.web.officer.portrait import portrait
from wanjia.web.page import Audience, page
from wanjia.web.words import division_name, sex_words

SOUND = ("sound", "sound15")
READS_SHOWN = 30


@page("find/", audience=Audience.OFFICER, right=Right.FIND_PERSON, methods=("GET", "POST"))
def find_person(request: HttpRequest) -> HttpResponse:
    """Ask for a person. The query comes by POST and goes on as a token, so that no name or number is ever in an address."""
    form = FindForm(
        request.POST if request.method == "POST" else None,
        initial=request.session.get("last_purpose"),
        account=request.user,
    )
    if form.is_bound and form.is_valid() and (mistake := _mistake_in(form.cleaned_data["query"])):
        form.add_error("query", mistake)
    if form.is_bound and form.is_valid():
        said = form.cleaned_data
        search = readings.Search(said["query"], said["birth_year"], said["purpose"], said["case"], form.why)
        return redirect("persons_found", readings.keep_search(request, search))
    return render(request, "officer/find_person.html", {"form": mark_mistakes(form)})


@page("find/<str:token>/", audience=Audience.OFFICER, right=Right.FIND_PERSON)
def persons_found(request: HttpRequest, token: str) -> HttpResponse:
    """The hits of a search of this session; looking again is a search again, and traced again."""
    search = readings.kept_search(request, token)
    if search is None:
        return redirect("find_person")
    sought = sought_by(search.query)
    found = find_persons(
        sought.forms,
        by=request.user.username,
        why=search.why,
        birth_year=search.birth_year,
        scope=search_scope(request.user, search.purpose),
    )
    rows = [
        {
            "person_id": hit.person_id,
            "name": _("the person with this number") if sought.number_state else search.query,
            "born_in": hit.birth_year,
            "sex": sex_words(hit.sex),
            "division": division_name(hit.division, whole=True),
            "is_dead": hit.died_on is not None,
        }
        for hit in found.hits
    ]
    request.session["last_search"] = token
    form = FindForm(
        account=request.user,
        initial={
            "query": search.query,
            "birth_year": search.birth_year,
            "purpose": search.purpose,
            "case": search.case,
        },
    )
    context = {
        "form": form,
        "found": {
            "total": found.total,
            "most": found.total,
            "rows": rows,
            "too_many": found.is_too_many,
            "purpose": search.purpose,
            "case": search.case,
        },
    }
    return render(request, "officer/persons_found.html", context)


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
    by, why, detail = request.user.username, stated["why"], decision.detail()
    dossier = open_person(
        person_id,
        by=by,
        why=why,
        department=request.user.department,
        basis=decision.basis,
        fields=sorted(decision.elements),
    )
    facts = person_facts(person_id, by=by, why=why, detail=detail)
    mates = []
    home = next((m for m in facts["membership"] if m["valid_to"] is None), None)
    if home and "household" in decision.fields:
        around = _findable(request, members_of(home["household_id"]), stated["purpose"])
        mates = household_members(home["household_id"], by=by, why=why, only=around, detail=detail)
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
    context["back"] = reverse("persons_found", args=[token]) if token else reverse("find_person")
    context["read"] = {"at": clock.now(), "by": request.user.display_name, "why": purpose_words(why)}
    return render(request, "officer/person.html", context)


def _findable(request: HttpRequest, person_ids: list[int], purpose: str) -> list[int]:
    """Those of these persons whom the account may find: nobody else is shown around a person, not even as an id."""
    decided = decide_many(request.user, Action.FIND, subjects_of(person_ids).values(), purpose)
    return [person_id for person_id in person_ids if person_id in decided and decided[person_id].is_allowed]


@page("emergency/", audience=Audience.OFFICER, right=Right.BREAK_GLASS, methods=("GET", "POST"))
def emergency(request: HttpRequest) -> HttpResponse:
    """Open a record outside the own area to protect life or health: with a reason, for a time; supervisor and person are told."""
    form = EmergencyForm(request.POST if request.method == "POST" else None, account=request.user)
    if form.is_bound and form.is_valid() and (mistake := _mistake_in(form.cleaned_data["query"])):
        form.add_error("query", mistake)
    if form.is_bound and form.is_valid():
        said = form.cleaned_data
        ids = {person for found in numbers_of(said["query"]) for person in found}
        urgent = [s for s in subjects_of(ids).values() if may_break_glass(request.user, s, said["purpose"])]
        if len(urgent) == 1:
            break_glass(
                request.user, urgent[0], purpose=said["purpose"], reason=said["reason"], minutes=said["minutes"]
            )
            readings.state_purpose(request, urgent[0].person_id, purpose=said["purpose"], case="", why=said["purpose"])
            return redirect("person", urgent[0].person_id)
        record("access.break_glass_refused", by=request.user.username, why=said["purpose"])
        form.add_error(
            "query",
            _(
                "No record can be opened by emergency under this number: nobody has it, it lies within your area, or it needs a supervisor."
            ),
        )
    return render(request, "officer/emergency.html", {"form": form})


@page("notices/", audience=Audience.OFFICER, right=Right.SEE_NOTICES, methods=("GET", "POST"))
def notices(request: HttpRequest) -> HttpResponse:
    """What a supervisor is told: emergencies of the own area's officers, each with its reason; an open one can be ended."""
    if request.method == "POST" and (number := whole_number(request.POST.get("end", ""), digits=18)) is not None:
        revoke_grant(request.user, number, why="supervision")
        return redirect("notices")
    rows = [
        {"told": told, "purpose": purpose_words(told.purpose), "department": word(OWNERS, told.department)}
        for told in notices_for(request.user)
    ]
    mark_seen(request.user)
    return render(request, "officer/notices.html", {"rows": rows})


def _links(person_id: int) -> list:
    """Evidence of the links; none where linking has not run here (a register loaded from elsewhere)."""
    from wanjia.kernel import settings
    from wanjia.kernel.lake import Lake
    from wanjia.linkage.api import links_of

    try:
        return links_of(Lake.open(settings.home()), person_id)
    except (NoLinks, NoModel):
        return []


def _mistake_in(query: str) -> str | None:
    """What is wrong with a typed number, or None; said before searching, because a mistyped number finds nobody or somebody else."""
    state = sought_by(query).number_state
    if state == "check_failed":
        return _("The last character (check digit) does not fit this citizen number. Compare it with the document.")
    if state is not None and state not in SOUND:
        return _("This is not a citizen number: it has 18 characters, or 15 digits before 1999.")
    return None
