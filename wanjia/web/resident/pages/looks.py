"""Who looked: the list, the receipt of one look, and the check of receipts in the resident's own browser."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from wanjia.access.api import Right
from wanjia.services import api as services
from wanjia.trace.api import sealed_counts
from wanjia.web.listing import whole_number
from wanjia.web.page import Audience, page
from wanjia.web.resident.own import READ_FOR, own_person
from wanjia.web.resident.telling import told


@page("looks/", audience=Audience.RESIDENT, right=Right.SEE_OWN_RECORD)
def looks(request: HttpRequest) -> HttpResponse:
    """Who looked at the own record: when, which department, for what, which fields, on which ground; newest first."""
    person_id, own = own_person(request), request.user.username
    before, with_own = whole_number(request.GET.get("before", ""), digits=18), request.GET.get("own") == "1"
    found = services.looks(person_id, own=own, with_own=with_own, before=before)
    months, next_on = services.months(person_id, own=own)
    context = {
        "looks": [told(row, own=own) for row in found.rows],
        "older": found.older,
        "since": found.since,
        "is_first": before is None,
        "with_own": with_own,
        "months": months,
        "next_on": next_on,
        "sealed": sealed_counts(),
    }
    return render(request, "resident/looks.html", context)


@page("looks/<int:number>/receipt/", audience=Audience.RESIDENT, right=Right.SEE_OWN_RECORD)
def look_receipt(request: HttpRequest, number: int) -> HttpResponse:
    """The receipt of one look, to keep: a tlog-proof file that anybody's checker takes."""
    place, content = services.receipt(own_person(request), number, by=request.user.username, why=READ_FOR)
    answer = HttpResponse(content, content_type="text/plain; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="look-{place}.tlog-proof"'
    return answer


@page("looks/check/", audience=Audience.RESIDENT, right=Right.SEE_OWN_RECORD)
def check_receipt(request: HttpRequest) -> HttpResponse:
    """Check a receipt that was kept against the log of today, in the browser; nothing is sent."""
    return render(request, "resident/check_receipt.html")
