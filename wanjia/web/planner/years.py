"""The population of past years in the divisions of today or of another day: a page, and the same as JSON."""

from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils.translation import get_language

from wanjia.access.api import Right
from wanjia.privacy.api import SMALLEST_COUNT
from wanjia.register import api
from wanjia.register.errors.divisions import AreaNotThere, YearNotCounted
from wanjia.standards import api as standards
from wanjia.web.page import Audience, page
from wanjia.web.population_words import shown
from wanjia.web.series_asked import BASES, asked_series


@page("population/years/", audience=Audience.PLANNER, right=Right.SEE_POPULATION)
def population_years(request: HttpRequest) -> HttpResponse:
    """Years beside each other in one set of divisions, with the shares that were used and who could not be told apart."""
    asked = asked_series(request.GET)
    context: dict[str, Any] = {
        "asked": asked,
        "by": asked["basis"],
        "choices": [{"code": code, "label": label} for code, label in BASES.items()],
        "minimum": SMALLEST_COUNT,
    }
    try:
        series = api.restated_series(officer=request.user, **asked)
    except YearNotCounted:
        return render(request, "planner/not_counted.html", context)
    except AreaNotThere as refused:
        context["refusal"] = refused.sentence(get_language() or "zh")
        return render(request, "planner/years.html", context, status=404)
    lang = get_language() or "zh"
    divisions = standards.load_profile().divisions
    above = divisions.find(series.here.parent, series.divisions_on) if series.here and series.here.parent else None
    context |= {
        "here": series.here,
        "name": series.here.name(lang) if series.here else "",
        "above": above,
        "above_name": above.name(lang) if above else "",
        "days": [day.as_of for day in series.days],
        "rows": [
            {
                "code": area.code,
                "name": area.name(lang),
                "is_divided": bool(divisions.children(area.code, series.divisions_on)),
                "cells": [(shown(day.areas[area.code].count), day.areas[area.code].is_estimate) for day in series.days],
            }
            for area in series.areas
        ],
        "apart": [shown(day.apart) for day in series.days],
        "total": [shown(day.total) for day in series.days],
        "counted_at": series.days[-1].counted_at,
        "shares": [
            {
                "old": one.old,
                "new": one.new,
                "on": one.on,
                "percent": f"{float(one.share) * 100:.4g}%",
                "is_back": one.is_back,
            }
            for one in sorted(
                {use for day in series.days for use in day.used}, key=lambda use: (use.on, use.old, use.new)
            )
        ],
    }
    return render(request, "planner/years.html", context)


@page("population/years.json", audience=Audience.PLANNER, right=Right.SEE_POPULATION)
def population_years_told(request: HttpRequest) -> HttpResponse:
    """The same series for a program of the planner's; a count that is held back is null."""
    try:
        series = api.restated_series(officer=request.user, **asked_series(request.GET))
    except (AreaNotThere, YearNotCounted) as refused:
        sentence = refused.sentence(get_language() or "zh")
        return JsonResponse(
            {"code": refused.code, "detail": sentence}, status=404, json_dumps_params={"ensure_ascii": False}
        )
    return JsonResponse(api.series_told(series), json_dumps_params={"ensure_ascii": False})
