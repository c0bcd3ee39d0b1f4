"""The start page, and the own record with its provenance."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from wanjia.access.api import Right
from wanjia.kernel import clock
from wanjia.web.page import Audience, page
from wanjia.web.resident.own import open_own, own_person
from wanjia.web.resident.portrait import household_of, own_groups


@page("residents/", audience=Audience.PUBLIC, right=None)
def resident_start(request: HttpRequest) -> HttpResponse:
    """What residents can do here, before they log in."""
    return render(request, "resident/start.html")


@page("", audience=Audience.RESIDENT, right=Right.SEE_OWN_RECORD)
def resident_home(request: HttpRequest) -> HttpResponse:
    """What there is for the person. Nothing of the record is read for it."""
    own_person(request)
    return render(request, "resident/home.html")


@page("record/", audience=Audience.RESIDENT, right=Right.SEE_OWN_RECORD)
def own_record(request: HttpRequest) -> HttpResponse:
    """Each value held of the person: since when, from which source, why it is believed."""
    own = open_own(request)
    context = {
        "groups": own_groups(own.dossier, own.decision),
        "household": household_of(own.facts),
        "read_at": clock.now(),
    }
    return render(request, "resident/record.html", context)
