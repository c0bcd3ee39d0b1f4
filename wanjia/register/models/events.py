"""Events: cases from draft to registered, who plays which part, what they did to whom, and what must be told to others.

No column holds a personal value in clear: the form is sealed, acts hold what the facts of the register hold (ids, days, codes).
"""

from django.db import models
from django.db.models import Q

from wanjia.kernel import clock


class Event(models.Model):
    """One case. `status` is the last of its steps and `version` their number; `form` is sealed (bound to the id)."""

    id = models.BigAutoField(primary_key=True)
    kind = models.CharField(max_length=40)
    status = models.CharField(max_length=20)
    version = models.IntegerField(default=1)
    office = models.CharField(max_length=12, blank=True, default="")  # division whose office it is
    opened_by = models.CharField(max_length=120)
    opened_at = models.DateTimeField(default=clock.now)
    assigned_to = models.CharField(max_length=120, blank=True, default="")
    happened_on = models.DateField(null=True)
    due_on = models.DateField(null=True)  # by law
    is_late = models.BooleanField(default=False)
    handled_by = models.CharField(max_length=120, blank=True, default="")  # who submitted it
    submitted_at = models.DateTimeField(null=True)
    registered_at = models.DateTimeField(null=True)  # from when the register knows it
    form = models.BinaryField(default=bytes)
    key = models.UUIDField(null=True)  # the opener's own, so that asking twice makes one case
    about = models.ForeignKey("self", null=True, on_delete=models.PROTECT, related_name="later")
    household_id = models.BigIntegerField(null=True)  # set up by this event
    request = models.BigIntegerField(null=True)  # number of the resident's request that it carries out

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["opened_by", "key"], name="register_case_once", condition=Q(key__isnull=False)
            ),
        ]
        indexes = [
            models.Index(fields=["status", "office", "id"], name="register_cases_by_status"),
            models.Index(fields=["assigned_to", "status"], name="register_cases_of"),
            models.Index(fields=["registered_at"], name="register_events_in_time"),
        ]


class EventStep(models.Model):
    """What was done with a case: append-only (a trigger refuses UPDATE and DELETE). `reason` is sealed."""

    id = models.BigAutoField(primary_key=True)
    event = models.ForeignKey(Event, on_delete=models.PROTECT, related_name="steps")
    number = models.IntegerField()
    verb = models.CharField(max_length=20)
    status = models.CharField(max_length=20)
    at = models.DateTimeField(default=clock.now)
    by = models.CharField(max_length=120)
    reason = models.BinaryField(default=bytes)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["event", "number"], name="register_step_once")]


class EventParty(models.Model):
    """Who plays which part in a case."""

    id = models.BigAutoField(primary_key=True)
    event = models.ForeignKey(Event, on_delete=models.CASCADE, related_name="parties")
    role = models.CharField(max_length=40)
    person_id = models.BigIntegerField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["event", "role", "person_id"], name="register_party_once")]
        indexes = [models.Index(fields=["person_id", "event"], name="register_events_of")]


class Act(models.Model):
    """What a registered event did to one person (rules/folding.py): append-only. It counts while its event's status does."""

    id = models.BigAutoField(primary_key=True)
    event = models.ForeignKey(Event, on_delete=models.PROTECT, related_name="acts")
    person_id = models.BigIntegerField()
    said = models.JSONField()

    class Meta:
        indexes = [models.Index(fields=["person_id", "id"], name="register_acts_on")]


class Basis(models.Model):
    """What sources make of a person whom events concern: what acts are folded over."""

    person_id = models.BigIntegerField(primary_key=True)
    facts = models.JSONField()


class NumberSeries(models.Model):
    """How far a sequence has been given out: citizen numbers of a county, day and sex; household numbers of an office.

    The series is known by a keyed hash of its name; the name is sealed, because county and day of birth are most of a number.
    """

    id = models.BigAutoField(primary_key=True)
    blind = models.BinaryField(unique=True)
    blind_key = models.IntegerField(default=0, db_default=0)
    name = models.BinaryField()
    last = models.IntegerField(default=0)


class Notice(models.Model):
    """A CloudEvent on its way to others, written with what it tells of: id and kind, nothing about a person. `due_on`: a task of a chain."""

    id = models.BigAutoField(primary_key=True)
    uid = models.UUIDField(unique=True)
    event = models.ForeignKey(Event, on_delete=models.PROTECT, related_name="told")
    type = models.CharField(max_length=120)
    at = models.DateTimeField()
    department = models.CharField(max_length=16, blank=True, default="")
    due_on = models.DateField(null=True)
    said = models.JSONField()
    delivered_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "register_outbox"
        indexes = [models.Index(fields=["id"], condition=Q(delivered_at=None), name="register_outbox_waiting")]
