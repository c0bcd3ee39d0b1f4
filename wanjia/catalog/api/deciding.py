"""What officers decide of conflicts between the sources of one person: found within reach, seen side by side, decided once with a sealed reason, and
kept by every later run until a source says something else.

A conflict is what the checks object to about one person (or two, or a household) in one element, whichever sources must answer; its number is that of
its first finding. The findings stay the sources' to answer: only those of a source that was right are settled.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from django.db import connection, transaction
from django.db.models import Exists, OuterRef, Q, QuerySet

from wanjia.access import api as access
from wanjia.access.api import Action, Right
from wanjia.access.models import Account
from wanjia.catalog.api.keyed import DECISIONS, reason_aad, said_aad
from wanjia.catalog.api.standing import CONFLICT, is_about_the_value, looked_at, said_about
from wanjia.catalog.errors import ConflictChanged, ConflictDecided, ConflictReasonNeeded, ConflictUnknown, NoValueChosen
from wanjia.catalog.models import ConflictDecision, Finding
from wanjia.kernel import clock, settings
from wanjia.kernel.keyring import Keyring
from wanjia.privacy import api as privacy
from wanjia.privacy.api import Dossier, Statement
from wanjia.register import api as register
from wanjia.register.api import Belief
from wanjia.register.models import Person
from wanjia.standards import api as standards
from wanjia.trace import api as trace

Verdict = ConflictDecision.Verdict
SHORTEST, LONGEST = 2, 500
#: how many waiting conflicts of the area are looked through for those within reach, at once and at most
AT_ONCE, MOST_LOOKED_THROUGH = 50, 4_000


@dataclass(frozen=True)
class Decided:
    """A decision that stands. `case`: the event begun by it."""

    verdict: str
    by: str
    at: datetime
    case: int | None


@dataclass(frozen=True)
class Conflict:
    """Sources that contradict each other, or the register, about somebody. Ids and codes; nothing of what they say."""

    id: int
    kind: str
    element: str
    person: int
    other: int | None
    household: int | None
    sources: tuple[str, ...]
    assertions: frozenset[int]
    opened_on: date
    due_on: date
    decided: Decided | None

    @property
    def people(self) -> tuple[int, ...]:
        """Whom it is about, the person themselves first."""
        return (self.person,) if self.other is None else (self.person, self.other)


@dataclass(frozen=True)
class Saying:
    """One value that is stated in a conflict. `is_held`: it is what the register says; `can_be_right`: an event can put it into the register."""

    column: str
    value: str
    statement: Statement
    is_held: bool
    can_be_right: bool
    is_objected: bool


@dataclass(frozen=True)
class Side:
    """One person of a conflict: what holds and what is stated of the elements in question, as far as the purpose shows them. `unshown`:
    records objected to of which the purpose shows nothing, without what they say.
    """

    person: int
    held: dict[str, Belief]
    sayings: list[Saying]
    unshown: list[Statement]
    elements: frozenset[str]


@dataclass(frozen=True)
class Seen:
    """A conflict side by side. `mark` tells whether it is still what was seen when the decision comes; it says nothing of anybody."""

    conflict: Conflict
    sides: list[Side]
    mark: str


def conflicts_waiting(*, officer: Account, purpose: str) -> dict[str, int]:
    """How many conflicts wait within the account's reach, by their check. Nobody is read. Those about one person are counted by the area and by
    whether sealed persons are found; those about two, of whom either may be elsewhere, are looked through one by one, some thousands at most.

    Raises `RightMissing`, `PurposeUnknown`.
    """
    _enter(officer, purpose)
    scope = access.search_scope(officer, purpose)
    rows = _waiting(officer)
    found = Counter(
        one.kind for one in _within_reach(officer, purpose, only=rows.filter(other_person_id__isnull=False))
    )
    if scope.area is not None:
        held = Person.objects.filter(pk=OuterRef("person_id"), left_at=None)
        alone = rows.filter(Exists(held if scope.finds_sealed else held.filter(is_sealed=False)), other_person_id=None)
        one_each, given = alone.order_by().values(*CONFLICT).distinct().query.sql_with_params()
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT kind, count(*) FROM ({one_each}) AS each GROUP BY kind", given)
            found.update(dict(cursor.fetchall()))
    return dict(found)


def next_conflict(*, officer: Account, purpose: str, kind: str = "", after: int | None = None) -> Conflict | None:
    """The conflict within the account's reach that is due first; `after`: the one behind that. None when nothing waits."""
    _enter(officer, purpose)
    first = Finding.objects.filter(pk=after).first() if after is not None else None
    return next(_within_reach(officer, purpose, kind=kind, after=first), None)


