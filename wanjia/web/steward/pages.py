"""Runs, quarantine, scorecards, findings, linkage: what a data steward looks after."""

from collections import Counter
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from wanjia.access.api import Right, may, purposes_of
from wanjia.catalog import api as catalog
from wanjia.catalog.errors import NoRunYet
from wanjia.intake import api as intake
from wanjia.kernel import clock
from wanjia.linkage import api as linkage
from wanjia.linkage.errors import NoModel
from wanjia.register.api import sizes
from wanjia.web.labels import DECIDED, DIMENSIONS, RUN_STATES, STAGES, grouped, spoken, word
from wanjia.web.listing import ROWS, Listing, page_number, whole_number
from wanjia.web.page import Audience, is_fragment, page
from wanjia.web.steward import asked, divisions
from wanjia.web.words import check_name, element_name, source_name

__all__ = ["asked", "divisions"]

RUN_TONES = {"done": "good", "failed": "bad", "open": "teal"}
DELIVERIES_SHOWN = 60
# lowest ratio of each shade of the matrix, worst first
GRADES = ((0.90, 1), (0.97, 2), (0.995, 3))


@page("runs/", audience=Audience.STEWARD, right=Right.SEE_RUNS)
def runs(request: HttpRequest) -> HttpResponse:
    """The newest run, its deliveries and stages, and the runs before it."""
    latest = catalog.runs(limit=1)
    return _run_page(request, catalog.run_named(latest[0]["id"]) if latest else None)


@page("runs/<int:run_id>/", audience=Audience.STEWARD, right=Right.SEE_RUNS)
def run(request: HttpRequest, run_id: int) -> HttpResponse:
    """One run."""
    return _run_page(request, catalog.run_named(run_id))


def _run_page(request: HttpRequest, shown: dict[str, Any] | None) -> HttpResponse:
    if shown is None:
        return render(request, "steward/runs.html", {"run": None})
    deliveries = [_delivery(d) for d in intake.deliveries(limit=DELIVERIES_SHOWN)]
    counted = [d for d in deliveries if d["is_counted"]]
    together: dict[str, Any] = {
        key: sum(d[key] for d in counted) for key in ("rows_in", "accepted", "quarantined", "repeats")
    }
    together["is_balanced"] = all(d["is_balanced"] for d in counted)
    stages = [{**s, "label": word(STAGES, s["stage"])} for s in shown["stages"]]
    context = {
        "run": _dressed(shown),
        "flow": _flow(shown, together),
        "deliveries": deliveries,
        "together": together,
        "stages": stages,
        "longest": max((s["seconds"] for s in stages), default=0),
        "runs": [_dressed(r) for r in catalog.runs()],
    }
    return render(request, "steward/runs.html", context)


def _dressed(run: dict[str, Any]) -> dict[str, Any]:
    """A run with its state in words and its length in seconds (None while it runs)."""
    seconds = (run["finished_at"] - run["started_at"]).total_seconds() if run["finished_at"] else None
    return {
        **run,
        "seconds": seconds,
        "state_word": word(RUN_STATES, run["state"]),
        "tone": RUN_TONES.get(run["state"], ""),
    }


def _delivery(delivery: Any) -> dict[str, Any]:
    counts = {key: getattr(delivery, key) or 0 for key in ("rows_in", "accepted", "quarantined", "repeats")}
    return {
        "id": delivery.id,
        "source_name": source_name(delivery.source),
        "received_at": delivery.received_at,
        "status": delivery.status,
        **counts,
        "is_counted": delivery.status == "standardised",
        "is_balanced": counts["rows_in"] == counts["accepted"] + counts["quarantined"] + counts["repeats"],
    }


