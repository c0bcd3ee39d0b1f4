"""The population of past years in the divisions of a day, for programs: protected numbers, with a bearer token."""

from django.http import HttpRequest, HttpResponse, JsonResponse

from wanjia.access.api import machine_of
from wanjia.kernel.errors import WanjiaError
from wanjia.register import api
from wanjia.web.exchange.answers import bearer, problem
from wanjia.web.page import Audience, page
from wanjia.web.series_asked import asked_series


@page("exchange/v1/population/years", audience=Audience.PUBLIC, right=None)
def machine_population_years(request: HttpRequest) -> HttpResponse:
    """The series an address asks for (area, by, divisions_on, from, to); a count held back is null. The account's role must hold the right."""
    try:
        told = api.series_told(api.restated_series(officer=machine_of(bearer(request)), **asked_series(request.GET)))
    except WanjiaError as error:
        return problem(request, error)
    return JsonResponse(told, json_dumps_params={"ensure_ascii": False})
