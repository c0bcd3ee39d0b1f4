"""Divisions that fit what is being typed into a form: for the list that opens under the field. The form itself needs no script."""

from typing import Any
from urllib.parse import unquote

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _

from wanjia.access.api import Right
from wanjia.register import api
from wanjia.standards.api import Pick
from wanjia.web.page import Audience, page
from wanjia.web.words import division_name


@page("cases/divisions.json", audience=Audience.OFFICER, right=Right.HANDLE_EVENTS)
def suggest_divisions(request: HttpRequest) -> HttpResponse:
    """What fits what was typed on the day by which the field of the kind is read: divisions that stand then; of others what stood there instead.

    What was typed, and the day of the event, come in headers (encoded as in an address), so that no address holds them.
    """
    typed, day = (unquote(request.headers.get(name, ""))[:60] for name in ("X-Typed", "X-Day"))
    kind, field = (request.GET.get(name, "")[:60] for name in ("kind", "field"))
    on, picks = api.suggested(typed, kind=kind, field=field, happened_on=day, officer=request.user)
    found = [line for pick in picks for line in _lines(pick)]
    told = ngettext("%(count)s division fits", "%(count)s divisions fit", len(found)) % {"count": len(found)}
    return JsonResponse(
        {"on": on.isoformat(), "found": found, "told": told if found else _("No division fits")},
        json_dumps_params={"ensure_ascii": False},
    )


def _lines(pick: Pick) -> list[dict[str, Any]]:
    one, lang = pick.division, get_language() or "zh"
    if pick.is_valid:
        return [_line(one.code, one.name(lang), "")]
    since = one.valid_to.isoformat() if one.valid_to else ""
    note = _("in place of %(name)s (until %(day)s)") % {"name": one.name(lang), "day": since}
    return [_line(other.code, other.name(lang), note) for other in pick.instead]


def _line(code: str, name: str, note: str) -> dict[str, Any]:
    return {"code": code, "name": name, "whole": division_name(code, whole=True), "note": note}
