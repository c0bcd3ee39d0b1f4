"""What a division code stood for, what it came from and what it became: for anybody, nothing personal."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import get_language

from wanjia.standards import api as standards
from wanjia.standards.api import Division, Divisions
from wanjia.web.page import Audience, page


@page("divisions/", audience=Audience.PUBLIC, right=None)
def find_division(request: HttpRequest) -> HttpResponse:
    """Type a code; its lineage has an address of its own."""
    typed = request.GET.get("code", "").strip()
    if typed.isascii() and typed.isdigit() and len(typed) in (6, 9, 12):
        return redirect("division_lineage", typed)
    return render(request, "public/division.html", {"typed": typed[:20], "is_wrong": bool(typed)})


@page("divisions/<str:code>/", audience=Audience.PUBLIC, right=None)
def division_lineage(request: HttpRequest, code: str) -> HttpResponse:
    """Everything one code has stood for, oldest first, and what stands there today."""
    divisions = standards.load_profile().divisions
    spans = divisions.spans(code)
    context: dict[str, Any] = {"typed": code[:20], "code": code[:20], "is_unknown": not spans}
    if spans:
        context["spans"] = [_span(divisions, one) for one in spans]
        context["name"] = spans[-1].name(_lang())
        context["today"] = [_named(one) for one in divisions.resolve(code).today]
        context["children"] = [_named(one) for one in divisions.children(code)]
    return render(request, "public/division.html", context, status=200 if spans else 404)


def _span(divisions: Divisions, one: Division) -> dict[str, Any]:
    became = divisions.became(one) if one.valid_to else []
    return {
        "path": _lineage_words([above.name(_lang()) for above in divisions.path(one.code, one.valid_from)]),
        "name": one.name(_lang()),
        "since": one.valid_from,
        "until": one.valid_to,
        "is_year": one.precision == "year",
        "came_from": [{**_named(before), **_shares(divisions, before, one, 1)} for before in divisions.came_from(one)],
        "became": [{**_named(after), **_shares(divisions, one, after, 0)} for after in became],
    }


def _shares(divisions: Divisions, old: Division, new: Division, which: int) -> dict[str, Any]:
    told = divisions.shares.get((old.code, old.valid_to, new.code), (None, None))[which]
    return {"percent": None if told is None else f"{float(told) * 100:.4g}%"}


def _named(one: Division) -> dict[str, Any]:
    return {"code": one.code, "name": one.name(_lang())}


def _lineage_words(names: list[str]) -> str:
    return ", ".join(reversed(names)) if _lang() == "en" else "".join(names)


def _lang() -> str:
    return get_language() or "zh"
