"""The public log as it stands, and its check: a short one at once, the whole one by the timetable."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from wanjia.access.api import Right
from wanjia.trace import api
from wanjia.web.labels import LOG_ALARMS, word
from wanjia.web.page import Audience, page


@page("log/", audience=Audience.AUDITOR, right=Right.SEE_TRACE, methods=("GET", "POST"))
def log_check(request: HttpRequest) -> HttpResponse:
    """How the log stands and how the last checks ended; check some places at once, or ask for all of them."""
    context: dict[str, Any] = {}
    who = {"by": request.user.username, "why": "oversight"}
    if request.POST.get("check") == "whole":
        api.ask_check(**who)
        return redirect("log_check")
    if request.method == "POST":
        size, places, wrong = api.sample_check(**who)
        context["sampled"] = {"size": size, "places": places, "wrong": wrong}
    health, note = api.health(), api.checkpoint()
    context |= {
        "health": health,
        "alarms": [word(LOG_ALARMS, one) for one in health.alarms],
        "last": api.last_check(),
        "gaps": api.gaps(),
        "head": note.text if note else "",
    }
    return render(request, "auditor/log.html", context)
