"""Who may: rights on pages and verbs, and the one decision about persons that every page, answer, file and count asks for."""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache

from django.contrib.auth.models import AnonymousUser
from django.db.models import Q, QuerySet

from wanjia.access import rules
from wanjia.access.adapters.policies import PolicyBook, load_book
from wanjia.access.declared import Purpose
from wanjia.access.errors import OutsideArea, PurposeUnknown, RightMissing
from wanjia.access.models import Account, Grant
from wanjia.access.rules import Action, Decision, LiveGrant, Right, Subject
from wanjia.kernel import clock, settings

#: how long a process goes on with the policies it has read before it looks at the files again
LOOK_AGAIN_SECONDS = 2.0

_read: dict[object, tuple[float, PolicyBook]] = {}


def book() -> PolicyBook:
    """What is declared about access in the profile in force; looked at anew every few seconds. Raises `DeclarationErrors`."""
    profile, now = settings.profile_dir(), time.monotonic()
    kept = _read.get(profile)
    if kept is None or now - kept[0] > LOOK_AGAIN_SECONDS:
        kept = _read[profile] = (now, load_book(profile))
    return kept[1]


def may(account: Account | AnonymousUser, right: Right | str) -> bool:
    """Whether this account may use `right` now. Anonymous and closed accounts may nothing; nor may a role nobody declared."""
    if not (account.is_authenticated and account.is_active):
        return False
    role = book().roles.get(getattr(account, "role", ""))
    return role is not None and right in role.rights


def require(account: Account | AnonymousUser, right: Right | str) -> None:
    """Pass, or raise RightMissing."""
    if not may(account, right):
        raise RightMissing(role=getattr(account, "role", "–") or "–", right=str(right))


def decide(account: Account, action: Action | str, subject: Subject, purpose: str) -> Decision:
    """Whether `account` may do `action` to the person `subject` for `purpose`, and which fields it may have then.

    Standing rights come first; what was granted to the account for just this person adds to them, never more than the grant names.
    Anything but a clean Allow is no. The decision's `detail()` belongs into the trace entry of what is done with it.
    """
    if not account.is_active:
        return Decision(Action(action), purpose, False)
    return _decided(
        account, Action(action), subject, purpose, lambda: live_grants(account, purpose, [subject.person_id])
    )


def decide_many(
    account: Account, action: Action | str, subjects: Iterable[Subject], purpose: str
) -> dict[int, Decision]:
    """`decide` for many persons, by id; one look at the account's grants for all of them, if any of them needs one."""
    wanted = list(subjects)
    if not account.is_active:
        return {s.person_id: Decision(Action(action), purpose, False) for s in wanted}
    grants = cache(lambda: live_grants(account, purpose, [s.person_id for s in wanted]))
    return {s.person_id: _decided(account, Action(action), s, purpose, grants) for s in wanted}


def require_decision(account: Account, action: Action | str, subject: Subject | None, purpose: str) -> Decision:
    """The decision if it allows, or OutsideArea: the same words for another area, a sealed person and an id of nobody."""
    decision = decide(account, action, subject, purpose) if subject else None
    if decision is None or not decision.is_allowed:
        raise OutsideArea(area=account.area or "–")
    return decision


@dataclass(frozen=True)
class SearchScope:
    """Whom a search of this account for this purpose may find, before anything is counted.

    Persons below the division `area` ("" = all, None = nobody by area); sealed ones among them only if `finds_sealed`. Granted one by one,
    wherever they live: `also` unless they are sealed, `also_sealed` in any case. `elements`: what the purpose needs, and so by what it may
    search: a list of who has a household's number tells who has it. `policies`: what decided, for the trace.
    """

    area: str | None = None
    finds_sealed: bool = False
    also: tuple[int, ...] = ()
    also_sealed: tuple[int, ...] = ()
    elements: frozenset[str] = frozenset()
    policies: Mapping[str, str] = field(default_factory=dict)

    def detail(self) -> dict[str, object]:
        """What the trace keeps: deciding policies with their text's hash."""
        return {"policies": dict(self.policies)}


def search_scope(account: Account, purpose: str) -> SearchScope:
    """Whom `account` may find for `purpose`: the same decision as for one person, asked for each kind of person there is."""
    if not account.is_active:
        return SearchScope()
    plain, sealed = _in_own_area(account, purpose)
    also: dict[bool, set[int]] = {False: set(), True: set()}
    policies = {**plain.policies, **sealed.policies}
    for person, grants in live_grants(account, purpose, None).items():
        for grant in grants:
            # who the granted person is we do not know here: the grant must do even for one outside the area
            stranger = Subject(person, ("-",), grant.covers_sealed)
            found = _by_grant(account, Action.FIND, stranger, purpose, grant)
            if found.is_allowed:
                also[grant.covers_sealed].add(person)
                policies |= found.policies
    needed = purposes_of(account).get(purpose)
    return SearchScope(
        area=rules.significant(account.area) if plain.is_allowed else None,
        finds_sealed=sealed.is_allowed,
        also=tuple(sorted(also[False])),
        also_sealed=tuple(sorted(also[True])),
        elements=book().elements(needed.fields) if needed else frozenset(),
        policies=policies,
    )


