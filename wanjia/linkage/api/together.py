"""Certain pairs decided together: by declared rules only, after a look at their list, with one reason, and undone together."""

import uuid
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import Count, F, Max

from wanjia.access.models import Account
from wanjia.kernel import settings
from wanjia.kernel.declared import load_file
from wanjia.kernel.lake import Lake
from wanjia.linkage import api as linkage
from wanjia.linkage.api import reviewing, state
from wanjia.linkage.api.explaining import field_evidence
from wanjia.linkage.api.reviewing import Pair, Verdict
from wanjia.linkage.declared import Certain, ReviewRules
from wanjia.linkage.errors import BatchUnknown, NoModel, PairDecided, ReviewCaseUnknown
from wanjia.linkage.models import Decision, ReviewCase

#: a field speaks against a decision from this many bits on
SPEAKS = 1.0
BATCHES_SHOWN = 20


@dataclass(frozen=True)
class Batch:
    """Decisions made together."""

    id: uuid.UUID
    by: str
    at: datetime
    verdict: str
    pairs: int
    standing: int


def review_rules() -> ReviewRules:
    """What is declared certain; nothing where the profile says nothing. Raises `DeclarationErrors`."""
    path = settings.profile_dir() / "review.toml"
    return load_file(path, ReviewRules) if path.exists() else ReviewRules("review")


def is_certain(rule: Certain, probability: float, reason: str, said: dict[str, tuple[int, float]]) -> bool:
    """Whether a pair meets a rule (pure). `said`: feature → (level, bits); level 0 differs, above 0 agrees, -1 is missing on one side."""
    if reason not in rule.reasons or not rule.least <= probability <= rule.most_likely:
        return False
    if any(said.get(key, (-1, 0.0))[0] < 1 or said[key][1] <= 0 for key in rule.agree):
        return False
    if any(said.get(key, (-1, 0.0))[0] != 0 for key in rule.differ):
        return False
    sign = 1 if rule.verdict == Verdict.SAME else -1
    return rule.verdict != Verdict.SAME or not any(sign * bits <= -SPEAKS for _level, bits in said.values())


def certain_pairs(*, officer: Account, purpose: str) -> dict[str, list[Pair]]:
    """Rule → the waiting pairs within reach that meet it, at most as many as declared; each pair under the first rule it meets.

    Only pairs with a record in nobody's state: two persons of the register are made one by a merge. No person is read.
    """
    rules, declared = review_rules(), linkage.declared_linkage()
    found: dict[str, list[Pair]] = {rule.key: [] for rule in rules.certain}
    try:
        model = state.load_trained(Lake.open(settings.home()), declared).model
    except NoModel:
        return found
    for pair in reviewing.waiting_pairs(officer=officer, purpose=purpose):
        if pair.is_merge or pair.evidence is None or pair.evidence < 0:
            continue
        said = {one.feature: (one.level, one.bits) for one in field_evidence(model, pair.evidence)}
        rule = next((r for r in rules.certain if is_certain(r, pair.probability, pair.reason, said)), None)
        if rule is not None and len(found[rule.key]) < rules.most:
            found[rule.key].append(pair)
    return found


def decide_together(
    rule_key: str, case_ids: Collection[int], reason: str, *, officer: Account, purpose: str
) -> tuple[uuid.UUID, int]:
    """Decide those of the pairs looked at that still meet the rule; the batch, and how many were decided.

    What somebody decided meanwhile stays theirs. Raises `ReasonNeeded`, `BatchUnknown` (no such rule).
    """
    reviewing.reason_said(reason)
    rule = next((one for one in review_rules().certain if one.key == rule_key), None)
    if rule is None:
        raise BatchUnknown()
    batch, done = uuid.uuid4(), 0
    wanted = set(case_ids)
    for pair in certain_pairs(officer=officer, purpose=purpose)[rule.key]:
        if pair.id not in wanted:
            continue
        try:
            reviewing.decide_pair(pair.id, rule.verdict, reason, batch=batch, officer=officer, purpose=purpose)
            done += 1
        except (PairDecided, ReviewCaseUnknown):
            continue
    return batch, done


def batches(*, officer: Account, purpose: str) -> list[Batch]:
    """The last batches with a pair within the account's reach, newest first."""
    reviewing.enter(officer, purpose)
    rows = Decision.objects.filter(batch__isnull=False).exclude(verdict=Verdict.ASIDE)
    grouped = (
        rows.values("batch", "by", "verdict").annotate(pairs=Count("pk"), at=Max("at")).order_by("-at")[:BATCHES_SHOWN]
    )
    found = []
    for row in grouped:
        standing = [case for case in _cases_of(row["batch"]) if _is_reached(case, officer, purpose)]
        if standing or row["by"] == officer.username:
            found.append(Batch(row["batch"], row["by"], row["at"], row["verdict"], row["pairs"], len(standing)))
    return found


@transaction.atomic
def undo_batch(batch: uuid.UUID, reason: str, *, officer: Account, purpose: str) -> int:
    """Take back what was decided together, as far as it stands and is within reach; how many. The pairs wait again, and the next run links as if
    it had not been.

    Raises `ReasonNeeded`, `BatchUnknown`.
    """
    reviewing.enter(officer, purpose)
    said = reviewing.reason_said(reason)
    cases = [case for case in _cases_of(batch, lock=True) if _is_reached(case, officer, purpose)]
    if not cases:
        raise BatchUnknown()
    for case in cases:
        reviewing.write_decision(
            case, Verdict.ASIDE, ReviewCase.Status.OPEN, said, batch=batch, officer=officer, purpose=purpose
        )
    return len(cases)


def _cases_of(batch: uuid.UUID, *, lock: bool = False) -> list[ReviewCase]:
    """The cases whose last decision is of the batch, and not its undoing."""
    found = []
    rows = ReviewCase.objects.select_for_update() if lock else ReviewCase.objects
    for one in Decision.objects.filter(batch=batch).exclude(verdict=Verdict.ASIDE).order_by("pk"):
        pair = (one.record_l, one.record_r)
        case = rows.filter(record_l__in=pair, record_r__in=pair).exclude(record_l=F("record_r")).first()
        if case is not None and reviewing.last_of(*pair).pk == one.pk:
            found.append(case)
    return found


def _is_reached(case: ReviewCase, officer: Account, purpose: str) -> bool:
    try:
        reviewing.reach_pair(case.pk, officer=officer, purpose=purpose)
    except ReviewCaseUnknown:
        return False
    return True
