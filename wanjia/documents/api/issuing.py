"""Previewing, issuing and reissuing. A document is gathered, composed, set and signed first; then one transaction makes it and its trace."""

import hashlib
import secrets
import zlib
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.timezone import localdate

from wanjia.access import api as access
from wanjia.access.api import Right
from wanjia.access.models import Account
from wanjia.documents.adapters.pdf import made
from wanjia.documents.adapters.signing import signature
from wanjia.documents.api.composing import Gathered, compose, gather, issuer_of, why_of
from wanjia.documents.api.keyed import PURPOSE as SEALED_FOR
from wanjia.documents.api.keyed import place
from wanjia.documents.api.kinds import Declared, LayoutText, declared
from wanjia.documents.declared import DocumentKind
from wanjia.documents.errors import AlreadyInForce, NotNow
from wanjia.documents.models import IN_FORCE, Document, DocumentSubject, Layout, Step
from wanjia.documents.rules import lifecycle
from wanjia.documents.rules.content import LANGUAGES, expiry
from wanjia.documents.rules.content import frozen as frozen_bytes
from wanjia.documents.rules.lifecycle import Reason, State, StepKind
from wanjia.documents.rules.numbers import draw, grouped
from wanjia.kernel import clock, settings
from wanjia.kernel.keyring import Keyring
from wanjia.keys import api as keys
from wanjia.trace import api as trace

#: the key that signs (wanjia keys chain documents)
SIGNS_FOR = "documents"
SIGNATURE_LENGTH = 4
ATTEMPTS = 5


def check_address(number: str) -> str:
    """Where the public asks whether a number is valid: what the QR code says."""
    return f"{settings.public_url()}/check/{number}/"


def preview(account: Account, kind: str, person_id: int, *, lang: str = "zh", case: str = "") -> bytes:
    """The document as it would be, marked as a preview, without number or signature; nothing is kept. The reads are traced.

    Raises what `issue` raises, but `ChainMissing` and `AlreadyInForce`.
    """
    access.require(account, Right.ISSUE_DOCUMENT)
    book = declared()
    chosen = book.kind(kind)
    gathered = gather(account, chosen, person_id, case=case)
    at = clock.now()
    composed = compose(
        chosen, gathered, lang=_known(lang), issuer=issuer_of(account), number="", at=at, is_preview=True, book=book
    )
    layout = book.layouts[kind]
    trace.record(
        "documents.preview",
        subject_ids=gathered.holder.persons,
        by=account.username,
        why=why_of(case),
        department=account.department,
        detail={"document_kind": kind},
    )
    return made(layout.files, layout.digest, composed.fonts, composed.content, address=check_address(""), at=at)


def issue(account: Account, kind: str, person_id: int, *, request: str, lang: str = "zh", case: str = "") -> str:
    """Issue a document about the person (or the person's household); its number. `request`: the form's token; the same again is the same document.

    Raises `RightMissing`, `KindUnknown`, `OutsideArea`, `NoHousehold`, `NotForThisPerson`, `FactsMissing`, `CannotBePrinted`, `FontMissing`,
    `AlreadyInForce`, `ChainMissing`.
    """
    access.require(account, Right.ISSUE_DOCUMENT)
    if before := _made_by(account, request):
        return before
    book = declared()
    return _issued(account, book, book.kind(kind), person_id, request=request, lang=lang, case=case, replaced=None)


def reissue(account: Account, number: str, *, reason: Reason, request: str, lang: str = "", case: str = "") -> str:
    """Issue a new document in place of one that is in force, with what the register says now, marked 补发; the old one is superseded.

    Raises what `issue` raises, `DocumentUnknown`, and `NotNow` when the old one counts no more or waits for a revocation.
    """
    from wanjia.documents.api.holding import handled

    access.require(account, Right.ISSUE_DOCUMENT)
    if before := _made_by(account, request):
        return before
    old = handled(account, number)
    _require_step(old, StepKind.SUPERSEDED)
    book = declared()
    person = _person_of(old)
    chosen = book.kind(old.kind)
    return _issued(
        account, book, chosen, person, request=request, lang=lang or old.language, case=case, replaced=(old, reason)
    )


def _person_of(old: Document) -> int:
    """Through whom the holder is found again: any person of the document."""
    return old.subjects.order_by("id").values_list("person_id", flat=True)[0]


