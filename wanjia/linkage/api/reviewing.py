"""What officers decide of pairs that linking could not: found within reach, decided once with a reason, sealed, and kept by every later run."""

import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date

import pyarrow as pa
import pyarrow.compute as pc
from django.db import connection, transaction

from wanjia.access import api as access
from wanjia.access.api import Action, Right, Subject
from wanjia.access.models import Account
from wanjia.intake import api as intake
from wanjia.kernel import clock, settings
from wanjia.kernel.errors import LakeFileMissing
from wanjia.kernel.keyring import Keyring
from wanjia.kernel.lake import Lake
from wanjia.linkage import api as linkage
from wanjia.linkage.api import state
from wanjia.linkage.api.explaining import FieldEvidence, field_evidence
from wanjia.linkage.api.keyed import REASONS, reason_aad
from wanjia.linkage.errors import NoModel, PairDecided, ReasonNeeded, ReviewCaseUnknown
from wanjia.linkage.models import Decision, ReviewCase
from wanjia.register import api as register
from wanjia.standards import api as standards
from wanjia.trace import api as trace

Verdict = Decision.Verdict
SHORTEST, LONGEST = 2, 500
#: an assertion's id has its delivery's number above this many bits
DELIVERY_AT = 32
PLACES = ("domicile_division", "residence_division")
#: how many waiting pairs are looked through for those within reach, at once and at most
AT_ONCE, MOST_LOOKED_THROUGH = 200, 4_000
STATUS = {
    Verdict.SAME: ReviewCase.Status.CONFIRMED,
    Verdict.DIFFERENT: ReviewCase.Status.REFUSED,
    Verdict.ASIDE: ReviewCase.Status.ASIDE,
}


@dataclass(frozen=True)
class Pair:
    """Two records of which nobody but an officer can say whether they are one person. Ids and probability; nothing of what they say.

    `is_merge`: both are persons of the register, so that finding them one asks for a merge; else one is a record in nobody's state yet, and the
    next run links it, or makes it a person of its own. `band`: what the comparison says ("link": it would be linked, were nothing against it;
    "review": it is not enough; empty: nothing was compared).
    """

    id: int
    person_l: int
    person_r: int
    assertion_l: int
    assertion_r: int
    probability: float
    reason: str
    evidence: int | None
    status: str
    is_merge: bool
    band: str


def pairs_waiting(*, officer: Account, purpose: str, status: str = ReviewCase.Status.OPEN) -> dict[str, int]:
    """How many pairs wait within the account's reach, by why they do; the weightiest some thousands are looked through.

    Raises `RightMissing`, `PurposeUnknown`.
    """
    enter(officer, purpose)
    found: dict[str, int] = {}
    for pair in _within_reach(officer, purpose, status):
        found[pair.reason] = found.get(pair.reason, 0) + 1
    return found


def next_pair(
    *, officer: Account, purpose: str, reason: str = "", status: str = ReviewCase.Status.OPEN, after: int | None = None
) -> Pair | None:
    """The likeliest pair that waits within the account's reach; `after`: the one behind that pair. None when nothing waits."""
    enter(officer, purpose)
    is_past = after is None
    for pair in _within_reach(officer, purpose, status, reason=reason):
        if is_past:
            return pair
        is_past = pair.id == after
    return None


def pair_of(case_id: int) -> Pair:
    """A pair by its number. Raises `ReviewCaseUnknown`."""
    case = ReviewCase.objects.filter(pk=case_id).first()
    if case is None:
        raise ReviewCaseUnknown()
    return _pairs([case])[0]


def reach_pair(case_id: int, *, officer: Account, purpose: str) -> Pair:
    """A pair within the account's reach. Raises `RightMissing`, `PurposeUnknown`, `ReviewCaseUnknown`."""
    enter(officer, purpose)
    pair = pair_of(case_id)
    if not _reached([pair], officer, purpose):
        raise ReviewCaseUnknown()
    return pair


@transaction.atomic
def decide_pair(
    case_id: int, verdict: str, reason: str, *, batch: uuid.UUID | None = None, officer: Account, purpose: str
) -> Decision:
    """One person, two persons, or put aside: with the reason, once; what was put aside may be decided later. `batch`: decided together with others.
    Traced for both.

    Raises `ReasonNeeded`, `PairDecided` (somebody was faster), `ReviewCaseUnknown`, `ValueError` for another verdict.
    """
    chosen, said = Verdict(verdict), reason_said(reason)
    pair = reach_pair(case_id, officer=officer, purpose=purpose)
    case = ReviewCase.objects.select_for_update().get(pk=case_id)
    last = last_of(case.record_l, case.record_r)
    if case.status not in (ReviewCase.Status.OPEN, ReviewCase.Status.ASIDE):
        raise PairDecided(who=last.by if last else "–")
    is_merge = chosen == Verdict.SAME and pair.is_merge
    return write_decision(
        case, chosen, STATUS[chosen], said, is_merge=is_merge, batch=batch, officer=officer, purpose=purpose
    )


