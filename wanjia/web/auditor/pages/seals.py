"""Sealed reads, and opening one before its day."""

import re
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from wanjia.access.api import Right
from wanjia.kernel import clock
from wanjia.trace import api
from wanjia.trace.errors import OpenedAlready, SealUnknown, SecondPersonNeeded
from wanjia.web.listing import ROWS, whole_number
from wanjia.web.page import Audience, page

#: a number, so that no name gets into the trace
FILE = re.compile(r"[0-9A-Za-z\-/]{1,40}")


@page("seals/", audience=Audience.AUDITOR, right=Right.OPEN_SEALS, methods=("GET", "POST"))
def seals(request: HttpRequest) -> HttpResponse:
    """Sealed reads, newest first, without who read and about whom; ask for an early opening, or agree to it."""
    context: dict[str, Any] = {}
    if request.method == "POST":
        try:
            mistake = _open(request)
        except (SealUnknown, OpenedAlready, SecondPersonNeeded) as refused:
            mistake = refused.sentence(get_language() or "zh")
        if not mistake:
            return redirect("seals")
        context["mistake"] = mistake
    found = api.seals(before=whole_number(request.GET.get("before", "")), limit=ROWS + 1)
    context |= {
        "counts": api.sealed_counts(),
        "rows": [_row(seal, request.user.username) for seal in found[:ROWS]],
        "older": found[ROWS - 1]["number"] if len(found) > ROWS else None,
    }
    return render(request, "auditor/seals.html", context)


def _open(request: HttpRequest) -> str:
    """Ask or agree, as the form says; what is wrong with it."""
    entry, file = whole_number(request.POST.get("entry", "")), request.POST.get("file", "").strip()
    if entry is None or not FILE.fullmatch(file):
        return _("Give the number of the file in which the reason stands: letters, digits, “-” and “/” only.")
    api.open_early(entry, by=request.user.username, why=f"oversight:{file}")
    return ""


def _row(seal: dict[str, Any], username: str) -> dict[str, Any]:
    is_due = seal["opened_at"] is not None or seal["opens_on"] <= clock.today()
    is_own = seal["asked_by"] == username
    return {**seal, "is_due": is_due, "is_own": is_own and not is_due, "may_open": not is_due and not is_own}
