"""Cases that residents open about their own record. What people write, and their evidence, is sealed; the rest is codes and times."""

from django.db import models
from django.db.models import F, Q

from wanjia.services.rules.cases import Kind, Outcome, State, StepKind


class Case(models.Model):
    """One question about a look, or one request to correct a value. It is in exactly one state, and one department has to act."""

    id = models.BigAutoField(primary_key=True)
    kind = models.CharField(max_length=8, choices=[(k, k) for k in Kind])
    person_id = models.BigIntegerField()  # no foreign key: a case outlives an id that is redirected
    department = models.CharField(max_length=60)
    entry_id = models.BigIntegerField(null=True)  # what is asked about
    column = models.CharField(max_length=60, default="")  # what is to be corrected
    state = models.CharField(max_length=9, choices=[(s, s) for s in State], default=State.OPEN)
    outcome = models.CharField(max_length=11, choices=[(o, o) for o in Outcome], default="")
    opened_at = models.DateTimeField()
    due_on = models.DateField()
    answered_at = models.DateTimeField(null=True)
    event_id = models.BigIntegerField(
        null=True
    )  # case of the register that carries it out; its own number stands there too

    class Meta:
        indexes = [
            models.Index(fields=["person_id", "-id"], name="services_of_person"),
            models.Index(fields=["kind", "department", "id"], name="services_of_department"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(kind="ask", entry_id__isnull=False, column="")
                | (Q(kind="correct", entry_id__isnull=True) & ~Q(column="")),
                name="services_case_about_one_thing",
            ),
            models.CheckConstraint(
                condition=Q(state="open", answered_at__isnull=True, outcome="")
                | (~Q(state="open") & Q(answered_at__gte=F("opened_at")) & ~Q(outcome="")),
                name="services_answered_or_open",
            ),
            models.UniqueConstraint(
                fields=["person_id", "entry_id"], condition=Q(kind="ask"), name="services_one_ask_a_look"
            ),
            models.UniqueConstraint(
                fields=["person_id", "column"],
                condition=Q(kind="correct", state__in=("open", "appealed", "accepted", "reopened")),
                name="services_one_correction_at_a_time",
            ),
            models.CheckConstraint(
                condition=Q(event_id__isnull=True) | (Q(kind="correct") & ~Q(state="open")),
                name="services_event_carries_out",
            ),
        ]


class Step(models.Model):
    """What was said or done in a case. Append-only: a trigger lets a sealed text be sealed again or erased, and nothing else."""

    id = models.BigAutoField(primary_key=True)
    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="steps")
    kind = models.CharField(max_length=9, choices=[(k, k) for k in StepKind])
    at = models.DateTimeField()
    by = models.CharField(max_length=120)
    sealed = models.BinaryField()


class Evidence(models.Model):
    """A picture or paper that the resident sent with a request."""

    id = models.BigAutoField(primary_key=True)
    step = models.ForeignKey(Step, on_delete=models.PROTECT, related_name="evidence")
    media = models.CharField(max_length=40)
    size = models.IntegerField()
    sealed = models.BinaryField()
