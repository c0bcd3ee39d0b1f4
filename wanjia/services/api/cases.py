"""The resident's side of cases: asking why, asking for a correction, following, appealing."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any

from django.db import IntegrityError, transaction

from wanjia.access.models import Account
from wanjia.kernel import clock, settings
from wanjia.kernel.declared import load_folder
from wanjia.register.api import former_ids
from wanjia.services.api.keeping import evidence_place, next_id, seal, step_place, unseal, words_of
from wanjia.services.api.looks import may_be_told
from wanjia.services.declared import Service
from wanjia.services.errors import AskedAlready, CaseUnknown, EvidenceRefused, LookUnknown, StepNotNow
from wanjia.services.models import Case, Evidence, Step
from wanjia.services.rules import cases as rules
from wanjia.services.rules.cases import Kind, Outcome, State, StepKind
from wanjia.trace import api as trace

OWN = "own"
COMMON = settings.PROJECT_ROOT / "declared" / "cn" / "services"
SERVICE = {Kind.ASK: "ask_why", Kind.CORRECT: "correct"}


@dataclass(frozen=True)
class StepTold:
    """A step with its words opened; `by` is the account that took it. `files`: number and media type of each piece of evidence."""

    kind: StepKind
    at: datetime
    by: str
    words: dict[str, Any]
    files: list[tuple[int, str]] = field(default_factory=list)


@dataclass(frozen=True)
class Story:
    """A case as its resident, or the office, reads it. `entry`: the look that is asked about; `appeal_until`: None when no appeal is possible now."""

    case: Case
    steps: list[StepTold]
    entry: dict[str, Any] | None
    appeal_until: date | None


def service(kind: Kind) -> Service:
    """The declared service of a kind of case: of the profile in force, else the common one. Raises `DeclarationErrors`."""
    own = settings.profile_dir() / "services"
    return _declared(own if own.is_dir() else COMMON)[SERVICE[kind]]


@lru_cache(maxsize=4)
def _declared(folder: Path) -> dict[str, Service]:
    return load_folder(folder, Service)


def ask(account: Account, person_id: int, entry_id: int, text: str) -> int:
    """Ask the office why it looked; the case's number. The department of the look answers. Traced.

    Raises `LookUnknown`, `AskedAlready`.
    """
    if not may_be_told([person_id, *former_ids(person_id)], entry_id):
        raise LookUnknown()
    case = Case(kind=Kind.ASK, person_id=person_id, entry_id=entry_id)
    case.department = (entry_of(case) or {}).get("department") or service(Kind.ASK).department
    return _opened(account, case, {"text": text})


def correct(
    account: Account,
    person_id: int,
    column: str,
    *,
    current: str,
    source: str,
    wanted: str,
    text: str,
    files: Sequence[bytes] = (),
) -> int:
    """Ask for a value of the own record to be corrected; the case's number. Traced.

    `current` and `source` are what the register says now and who says so; `wanted` what is right, `text` why, `files` evidence (JPEG, PNG, PDF).
    Raises `AskedAlready`, `EvidenceRefused`.
    """
    if len(files) > rules.MOST_FILES:
        raise EvidenceRefused(megabytes=rules.MOST_BYTES >> 20)
    sent = [(rules.media_of(content), content) for content in files]
    case = Case(kind=Kind.CORRECT, person_id=person_id, department=service(Kind.CORRECT).department, column=column)
    return _opened(account, case, {"current": current, "source": source, "wanted": wanted, "text": text}, sent)


def _opened(account: Account, case: Case, words: dict[str, str], files: Sequence[tuple[str, bytes]] = ()) -> int:
    case.opened_at = clock.now()
    case.due_on = clock.day_of(case.opened_at) + timedelta(days=service(Kind(case.kind)).days)
    with transaction.atomic():
        try:
            with transaction.atomic():
                case.save(force_insert=True)
        except IntegrityError:
            raise AskedAlready() from None
        written(case, StepKind.OPEN, words, account=account, why=OWN, files=files)
    return case.id


def own_cases(person_id: int) -> list[Case]:
    """The person's cases, newest first. Codes and times only: nothing is opened."""
    return list(Case.objects.filter(person_id__in=[person_id, *former_ids(person_id)]).order_by("-id"))


