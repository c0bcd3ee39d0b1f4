"""Cases: from draft to registered and issued, back for completion, refused, revoked, reinstated. The one table of what may happen next is declared
(lifecycle.toml); a case's status is the last of its steps.
"""

import uuid
from collections.abc import Mapping, Sequence
from datetime import timedelta
from functools import partial
from typing import Any

from django.db import IntegrityError, connection, transaction
from django.db.models import Count, Q, QuerySet

from wanjia.access import api as access
from wanjia.access.api import Right
from wanjia.access.models import Account
from wanjia.kernel import clock, settings
from wanjia.kernel.keyring import Keyring
from wanjia.privacy.api import BlindKind, Said
from wanjia.register.api import merging, registering
from wanjia.register.api.casework import (
    ASSIGN,
    OPEN,
    REINSTATEMENT,
    REVOCATION,
    SAVE,
    Case,
    Step,
    bounded,
    day_of,
    enter,
    is_served,
    keep_form,
    locked,
    move_of,
    moved_on,
    named_in,
    not_allowed,
    opened,
    people_in,
    people_of,
    reach,
    reason_of,
    refusal_told,
    row_of,
    shown,
    stepped,
    traced,
    uuid_of,
    verbs_of,
)
from wanjia.register.api.declaring import event_book
from wanjia.register.api.doubles import Looked
from wanjia.register.api.following import tell_followers
from wanjia.register.api.forms import Judged, judge
from wanjia.register.api.settling import say_cases, waiting_shortly
from wanjia.register.api.staging import age_in_days, match_values, office_before
from wanjia.register.errors import DeskElsewhere, FormRefused, KeyOfAnotherCase, ReasonMissing, SameEyes
from wanjia.register.models import Event, EventParty, EventStep
from wanjia.register.rules import forms
from wanjia.standards import api as standards
from wanjia.trace import api as trace


@transaction.atomic
def open_case(
    kind: str,
    form: Mapping[str, Any] | None = None,
    *,
    key: uuid.UUID | str | None = None,
    request: int | None = None,
    office: str = "",
    officer: Account,
    purpose: str,
) -> Case:
    """Begin a draft; with the same `key` of the same account always the same one. The form may be anything so far: a draft is judged when submitted.

    `request`: the resident's request that it carries out; `office`: the division whose queue it is in before it is submitted.
    Raises `RightMissing`, `PurposeUnknown`, `KindUnknown`, `FormRefused` (a form beyond all measure).
    """
    enter(officer, purpose)
    event_book().kind(kind)
    first = event_book().lifecycle.first
    key = uuid_of(key)
    event = Event(kind=kind, status=first, opened_by=officer.username, assigned_to=officer.username, key=key)
    event.request, event.office = request, office
    try:
        with transaction.atomic():
            event.save()
    except IntegrityError:
        found = Event.objects.get(opened_by=officer.username, key=key)
        if found.kind != kind:
            raise KeyOfAnotherCase() from None
        return shown(found, officer)
    keep_form(event, {"form": bounded(form or {})})
    stepped(event, OPEN, first, officer, "", is_first=True)
    traced(event, "open", officer, purpose, people=named_in(form or {}))
    return shown(event, officer)


@transaction.atomic
def keep_draft(case_id: int, form: Mapping[str, Any], *, version: int, officer: Account, purpose: str) -> Case:
    """Keep what was typed so far. Raises `CaseUnknown`, `CaseMovedOn`, `MoveNotAllowed` (submitted meanwhile), `FormRefused` (beyond all measure)."""
    event = locked(case_id, version, officer, purpose)
    if "submit" not in verbs_of(event, officer):
        raise not_allowed(event, None, officer)
    keep_form(event, {"form": bounded(form)})
    stepped(event, SAVE, event.status, officer, "")
    traced(event, "save", officer, purpose, people=named_in(form))
    return shown(event, officer)