def own_area(account: Account, purpose: str) -> tuple[str | None, bool]:
    """`area` and `finds_sealed` of `search_scope`: what an account may find without any grant."""
    if not account.is_active:
        return None, False
    plain, sealed = _in_own_area(account, purpose)
    return rules.significant(account.area) if plain.is_allowed else None, sealed.is_allowed


def _in_own_area(account: Account, purpose: str) -> tuple[Decision, Decision]:
    """Finding somebody of the own area, and a sealed person of it."""
    inside = (account.area,) if account.area else ()
    plain, sealed = (
        _standing(account, Action.FIND, Subject(0, inside, is_sealed), purpose) for is_sealed in (False, True)
    )
    return plain, sealed


def purposes_of(account: Account, *, about: str = "person") -> dict[str, Purpose]:
    """The purposes this account's role may state, in the order of their files; `about` "row": for quarantined rows."""
    return {
        code: purpose
        for code, purpose in book().purposes.items()
        if purpose.about == about and account.role in purpose.roles
    }


def require_purpose(account: Account, purpose: str, *, about: str = "person") -> Purpose:
    """The declared purpose, or PurposeUnknown when it is none that this account's role may state."""
    found = purposes_of(account, about=about).get(purpose)
    if found is None:
        raise PurposeUnknown(purpose=purpose)
    return found


def live_grants(account: Account, purpose: str, person_ids: Sequence[int] | None) -> dict[int, list[LiveGrant]]:
    """Grants in force now of an account for a purpose, by person (None: of any person); a grant without a person is under id 0."""
    rows = _in_force(account).filter(purpose=purpose)
    if person_ids is not None:
        rows = rows.filter(Q(person_id__in=person_ids) | Q(person_id=None))
    else:
        rows = rows.exclude(person_id=None)
    found: dict[int, list[LiveGrant]] = {}
    for row in rows.order_by("id"):
        grant = LiveGrant(row.finds, row.reads, row.is_urgent, row.covers_sealed, frozenset(row.fields), number=row.id)
        found.setdefault(row.person_id or 0, []).append(grant)
    return found


def granted_persons(account: Account, purposes: Iterable[str]) -> tuple[set[int], set[int]]:
    """Who is granted to an account now for any of the purposes: (sealed or not, unless sealed)."""
    rows = _in_force(account).filter(purpose__in=list(purposes)).exclude(person_id=None)
    persons: dict[bool, set[int]] = {True: set(), False: set()}
    for person, covers_sealed in rows.values_list("person_id", "covers_sealed"):
        persons[covers_sealed].add(person)
    return persons[True], persons[False]


def _in_force(account: Account) -> QuerySet[Grant]:
    now, (boot, seconds) = clock.now(), clock.running()
    rows = Grant.objects.filter(account_id=account.pk, begins_at__lte=now, ends_at__gt=now, revoked_at=None)
    return rows.exclude(boot=boot, boot_ends__lte=seconds)


def _decided(
    account: Account,
    action: Action,
    subject: Subject,
    purpose: str,
    granted: Callable[[], Mapping[int, list[LiveGrant]]],
) -> Decision:
    """`granted`: the account's grants by person, looked for only where its own area does not decide."""
    decision = _standing(account, action, subject, purpose)
    is_ordinary = not subject.is_sealed and rules.covers_one(account.area, subject.divisions)
    if action is Action.BREAK_GLASS or (decision.is_allowed and is_ordinary):
        return decision
    grants = granted()
    for grant in [*grants.get(subject.person_id, []), *grants.get(0, [])]:
        added = _by_grant(account, action, subject, purpose, grant)
        if added.is_allowed:
            decision = Decision(
                action,
                purpose,
                True,
                decision.fields | added.fields,
                decision.elements | added.elements,
                {**decision.policies, **added.policies},
                decision.grant or grant.number,
            )
    return decision


def _standing(account: Account, action: Action, subject: Subject, purpose: str) -> Decision:
    case = rules.circumstances(account.area, account.person_id, subject, LiveGrant())
    verdict = book().verdict(account.role, action, purpose, case)
    return Decision(
        action, purpose, verdict.is_allowed, verdict.fields, book().elements(verdict.fields), verdict.policies
    )


def _by_grant(account: Account, action: Action, subject: Subject, purpose: str, grant: LiveGrant) -> Decision:
    """What one grant adds: fields that both it and the policies allow. Each grant is asked for alone, so two never add up to a third."""
    case = rules.circumstances(account.area, account.person_id, subject, grant)
    verdict = book().verdict(account.role, action, purpose, case)
    fields = verdict.fields & grant.fields
    is_allowed = verdict.is_allowed and (bool(fields) or action is Action.FIND)
    return Decision(
        action,
        purpose,
        is_allowed,
        fields,
        book().elements(fields),
        verdict.policies if is_allowed else {},
        grant.number,
    )
