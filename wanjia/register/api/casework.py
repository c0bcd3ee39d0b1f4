"""What every verb of a case needs: its row and version, its sealed form, its steps, its trace, and what an account is shown of it."""

import json
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from django.db import transaction

from wanjia.access import api as access
from wanjia.access.api import Action, Right
from wanjia.access.models import Account
from wanjia.kernel import clock, settings
from wanjia.kernel.declared import Text
from wanjia.kernel.keyring import Keyring
from wanjia.kernel.sealed_stores import SealedColumn
from wanjia.register.api.declaring import event_book
from wanjia.register.api.finding import subjects_of
from wanjia.register.api.forms import told_of_check
from wanjia.register.api.settling import say_cases
from wanjia.register.api.staging import listed
from wanjia.register.declared import Lifecycle, Move
from wanjia.register.errors import CaseMovedOn, CaseUnknown, FormRefused, KeyOfAnotherCase, MoveNotAllowed
from wanjia.register.errors.fields import FieldTooLong, WrongShape
from wanjia.register.models import Event, EventParty, EventStep
from wanjia.standards import api as standards
from wanjia.trace import api as trace

FORMS = "event-form"
ASSIGN, SAVE, OPEN = "assign", "save", "open"
MOST_FORM_BYTES = 200_000
MOST_FIELD = 2_000  # beyond this a field is named as what makes the form too large
REVOCATION, REINSTATEMENT = "revocation", "reinstatement"
REVOKE, REINSTATE = "revoke", "reinstate"


@dataclass(frozen=True)
class Case:
    """A case as a list shows it: nothing about anybody but ids. `may`: the verbs this account may use now; `form` only where it was read."""

    id: int
    kind: str
    status: str
    version: int
    office: str
    opened_by: str
    opened_at: datetime
    assigned_to: str
    handled_by: str
    happened_on: date | None
    due_on: date | None
    is_late: bool
    registered_at: datetime | None
    about: int | None
    request: int | None
    may: tuple[str, ...]
    people: Mapping[str, list[int]] = field(default_factory=dict)
    form: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class Step:
    """One thing that was done with a case."""

    verb: str
    status: str
    at: datetime
    by: str
    reason: str


def form_aad(event_id: int) -> bytes:
    """What binds a form's blob to its row."""
    return b"register_event|form|%d" % event_id


def reason_aad(event_id: int, number: int) -> bytes:
    """What binds a reason's blob to its row."""
    return b"register_eventstep|reason|%d|%d" % (event_id, number)


KEYED = (
    SealedColumn(FORMS, "register_event", (("id", "bigint"),), "form", form_aad),
    SealedColumn(FORMS, "register_eventstep", (("event_id", "bigint"), ("number", "integer")), "reason", reason_aad),
)


def enter(officer: Account, purpose: str) -> None:
    """Raises `RightMissing`, `PurposeUnknown`."""
    access.require(officer, Right.HANDLE_EVENTS)
    access.require_purpose(officer, purpose)


def row_of(case_id: int, officer: Account, purpose: str) -> Event:
    """The case, its row locked. Raises `CaseUnknown`."""
    event = Event.objects.select_for_update().filter(pk=case_id).first()
    reach(event, officer, purpose)
    return event


def locked(case_id: int, version: int, officer: Account, purpose: str) -> Event:
    """The case, its row locked, if it stands at `version`. Raises `CaseUnknown`, `CaseMovedOn`."""
    enter(officer, purpose)
    event = row_of(case_id, officer, purpose)
    if event.version != version:
        raise moved_on(event)
    return event


def reach(event: Event | None, officer: Account, purpose: str) -> None:
    """Raises `CaseUnknown` unless the case is of the account's area, opened by it or given to it; also where it is about a sealed person whom the
    account may not find for this purpose. Must run in a transaction.
    """
    is_own = event is not None and officer.username in (event.opened_by, event.assigned_to)
    if event is None or not (is_own or (event.office and is_served(officer, event.office)) or not officer.area):
        raise CaseUnknown()
    say_cases(event.pk)
    sealed = [one for one in subjects_of(people_in(event)).values() if one.is_sealed]
    decided = access.decide_many(officer, Action.FIND, sealed, purpose)
    if not all(decided[one.person_id].is_allowed for one in sealed):
        raise CaseUnknown()


