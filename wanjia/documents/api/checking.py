"""What the public may ask: whether a number is valid, the list of those that are not, and whose signature it is. No personal data."""

import hashlib
from base64 import urlsafe_b64encode
from dataclasses import dataclass
from datetime import date, timedelta

from django.utils.timezone import localdate, localtime

from wanjia.documents.adapters.signing import jws, verdict
from wanjia.documents.api.issuing import SIGNS_FOR
from wanjia.documents.models import IN_FORCE, Document
from wanjia.documents.rules import lifecycle, numbers
from wanjia.documents.rules.lifecycle import State
from wanjia.kernel import clock, settings
from wanjia.keys import api as keys
from wanjia.keys.errors import ChainMissing

LIST_FORM = "wanjia-revocations/1"
#: a list older than this should be fetched anew
LIST_DAYS = 1


@dataclass(frozen=True)
class Checked:
    """What the public is told of a number: valid, expired, revoked, superseded or unknown; mistyped when its check character does not fit."""

    number: str
    state: str
    issued_on: date | None = None
    ended_on: date | None = None


def check(typed: str) -> Checked:
    """Whether the document of this number counts. Reads nothing of anybody."""
    number = numbers.read(typed)
    if number is None:
        return Checked("", "mistyped")
    document = Document.objects.filter(number=number).defer("blob").first()
    if document is None:
        return Checked(number, "unknown")
    state = lifecycle.shown(State(document.state), document.expires_on, localdate(clock.now()))
    ended = localtime(document.ended_at).date() if document.ended_at else None
    if state == "expired":
        ended = document.expires_on
    return Checked(number, state, localtime(document.issued_at).date(), ended)


def revocation_list() -> str:
    """The documents that count no more, as a JWS (ES256, certificates in x5c): for programs that check without asking us about each number.

    Numbers stand as SHA-256 (base64url): a list of numbers would be a list of what to try. Raises `ChainMissing`.
    """
    identity = keys.signing_identity(SIGNS_FOR)
    now = clock.now()
    rows = Document.objects.exclude(IN_FORCE).order_by("ended_at", "number").values_list("number", "state", "ended_at")
    payload = {
        "form": LIST_FORM,
        "iss": settings.public_url(),
        "iat": int(now.timestamp()),
        "exp": int((now + timedelta(days=LIST_DAYS)).timestamp()),
        "documents": [
            {"sha256": listed_as(number), "state": state, "on": localtime(ended).date().isoformat()}
            for number, state, ended in rows
        ],
    }
    return jws(payload, identity)


def listed_as(number: str) -> str:
    """How the list names a number (without hyphens)."""
    return urlsafe_b64encode(hashlib.sha256(number.encode()).digest()).decode().rstrip("=")


def certificates() -> str:
    """The certificates documents are signed under, PEM, the signer's first. Raises `ChainMissing`."""
    return keys.signing_chain(SIGNS_FOR)


def ensure_test_chain(*, by: str, why: str) -> None:
    """Certify the signing key by a test root, if nothing certifies it yet: for demonstrations, whose documents say TEST."""
    try:
        keys.signing_identity(SIGNS_FOR)
    except ChainMissing:
        keys.make_test_chain(SIGNS_FOR, by=by, why=why)


def is_whole(file: bytes) -> bool:
    """Whether a file is signed under the chain in force and nothing in it was altered. Raises `ChainMissing`."""
    return verdict(file, keys.signing_identity(SIGNS_FOR))