def write_decision(
    case: ReviewCase,
    verdict: str,
    status: str,
    reason: str,
    *,
    is_merge: bool = False,
    batch: uuid.UUID | None = None,
    officer: Account,
    purpose: str,
) -> Decision:
    """Write a decision about a case whose row is held, its reason sealed; the case then stands at `status`. Traced for both."""
    # a pair is known by its records in their order: which of the two arrived first may change, when one is stated anew
    (record_l, person_l), (record_r, person_r) = sorted(
        [(case.record_l, case.person_l), (case.record_r, case.person_r)]
    )
    decision = Decision.objects.create(
        record_l=record_l, record_r=record_r, person_l=person_l, person_r=person_r, verdict=verdict, is_merge=is_merge,
        batch=batch, by=officer.username, at=clock.now(), probability=case.probability, evidence=case.evidence,
    )  # fmt: skip
    sealed = Keyring.open(settings.home()).seal(REASONS, reason.encode(), reason_aad(decision.pk))
    Decision.objects.filter(pk=decision.pk).update(reason=sealed)
    case.status = status
    case.save(update_fields=["status"])
    trace.record(
        "linkage.decide_pair",
        subject_ids=sorted({case.person_l, case.person_r}),
        by=officer.username,
        why=f"{purpose}:{case.pk}",
        department=officer.department,
        detail={"case": case.pk, "verdict": str(verdict), **({"batch": str(batch)} if batch else {})},
    )
    return decision


def last_of(one: int, other: int) -> Decision | None:
    """The last decision about two records."""
    left, right = sorted((one, other))
    return Decision.objects.filter(record_l=left, record_r=right).order_by("-id").first()


def reason_said(reason: str) -> str:
    """The reason without needless space. Raises `ReasonNeeded`, and a `FieldError` for signs that nobody sees."""
    said = " ".join(reason.split())
    if not SHORTEST <= len(said) <= LONGEST:
        raise ReasonNeeded(least=SHORTEST, most=LONGEST)
    return register.plain_words(said, LONGEST)


def decided() -> pa.Table:
    """The decisions that linking keeps (columns of `state.nothing_decided`): the last of each pair, without those put aside or left to a merge."""
    last = Decision.objects.order_by("record_l", "record_r", "-id").distinct("record_l", "record_r")
    rows = [
        {"record_l": d.record_l, "record_r": d.record_r, "is_same": d.verdict == Verdict.SAME, "number": d.pk}
        for d in last
        if d.verdict != Verdict.ASIDE and not d.is_merge
    ]
    types = {"record_l": pa.int64(), "record_r": pa.int64(), "is_same": pa.bool_(), "number": pa.int64()}
    return pa.Table.from_pylist(rows, schema=pa.schema(types))


def decisions_made() -> int:
    """The number of the last decision that linking keeps; 0 before the first. A run has something to do when this has grown."""
    # also what was put aside: it may be a decision undone
    last = Decision.objects.filter(is_merge=False).order_by("-id").first()
    return last.pk if last else 0


@transaction.atomic
def erase_person(person_id: int, *, by: str, why: str) -> int:
    """Erase what officers wrote about pairs this person is of; how many reasons. What was decided stands: it says nothing of anybody. Traced."""
    about = Decision.objects.filter(person_l=person_id) | Decision.objects.filter(person_r=person_id)
    erased = about.exclude(reason=b"").update(reason=b"")
    trace.record("linkage.erase", subject_ids=[person_id], by=by, why=why, detail={"reasons": erased})
    return erased


def waiting_pairs(*, officer: Account, purpose: str) -> Iterator[Pair]:
    """The pairs that wait within the account's reach, the likeliest first."""
    enter(officer, purpose)
    yield from _within_reach(officer, purpose, ReviewCase.Status.OPEN)


def enter(officer: Account, purpose: str) -> None:
    """Raises `RightMissing`, `PurposeUnknown`."""
    access.require(officer, Right.HANDLE_EVENTS)
    access.require_purpose(officer, purpose)