def is_served(officer: Account, office: str) -> bool:
    """Whether the office, or the one that took over from it, is of the account's area."""
    if access.covers(officer.area, office):
        return True
    return bool(standards.changes_stamp()) and access.covers(officer.area, standards.load_profile().code_now(office))


def people_in(event: Event) -> list[int]:
    """Everybody who plays a part in a case, by what was submitted."""
    return sorted(set(EventParty.objects.filter(event=event).values_list("person_id", flat=True)))


@contextmanager
def refusal_told(case_id: int, officer: Account, purpose: str) -> Iterator[None]:
    """One transaction; if a form is refused in it nothing is changed, but that persons were looked at for it stays in the trace."""
    try:
        with transaction.atomic():
            yield
    except FormRefused as refused:
        if refused.people:
            told_of_check(refused.problems, refused.people, officer=officer, why=f"{purpose}:{case_id}", event=case_id)
        raise


def moved_on(event: Event) -> CaseMovedOn:
    """Somebody was faster: who, and what they did."""
    last = EventStep.objects.filter(event=event).order_by("-number").first()
    named = _verb_name(event_book().lifecycle, last.verb)
    return CaseMovedOn(who=last.by, what_zh=named.zh, what_en=named.en)


def _verb_name(lifecycle: Lifecycle, verb: str) -> Text:
    own = {SAVE: Text("保存草稿", "saved a draft"), ASSIGN: Text("分派", "assigned"), OPEN: Text("新建", "opened")}
    move = lifecycle.move(verb)
    return move.name if move else own.get(verb, Text(verb, verb))


def move_of(event: Event, verb: str, officer: Account) -> Move:
    """The declared move. Raises `MoveNotAllowed`."""
    move = event_book().lifecycle.move(verb)
    if move is None or verb not in verbs_of(event, officer):
        raise not_allowed(event, move, officer)
    return move


def verbs_of(event: Event, officer: Account) -> tuple[str, ...]:
    """What this account may do next with the case, by the table; an event about another has no life of its own, and what only an event of another
    kind undoes is not revoked."""
    if event.kind in (REVOCATION, REINSTATEMENT):
        return ()
    kinds = event_book().kinds
    is_final = event.kind in kinds and (
        kinds[event.kind].undone_by or any(one.undone_by == event.kind for one in kinds.values())
    )
    return tuple(
        m.verb
        for m in event_book().lifecycle.moves
        if event.status in m.of and officer.role in m.roles and not (is_final and m.verb in (REVOKE, REINSTATE))
    )


def not_allowed(event: Event, move: Move | None, officer: Account) -> MoveNotAllowed:
    """What this account cannot do now, and what it can."""
    lifecycle = event_book().lifecycle
    status = lifecycle.status(event.status).name
    verb = move.name if move else Text("此操作", "that")
    may = [lifecycle.move(one).name for one in verbs_of(event, officer)]
    return MoveNotAllowed(
        status_zh=status.zh, status_en=status.en, verb_zh=verb.zh, verb_en=verb.en,
        may_zh="、".join(m.zh for m in may) or "无", may_en=", ".join(m.en for m in may) or "nothing",
    )  # fmt: skip


def stepped(event: Event, verb: str, status: str, officer: Account, reason: str, *, is_first: bool = False) -> None:
    """Write a step; the case stands where the step leads."""
    event.status, event.version = status, event.version if is_first else event.version + 1
    event.save()
    sealed = (
        Keyring.open(settings.home()).seal(FORMS, reason.encode(), reason_aad(event.pk, event.version))
        if reason
        else b""
    )
    EventStep.objects.create(
        event=event, number=event.version, verb=verb, status=status, by=officer.username, reason=sealed, at=clock.now()
    )