def _issued(
    account: Account,
    book: Declared,
    kind: DocumentKind,
    person_id: int,
    *,
    request: str,
    lang: str,
    case: str,
    replaced: tuple[Document, Reason] | None,
) -> str:
    lang = _known(lang)
    identity = keys.signing_identity(SIGNS_FOR)
    gathered = gather(account, kind, person_id, case=case)
    if replaced is None:
        _require_none_in_force(kind, gathered)
    layout = book.layouts[kind.key]
    for attempt in range(ATTEMPTS):
        number, at = draw(kind.letter, secrets.randbelow), clock.now()
        composed = compose(
            kind,
            gathered,
            lang=lang,
            issuer=issuer_of(account),
            number=number,
            at=at,
            replaces=replaced[0].number if replaced else "",
            is_reissue=replaced is not None,
            is_test=identity.is_test,
            book=book,
        )
        pdf = made(layout.files, layout.digest, composed.fonts, composed.content, address=check_address(number), at=at)
        appended = signature(pdf, identity, at=at, reason=kind.name.zh)
        frozen = {**composed.content, "address": check_address(number), "sha256": _sha256(pdf + appended)}
        row = Document(
            number=number,
            kind=kind.key,
            holder=gathered.holder.id,
            request=_token(account, request),
            issued_at=at,
            issued_by=account.username,
            area=account.area,
            language=lang,
            layout_id=layout.digest,
            expires_on=expiry(localdate(at), kind.valid_days),
            replaces=replaced[0] if replaced else None,
            is_single=kind.is_single,
            needs_second=kind.needs_second,
            prints=kind.prints,
            state=State.VALID,
            blob=sealed(number, frozen, appended),
        )
        try:
            _commit(account, row, gathered, layout, replaced, case)
        except IntegrityError:
            if before := _made_by(account, request):
                return before
            _require_none_in_force(kind, gathered)
            if attempt == ATTEMPTS - 1:
                raise
            continue
        return number
    raise AssertionError("unreachable")


@transaction.atomic
def _commit(
    account: Account,
    row: Document,
    gathered: Gathered,
    layout: LayoutText,
    replaced: tuple[Document, Reason] | None,
    case: str,
) -> None:
    why, who = why_of(case), {"by": account.username, "at": row.issued_at}
    if replaced:
        old = Document.objects.select_for_update().get(number=replaced[0].number)
        _require_step(old, StepKind.SUPERSEDED)
        old.state, old.ended_at, old.ended_by, old.reason = (
            State.SUPERSEDED,
            row.issued_at,
            account.username,
            replaced[1],
        )
        old.save(update_fields=["state", "ended_at", "ended_by", "reason"])
        Step.objects.create(document=old, kind=StepKind.SUPERSEDED, reason=replaced[1], case=case, **who)
    Layout.objects.bulk_create([Layout(digest=layout.digest, files=dict(layout.files))], ignore_conflicts=True)
    row.save(force_insert=True)
    DocumentSubject.objects.bulk_create(
        [DocumentSubject(document=row, person_id=person) for person in gathered.holder.persons]
    )
    Step.objects.create(document=row, kind=StepKind.ISSUED, case=case, **who)
    trace.record(
        "documents.reissue" if replaced else "documents.issue",
        subject_ids=gathered.holder.persons,
        by=account.username,
        why=why,
        department=account.department,
        detail={"document_kind": row.kind, "number": grouped(row.number)},
    )


def sealed(number: str, frozen: dict[str, Any], appended: bytes) -> bytes:
    """Frozen content and signature as one sealed blob: length of the signature's part (4 bytes), that part, the content."""
    plain = len(appended).to_bytes(SIGNATURE_LENGTH, "big") + appended + frozen_bytes(frozen)
    return Keyring.open(settings.home()).seal(SEALED_FOR, zlib.compress(plain), place(number))


def _require_none_in_force(kind: DocumentKind, gathered: Gathered) -> None:
    if not kind.is_single:
        return
    there = Document.objects.filter(IN_FORCE, kind=kind.key, holder=gathered.holder.id, is_single=True).first()
    if there is not None:
        raise AlreadyInForce(number=grouped(there.number))


def _require_step(document: Document, step: StepKind) -> None:
    if lifecycle.after(State(document.state), step) is None:
        raise NotNow(**state_words(document.state))


STATE_WORDS = {
    State.VALID: ("有效", "valid"),
    State.ASKED: ("待确认撤销", "waiting for its revocation to be confirmed"),
    State.REVOKED: ("已撤销", "revoked"),
    State.SUPERSEDED: ("已被取代", "superseded"),
}


def state_words(state: str) -> dict[str, str]:
    """A state for an error's sentence."""
    zh, en = STATE_WORDS[State(state)]
    return {"zh_state": zh, "en_state": en}


def _made_by(account: Account, request: str) -> str | None:
    return Document.objects.filter(request=_token(account, request)).values_list("number", flat=True).first()


def _token(account: Account, request: str) -> bytes:
    return hashlib.sha256(f"{account.pk}|{request}".encode()).digest()


def _sha256(file: bytes) -> str:
    return hashlib.sha256(file).hexdigest()


def _known(lang: str) -> str:
    return lang if lang in LANGUAGES else "zh"
