"""Pairs that linking could not tell: the queue, two beside each other, and an officer's decision."""

import uuid
from collections import Counter
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import get_language, gettext_lazy

from wanjia.access.api import Action, Right, require_decision
from wanjia.kernel.errors import WanjiaError
from wanjia.linkage.api import reviewing, together
from wanjia.linkage.api.reviewing import Pair
from wanjia.privacy.api import mask_number, open_person
from wanjia.register.api import beliefs, person_facts, subject_of
from wanjia.web.labels import RELATIONS, spoken, word
from wanjia.web.listing import whole_number
from wanjia.web.officer.cases import AT_THE_COUNTER
from wanjia.web.officer.portrait import NUMBER_TYPES
from wanjia.web.page import Audience, page
from wanjia.web.words import element_name, source_name, value_words, vocabulary

MOST_TOGETHER = 1_000
#: why a pair waits
REASONS = {
    "two_numbers": gettext_lazy("one person with two numbers?"),
    "shared_number": gettext_lazy("one number, two persons"),
    "two_baseline_records": gettext_lazy("twice in a source that holds nobody twice"),
    "contradiction": gettext_lazy("facts contradict"),
    "unlike_cluster": gettext_lazy("like some records of a person, unlike others"),
    "uncertain": gettext_lazy("the evidence is not enough"),
}
#: in which band of the linkage a pair is by what the comparison says
BANDS = {
    "link": gettext_lazy("Likely enough to be linked, but something stands against it"),
    "review": gettext_lazy("Not likely enough to be linked"),
    "": gettext_lazy("Not compared"),
}
VERDICTS = {
    "same": gettext_lazy("One person"),
    "different": gettext_lazy("Two persons"),
    "aside": gettext_lazy("Cannot tell, put aside"),
}


@page("pairs/", audience=Audience.OFFICER, right=Right.HANDLE_EVENTS)
def pairs(request: HttpRequest) -> HttpResponse:
    """How many pairs wait, by why they do; and those put aside. No person is read."""
    ask = {"officer": request.user, "purpose": AT_THE_COUNTER}
    counted = Counter((one.reason, one.band) for one in reviewing.waiting_pairs(**ask))
    waiting = Counter(reason for reason, _band in counted.elements())
    aside = reviewing.pairs_waiting(status="aside", **ask)
    rows = [
        {
            "reason": key,
            "name": name,
            "open": waiting[key],
            "bands": [{"name": word(BANDS, band), "count": counted[key, band]} for band in BANDS],
            "aside": aside.get(key, 0),
        }
        for key, name in REASONS.items()
        if waiting[key] or key in aside
    ]
    return render(request, "officer/pairs.html", {"rows": rows, "bands": BANDS.values(), "total": waiting.total()})


@page("pairs/next/", audience=Audience.OFFICER, right=Right.HANDLE_EVENTS)
def next_pair(request: HttpRequest) -> HttpResponse:
    """On to the likeliest pair that waits, of one kind if asked; back to the queue when none does."""
    reason = _asked_reason(request)
    found = reviewing.next_pair(
        reason=reason,
        status="aside" if request.GET.get("status") == "aside" else "open",
        after=whole_number(request.GET.get("after", ""), digits=18),
        officer=request.user,
        purpose=AT_THE_COUNTER,
    )
    if found is None:
        return redirect("pairs")
    return redirect(f"/officer/pairs/{found.id}/?reason={found.reason if reason else ''}")


@page("pairs/<int:pk>/", audience=Audience.OFFICER, right=Right.HANDLE_EVENTS, methods=("GET", "POST"))
def pair(request: HttpRequest, pk: int) -> HttpResponse:
    """Two beside each other, each read traced before it is shown; the decision needs a reason, and leads on to the next pair."""
    ask = {"officer": request.user, "purpose": AT_THE_COUNTER}
    error, ground = "", ""
    reason = _asked_reason(request)
    if request.method == "POST":
        ground = request.POST.get("v-ground", "")
        verdict = request.POST.get("verdict", "")
        # two persons of the register are found to be one by a merge (pages/merging.py), which others see and decide
        if verdict in VERDICTS and not (verdict == "same" and reviewing.pair_of(pk).is_merge):
            try:
                reviewing.decide_pair(pk, verdict, ground, **ask)
                return redirect(f"/officer/pairs/next/?reason={reason}")
            except WanjiaError as refused:
                error = refused.sentence(get_language() or "zh")
    found = reviewing.reach_pair(pk, **ask)
    left, right = (_side(request, found, side) for side in ("l", "r"))
    columns = [c for c in vocabulary().columns if c in left["values"] or c in right["values"]]
    rows = [
        {
            "name": element_name(c),
            "left": left["values"].get(c),
            "right": right["values"].get(c),
            "differs": c in left["raw"] and c in right["raw"] and left["raw"][c] != right["raw"][c],
            "agrees": c in left["raw"] and left["raw"].get(c) == right["raw"].get(c),
        }
        for c in columns
    ]
    context = {
        "pair": found,
        "why": REASONS.get(found.reason, found.reason),
        "band": word(BANDS, found.band),
        "left": left,
        "right": right,
        "rows": sorted(rows, key=lambda row: (not row["differs"], not row["agrees"])),
        "evidence": [
            {
                "name": element_name(column),
                "said": spoken(one.said),
                "bits": f"{one.bits:+.1f}",
                "speaks": _speaks(one.bits),
            }
            for column, one in reviewing.evidence_of(found)
            if column in vocabulary().columns and vocabulary().columns[column].element in left["elements"] & right["elements"]
        ],
        "verdicts": [(key, name) for key, name in VERDICTS.items() if not (key == "same" and found.is_merge)],
        "is_open": found.status in ("open", "aside"),
        "error": error,
        "ground": ground,
        "reason": reason,
    }  # fmt: skip
    return render(request, "officer/pair.html", context)


