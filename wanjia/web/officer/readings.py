"""What a session remembers of an officer's reads: a search, sealed, and the purposes stated for persons, for a quarter of an hour.

The session's row is in the database: a query is a name or a number, so it is sealed there; a purpose and a person id are not personal.
"""

import base64
import json
import secrets
from dataclasses import asdict, dataclass
from typing import Any

from django.http import HttpRequest

from wanjia.kernel import clock, settings
from wanjia.kernel.keyring import Keyring

KEEP_SECONDS = 15 * 60
MOST_SEARCHES = 5
MOST_OPENINGS = 30
#: "session-": no longer than a session lives, so its old keys need no re-encryption
SEALED_FOR = "session-search"


@dataclass(frozen=True)
class Search:
    """A search as asked."""

    query: str
    birth_year: int | None
    purpose: str
    case: str
    why: str


def keep_search(request: HttpRequest, search: Search) -> str:
    """Seal a search into the session; returns the token that stands for it in the address."""
    token = secrets.token_urlsafe(9)
    sealed = Keyring.open(settings.home()).seal(SEALED_FOR, json.dumps(asdict(search)).encode(), token.encode())
    kept = request.session.get("searches", {})
    kept[token] = base64.b64encode(sealed).decode()
    request.session["searches"] = dict(list(kept.items())[-MOST_SEARCHES:])
    request.session["last_purpose"] = {"purpose": search.purpose, "case": search.case}
    return token


def kept_search(request: HttpRequest, token: str) -> Search | None:
    """The search behind a token of this session, or None."""
    sealed = request.session.get("searches", {}).get(token)
    if sealed is None:
        return None
    plain = Keyring.open(settings.home()).unseal(SEALED_FOR, base64.b64decode(sealed), token.encode())
    return Search(**json.loads(plain))


def state_purpose(request: HttpRequest, person_id: int, *, purpose: str, case: str, why: str) -> None:
    """Remember for what this person's record is being read."""
    kept: dict[str, Any] = request.session.get("openings", {})
    kept.pop(str(person_id), None)
    until = clock.now().timestamp() + KEEP_SECONDS
    kept[str(person_id)] = {"purpose": purpose, "why": why, "until": until, "is_number_shown": False}
    request.session["openings"] = dict(list(kept.items())[-MOST_OPENINGS:])
    request.session["last_purpose"] = {"purpose": purpose, "case": case}


def stated_purpose(request: HttpRequest, person_id: int) -> dict[str, Any] | None:
    """The purpose stated for this person within the last quarter of an hour, or None."""
    kept = request.session.get("openings", {}).get(str(person_id))
    return kept if kept and kept["until"] > clock.now().timestamp() else None


def show_number(request: HttpRequest, person_id: int) -> None:
    """Remember that the number was asked for in full."""
    kept = request.session.get("openings", {})
    if str(person_id) in kept:
        kept[str(person_id)]["is_number_shown"] = True
        request.session["openings"] = kept
