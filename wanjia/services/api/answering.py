"""The office's side of cases: what waits, answering, deciding appeals, carrying out; and how fast offices answer, for everybody."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import timedelta
from itertools import chain, islice

from django.db import transaction

from wanjia.access.api import Action, Decision, Right, decide_many, require
from wanjia.access.models import Account
from wanjia.kernel import clock
from wanjia.privacy.api import SMALLEST_COUNT
from wanjia.register.api import forwarded, subjects_of
from wanjia.services.api.cases import Story, entry_of, evidence_of, story_of, written
from wanjia.services.api.following import CORRECTING, begun
from wanjia.services.errors import CaseUnknown, StepNotNow
from wanjia.services.models import Case
from wanjia.services.rules import cases as rules
from wanjia.services.rules.cases import AnswerTime, Kind, Outcome, State, StepKind
from wanjia.standards import api as standards
from wanjia.trace import api as trace

RIGHTS = {Kind.ASK: Right.ANSWER_ASKED, Kind.CORRECT: Right.DECIDE_CORRECTION}
#: asks need no person to be read; a correction is decided on the record, for this declared purpose
REPLY = "reply"
COUNTED_DAYS = 365
BATCH = 500


def waiting(account: Account, kind: Kind, *, limit: int = 200) -> list[Case]:
    """Cases of the account's department that the account may act on: those that wait for the office first, most urgent first, then those done.

    Codes and times only: nothing is opened. Raises `RightMissing`.
    """
    require(account, RIGHTS[kind])
    rows = Case.objects.filter(kind=kind, department=account.department)
    acting = rows.filter(state__in=list(rules.OFFICE)).order_by("due_on", "id")
    done = rows.exclude(state__in=list(rules.OFFICE)).order_by("-id")
    found: list[Case] = []
    # bit by bit: of a whole city's cases few may be within the reach of one account
    for some in _batches(chain(acting.iterator(), done.iterator())):
        reached = _decided(account, some) if kind is Kind.CORRECT else {case.id: None for case in some}
        found += [case for case in some if case.id in reached]
        if len(found) >= limit:
            break
    return found[:limit]


def story(account: Account, kind: Kind, number: int) -> Story:
    """One case of the account's department, words opened. Traced, to the person too. Raises `RightMissing`, `CaseUnknown`."""
    case, why, basis = _reached(account, kind, number)
    trace.record(
        "services.open_case",
        subject_ids=[case.person_id],
        by=account.username,
        why=why,
        department=account.department,
        basis=basis,
        detail={"case": case.id},
    )
    return story_of(case)


def evidence(account: Account, number: int, evidence_id: int) -> tuple[str, bytes]:
    """(media type, content) of evidence in a request for correction. Traced. Raises `RightMissing`, `CaseUnknown`."""
    case, why, basis = _reached(account, Kind.CORRECT, number)
    return evidence_of(case, evidence_id, account=account, why=why, basis=basis)


@transaction.atomic
def act(account: Account, kind: Kind, number: int, *, outcome: str = "", text: str) -> int | None:
    """Answer, decide an appeal, or say that a correction was carried out: whichever the case waits for. Traced.

    An accepted correction begins the event that puts the value right, where one is declared for it; returns its number. The case then waits for it.
    Raises `RightMissing`, `CaseUnknown`, `StepNotNow` (also for an outcome that does not fit, or while an event carries it out), `NotYourselves`.
    """
    case, why, basis = _reached(account, kind, number)
    case = Case.objects.select_for_update().get(pk=case.pk)
    step = rules.OFFICE.get(State(case.state), StepKind.ANSWER)
    chosen = Outcome(outcome) if outcome in list(Outcome) else None
    case.state = rules.next_state(kind, State(case.state), step, chosen)
    looked = (entry_of(case) or {}).get("actor", "")
    answers = [one.by for one in case.steps.filter(kind=StepKind.ANSWER)] if step is StepKind.DECIDE else []
    rules.ensure_other(account.username, looked=looked, answered=answers)
    if step is StepKind.CARRY_OUT:
        if case.event_id is not None:
            raise StepNotNow()
    else:
        case.outcome = chosen
        case.answered_at = case.answered_at or clock.now()
        case.event_id = begun(case, account, why) if case.state == State.ACCEPTED else None
    case.save(update_fields=["state", "outcome", "answered_at", "event_id"])
    said = {"text": text, **({"outcome": str(chosen)} if step is not StepKind.CARRY_OUT else {})}
    if case.event_id is not None:
        said["event"] = case.event_id
    written(case, step, said, account=account, why=why, basis=basis)
    return case.event_id


def answer_times() -> list[AnswerTime]:
    """How fast each department answered, over the last year; figures of fewer than ten cases are left out (limit 5). For everybody."""
    since = clock.now() - timedelta(days=COUNTED_DAYS)
    rows = Case.objects.filter(opened_at__gte=since).values_list(
        "department", "kind", "opened_at", "due_on", "answered_at"
    )
    told = ((*row[:4], row[4] and clock.at_office(row[4])) for row in rows)
    return rules.answer_times(told, today=clock.today(), smallest=SMALLEST_COUNT)


def _batches(cases: Iterable[Case]) -> Iterator[list[Case]]:
    given = iter(cases)
    while some := list(islice(given, BATCH)):
        yield some


def _reached(account: Account, kind: Kind, number: int) -> tuple[Case, str, str]:
    require(account, RIGHTS[kind])
    case = Case.objects.filter(pk=number, kind=kind, department=account.department).first()
    if case is None:
        raise CaseUnknown()
    if kind is Kind.ASK:
        return case, REPLY, ""
    decision = _decided(account, [case]).get(case.id)
    if decision is None:
        raise CaseUnknown()
    return case, CORRECTING, decision.basis


def _decided(account: Account, cases: Sequence[Case]) -> dict[int, Decision]:
    """For each case whose person and field the account may read for correcting: the decision."""
    today = {case.id: forwarded(case.person_id) for case in cases}
    profile = standards.load_profile()
    element = {case.id: profile.part(case.column).element for case in cases if case.column in profile.parts}
    today = {number: person for number, person in today.items() if number in element}
    decided = decide_many(account, Action.READ, subjects_of(sorted(set(today.values()))).values(), CORRECTING)
    return {
        number: decided[person]
        for number, person in today.items()
        if person in decided and decided[person].is_allowed and element[number] in decided[person].elements
    }