def _flow(run: dict[str, Any], together: dict[str, Any]) -> list[dict[str, Any]]:
    """The stages a newcomer understands, each with its count: delivered, accepted, linked, persons, households."""
    linked = run["outcome"].get("linkage") or linkage.latest_figures() or {}
    bands = linked.get("bands", {})
    held = _held_after(run)

    def note(text: str, number: int) -> str:
        return text % {"n": grouped(number)}

    return [
        {
            "label": _("Rows delivered"),
            "count": together["rows_in"],
            "note": note(_("%(n)s exact repeats"), together["repeats"]),
        },
        {
            "label": _("Accepted"),
            "count": together["accepted"],
            "note": note(_("%(n)s quarantined"), together["quarantined"]),
        },
        {
            "label": _("Records linked"),
            "count": bands.get("link"),
            "note": note(_("%(n)s for review"), bands.get("review", 0)),
        },
        {
            "label": _("Persons"),
            "count": held["persons"],
            "note": note(_("%(n)s review cases"), linked.get("review") or 0),
        },
        {"label": _("Households"), "count": held["households"], "note": _("registered")},
    ]


def _held_after(run: dict[str, Any]) -> dict[str, int]:
    """Persons and households in the register when the run had ended, as kept with it; of one that has not, as the last one left it."""
    kept = run["outcome"].get("sizes")
    if kept is None and run["state"] != "done":
        kept = (catalog.latest_run() or run)["outcome"].get("sizes")
    # runs of before this figure was kept: counted now
    return sizes() if kept is None else kept


@page("quarantine/", audience=Audience.STEWARD, right=Right.SEE_QUARANTINE)
def quarantine(request: HttpRequest) -> HttpResponse:
    """Refused rows by source, reason and delivery."""
    chosen = {
        "source": request.GET.get("source", ""),
        "reason": request.GET.get("reason", ""),
        "delivery": whole_number(request.GET.get("delivery", ""), digits=9),
    }
    counts = intake.refusal_counts(delivery=chosen["delivery"])
    matching = [c for c in counts if chosen["source"] in ("", c["source"]) and chosen["reason"] in ("", c["reason"])]
    number = page_number(request)
    rows = intake.refusals(
        delivery=chosen["delivery"],
        source=chosen["source"] or None,
        reason=chosen["reason"] or None,
        lang=_lang(),
        offset=(number - 1) * ROWS,
        limit=ROWS,
    )
    listing = Listing(
        [{**vars(r), "source_name": source_name(r.source), "delivery_id": r.delivery} for r in rows],
        sum(c["rows"] for c in matching),
        number,
    )
    context = {
        "listing": listing,
        "chosen": chosen,
        "sources": _facet(counts, "source", "rows", source_name),
        "reasons": _facet(counts, "reason", "rows", lambda code: intake.reason_words(code, lang=_lang())),
    }
    return render(request, f"steward/quarantine{'_rows' if is_fragment(request) else ''}.html", context)


@page("quarantine/<int:refusal_id>/", audience=Audience.STEWARD, right=Right.SEE_QUARANTINE, methods=("GET", "POST"))
def quarantined_row(request: HttpRequest, refusal_id: int) -> HttpResponse:
    """One refused row; its cells only after a reason, which is traced."""
    refusal = intake.refusal_named(refusal_id, lang=_lang())
    context: dict[str, Any] = {
        "row": {**vars(refusal), "source_name": source_name(refusal.source), "delivery_id": refusal.delivery},
        "reasons": {code: spoken(p.name) for code, p in purposes_of(request.user, about="row").items()},
        "may_show": may(request.user, Right.SHOW_QUARANTINED_ROW),
    }
    if request.method == "POST" and context["may_show"]:
        why = request.POST.get("why", "")
        if why not in context["reasons"]:
            context["mistake"] = _("Choose why you need the cells.")
            return render(request, "steward/quarantined_row.html", context)
        _row, cells = intake.open_refusal(refusal_id, by=request.user.username, why=why, lang=_lang())
        context["cells"] = list(cells.items())
    return render(request, "steward/quarantined_row.html", context)


