"""Changes of divisions: the list of those ordered, the form or file of a new one, what it would do, and ordering it."""

import json
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from wanjia.access.api import Right
from wanjia.kernel.declared import DeclarationErrors
from wanjia.kernel.errors import WanjiaError
from wanjia.register import api
from wanjia.web.labels import spoken
from wanjia.web.page import Audience, page
from wanjia.web.population_words import shown
from wanjia.web.words import division_name

KINDS = {"rename": _("rename"), "split": _("split"), "merge": _("merger"), "transfer": _("transfer")}
STATES = {api.WAITING: _("waits for its day"), api.DONE: _("carried out"), api.WITHDRAWN: _("withdrawn")}
TONES = {api.WAITING: "teal", api.DONE: "good", api.WITHDRAWN: ""}
#: what a change moves, in the order of the columns
MOVED = ("residences", "cases", "accounts")
LONGEST_FILE = 1_000_000
TYPED = ("code", "kind", "on", "law_zh", "law_en", "office", "moves", "begins")


@page("divisions/", audience=Audience.STEWARD, right=Right.CHANGE_DIVISIONS)
def division_changes(request: HttpRequest) -> HttpResponse:
    """Every change ordered, with what it moved."""
    rows = [
        {
            "code": one.code, "kind": KINDS[one.kind], "on": one.on, "law": spoken(one.law), "state": STATES[one.state],
            "tone": TONES[one.state], "counts": [one.counts.get(what) for what in MOVED], "by": one.ordered_by,
        }
        for one in api.changes()
    ]  # fmt: skip
    return render(request, "steward/division_changes.html", {"rows": rows})


@page("divisions/new/", audience=Audience.STEWARD, right=Right.CHANGE_DIVISIONS, methods=("GET", "POST"))
def change_divisions(request: HttpRequest) -> HttpResponse:
    """A form or a file, then what it would do; only then it can be ordered."""
    typed = {key: request.POST.get(key, "") for key in TYPED}
    context: dict[str, Any] = {"typed": typed, "kinds": list(KINDS.items())}
    if request.method != "POST":
        return render(request, "steward/change_divisions.html", context)
    # a browser sends lines as CR LF
    text = request.POST.get("declared", "").replace("\r\n", "\n") or _sent(request) or _as_text(typed)
    try:
        if request.POST.get("do") == "order":
            code = api.order_change(text, by=request.user.username, why="change of divisions", officer=request.user)
            return redirect(f"/steward/divisions/#{code}")
        context["plan"] = _drawn(api.plan_change(text, officer=request.user))
        context["text"] = text
    except DeclarationErrors as wrong:
        context["mistakes"] = [(one.key, one.zh if get_language() != "en" else one.en) for one in wrong.mistakes]
    except WanjiaError as refused:
        context["mistakes"] = [("code", refused.sentence(get_language() or "zh"))]
    return render(request, "steward/change_divisions.html", context, status=400 if "mistakes" in context else 200)


def _sent(request: HttpRequest) -> str:
    sent = request.FILES.get("file")
    if sent is None:
        return ""
    return sent.read(LONGEST_FILE).decode("utf-8", "replace")


def _as_text(typed: dict[str, str]) -> str:
    """What was typed, as the file it stands for. A line of moves: old, new, share, brought; of begins: code, name, English name, parent (by |)."""
    lines = [f"code = {_quoted(typed['code'].strip())}", f"kind = {_quoted(typed['kind'])}"]
    lines.append(f"on = {typed['on'].strip()}" if _is_day(typed["on"].strip()) else f"on = {_quoted(typed['on'])}")
    lines.append(f"law = {{ zh = {_quoted(typed['law_zh'].strip())}, en = {_quoted(typed['law_en'].strip())} }}")
    lines += [f"office = {_quoted(typed['office'].strip())}"] if typed["office"].strip() else []
    begins = [line for line in typed["begins"].splitlines() if line.strip()]
    moves = [line.split() for line in typed["moves"].replace("→", " ").splitlines() if line.strip()]
    if not moves:
        lines.append("moves = []")
    for line in begins:
        code, zh, en, parent = ([one.strip() for one in line.split("|")] + [""] * 4)[:4]
        lines += ["[[begins]]", f"code = {_quoted(code)}"]
        lines += [f"name = {{ zh = {_quoted(zh)}, en = {_quoted(en)} }}"] if zh or en else []
        lines += [f"parent = {_quoted(parent)}"] if parent else []
    for old, *rest in moves:
        lines += ["[[moves]]", f"old = {_quoted(old)}", f"new = {_quoted(rest[0] if rest else '')}"]
        for word, number in zip(("share", "brought"), rest[1:], strict=False):
            lines += [f"{word} = {number}"] if _is_number(number) else [f"{word} = {_quoted(number)}"] * (number != "-")
    return "\n".join(lines) + "\n"


def _quoted(text: str) -> str:
    # a JSON string is a basic string of TOML
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _is_day(text: str) -> bool:
    return len(text) == 10 and text[4] == text[7] == "-" and text.replace("-", "").isdigit() and text.isascii()


def _is_number(text: str) -> bool:
    whole, point, part = text.partition(".")
    return text.isascii() and whole.isdigit() and (part.isdigit() if point else True)


def _drawn(plan: api.Plan) -> dict[str, Any]:
    return {
        "code": plan.change.code,
        "kind": KINDS[plan.change.kind],
        "on": plan.change.on,
        "law": spoken(plan.change.law),
        "moves": [
            {
                "old": move.old.code, "old_name": move.old.name(get_language() or "zh"), "new": move.new.code,
                "new_name": move.new.name(get_language() or "zh"), "share": move.share, "people": shown(move.people),
            }
            for move in plan.moves
        ],
        "figures": [
            (_("Residences that follow"), shown(plan.following)),
            (_("Households"), shown(plan.households)),
            (_("Not told apart"), shown(plan.apart)),
            (_("Open cases handed over"), len(plan.cases)),
            (_("Accounts whose area follows"), len(plan.accounts)),
        ],
        "offices": [(name, area, division_name(area)) for name, area in plan.accounts.items()],
        "left": plan.left,
    }  # fmt: skip