@page("pairs/together/", audience=Audience.OFFICER, right=Right.HANDLE_EVENTS, methods=("GET", "POST"))
def pairs_together(request: HttpRequest) -> HttpResponse:
    """Pairs that a declared rule calls certain: their list, decided together with one reason; and what was so decided, to be taken back."""
    ask = {"officer": request.user, "purpose": AT_THE_COUNTER}
    error, ground, wanted = "", request.POST.get("v-ground", ""), request.POST.get("rule", request.GET.get("rule", ""))
    if request.method == "POST":
        try:
            if batch := _batch(request.POST.get("undo", "")):
                together.undo_batch(batch, ground, **ask)
            else:
                ids = [
                    one
                    for said in request.POST.getlist("pair")[:MOST_TOGETHER]
                    if (one := whole_number(said, digits=18)) is not None
                ]
                together.decide_together(wanted, ids, ground, **ask)
            return redirect("pairs_together")
        except WanjiaError as refused:
            error = refused.sentence(get_language() or "zh")
    found = together.certain_pairs(**ask)
    rules = [
        {
            "key": r.key,
            "name": spoken(r.name),
            "verdict": VERDICTS[r.verdict],
            "count": len(found[r.key]),
            "is_here": r.key == wanted,
        }
        for r in together.review_rules().certain
    ]
    context = {
        "rules": rules,
        "rule": next((rule for rule in rules if rule["is_here"] and rule["count"]), None),
        "pairs": found.get(wanted, []),
        "batches": [
            {"id": b.id, "by": b.by, "at": b.at, "verdict": VERDICTS[b.verdict], "pairs": b.pairs, "standing": b.standing}
            for b in together.batches(**ask)
        ],
        "error": error,
        "ground": ground,
    }  # fmt: skip
    return render(request, "officer/pairs_together.html", context)


def _batch(said: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(said)
    except ValueError:
        return None


def _asked_reason(request: HttpRequest) -> str:
    reason = request.GET.get("reason", "")
    return reason if reason in REASONS else ""


def _speaks(bits: float) -> str:
    """How much a field says, in words."""
    strength = abs(bits)
    if strength < 1:
        return str(gettext_lazy("says nothing"))
    if bits > 0:
        return str(gettext_lazy("strongly for one person") if strength >= 6 else gettext_lazy("for one person"))
    return str(gettext_lazy("strongly for two persons") if strength >= 6 else gettext_lazy("for two persons"))


def _side(request: HttpRequest, found: Pair, side: str) -> dict[str, Any]:
    """One of the two: a person of the register with what is around them, or a record in nobody's state."""
    person, assertion = getattr(found, f"person_{side}"), getattr(found, f"assertion_{side}")
    subject = subject_of(person)
    if subject is None:
        record = reviewing.open_record(found, assertion, officer=request.user, purpose=AT_THE_COUNTER)
        raw = dict(record.values)
        sources = dict.fromkeys(raw, source_name(record.source))
        return {
            "person": person,
            "is_held": False,
            "raw": raw,
            "values": _shown(raw, sources),
            "around": [],
            "elements": record.elements,
        }
    by, unit, why = request.user.username, request.user.department, f"{AT_THE_COUNTER}:{found.id}"
    decision = require_decision(request.user, Action.READ, subject, AT_THE_COUNTER)
    dossier = open_person(
        person, by=by, why=why, department=unit, basis=decision.basis, fields=sorted(decision.elements)
    )
    facts = person_facts(person, by=by, why=why, department=unit, basis=decision.basis, detail=decision.detail())
    held = [b for b in beliefs(dossier, vocabulary().elements.values()) if b.element in decision.elements]
    raw = {b.column: b.value for b in held}
    sources = {b.column: source_name(b.winner.source) if b.winner else "–" for b in held}
    around = []
    if "household" in decision.fields:
        homes = [m for m in facts["membership"] if m["valid_to"] is None]
        around += [f"{m['household_id']} · {value_words('relation_to_head', m['relation'])}" for m in homes]
        around += [f"{word(RELATIONS, r['kind'])} {r['other_id']}" for r in facts["relation"] if r["valid_to"] is None]
    return {"person": person, "is_held": True, "raw": raw, "values": _shown(raw, sources), "around": around,
            "elements": frozenset(decision.elements)}  # fmt: skip


def _shown(raw: dict[str, str], sources: dict[str, str]) -> dict[str, dict[str, str]]:
    columns = vocabulary().columns
    return {
        c: {
            "shown": mask_number(value) if columns[c].type in NUMBER_TYPES else value_words(c, value),
            "source": sources[c],
        }
        for c, value in raw.items()
        if c in columns
    }
