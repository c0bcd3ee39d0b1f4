"""Keys, for the security administrator: to read. What changes a key is a command, because who holds the keys must be at the machine."""

from datetime import datetime
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from wanjia.access.api import Right
from wanjia.kernel import clock
from wanjia.keys import api
from wanjia.web.labels import KEY_STATES, word
from wanjia.web.page import Audience, page

STATE_TONES = {"current": "good", "announced": "teal", "opening": "warn"}
RUNS_SHOWN, CERTIFICATES_SHOWN = 20, 100


@page("keys/", audience=Audience.ADMIN, right=Right.KEYS)
def keys(request: HttpRequest) -> HttpResponse:
    """Keys by purpose with state and age, how far re-encryption is, the log's signing keys, and what was destroyed. No secret."""
    uses = [use.key for use in api.listed()]
    by_purpose: dict[str, list[dict[str, Any]]] = {}
    for key in uses:
        by_purpose.setdefault(key.purpose, []).append(_key(key))
    context = {
        "purposes": [_purpose(name, rows) for name, rows in sorted(by_purpose.items())],
        "keks": [{"name": name, "is_current": current} for name, current in api.key_encryption_keys().items()],
        "runs": [_run(one) for one in api.progress(limit=RUNS_SHOWN)],
        "log_keys": [_generation(one) for one in reversed(api.log_keys())],
        "certificates": [_certificate(one) for one in api.certificates(limit=CERTIFICATES_SHOWN)],
        "certificate_key": api.public_key(),
    }
    return render(request, "admin/keys.html", context)


@page("keys/certificates/<str:number>/", audience=Audience.ADMIN, right=Right.KEYS)
def key_certificate(request: HttpRequest, number: str) -> HttpResponse:
    """What a certificate says, in words; with `as=file` the signed document itself, to be kept and checked elsewhere."""
    document = api.certificate(number)
    if request.GET.get("as") == "file":
        answer = HttpResponse(document, content_type="application/json")
        answer["Content-Disposition"] = f'attachment; filename="certificate-{number}.json"'
        return answer
    is_valid = api.verified(document, api.public_key()) is not None
    said = api.as_text(document, get_language() or "zh")
    return render(request, "admin/certificate.html", {"number": number, "said": said, "is_valid": is_valid})


def _purpose(name: str, rows: list[dict[str, Any]]) -> dict[str, Any]:
    """A purpose with its keys, the newest first; those that are destroyed are only counted."""
    kept = [row for row in rows if row["state"] != "destroyed"]
    return {"name": name, "rows": list(reversed(kept)), "destroyed": len(rows) - len(kept)}


def _key(key: Any) -> dict[str, Any]:
    return {
        "id": key.id,
        "suite": key.suite_name,
        "state": key.state,
        "state_word": word(KEY_STATES, key.state),
        "tone": STATE_TONES.get(key.state, ""),
        "made_at": _moment(key.made_at),
        "age": _age(key.made_at),
        "kek": key.kek or "",
    }


def _run(run: dict[str, Any]) -> dict[str, Any]:
    left = sum(run["left"].values())
    state = (
        _("finished")
        if run["finished_at"] and not left
        else _("finished, something is left")
        if left
        else _("running, or killed")
    )
    return {**run, "left": left, "state": state, "is_done": bool(run["finished_at"]) and not left}


def _generation(one: Any) -> dict[str, Any]:
    return {
        "keys": one.keys,
        "first": one.first,
        "last": one.last,
        "state": one.state,
        "state_word": word(KEY_STATES, one.state),
        "tone": STATE_TONES.get(one.state, ""),
    }


def _certificate(one: dict[str, Any]) -> dict[str, Any]:
    what = _("all about a person") if one["kind"] == "person" else _("a key")
    return {
        "number": one["number"],
        "issued_at": one["issued_at"],
        "what": what,
        "subject": one["subject"],
    }


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def _age(text: str | None) -> int | None:
    """Whole days since a key was made."""
    return (clock.now() - datetime.fromisoformat(text)).days if text else None