def _within_reach(officer: Account, purpose: str, status: str, *, reason: str = "") -> Iterator[Pair]:
    rows = ReviewCase.objects.filter(status=status)
    if reason:
        rows = rows.filter(reason=reason)
    rows = rows.order_by("-probability", "id")
    for start in range(0, MOST_LOOKED_THROUGH, AT_ONCE):
        cases = list(rows[start : start + AT_ONCE])
        # what a merge made one since is told already
        apart = [pair for pair in _pairs(cases) if pair.person_l != pair.person_r]
        yield from _reached(apart, officer, purpose)
        if len(cases) < AT_ONCE:
            return


def _reached(pairs: list[Pair], officer: Account, purpose: str) -> list[Pair]:
    """Those of which the account may find everybody who is in the register, and somebody is."""
    subjects = register.subjects_of({one for pair in pairs for one in (pair.person_l, pair.person_r)})
    decided = access.decide_many(officer, Action.FIND, subjects.values(), purpose)
    found = []
    for pair in pairs:
        known = [one for one in (pair.person_l, pair.person_r) if one in subjects]
        if known and all(decided[one].is_allowed for one in known):
            found.append(pair)
    return found


def _pairs(cases: list[ReviewCase]) -> list[Pair]:
    """The cases with the persons they are about now."""
    ids = {one for case in cases for one in (case.person_l, case.person_r)}
    now = register.forwarded_all(ids)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id FROM register_person WHERE id = ANY(%s) AND left_at IS NULL",
            [sorted({now.get(i, i) for i in ids})],
        )
        held = {row[0] for row in cursor.fetchall()}
    found = []
    for case in cases:
        left, right = (now.get(one, one) for one in (case.person_l, case.person_r))
        found.append(
            Pair(
                id=case.pk,
                person_l=left,
                person_r=right,
                assertion_l=case.assertion_l,
                assertion_r=case.assertion_r,
                probability=case.probability,
                reason=case.reason,
                evidence=case.evidence,
                status=case.status,
                is_merge=left in held and right in held,
                band=case.band,
            )
        )
    return found


@dataclass(frozen=True)
class Record:
    """What one record in nobody's state says, as far as the purpose shows it: column → value. `person_id`: whom it would be; `elements`: those the
    purpose shows."""

    person_id: int
    source: str
    as_of: date | None
    values: Mapping[str, str]
    elements: frozenset[str]


def open_record(pair: Pair, assertion_id: int, *, officer: Account, purpose: str) -> Record:
    """One record of a pair, out of its sealed delivery, decided by where it says the person lives. Traced before it returns.

    Raises `OutsideArea`, `ReviewCaseUnknown` (the delivery was withdrawn), `ValueError` for a record of another pair.
    """
    if assertion_id not in (pair.assertion_l, pair.assertion_r):
        raise ValueError("no record of this pair")
    person = pair.person_l if assertion_id == pair.assertion_l else pair.person_r
    try:
        rows = intake.delivery_assertions(assertion_id >> DELIVERY_AT)
    except LakeFileMissing:
        raise ReviewCaseUnknown() from None
    found = rows.filter(pc.equal(rows["assertion_id"], assertion_id)).to_pylist()
    if not found:
        raise ReviewCaseUnknown()
    said, profile = found[0], standards.load_profile()
    places = tuple(str(said[c]) for c in PLACES if said.get(c))
    # a record that says no place is looked at by whoever may look at the one it resembles
    subject = Subject(person, places) if places else register.subject_of(_other(pair, person))
    decision = access.require_decision(officer, Action.READ, subject, purpose)
    shown = {column for column, part in profile.parts.items() if part.element in decision.elements}
    trace.record(
        "linkage.open_record",
        subject_ids=[person],
        by=officer.username,
        why=f"{purpose}:{pair.id}",
        department=officer.department,
        detail={**decision.detail(), "case": pair.id},
    )
    values = {column: str(value) for column, value in said.items() if column in shown and value not in (None, "")}
    return Record(person, said["source"], said.get("as_of"), values, frozenset(decision.elements))


def evidence_of(pair: Pair) -> list[tuple[str, FieldEvidence]]:
    """(column, what its comparison said) of each compared field, the weightiest first; nothing where none was compared, or the model is gone."""
    if pair.evidence is None or pair.evidence < 0:
        return []
    declared = linkage.declared_linkage()
    try:
        model = state.load_trained(Lake.open(settings.home()), declared).model
    except NoModel:
        return []
    return [(declared.feature(one.feature).elements[0], one) for one in field_evidence(model, pair.evidence)]


def _other(pair: Pair, person: int) -> int:
    return pair.person_r if person == pair.person_l else pair.person_l