@page("scorecards/", audience=Audience.STEWARD, right=Right.SEE_QUALITY)
def scorecards(request: HttpRequest) -> HttpResponse:
    """All sources by the six indicators, worst source first."""
    try:
        scores = catalog.scorecard()
    except NoRunYet:
        scores = []
    by_source: dict[str, dict[str, Counter]] = {}
    for cell in scores:
        tally = by_source.setdefault(cell["source"], {}).setdefault(cell["dimension"], Counter())
        tally.update(good=cell["good"], counted=cell["counted"])
    rows = []
    for source, tallies in by_source.items():
        cells = [_ratio(tallies.get(code, Counter())) for code in DIMENSIONS]
        lowest = min((c["ratio"] for c in cells if c["ratio"] is not None), default=None)
        rows.append({"source": source, "source_name": source_name(source), "cells": cells, "lowest": lowest})
    rows.sort(key=lambda row: (row["lowest"] is None, row["lowest"], row["source"]))
    run = catalog.latest_run() if rows else None
    return render(
        request, "steward/scorecards.html", {"rows": rows, "dimensions": list(DIMENSIONS.values()), "run": run}
    )


@page("scorecards/<slug:source>/", audience=Audience.STEWARD, right=Right.SEE_QUALITY)
def scorecard(request: HttpRequest, source: str) -> HttpResponse:
    """One source: every element and indicator, worst first."""
    try:
        cells = catalog.scorecard(source=source)
    except NoRunYet:
        cells = []
    tallies: dict[str, Counter] = {}
    for cell in cells:
        tallies.setdefault(cell["dimension"], Counter()).update(good=cell["good"], counted=cell["counted"])
    context = {
        "source": source,
        "source_name": source_name(source),
        "summary": [{"label": label, **_ratio(tallies.get(code, Counter()))} for code, label in DIMENSIONS.items()],
        "lines": [
            {
                **_ratio(cell),
                "element_name": element_name(cell["element"]) if cell["element"] else _("the source as a whole"),
                "label": word(DIMENSIONS, cell["dimension"]),
            }
            for cell in cells
        ],
    }
    return render(request, "steward/scorecard.html", context)


def _ratio(tally: Any) -> dict[str, Any]:
    """Good ÷ counted with its shade (1 worst … 4 best; 0 not measured) and tone."""
    good, counted = tally["good"], tally["counted"]
    ratio = good / counted if counted else None
    grade = 0 if ratio is None else next((g for least, g in GRADES if ratio < least), 4)
    tone = {1: "bad", 2: "warn"}.get(grade, "good")
    return {"good": good, "counted": counted, "wrong": counted - good, "ratio": ratio, "grade": grade, "tone": tone}


@page("findings/", audience=Audience.STEWARD, right=Right.SEE_QUALITY)
def findings(request: HttpRequest) -> HttpResponse:
    """Open findings by kind and source, those due soonest first."""
    chosen = {"source": request.GET.get("source", ""), "kind": request.GET.get("kind", "")}
    counts = catalog.findings_summary()
    total = sum(
        c["open"] for c in counts if chosen["source"] in ("", c["source"]) and chosen["kind"] in ("", c["kind"])
    )
    number = page_number(request)
    found = catalog.findings(
        source=chosen["source"] or None, kind=chosen["kind"] or None, limit=ROWS, offset=(number - 1) * ROWS
    )
    rows = [
        {
            **f,
            "kind_name": check_name(f["kind"]),
            "element_name": element_name(f["element"]) if f["element"] else "",
            "source_name": source_name(f["source"]),
            "about": _about(f),
            "is_late": f["due_on"] < clock.today(),
            "decision_words": word(DECIDED, f["verdict"]) if f["verdict"] else "",
        }
        for f in found
    ]
    context = {
        "listing": Listing(rows, total, number),
        "chosen": chosen,
        "kinds": _facet(counts, "kind", "open", check_name),
        "sources": _facet(counts, "source", "open", source_name),
    }
    return render(request, f"steward/findings{'_rows' if is_fragment(request) else ''}.html", context)


