"""Residents who ask why the department looked: what waits, and the answer."""

from django.http import HttpRequest, HttpResponse

from wanjia.access.api import Right
from wanjia.services.api import Kind
from wanjia.web.casework import case_page, list_page
from wanjia.web.page import Audience, page


@page("asked/", audience=Audience.STEWARD, right=Right.ANSWER_ASKED)
def asked(request: HttpRequest) -> HttpResponse:
    """The questions to the own department, most urgent first."""
    return list_page(request, Kind.ASK, one="asked_case")


@page("asked/<int:number>/", audience=Audience.STEWARD, right=Right.ANSWER_ASKED, methods=("GET", "POST"))
def asked_case(request: HttpRequest, number: int) -> HttpResponse:
    """One question: the look, what the resident writes, and the answer."""
    return case_page(request, Kind.ASK, number, one="asked_case", listed="asked")
