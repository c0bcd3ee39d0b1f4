"""Population by area and by age and sex: protected aggregates, with day, definition and source on each page."""

import json
from functools import lru_cache
from pathlib import Path
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from wanjia.access.api import Right, significant
from wanjia.kernel import settings
from wanjia.privacy.api import SMALLEST_COUNT
from wanjia.register.api import population_by_area, population_pyramid
from wanjia.web.page import Audience, page
from wanjia.web.planner import years
from wanjia.web.population_words import shown
from wanjia.web.series_asked import BASES
from wanjia.web.words import division_name

__all__ = ["years"]

LEVELS = {
    "county": gettext_lazy("counties and districts"),
    "town": gettext_lazy("towns and sub-districts"),
    "village": gettext_lazy("communities and villages"),
}


@lru_cache(maxsize=4)
def _shapes(folder: Path) -> dict[str, dict]:
    """Every area shape of the profile by code; shapes of the operator's own areas are loaded with their review number."""
    found: dict[str, dict] = {}
    for file in sorted((folder / "divisions").glob("*.geojson")):
        for feature in json.loads(file.read_text(encoding="utf-8"))["features"]:
            found[feature["properties"]["code"]] = feature
    return found


def _in_force(shape: dict, on: str) -> bool:
    properties = shape["properties"]
    return properties["valid_from"] <= on and (not properties["valid_to"] or on < properties["valid_to"])


def _inside(shapes: dict[str, dict], code: str, on: str) -> list[str]:
    """Codes directly inside `code` that are in force on a day, in order of code."""
    return sorted(c for c, s in shapes.items() if s["properties"]["parent"] == code and _in_force(s, on))


def _asked(request: HttpRequest, shapes: dict[str, dict]) -> tuple[str, str]:
    """(area, basis) of the address; the widest area and the living there by default."""
    top = next((c for c, s in shapes.items() if s["properties"]["parent"] not in shapes), "")
    area = request.GET.get("area", top)
    basis = request.GET.get("by", "residence")
    return (area if area in shapes else top), (basis if basis in BASES else "residence")


def _texts(basis: str) -> dict[str, Any]:
    """Definition and source of the figures."""
    definition = (
        _("People alive on that day whose stated place of living is here; without a statement, their registered place.")
        if basis == "residence"
        else _("People alive on that day whose household registration is here.")
    )
    return {
        "definition": definition,
        "origin": _("Register state, from the active deliveries of all sources"),
        "minimum": SMALLEST_COUNT,
        "by": basis,
        "choices": [{"code": code, "label": label} for code, label in BASES.items()],
    }


@page("population/", audience=Audience.PLANNER, right=Right.SEE_POPULATION)
def population(request: HttpRequest) -> HttpResponse:
    """The areas inside one area: map, list, protected counts."""
    from wanjia.kernel.clock import today

    shapes = _shapes(settings.profile_dir())
    area, basis = _asked(request, shapes)
    inside = _inside(shapes, area, today().isoformat())
    counted = population_by_area(basis=basis, within=significant(area), areas=[significant(c) for c in inside])
    if counted is None or not area:
        return render(request, "planner/not_counted.html", {"by": basis})
    rows = [
        {
            "code": code,
            "name": division_name(code),
            "people": counted.areas[significant(code)].people,
            "shown": shown(counted.areas[significant(code)]),
            "is_divided": any(s["properties"]["parent"] == code for s in shapes.values()),
        }
        for code in inside
    ]
    rows.sort(key=lambda row: (-(row["people"] or 0), row["code"]))
    parent = shapes[area]["properties"]["parent"]
    level = shapes[inside[0]]["properties"]["level"] if inside else ""
    people = [row["people"] for row in rows if row["people"] is not None]
    return render(
        request,
        "planner/population.html",
        {
            "here": {"code": area, "name": division_name(area)},
            "above": {"code": parent, "name": division_name(parent)} if parent in shapes else None,
            "rows": rows,
            "most": max(people, default=0),
            "largest": next((row for row in rows if row["people"]), {}),
            "hidden": sum(row["people"] is None for row in rows),
            "total": shown(counted.total),
            "level_word": LEVELS.get(level, ""),
            "as_of": counted.as_of,
            "shapes": {"type": "FeatureCollection", "features": [shapes[code] for code in inside]},
            "chart": {
                "areas": [{k: row[k] for k in ("code", "name", "people", "shown")} for row in rows],
                "words": {"missing": _("no figure")},
            },
            **_texts(basis),
        },
    )


