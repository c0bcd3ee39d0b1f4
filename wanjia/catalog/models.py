"""Runs, scorecards and findings. No personal values: ids, codes and counts."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q


class Run(models.Model):
    """One pass of the main job."""

    class State(models.TextChoices):
        OPEN = "open", "open"
        DONE = "done", "done"
        FAILED = "failed", "failed"

    id = models.BigAutoField(primary_key=True)
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)
    state = models.CharField(max_length=10, choices=State, default=State.OPEN)
    engine = models.CharField(max_length=20, default="", blank=True)
    actor = models.CharField(max_length=120)
    purpose = models.CharField(max_length=300)
    outcome = models.JSONField(default=dict)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(state="open", finished_at__isnull=True) | (~Q(state="open") & Q(finished_at__isnull=False)),
                name="catalog_run_ends_once",
            ),
        ]


class StageResult(models.Model):
    """What one stage of a run did."""

    id = models.BigAutoField(primary_key=True)
    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="stages")
    stage = models.CharField(max_length=60)
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField()
    rows_in = models.BigIntegerField(null=True)
    rows_out = models.BigIntegerField(null=True)
    seconds = models.FloatField()
    peak_memory_mb = models.FloatField(null=True)
    detail = models.JSONField(default=dict)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["run", "stage"], name="catalog_stage_once_a_run")]


class Dimension(models.TextChoices):
    """The six quality indicators of GB/T 36344-2018."""

    CONFORMITY = "conformity", "规范性"
    COMPLETENESS = "completeness", "完整性"
    ACCURACY = "accuracy", "准确性"
    CONSISTENCY = "consistency", "一致性"
    TIMELINESS = "timeliness", "时效性"
    ACCESSIBILITY = "accessibility", "可访问性"


class Score(models.Model):
    """One ratio of one source's scorecard: `good` of `counted` (element "" means the source as a whole)."""

    id = models.BigAutoField(primary_key=True)
    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="scores")
    source = models.CharField(max_length=80)
    element = models.CharField(max_length=80, blank=True, default="")
    dimension = models.CharField(max_length=16, choices=Dimension)
    good = models.BigIntegerField()
    counted = models.BigIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["run", "source", "element", "dimension"], name="catalog_one_score"),
            models.CheckConstraint(
                condition=Q(good__gte=0) & Q(good__lte=F("counted")), name="catalog_score_is_a_ratio"
            ),
        ]


class ConflictDecision(models.Model):
    """What an officer found of a conflict, for the findings of all its sources: append-only (a trigger lets only the sealed columns be sealed anew or
    emptied). The last about a conflict counts, until its sources say something else (`said`, sealed: what they said when it was decided).
    """

    class Verdict(models.TextChoices):
        STANDS = "stands", "the register's value stands / 登记值不变"
        CORRECT = "correct", "another source is right, the register is corrected / 另一来源正确，更正登记"
        RETURNED = "returned", "sent back to the sources / 退回来源"

    id = models.BigAutoField(primary_key=True)
    kind = models.CharField(max_length=60)
    element = models.CharField(max_length=80)
    person_id = models.BigIntegerField(db_index=True)
    other_person_id = models.BigIntegerField(null=True)
    household_id = models.BigIntegerField(null=True)
    verdict = models.CharField(max_length=10, choices=Verdict.choices)
    sources = ArrayField(models.CharField(max_length=80))  # whose findings it was about
    right = ArrayField(models.CharField(max_length=80), default=list)  # those of them that need answer no more
    case_id = models.BigIntegerField(null=True)  # the event begun to correct the register
    by = models.CharField(max_length=120)
    at = models.DateTimeField()
    reason = models.BinaryField(default=bytes)  # sealed, bound to the id
    said = models.BinaryField(default=bytes)  # sealed, bound to the id

    class Meta:
        indexes = [models.Index(fields=["kind", "element", "person_id", "-id"], name="catalog_decided_of_conflict")]


class Finding(models.Model):
    """A defect that its source must answer by `due_on`. `settled`: an officer found that the source is right, and the register was not."""

    class Status(models.TextChoices):
        OPEN = "open", "open"
        CLOSED = "closed", "closed"
        SETTLED = "settled", "settled"

    id = models.BigAutoField(primary_key=True)
    kind = models.CharField(max_length=60)
    source = models.CharField(max_length=80)
    element = models.CharField(max_length=80, blank=True, default="")
    person_id = models.BigIntegerField(null=True)
    other_person_id = models.BigIntegerField(null=True)
    household_id = models.BigIntegerField(null=True)
    assertion_ids = ArrayField(models.BigIntegerField(), default=list)
    status = models.CharField(max_length=10, choices=Status, default=Status.OPEN)
    opened_on = models.DateField()
    due_on = models.DateField()
    closed_on = models.DateField(null=True)
    decision = models.ForeignKey(ConflictDecision, null=True, on_delete=models.PROTECT, related_name="findings")
    # where the person was registered at the last run: which office it waits at; whether it may be seen is decided anew each time
    division = models.CharField(max_length=12, blank=True, default="", db_default="")

    class Meta:
        indexes = [
            models.Index(
                fields=["division"],
                opclasses=["varchar_pattern_ops"],
                condition=Q(status="open", decision__isnull=True, person_id__isnull=False),
                name="catalog_conflicts_waiting",
            ),
            models.Index(fields=["source", "kind"], condition=Q(status="open"), name="catalog_open_findings"),
            models.Index(fields=["person_id"], condition=Q(status="open"), name="catalog_findings_of_person"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "source", "element", "person_id", "other_person_id", "household_id"],
                condition=Q(status="open"),
                nulls_distinct=False,
                name="catalog_one_open_finding",
            ),
            models.CheckConstraint(
                condition=Q(status="open", closed_on__isnull=True) | (~Q(status="open") & Q(closed_on__isnull=False)),
                name="catalog_finding_closes_once",
            ),
        ]