def submit_case(
    case_id: int, form: Mapping[str, Any] | None = None, *, version: int, officer: Account, purpose: str
) -> Case:
    """Submit a draft (with its last form, if one is given). Submitting again what was just submitted is the same case, once.

    Raises `FormRefused` with every mistake, `CaseUnknown`, `CaseMovedOn`, `MoveNotAllowed`.
    """
    enter(officer, purpose)
    with refusal_told(case_id, officer, purpose):
        event = row_of(case_id, officer, purpose)
        if event.version != version:
            is_again = event.handled_by == officer.username and event.status == "submitted"
            if is_again and (form is None or opened(event).get("form") == bounded(form)):
                return shown(event, officer)
            raise moved_on(event)
        move = move_of(event, "submit", officer)
        kind = event_book().kind(event.kind)
        given = bounded(form) if form is not None else opened(event).get("form", {})
        judged = judge(kind, given, officer=officer, purpose=purpose, today=clock.today())
        if judged.problems:
            raise FormRefused(judged.problems, people=judged.everybody)
        event.handled_by, event.submitted_at = officer.username, clock.now()
        event.happened_on = day_of(judged.values.get(kind.happens_on))
        if kind.limit and (since := judged.values.get(kind.limit.after)):
            event.due_on = day_of(since) + timedelta(days=kind.limit.days)
            event.is_late = age_in_days(str(since), clock.today()) > kind.limit.days
        keep_form(event, {"form": given, "judged": judged.kept(), "match": match_values(judged.values, kind)})
        with connection.cursor() as cursor:
            event.office = office_before(cursor, kind, judged)[:12]
        EventParty.objects.filter(event=event).delete()
        EventParty.objects.bulk_create(
            [EventParty(event=event, role=role, person_id=one) for role, ids in judged.people.items() for one in ids]
        )
        stepped(event, move.verb, move.to, officer, "")
        traced(event, "submit", officer, purpose, people=judged.everybody)
        return shown(event, officer)


@transaction.atomic
def assign_case(case_id: int, to: str, *, version: int, officer: Account, purpose: str) -> Case:
    """Give an open case to the desk of somebody who may handle events ("": to nobody's).

    Raises `AccountUnknown`, `RightMissing`, `DeskElsewhere` (its area does not cover the case's office), `CaseUnknown`, `CaseMovedOn`,
    `MoveNotAllowed` (closed).
    """
    event = locked(case_id, version, officer, purpose)
    if not event_book().lifecycle.status(event.status).is_open:
        raise not_allowed(event, None, officer)
    if to:
        desk = access.account_named(to)
        access.require(desk, Right.HANDLE_EVENTS)
        if event.office and not is_served(desk, event.office):
            raise DeskElsewhere(who=desk.display_name or desk.username)
    event.assigned_to = to
    stepped(event, ASSIGN, event.status, officer, "")
    traced(event, "assign", officer, purpose)
    return shown(event, officer)


def desks_for(case: Case) -> list[Account]:
    """To whose desks an open case may be given: open accounts that handle events at its office; nobody once it is closed."""
    if not event_book().lifecycle.status(case.status).is_open:
        return []
    return [
        account
        for account in access.staff_accounts()
        if access.may(account, Right.HANDLE_EVENTS) and (not case.office or is_served(account, case.office))
    ]