@page("pyramid/", audience=Audience.PLANNER, right=Right.SEE_POPULATION)
def pyramid(request: HttpRequest) -> HttpResponse:
    """Age and sex of one area, in five-year groups."""
    shapes = _shapes(settings.profile_dir())
    area, basis = _asked(request, shapes)
    counted = population_pyramid(basis=basis, within=significant(area)) if area else None
    if counted is None:
        return render(request, "planner/not_counted.html", {"by": basis})
    groups = [
        {
            "label": f"{g.first}–{g.last}" if g.last is not None else f"{g.first}+",
            "men": shown(g.men),
            "women": shown(g.women),
        }
        for g in counted.groups
    ]
    points = [
        {
            "label": row["label"],
            "men": g.men.people,
            "women": g.women.people,
            "men_text": row["men"],
            "women_text": row["women"],
        }
        for row, g in zip(groups, counted.groups, strict=True)
    ]
    return render(
        request,
        "planner/pyramid.html",
        {
            "here": {"code": area, "name": division_name(area)},
            "areas": _choosable(shapes),
            "groups": list(reversed(groups)),
            "figures": _figures(counted),
            "as_of": counted.as_of,
            "chart": {"groups": points, "words": {"men": _("Men"), "women": _("Women"), "years": _("years")}},
            **_texts(basis),
        },
    )


def _figures(counted: Any) -> list[dict[str, str]]:
    """Total, sex ratio and the three ages a planner asks for first; a share needs all its parts to be given."""

    def share(chosen: list[int | None], whole: list[int | None]) -> str:
        if any(n is None for n in [*chosen, *whole]) or not sum(n or 0 for n in whole):
            return "…"
        return f"{sum(n or 0 for n in chosen) / sum(n or 0 for n in whole) * 100:.1f}%"

    men, women = [g.men.people for g in counted.groups], [g.women.people for g in counted.groups]
    everyone = [*men, *women]

    def aged(first: int, last: int) -> list[int | None]:
        return [n for g in counted.groups if first <= g.first <= last for n in (g.men.people, g.women.people)]

    ratio = "…"
    if None not in everyone and sum(women):
        ratio = f"{sum(men) / sum(women) * 100:.1f}"
    return [
        {
            "label": _("People"),
            "value": shown(counted.total),
            "note": _("as of %(at)s") % {"at": counted.as_of.isoformat()},
        },
        {"label": _("Sex ratio"), "value": ratio, "note": _("men to 100 women")},
        {"label": _("Aged 0–14"), "value": share(aged(0, 10), everyone), "note": _("of people of known age")},
        {"label": _("Aged 15–64"), "value": share(aged(15, 60), everyone), "note": _("of people of known age")},
        {"label": _("Aged 65 and over"), "value": share(aged(65, 200), everyone), "note": _("of people of known age")},
    ]


def _choosable(shapes: dict[str, dict]) -> list[dict[str, str]]:
    """The areas of the select: city, districts, towns, in order of code, indented by level."""
    indents = {"city": "", "county": "　", "town": "　　"}
    chosen = [
        s["properties"]
        for s in shapes.values()
        if s["properties"]["level"] in indents and not s["properties"]["valid_to"]
    ]
    chosen.sort(key=lambda p: significant(p["code"]))
    return [{"code": p["code"], "name": division_name(p["code"]), "indent": indents[p["level"]]} for p in chosen]