def reach_conflict(conflict_id: int, *, officer: Account, purpose: str) -> Conflict:
    """A conflict within the account's reach, decided or not. Raises `RightMissing`, `PurposeUnknown`, `ConflictUnknown`."""
    _enter(officer, purpose)
    finding = (
        Finding.objects.filter(pk=conflict_id, person_id__isnull=False).exclude(status=Finding.Status.CLOSED).first()
    )
    if finding is None:
        raise ConflictUnknown()
    conflict = _conflict(list(_findings_of(finding)), number=conflict_id)
    if not _reached([conflict], officer, purpose):
        raise ConflictUnknown()
    return conflict


def open_conflict(conflict_id: int, *, officer: Account, purpose: str) -> Seen:
    """What the sources say, side by side. Each person's dossier is opened, which is traced before it returns, so never inside a transaction.

    Raises as `reach_conflict`, and `OutsideArea` for whom the account may find but not read.
    """
    return _open(conflict_id, officer, purpose)[0]


def _open(conflict_id: int, officer: Account, purpose: str) -> tuple[Seen, list[Dossier]]:
    conflict = reach_conflict(conflict_id, officer=officer, purpose=purpose)
    why = f"{purpose}:{conflict.id}"
    wanted = looked_at(conflict.kind, conflict.element)
    sides, dossiers = [], []
    for person in conflict.people:
        decision = access.require_decision(officer, Action.READ, register.subject_of(person), purpose)
        shown = [element for element in wanted if element.key in decision.elements]
        dossier = privacy.open_person(
            person,
            by=officer.username,
            why=why,
            department=officer.department,
            basis=decision.basis,
            fields=sorted(element.key for element in shown),
        )
        held = {belief.column: belief for belief in register.beliefs(dossier, shown)}
        sayings = [
            Saying(
                column=column,
                value=value,
                statement=statement,
                is_held=column in held and held[column].value == value,
                can_be_right=column in held
                and held[column].value != value
                and register.corrected_by(column) is not None,
                is_objected=statement.assertion_id in conflict.assertions,
            )
            for column, value, statement in register.statements_about(dossier, shown)
        ]
        seen = {saying.statement.assertion_id for saying in sayings}
        unshown = [
            replace(statement, values={})
            for statement in dossier.statements
            if statement.assertion_id in conflict.assertions - seen
        ]
        sides.append(Side(person, held, sayings, unshown, frozenset(element.key for element in shown)))
        dossiers.append(dossier)
    mark = "-".join(f"{dossier.version}.{len(dossier.statements)}" for dossier in dossiers)
    return Seen(conflict, sides, mark), dossiers