def _about(finding: dict[str, Any]) -> str:
    """Whom a finding speaks of, by id; a steward may not open the person."""
    ids = [str(finding[key]) for key in ("person_id", "other_person_id") if finding[key] is not None]
    if ids:
        return " · ".join(ids)
    return _("household %(id)s") % {"id": finding["household_id"]} if finding["household_id"] is not None else "–"


@page("linkage/", audience=Audience.STEWARD, right=Right.SEE_LINKAGE, methods=("GET",))
def linkage_curve(request: HttpRequest) -> HttpResponse:
    """How far links can be trusted at each threshold, and where the bands lie for each pair of sources."""
    from wanjia.kernel import settings
    from wanjia.kernel.lake import Lake

    try:
        curve = linkage.curve(Lake.open(settings.home()))
    except NoModel:
        return render(request, "steward/linkage.html", {})
    figures = linkage.latest_figures() or {}
    words = {"evidence": _("Evidence (bits)"), "precision": _("Precision"), "recall": _("Recall")}
    return render(
        request,
        "steward/linkage.html",
        {
            "curve": curve["points"],
            "chart": {"points": curve["points"], "words": words, "limits": _limits(curve["thresholds"])},
            "model": _("model %(name)s") % {"name": curve["model"]},
            "figures": _linkage_figures(curve, figures),
            "band_columns": [_("link from"), _("review from"), _("false links, estimated"), _("recall, estimated")],
            "bands": [_band(pair, limits) for pair, limits in sorted(curve["thresholds"].items())],
        },
    )


def _limits(thresholds: dict[str, dict[str, Any]]) -> list[dict[str, Any]]:
    """Where the bands begin for pairs of sources without thresholds of their own, to be drawn on the curve."""
    common = thresholds.get("*")
    if common is None:
        return []
    limits = [{"name": _("link from"), "weight": common["link"]}]
    if common["review"] < common["link"]:
        limits.append({"name": _("review from"), "weight": common["review"]})
    return limits


def _linkage_figures(curve: dict[str, Any], figures: dict[str, Any]) -> list[dict[str, str]]:
    def number(value: Any) -> str:
        return "–" if value is None else grouped(int(value))

    bands = figures.get("bands", {})
    reached = curve["blocking_recall_estimated"]
    return [
        {"label": _("Records linked"), "value": number(bands.get("link")), "note": _("in the link band")},
        {"label": _("Records for review"), "value": number(bands.get("review")), "note": _("waiting for an officer")},
        {"label": _("Review cases"), "value": number(figures.get("review")), "note": _("pairs of records")},
        {"label": _("Pairs compared"), "value": number(figures.get("pairs")), "note": _("in the latest run")},
        {
            "label": _("Shared numbers"),
            "value": number(figures.get("shared_numbers")),
            "note": _("kept apart, never fused"),
        },
        {
            "label": _("Found by blocking"),
            "value": "–" if reached is None else f"{reached * 100:.2f}%",
            "note": _("of true pairs, estimated"),
        },
    ]


def _band(pair: str, limits: dict[str, Any]) -> dict[str, Any]:
    """One line of thresholds; `*` stands for all pairs without thresholds of their own."""
    names = [_("all other pairs")] if pair == "*" else [source_name(code) for code in pair.split("|")]
    return {
        "pair": " – ".join(dict.fromkeys(names)),
        "values": [
            f"{limits['link']:.1f}",
            f"{limits['review']:.1f}",
            f"{limits['estimated_false_links'] * 100:.3f}%",
            f"{limits['estimated_recall'] * 100:.1f}%",
        ],
    }


def _facet(counts: list[dict[str, Any]], key: str, number: str, name: Any) -> list[dict[str, Any]]:
    """The values of one filter with how many rows each has, most first."""
    summed: Counter = Counter()
    for count in counts:
        summed[count[key]] += count[number]
    return [{"code": code, "name": name(code), "count": rows} for code, rows in summed.most_common()]


def _lang() -> str:
    return "en" if get_language() == "en" else "zh"