def move_case(case_id: int, verb: str, *, version: int, reason: str = "", officer: Account, purpose: str) -> Case:
    """Do what may happen next: review, return, refuse, withdraw, register, issue, revoke, reinstate (lifecycle.toml).

    Raises `CaseUnknown`, `CaseMovedOn` (somebody was faster), `MoveNotAllowed`, `SameEyes`, `ReasonMissing`, and for registering what
    `registering.register_case` raises; then nothing is changed.
    """
    enter(officer, purpose)
    looked = merging.look_before(case_id, verb, officer=officer, purpose=purpose)
    done = {"register": partial(_register, looked=looked), "revoke": _revoke, "reinstate": _reinstate}.get(verb)
    with refusal_told(case_id, officer, purpose):
        event = _held(case_id, version, officer, purpose, writes=done is not None)
        move = move_of(event, verb, officer)
        if move.verb == "submit":
            raise not_allowed(event, move, officer)
        said = forms.clean(reason, 500) or ""
        if move.needs_reason and not said:
            raise ReasonMissing()
        if move.is_second:
            _ensure_second_eyes(event, officer)
        if done:
            done(event, officer, purpose, said)
        stepped(event, verb, move.to, officer, said)
        tell_followers(event, officer)
        if not done:
            traced(event, verb, officer, purpose, people=people_in(event))
        return shown(event, officer)


def _held(case_id: int, version: int, officer: Account, purpose: str, *, writes: bool) -> Event:
    """The case, its row locked; before it the register, where the move `writes` into it: a change of divisions holds the register and hands cases
    over, so whoever held a case and then asked for the register would stand in its way while it stands in theirs. Raises `RegisterBusy`.
    """
    if not writes:
        return locked(case_id, version, officer, purpose)
    with connection.cursor() as cursor, waiting_shortly():
        registering.share_register(cursor)
        return locked(case_id, version, officer, purpose)


def read_case(case_id: int, *, officer: Account, purpose: str) -> Case:
    """A case with its form, for whoever may handle it; traced for everybody it is about. Raises `CaseUnknown`."""
    enter(officer, purpose)
    with transaction.atomic():
        event = Event.objects.filter(pk=case_id).first()
        reach(event, officer, purpose)
        people, form = people_of(event), opened(event).get("form", {})
        about = {*(p for ids in people.values() for p in ids), *named_in(form)}
        traced(event, "read", officer, purpose, people=sorted(about))
    return shown(event, officer, people=people, form=form)


def case_steps(case_id: int, *, officer: Account, purpose: str) -> list[Step]:
    """What was done with a case, in order. Raises `CaseUnknown`."""
    enter(officer, purpose)
    with transaction.atomic():
        event = Event.objects.filter(pk=case_id).first()
        reach(event, officer, purpose)
        traced(event, "steps", officer, purpose, people=people_in(event))
        keyring = Keyring.open(settings.home())
        return [
            Step(s.verb, s.status, s.at, s.by, reason_of(keyring, s))
            for s in EventStep.objects.filter(event=event).order_by("number")
        ]


def cases(
    *,
    officer: Account,
    purpose: str,
    statuses: Sequence[str] | None = None,
    kind: str = "",
    mine: bool = False,
    late: bool = False,
    before: int | None = None,
    limit: int = 50,
) -> list[Case]:
    """The work queue: cases of the account's area, own drafts, and those assigned to it; open ones unless `statuses` says otherwise. Newest first,
    `before` an id; `late`: whose legal time is over and which are not registered. No person is in it, so it is one trace entry without a subject.
    """
    enter(officer, purpose)
    wanted = list(statuses) if statuses else [s.key for s in event_book().lifecycle.statuses if s.is_open]
    rows = _queue(officer, mine=mine).filter(status__in=wanted)
    if kind:
        rows = rows.filter(kind=kind)
    if late:
        rows = rows.filter(due_on__lt=clock.today(), registered_at=None)
    if before is not None:
        rows = rows.filter(pk__lt=before)
    found = [shown(event, officer) for event in rows.order_by("-pk")[:limit]]
    trace.record(
        "register.event_list",
        by=officer.username,
        why=purpose,
        department=officer.department,
        detail={"cases": len(found)},
    )
    return found


