"""Residents who ask for a value to be corrected: what waits, the evidence, and the decision."""

from django.http import HttpRequest, HttpResponse

from wanjia.access.api import Right
from wanjia.services import api as services
from wanjia.services.api import Kind
from wanjia.web.casework import case_page, list_page
from wanjia.web.page import Audience, page
from wanjia.web.resident.pages.requests import as_file


@page("corrections/", audience=Audience.OFFICER, right=Right.DECIDE_CORRECTION)
def corrections(request: HttpRequest) -> HttpResponse:
    """The requests within the own reach, most urgent first."""
    return list_page(request, Kind.CORRECT, one="correction")


@page("corrections/<int:number>/", audience=Audience.OFFICER, right=Right.DECIDE_CORRECTION, methods=("GET", "POST"))
def correction(request: HttpRequest, number: int) -> HttpResponse:
    """One request: what the register said, what is right, the evidence, and the decision."""
    return case_page(
        request, Kind.CORRECT, number, one="correction", listed="corrections", evidence="correction_evidence"
    )


@page("corrections/<int:number>/evidence/<int:pk>/", audience=Audience.OFFICER, right=Right.DECIDE_CORRECTION)
def correction_evidence(request: HttpRequest, number: int, pk: int) -> HttpResponse:
    """A piece of evidence, as a file to save."""
    return as_file(*services.evidence(request.user, number, pk), number=pk)