def decide_conflict(
    conflict_id: int, verdict: str, reason: str, *, mark: str, right: str = "", officer: Account, purpose: str
) -> Decided:
    """The register's value stands, it is to be corrected by what `right` says (as `right_of` gives it), or the sources are
    asked again: with the reason, once. Correcting begins the declared event, with the value filled in. Traced for everybody it is about.

    Raises `ConflictReasonNeeded`, a `FieldError` for signs nobody sees, `NoValueChosen`, `ConflictChanged` (not what `mark` says was seen),
    `ConflictDecided` (somebody was faster), `ConflictUnknown`, `ValueError` for another verdict.
    """
    chosen, said = Verdict(verdict), " ".join(reason.split())
    if not SHORTEST <= len(said) <= LONGEST:
        raise ConflictReasonNeeded(least=SHORTEST, most=LONGEST)
    said = register.plain_words(said, LONGEST)
    seen, dossiers = _open(conflict_id, officer, purpose)
    person, truth = _chosen(seen, right) if chosen == Verdict.CORRECT else (None, None)
    with transaction.atomic():
        first = Finding.objects.get(pk=conflict_id)
        findings = list(_findings_of(first).select_for_update())
        # somebody may have decided while this waited for the rows; what they settled is not among the open ones any more
        first.refresh_from_db()
        if first.decision is not None:
            raise ConflictDecided(who=first.decision.by)
        now = {one.pk: set(one.assertion_ids) for one in findings}
        if mark != seen.mark or not findings or set().union(*now.values()) != seen.conflict.assertions:
            raise ConflictChanged()
        case, sources = None, sorted({one.source for one in findings})
        settled: list[str] = []
        if truth is not None and person is not None:
            begun = register.begin_correction(person, truth.column, truth.value, officer=officer, purpose=purpose)
            case = begun.id if begun else None
            settled = _sources_saying(seen, person, truth) if is_about_the_value(first.kind) else []
        decision = ConflictDecision.objects.create(
            **{key: getattr(first, key) for key in CONFLICT}, verdict=chosen, sources=sources,
            right=[one for one in sources if one in settled], case_id=case, by=officer.username, at=clock.now(),
        )  # fmt: skip
        sealer = Keyring.open(settings.home()).sealer(DECISIONS)
        text = said_about(first.kind, first.element, dossiers)
        ConflictDecision.objects.filter(pk=decision.pk).update(
            reason=sealer.seal(said.encode(), reason_aad(decision.pk)),
            said=sealer.seal(text.encode(), said_aad(decision.pk)),
        )
        _findings_of(first).update(decision=decision)
        _findings_of(first).filter(source__in=decision.right).update(
            status=Finding.Status.SETTLED, closed_on=clock.today()
        )
        trace.record(
            "catalog.decide_conflict",
            subject_ids=sorted(seen.conflict.people),
            by=officer.username,
            why=f"{purpose}:{conflict_id}",
            department=officer.department,
            detail={"conflict": conflict_id, "verdict": str(chosen), **({"case": case} if case else {})},
        )
    return _decided(decision)


def right_of(side: Side, saying: Saying) -> str:
    """How a page names the value of a saying without saying it."""
    return f"{side.person}:{saying.column}:{saying.statement.assertion_id or saying.statement.event_id}"


def erase_person(person_id: int, *, by: str, why: str) -> int:
    """Erase what officers wrote about conflicts this person is of, and what sources said then; of how many decisions. That they were made stays, and
    is traced.
    """
    about = ConflictDecision.objects.filter(Q(person_id=person_id) | Q(other_person_id=person_id))
    erased = about.exclude(reason=b"", said=b"").update(reason=b"", said=b"")
    trace.record("catalog.erase", subject_ids=[person_id], by=by, why=why, detail={"decisions": erased})
    return erased


def _enter(officer: Account, purpose: str) -> None:
    access.require(officer, Right.HANDLE_EVENTS)
    access.require_purpose(officer, purpose)


def _chosen(seen: Seen, right: str) -> tuple[int, Saying]:
    for side in seen.sides:
        for saying in side.sayings:
            if saying.can_be_right and right_of(side, saying) == right:
                return side.person, saying
    raise NoValueChosen()


def _sources_saying(seen: Seen, person: int, truth: Saying) -> list[str]:
    """The sources of whom the truth is all they say of it."""
    said: dict[str, set[str]] = {}
    for side in seen.sides:
        for saying in side.sayings:
            if (
                side.person == person
                and saying.column == truth.column == seen.conflict.element
                and saying.statement.event_id is None
            ):
                said.setdefault(saying.statement.source, set()).add(saying.value)
    return [source for source, values in said.items() if values == {truth.value}]