def queue_sizes(*, officer: Account) -> dict[str, int]:
    """How many cases the account's queue holds of each status; under "late" those of an open status whose legal time is over."""
    access.require(officer, Right.HANDLE_EVENTS)
    rows = _queue(officer)
    found = dict(rows.order_by().values_list("status").annotate(many=Count("pk")))
    waiting = [one.key for one in event_book().lifecycle.statuses if one.is_open]
    late = rows.filter(status__in=waiting, due_on__lt=clock.today(), registered_at=None).count()
    return {one.key: found.get(one.key, 0) for one in event_book().lifecycle.statuses} | {"late": late}


def _queue(officer: Account, *, mine: bool = False) -> QuerySet[Event]:
    own = Q(opened_by=officer.username) | Q(assigned_to=officer.username)
    area = access.significant(officer.area) if officer.area else ""
    of_others = Q(office__startswith=area) & ~Q(office="")
    if area and standards.changes_stamp():
        # cases that an office registered before its division changed are with the office of today
        formerly = [code for code, now in standards.load_profile().redrawn.items() if now.startswith(area)]
        of_others |= Q(office__in=formerly)
    return Event.objects.filter(own if mine else own | of_others).exclude(kind__in=(REVOCATION, REINSTATEMENT))


def _ensure_second_eyes(event: Event, officer: Account) -> None:
    """Raises `SameEyes` where the kind asks for a second pair of eyes and this account had any part in what was written."""
    written = EventStep.objects.filter(event=event, by=officer.username, verb__in=(OPEN, SAVE, "submit"))
    if event_book().kind(event.kind).second_eyes and written.exists():
        raise SameEyes()


def _ensure_content(event: Event, verb: str, officer: Account) -> None:
    """Raises `MoveNotAllowed` where the content of the case was erased by law: nobody could say what it says."""
    if not event.form:
        raise not_allowed(event, event_book().lifecycle.move(verb), officer)


def _register(event: Event, officer: Account, purpose: str, reason: str, *, looked: Looked | None) -> None:
    kind = event_book().kind(event.kind)
    _ensure_content(event, "register", officer)
    kept = opened(event)
    judged = Judged(**{**kept["judged"], "problems": {}})
    if merging.undoes(kind):
        merging.undo_case(event, kind, judged, officer=officer, purpose=purpose)
        return
    said = registering.register_case(
        event, kind, judged, kept["match"], looked=looked, officer=officer, purpose=purpose
    )
    keep_form(event, {**kept, "said": [[s.person_id, s.subject, s.as_of, s.values, s.searchable] for s in said]})


def _revoke(event: Event, officer: Account, purpose: str, reason: str) -> None:
    by_event = _event_about(event, REVOCATION, officer, reason)
    registering.revoke_case(event, by_event, officer=officer, purpose=purpose)
    by_event.save()


def _reinstate(event: Event, officer: Account, purpose: str, reason: str) -> None:
    _ensure_content(event, "reinstate", officer)
    # it counts from here on, so that folding takes its acts in
    Event.objects.filter(pk=event.pk).update(status=event_book().lifecycle.move("reinstate").to)
    kept = opened(event)
    said = [
        Said(person, subject, as_of, values, [(BlindKind(kind), value) for kind, value in sought])
        for person, subject, as_of, values, sought in kept.get("said", ())
    ]
    by_event = _event_about(event, REINSTATEMENT, officer, reason)
    registering.reinstate_case(event, by_event, said, officer=officer, purpose=purpose)
    by_event.save()


def _event_about(event: Event, kind: str, officer: Account, reason: str) -> Event:
    """Revoking and reinstating are events of their own: registered at once, about another."""
    status = event_book().lifecycle.move("register").to
    own = Event.objects.create(
        kind=kind, status=status, opened_by=officer.username, handled_by=officer.username, office=event.office, about=event,
        happened_on=clock.today(), submitted_at=clock.now(),
    )  # fmt: skip
    say_cases(event.pk, own.pk)
    stepped(own, "register", status, officer, reason, is_first=True)
    EventParty.objects.bulk_create(
        [EventParty(event=own, role=p.role, person_id=p.person_id) for p in EventParty.objects.filter(event=event)]
    )
    return own
