"""Documents that exist: lists, the file made again, what was done with each. Every look at a person's documents is traced."""

import hashlib
import json
import zlib
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db import transaction
from django.utils.timezone import localdate

from wanjia.access import api as access
from wanjia.access.api import Right, covers
from wanjia.access.errors import OutsideArea
from wanjia.access.models import Account
from wanjia.documents.adapters.fonts import same_as
from wanjia.documents.adapters.pdf import made, typesetter
from wanjia.documents.api.composing import require_all, why_of
from wanjia.documents.api.issuing import SIGNATURE_LENGTH, state_words
from wanjia.documents.api.keyed import PURPOSE as SEALED_FOR
from wanjia.documents.api.keyed import place
from wanjia.documents.api.kinds import declared
from wanjia.documents.errors import CannotBeRemade, ContentErased, DocumentUnknown, NotNow, PrintsUsedUp
from wanjia.documents.models import Document, Step
from wanjia.documents.rules import lifecycle, numbers
from wanjia.documents.rules.lifecycle import State, StepKind
from wanjia.kernel import clock, settings
from wanjia.kernel.keyring import Keyring
from wanjia.trace import api as trace


@dataclass(frozen=True)
class Told:
    """A document as a list shows it. `state`: valid, asked, expired, revoked or superseded."""

    number: str
    kind: str
    issued_at: datetime
    issued_by: str
    state: str
    expires_on: date | None
    ended_at: datetime | None
    reason: str
    replaces: str | None
    replaced_by: str | None
    prints_left: int
    language: str


@dataclass(frozen=True)
class StepTold:
    """One thing done with a document."""

    at: datetime
    by: str
    kind: str
    reason: str
    case: str


def handled(account: Account, number: str) -> Document:
    """The document, if this account may certify for all who stand in it. Raises `DocumentUnknown`, the same for no document and not yours."""
    read = numbers.read(number)
    document = Document.objects.filter(number=read).first() if read else None
    if document is None:
        raise DocumentUnknown()
    try:
        require_all(account, persons_in(document))
    except OutsideArea:
        raise DocumentUnknown() from None
    return document


def persons_in(document: Document) -> list[int]:
    """The persons who stand in it, the head or the person first."""
    return list(document.subjects.order_by("id").values_list("person_id", flat=True))


def of_person(account: Account, person_id: int, *, case: str = "") -> list[Told]:
    """The documents a person stands in, newest first. Traced. Raises `RightMissing`, `OutsideArea`."""
    access.require(account, Right.ISSUE_DOCUMENT)
    require_all(account, [person_id])
    with transaction.atomic():
        trace.record(
            "documents.of_person", subject_ids=[person_id], by=account.username, why=why_of(case), department=account.department
        )  # fmt: skip
        rows = (
            Document.objects.filter(subjects__person_id=person_id).select_related("replaced_by").order_by("-issued_at")
        )
        return [told_of(row) for row in rows]


def shown(account: Account, number: str) -> tuple[Told, list[StepTold], list[int]]:
    """One document: what a list shows, what was done with it, and the persons in it. Traced. Raises `RightMissing`, `DocumentUnknown`."""
    access.require(account, Right.ISSUE_DOCUMENT)
    document = handled(account, number)
    persons = persons_in(document)
    trace.record(
        "documents.show",
        subject_ids=persons,
        by=account.username,
        why=why_of(""),
        department=account.department,
        detail={"number": numbers.grouped(document.number)},
    )
    steps = [StepTold(s.at, s.by, s.kind, s.reason, s.case) for s in document.steps.order_by("id")]
    return told_of(document), steps, persons


def waiting(account: Account) -> list[Told]:
    """Documents of the account's area whose revocation waits for a second person. Names nobody. Raises `RightMissing`."""
    access.require(account, Right.CONFIRM_REVOCATION)
    rows = Document.objects.filter(state=State.ASKED).order_by("issued_at")
    return [told_of(row) for row in rows if covers(account.area, row.area)]


def file_of(account: Account, number: str, *, case: str = "") -> bytes:
    """The signed file of a document in force, for printing: the same bytes as at issue. Counted and traced.

    Raises `RightMissing`, `DocumentUnknown`, `NotNow`, `PrintsUsedUp`, `ContentErased`, `CannotBeRemade`.
    """
    access.require(account, Right.ISSUE_DOCUMENT)
    found = handled(account, number)
    file = remade(found)
    with transaction.atomic():
        document = Document.objects.select_for_update().get(number=found.number)
        if lifecycle.after(State(document.state), StepKind.PRINTED) is None:
            raise NotNow(**state_words(document.state))
        if _printed(document) >= document.prints:
            raise PrintsUsedUp(most=document.prints)
        Step.objects.create(document=document, at=clock.now(), by=account.username, kind=StepKind.PRINTED, case=case)
        trace.record(
            "documents.print",
            subject_ids=persons_in(document),
            by=account.username,
            why=why_of(case),
            department=account.department,
            detail={"number": numbers.grouped(document.number)},
        )
    return file


def remade(document: Document) -> bytes:
    """The file as it was issued, from its frozen content. Raises `ContentErased`, and `CannotBeRemade` when it would not be the same."""
    content, appended = unsealed(document)
    fonts = same_as(content["fonts_frozen"], declared().families)
    if fonts is None:
        raise CannotBeRemade(
            zh_what="所用字体已不在本机或已更换", en_what="a font it was set in is gone or another one now"
        )
    layout = document.layout
    file = made(
        layout.files, layout.digest, fonts, content, address=content["address"], at=datetime.fromisoformat(content["issued_at"])
    )  # fmt: skip
    file += appended
    if hashlib.sha256(file).hexdigest() != content["sha256"]:
        before, now = content["typesetter"], typesetter()
        raise CannotBeRemade(zh_what=f"当时用 {before}，现为 {now}", en_what=f"it was set by {before}, here is {now}")
    return file


def unsealed(document: Document) -> tuple[dict[str, Any], bytes]:
    """Frozen content and signature part. Raises `ContentErased`, `KeyUnavailable`."""
    if not document.blob:
        raise ContentErased()
    plain = zlib.decompress(
        Keyring.open(settings.home()).unseal(SEALED_FOR, bytes(document.blob), place(document.number))
    )
    length = int.from_bytes(plain[:SIGNATURE_LENGTH], "big")
    appended = plain[SIGNATURE_LENGTH : SIGNATURE_LENGTH + length]
    return json.loads(plain[SIGNATURE_LENGTH + length :]), appended


def told_of(document: Document) -> Told:
    """A document for a list."""
    state = document.state
    if state == State.VALID:
        state = lifecycle.shown(State(state), document.expires_on, localdate(clock.now()))
    after = getattr(document, "replaced_by", None)
    return Told(
        number=document.number,
        kind=document.kind,
        issued_at=document.issued_at,
        issued_by=document.issued_by,
        state=state,
        expires_on=document.expires_on,
        ended_at=document.ended_at,
        reason=document.reason,
        replaces=document.replaces_id,
        replaced_by=after.number if after else None,
        prints_left=max(0, document.prints - _printed(document)),
        language=document.language,
    )


def _printed(document: Document) -> int:
    return document.steps.filter(kind=StepKind.PRINTED).count()
