"""Find a person: one box, hits that say why they are hits, and every search in the trace."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from wanjia.access.api import Right, search_scope
from wanjia.register.api import MOST_HITS, Form, Found, Hits, Sought, find_persons, sought_by
from wanjia.web.labels import word
from wanjia.web.listing import ROWS, Listing, page_number
from wanjia.web.officer import readings
from wanjia.web.officer.forms import FindForm, mark_mistakes
from wanjia.web.officer.labels import FOUND_BY, SLIPS
from wanjia.web.page import Audience, page
from wanjia.web.words import division_name, sex_words


@page("find/", audience=Audience.OFFICER, right=Right.FIND_PERSON, methods=("GET", "POST"))
def find_person(request: HttpRequest) -> HttpResponse:
    """Ask for a person. The query comes by POST and goes on as a token, so that no name or number is ever in an address."""
    form = FindForm(
        request.POST if request.method == "POST" else None,
        initial=request.session.get("last_purpose"),
        account=request.user,
    )
    if form.is_bound and form.is_valid():
        said = form.cleaned_data
        search = readings.Search(said["query"], said["birth_year"], said["purpose"], said["case"], form.why)
        return redirect("persons_found", readings.keep_search(request, search))
    return render(request, "officer/find_person.html", {"form": mark_mistakes(form)})


@page("find/<str:token>/", audience=Audience.OFFICER, right=Right.FIND_PERSON)
def persons_found(request: HttpRequest, token: str) -> HttpResponse:
    """The hits of a search of this session; looking again, or at the next page, is a search again, and traced again."""
    search = readings.kept_search(request, token)
    if search is None:
        return redirect("find_person")
    sought = sought_by(search.query, birth_year=search.birth_year)
    at = page_number(request)
    found = find_persons(
        sought,
        by=request.user.username,
        why=search.why,
        department=request.user.department,
        scope=search_scope(request.user, search.purpose),
        shown=slice((at - 1) * ROWS, at * ROWS),
    )
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
    context = {"form": form, "found": _laid_out(found, sought, at), "purpose": search.purpose, "case": search.case}
    return render(request, "officer/persons_found.html", context)


def _laid_out(found: Hits, sought: Sought, at: int) -> dict[str, Any]:
    rows = [
        {
            "person_id": hit.person_id,
            "name": _called(hit.by[0], sought),
            "born_in": hit.birth_year,
            "sex": sex_words(hit.sex),
            "division": division_name(hit.division, whole=True),
            "is_dead": hit.died_on is not None,
            "by": list(dict.fromkeys(_by(form) for form in hit.by)),
            "is_sure": hit.by[0].found in (Found.NUMBER, Found.HOUSEHOLD, Found.NAME, Found.PINYIN, Found.DOOR),
        }
        for hit in found.hits[(at - 1) * ROWS : at * ROWS]
    ]
    return {
        "listing": Listing(rows, found.total, at),
        "total": found.total,
        "most": MOST_HITS,
        "too_many": found.is_too_many,
        "left_out": [word(FOUND_BY, one) for one in found.left_out],
        "mistake": _mistake(sought),
        "narrowed": _narrowed(sought),
    }


def _called(form: Form, sought: Sought) -> str:
    if form.found in (Found.NAME, Found.PINYIN):
        return sought.said
    return {
        Found.NUMBER: _("the person with this number"),
        Found.NEAR_NUMBER: _("somebody with nearly this number"),
        Found.HOUSEHOLD: _("a member of this household"),
        Found.DOOR: _("somebody at this address"),
        Found.PLACE: _("somebody near this address"),
        Found.SOUND: _("somebody whose name sounds so"),
        Found.INITIALS: _("somebody with these first letters"),
    }[form.found]


def _by(form: Form) -> str:
    """Why this is a hit, in words; of a number a slip away also which slip, and where."""
    if form.near is None:
        return word(FOUND_BY, form.found)
    return str(SLIPS[form.near.slip]) % {"place": form.near.place, "after": form.near.place + 1}


def _mistake(sought: Sought) -> str | None:
    """What is wrong with a typed number: said beside the hits, because somebody else may have the number as typed."""
    if sought.number_state == "check_failed":
        return _("The last character (check digit) does not fit this citizen number. Compare it with the document.")
    return None


def _narrowed(sought: Sought) -> list[str]:
    """What the query was taken to narrow the hits to."""
    return [
        *([_("born in %(year)s") % {"year": sought.birth_year}] if sought.birth_year else []),
        *([_("born on %(day)s") % {"day": sought.birth_on.isoformat()}] if sought.birth_on else []),
        *([division_name(sought.division, whole=True)] if sought.division else []),
    ]