def reason_of(keyring: Keyring, step: EventStep) -> str:
    """The reason of a step in clear."""
    return (
        keyring.unseal(FORMS, bytes(step.reason), reason_aad(step.event_id, step.number)).decode()
        if step.reason
        else ""
    )


def keep_form(event: Event, content: Mapping[str, Any]) -> None:
    """Seal the content of a case; the step that follows writes it."""
    plain = json.dumps(content, ensure_ascii=False, default=str).encode()
    event.form = Keyring.open(settings.home()).seal(FORMS, plain, form_aad(event.pk))


def opened(event: Event) -> dict[str, Any]:
    """The content of a case in clear."""
    if not event.form:
        return {}
    return json.loads(Keyring.open(settings.home()).unseal(FORMS, bytes(event.form), form_aad(event.pk)))


def bounded(form: Mapping[str, Any]) -> dict[str, Any]:
    """The form as JSON holds it. Raises `FormRefused` for one that no form can be."""
    try:
        text = json.dumps(form, ensure_ascii=False)
        size = len(text.encode())
    except (TypeError, ValueError):
        raise FormRefused(listed([("form", WrongShape())])) from None
    if size > MOST_FORM_BYTES:
        beyond = [
            (key, FieldTooLong(most=MOST_FIELD, length=long)) for key, long in _lengths(form) if long > MOST_FIELD
        ]
        raise FormRefused(listed(beyond or [("form", FieldTooLong(most=MOST_FORM_BYTES, length=size))]))
    return json.loads(text)


def _lengths(form: Mapping[str, Any]) -> Iterator[tuple[str, int]]:
    """(where, characters) of everything typed into a form."""
    for part in ("values", "people", "numbers", "evidence"):
        given = form.get(part)
        for key, one in given.items() if isinstance(given, Mapping) else ():
            yield f"evidence.{key}" if part == "evidence" else str(key), len(str(one))


def named_in(form: Mapping[str, Any]) -> list[int]:
    """The ids of persons that a draft names, as far as they are ids."""
    people = form.get("people") if isinstance(form.get("people"), Mapping) else {}
    given = [one for ids in people.values() for one in (ids if isinstance(ids, list) else [ids])][:50]
    return sorted(
        {int(one) for one in given if isinstance(one, int) and not isinstance(one, bool) and 0 < one < 1 << 63}
    )


def people_of(event: Event) -> dict[str, list[int]]:
    """Part → persons of a case."""
    found: dict[str, list[int]] = {}
    for party in EventParty.objects.filter(event=event).order_by("id"):
        found.setdefault(party.role, []).append(party.person_id)
    return found


def day_of(value: Any) -> date | None:
    """A day of a canonical value."""
    return date.fromisoformat(str(value)[:10]) if value else None


def uuid_of(key: uuid.UUID | str | None) -> uuid.UUID | None:
    """The key as a UUID. Raises `KeyOfAnotherCase`."""
    if key is None or isinstance(key, uuid.UUID):
        return key
    try:
        return uuid.UUID(key)
    except ValueError:
        raise KeyOfAnotherCase() from None


def shown(
    event: Event,
    officer: Account,
    *,
    people: Mapping[str, list[int]] | None = None,
    form: Mapping[str, Any] | None = None,
) -> Case:
    """The case as this account is shown it."""
    return Case(
        id=event.pk, kind=event.kind, status=event.status, version=event.version, office=event.office, opened_by=event.opened_by,
        opened_at=event.opened_at, assigned_to=event.assigned_to, handled_by=event.handled_by, happened_on=event.happened_on,
        due_on=event.due_on, is_late=event.is_late, registered_at=event.registered_at, about=event.about_id,
        request=event.request, may=verbs_of(event, officer), people=people or {}, form=form,
    )  # fmt: skip


def traced(event: Event, verb: str, officer: Account, purpose: str, *, people: Sequence[int] = ()) -> None:
    """One trace entry for each person the case is about."""
    trace.record(
        f"register.event_{verb}",
        subject_ids=sorted(set(people)),
        by=officer.username,
        why=f"{purpose}:{event.pk}",
        department=officer.department,
        detail={"event": event.pk, "kind": event.kind},
    )
