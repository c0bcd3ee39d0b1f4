"""An accepted correction and the event that carries it out: each holds the other's number, and the request goes on as the event does."""

from datetime import timedelta

from wanjia.access.api import Right, may
from wanjia.access.models import Account
from wanjia.kernel import clock
from wanjia.register.api import CaseMoved, begin_correction, former_ids, forwarded
from wanjia.services.api.cases import service, written
from wanjia.services.api.keeping import words_of
from wanjia.services.models import Case
from wanjia.services.rules import cases as rules
from wanjia.services.rules.cases import Kind, State, StepKind

#: the declared purpose of deciding on a correction and of carrying it out
CORRECTING = "correct"


def begun(case: Case, account: Account, why: str) -> int | None:
    """Begin the event that corrects the value; its number. None where sources put it right, or where the account may not handle events."""
    if case.kind != Kind.CORRECT or not may(account, Right.HANDLE_EVENTS):
        return None
    wanted = words_of(case.steps.filter(kind=StepKind.OPEN).get()).get("wanted", "")
    event = begin_correction(case.person_id, case.column, wanted, request=case.id, officer=account, purpose=why)
    return event.id if event else None


def case_moved(moved: CaseMoved) -> None:
    """The event has taken a step: registered, the request is carried out; come to nothing, the office answers again; revoked, the resident is told.

    Called by the register in the transaction of the step. Traced, to the person too.
    """
    case = Case.objects.select_for_update().filter(pk=moved.request, event_id=moved.event).first()
    if case is None or (moved.is_open and not moved.counts):
        return
    is_done = moved.counts and _is_it(case, moved)
    last = case.steps.order_by("-id").first()
    step = StepKind.CARRY_OUT if is_done else StepKind.UNDONE
    # issuing a paper for what is registered is no news; of a closed case only the contrary of what was said last is
    if case.state not in (State.ACCEPTED, State.CLOSED) or last.kind == step:
        return
    was = State(case.state)
    case.state = rules.next_state(Kind(case.kind), was, step)
    if case.state == State.REOPENED:
        case.due_on = clock.today() + timedelta(days=service(Kind.CORRECT).days)
    if case.state != was:
        case.save(update_fields=["state", "due_on"])
    words = {"event": moved.event, **({"now": moved.said[case.column]} if is_done else {})}
    written(case, step, words, account=moved.by, why=CORRECTING)


def _is_it(case: Case, moved: CaseMoved) -> bool:
    """Whether the event put right what the request is about: a draft may be changed to say anything."""
    person = forwarded(case.person_id)
    return case.column in moved.said and bool({person, *former_ids(person)} & set(moved.people))