def own_case(account: Account, person_id: int, number: int) -> Story:
    """One case of the person, words opened. Traced. Raises `CaseUnknown`."""
    case = _own(person_id, number)
    trace.record(
        "services.open_case", subject_ids=[case.person_id], by=account.username, why=OWN, detail={"case": case.id}
    )
    return story_of(case)


def own_evidence(account: Account, person_id: int, number: int, evidence_id: int) -> tuple[str, bytes]:
    """(media type, content) of a piece of the person's own evidence. Traced. Raises `CaseUnknown`."""
    return evidence_of(_own(person_id, number), evidence_id, account=account, why=OWN)


@transaction.atomic
def appeal(account: Account, person_id: int, number: int, text: str) -> None:
    """Appeal against an answer; somebody else of the office decides. Traced. Raises `CaseUnknown`, `StepNotNow` (also when it is too late)."""
    case = Case.objects.select_for_update().get(pk=_own(person_id, number).pk)
    until = appeal_until(case)
    if until is None or clock.today() > until:
        raise StepNotNow()
    case.state = rules.next_state(Kind(case.kind), State(case.state), StepKind.APPEAL)
    case.due_on = clock.today() + timedelta(days=service(Kind(case.kind)).days)
    case.save(update_fields=["state", "due_on"])
    written(case, StepKind.APPEAL, {"text": text}, account=account, why=OWN)


def appeal_until(case: Case) -> date | None:
    """Until when the person may appeal against the newest answer; None when not now."""
    if case.state != State.ANSWERED or case.outcome == Outcome.ACCEPTED:
        return None
    answered_at = case.steps.filter(kind=StepKind.ANSWER).order_by("id").last().at
    return rules.may_appeal_until(clock.day_of(answered_at), service(Kind(case.kind)).appeal_days)


def entry_of(case: Case) -> dict[str, Any] | None:
    """The entry that is asked about; None for a correction, or where its text was erased."""
    rows = trace.entries_by_id([case.entry_id]) if case.entry_id else []
    return rows[0] if rows else None


def story_of(case: Case) -> Story:
    """A case with its words opened; the caller has traced it."""
    steps = [
        StepTold(
            StepKind(step.kind),
            step.at,
            step.by,
            words_of(step),
            [(one.id, one.media) for one in step.evidence.order_by("id") if one.size],
        )
        for step in case.steps.order_by("id").prefetch_related("evidence")
    ]
    return Story(case, steps, entry_of(case), appeal_until(case))


def evidence_of(case: Case, evidence_id: int, *, account: Account, why: str, basis: str = "") -> tuple[str, bytes]:
    """(media type, content) of a piece of a case's evidence. Traced. Raises `CaseUnknown`."""
    found = Evidence.objects.filter(pk=evidence_id, step__case=case).first()
    if found is None or not found.size:
        raise CaseUnknown()
    trace.record(
        "services.open_evidence",
        subject_ids=[case.person_id],
        by=account.username,
        why=why,
        department=account.department,
        basis=basis,
        detail={"case": case.id},
    )
    return found.media, unseal(evidence_place(found.id, found.step_id), found.sealed)


def written(
    case: Case,
    kind: StepKind,
    words: dict[str, Any],
    *,
    account: Account,
    why: str,
    basis: str = "",
    files: Sequence[tuple[str, bytes]] = (),
) -> None:
    """Write a step, sealed, with its evidence and its trace, in the caller's transaction."""
    step_id = next_id("services_step")
    sealed = seal(step_place(step_id, case.id), json.dumps(words, ensure_ascii=False).encode())
    step = Step.objects.create(
        id=step_id, case=case, kind=kind, at=clock.now(), by=account.username[:120], sealed=sealed
    )
    for media, content in files:
        number = next_id("services_evidence")
        blob = seal(evidence_place(number, step_id), content)
        Evidence.objects.create(id=number, step=step, media=media, size=len(content), sealed=blob)
    trace.record(
        f"services.{kind}",
        subject_ids=[case.person_id],
        by=account.username,
        why=why,
        department=account.department,
        basis=basis,
        detail={"case": case.id, "service": str(case.kind), **({"files": len(files)} if files else {})},
    )


def _own(person_id: int, number: int) -> Case:
    case = Case.objects.filter(pk=number, person_id__in=[person_id, *former_ids(person_id)]).first()
    if case is None:
        raise CaseUnknown()
    return case