def _findings_of(finding: Finding) -> QuerySet[Finding]:
    """The findings of one conflict that are not closed."""
    same: dict[str, Any] = {}
    for key in CONFLICT:
        value = getattr(finding, key)
        same |= {f"{key}__isnull": True} if value is None else {key: value}
    open_ones = Finding.objects.filter(**same).exclude(status=Finding.Status.CLOSED).order_by("due_on", "pk")
    # what was settled belongs to it while its decision stands
    return open_ones.filter(
        Q(status=Finding.Status.OPEN) | Q(decision_id=finding.decision_id, decision_id__isnull=False)
    )


def _conflict(findings: Sequence[Finding], *, number: int | None = None) -> Conflict:
    first = findings[0]
    decision = first.decision
    return Conflict(
        id=number if number is not None else first.pk,
        kind=first.kind,
        element=first.element,
        person=first.person_id,
        other=first.other_person_id,
        household=first.household_id,
        sources=tuple(sorted({one.source for one in findings})),
        assertions=frozenset(number for one in findings for number in one.assertion_ids),
        opened_on=min(one.opened_on for one in findings),
        due_on=first.due_on,
        decided=_decided(decision) if decision else None,
    )


def _decided(decision: ConflictDecision) -> Decided:
    return Decided(decision.verdict, decision.by, decision.at, decision.case_id)


def _within_reach(
    officer: Account,
    purpose: str,
    *,
    kind: str = "",
    after: Finding | None = None,
    only: QuerySet[Finding] | None = None,
) -> Iterator[Conflict]:
    rows = _waiting(officer) if only is None else only
    if kind:
        rows = rows.filter(kind=kind)
    told: set[tuple] = set()
    if after is not None:
        told.add(_key(after))
        later = Q(person_id__gt=after.person_id) | Q(person_id=after.person_id, pk__gt=after.pk)
        rows = rows.filter(Q(due_on__gt=after.due_on) | Q(due_on=after.due_on) & later)
    rows = rows.order_by("due_on", "person_id", "pk")
    for start in range(0, MOST_LOOKED_THROUGH, AT_ONCE):
        found = list(rows[start : start + AT_ONCE])
        together: dict[tuple, list[Finding]] = {}
        for one in found:
            if _key(one) not in told:
                together.setdefault(_key(one), []).append(one)
        told |= together.keys()
        yield from _reached([_conflict(of_one) for of_one in together.values()], officer, purpose)
        if len(found) < AT_ONCE:
            return


def _waiting(officer: Account) -> QuerySet[Finding]:
    """Findings that wait at the offices of the account's area, by where the person was registered at the last run."""
    rows = Finding.objects.filter(status=Finding.Status.OPEN, decision=None, person_id__isnull=False)
    area = access.significant(officer.area) if officer.area else ""
    if not area:
        return rows
    formerly = [code for code, now in standards.load_profile().redrawn.items() if now.startswith(area)]
    return rows.filter(Q(division__startswith=area) | Q(division__in=formerly))


def _key(finding: Finding) -> tuple:
    return tuple(getattr(finding, name) for name in CONFLICT)


def _reached(conflicts: list[Conflict], officer: Account, purpose: str) -> list[Conflict]:
    """Those of which the account may find everybody; without those about somebody whom a merge took in since."""
    everybody = {person for conflict in conflicts for person in conflict.people}
    merged = {former for former, now in register.forwarded_all(everybody).items() if former != now}
    subjects = register.subjects_of(everybody - merged)
    decided = access.decide_many(officer, Action.FIND, subjects.values(), purpose)
    return [
        conflict
        for conflict in conflicts
        if all(person in decided and decided[person].is_allowed for person in conflict.people)
    ]
