"""Tables of oversight: accounts, entries of the trace and times; what people wrote is sealed. No resident is described here."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q


class Watch(models.Model):
    """How far the trace has been looked at: the place in the public log of the last entry seen."""

    id = models.SmallIntegerField(primary_key=True, default=1)
    seen_seq = models.BigIntegerField(default=-1)
    looked_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(id=1), name="oversight_one_watch")]


class OwnPerson(models.Model):
    """The person a member of staff is, so that reads of themselves and their family are seen."""

    account_id = models.BigIntegerField(primary_key=True)
    person_id = models.BigIntegerField()
    told_by = models.CharField(max_length=120)


class Canary(models.Model):
    """A made-up resident whom nobody has a reason to open."""

    person_id = models.BigIntegerField(primary_key=True)
    told_by = models.CharField(max_length=120)


class Alert(models.Model):
    """One rule met by one account on one occasion, and what became of it."""

    class State(models.TextChoices):
        OPEN = "open"
        EXPLAINED = "explained"
        FOUNDED = "founded"

    id = models.BigAutoField(primary_key=True)
    rule = models.CharField(max_length=40)
    rule_version = models.IntegerField()
    severity = models.CharField(max_length=4)
    actor = models.CharField(max_length=120)
    occasion = models.CharField(max_length=40)
    entries = ArrayField(models.BigIntegerField())
    raised_at = models.DateTimeField()
    state = models.CharField(max_length=10, choices=State, default=State.OPEN)
    decided_at = models.DateTimeField(null=True)
    decided_by = models.CharField(max_length=120, default="")
    sealed_note = models.BinaryField(null=True)
    incident = models.ForeignKey("Incident", null=True, on_delete=models.PROTECT, related_name="alerts")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["rule", "actor", "occasion"], name="oversight_one_alert_an_occasion"),
            models.CheckConstraint(
                condition=Q(state="open", decided_at__isnull=True)
                | (~Q(state="open") & Q(decided_at__isnull=False) & ~Q(decided_by="")),
                name="oversight_decided_by_somebody",
            ),
        ]
        indexes = [models.Index(fields=["state", "-raised_at"], name="oversight_alerts")]


class Incident(models.Model):
    """Something that happened, or may have, to personal information."""

    id = models.BigAutoField(primary_key=True)
    opened_at = models.DateTimeField()
    opened_by = models.CharField(max_length=120)
    closed_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(closed_at__isnull=True) | Q(closed_at__gte=F("opened_at")),
                name="oversight_incident_in_order",
            )
        ]


class IncidentStep(models.Model):
    """What was done about an incident, and when. Append-only: a trigger refuses UPDATE of anything but the sealing, and DELETE."""

    class Kind(models.TextChoices):
        OPEN = "open"
        CONTAIN = "contain"
        ASSESS = "assess"
        NOTIFY = "notify"
        NOTE = "note"
        CLOSE = "close"

    id = models.BigAutoField(primary_key=True)
    incident = models.ForeignKey(Incident, on_delete=models.PROTECT, related_name="steps")
    kind = models.CharField(max_length=8, choices=Kind)
    at = models.DateTimeField()
    by = models.CharField(max_length=120)
    sealed = models.BinaryField()

    class Meta:
        indexes = [models.Index(fields=["incident", "id"], name="oversight_steps")]


class Review(models.Model):
    """One campaign: does everybody still need what they may do?"""

    id = models.BigAutoField(primary_key=True)
    opened_at = models.DateTimeField()
    opened_by = models.CharField(max_length=120)
    due_on = models.DateField()


class ReviewItem(models.Model):
    """One account of staff in a campaign: what it may do, when it was last used, and the answer."""

    id = models.BigAutoField(primary_key=True)
    review = models.ForeignKey(Review, on_delete=models.CASCADE, related_name="items")
    account_id = models.BigIntegerField()
    username = models.CharField(max_length=64)
    role = models.CharField(max_length=32)
    last_used_at = models.DateTimeField(null=True)
    is_unused = models.BooleanField()
    is_needed = models.BooleanField(null=True)
    answered_by = models.CharField(max_length=120, default="")
    answered_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["review", "account_id"], name="oversight_once_a_review"),
            models.CheckConstraint(
                condition=Q(is_needed__isnull=True, answered_at__isnull=True)
                | (Q(is_needed__isnull=False) & Q(answered_at__isnull=False) & ~Q(answered_by="")),
                name="oversight_answered_by_somebody",
            ),
        ]
