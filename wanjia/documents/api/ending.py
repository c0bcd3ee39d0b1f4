"""Revoking: at once, or asked by one and confirmed by another where the kind says so; and erasing what a document says."""

from django.db import transaction

from wanjia.access import api as access
from wanjia.access.api import Right
from wanjia.access.models import Account
from wanjia.documents.api.composing import why_of
from wanjia.documents.api.holding import handled, persons_in
from wanjia.documents.api.issuing import state_words
from wanjia.documents.errors import NotNow, SecondPersonNeeded
from wanjia.documents.models import IN_FORCE, Document, DocumentSubject, Step
from wanjia.documents.rules import lifecycle, numbers
from wanjia.documents.rules.lifecycle import Reason, State, StepKind
from wanjia.kernel import clock
from wanjia.trace import api as trace


def revoke(account: Account, number: str, *, reason: Reason, case: str = "") -> State:
    """Revoke a document; where its kind asks for a second person, ask for it. Returns the state it has now.

    Raises `RightMissing`, `DocumentUnknown`, `NotNow`.
    """
    access.require(account, Right.REVOKE_DOCUMENT)
    found = handled(account, number)
    step = StepKind.ASKED if found.needs_second else StepKind.REVOKED
    return _moved(account, found, step, reason=reason, case=case)


def confirm_revocation(account: Account, number: str, *, case: str = "") -> State:
    """Confirm what somebody else asked for. Raises `RightMissing`, `DocumentUnknown`, `SecondPersonNeeded`, `NotNow`."""
    access.require(account, Right.CONFIRM_REVOCATION)
    return _moved(account, handled(account, number), StepKind.REVOKED, case=case, answers=True)


def refuse_revocation(account: Account, number: str, *, case: str = "") -> State:
    """The document goes on to be valid. Raises `RightMissing`, `DocumentUnknown`, `SecondPersonNeeded`, `NotNow`."""
    access.require(account, Right.CONFIRM_REVOCATION)
    return _moved(account, handled(account, number), StepKind.REFUSED, case=case, answers=True)


@transaction.atomic
def _moved(
    account: Account,
    found: Document,
    step: StepKind,
    *,
    reason: Reason | None = None,
    case: str,
    answers: bool = False,
) -> State:
    document = Document.objects.select_for_update().get(number=found.number)
    now = lifecycle.after(State(document.state), step)
    if now is None or (answers and document.state != State.ASKED):
        raise NotNow(**state_words(document.state))
    if answers and document.asked_by == account.username:
        raise SecondPersonNeeded()
    at = clock.now()
    document.state = now
    if step is StepKind.ASKED:
        document.asked_by, document.reason = account.username, reason or ""
    elif step is StepKind.REFUSED:
        document.asked_by, document.reason = "", ""
    else:
        document.ended_at, document.ended_by = at, account.username
        document.reason = reason or document.reason
    document.save(update_fields=["state", "asked_by", "reason", "ended_at", "ended_by"])
    Step.objects.create(
        document=document, at=at, by=account.username, kind=step, reason=reason or document.reason, case=case
    )
    trace.record(
        f"documents.{step}",
        subject_ids=persons_in(document),
        by=account.username,
        why=why_of(case),
        department=account.department,
        detail={"number": numbers.grouped(document.number), "reason": reason or document.reason},
    )
    return now


@transaction.atomic
def erase_person(person_id: int, *, by: str, why: str) -> int:
    """Erase what documents say in which this person stands; how many. Number and state stay, so that the public's question has an answer.

    Those in force are revoked by it: a document whose content nobody can show again counts no more. Traced, to everybody in them.
    """
    erased = 0
    mine = DocumentSubject.objects.filter(person_id=person_id).values_list("document_id", flat=True)
    for document in Document.objects.select_for_update().filter(number__in=list(mine)):
        if not document.blob:
            continue
        at = clock.now()
        if document.state in (State.VALID, State.ASKED):
            # nobody asks and nobody confirms: the law has decided, and the constraint of two persons knows that by the two names
            document.asked_by, document.state = document.asked_by or "law", State.REVOKED
            document.ended_at, document.ended_by, document.reason = at, by[:64], Reason.ENDED
            Step.objects.create(document=document, at=at, by=by[:64], kind=StepKind.REVOKED, reason=Reason.ENDED)
        document.blob = b""
        document.save(update_fields=["state", "asked_by", "ended_at", "ended_by", "reason", "blob"])
        Step.objects.create(document=document, at=at, by=by[:64], kind=StepKind.ERASED)
        trace.record(
            "documents.erase",
            subject_ids=persons_in(document),
            by=by,
            why=why,
            detail={"number": numbers.grouped(document.number)},
        )
        erased += 1
    return erased


def in_force_of(person_id: int) -> int:
    """How many documents in force a person stands in: for those who register an event that makes them outdated."""
    return Document.objects.filter(IN_FORCE, subjects__person_id=person_id).distinct().count()
