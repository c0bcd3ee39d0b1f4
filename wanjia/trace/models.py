"""The trace's table. Append-only: migration 0001 takes UPDATE and DELETE away and adds the trigger that refuses them."""

from django.db import models
from django.db.models import Q


class Entry(models.Model):
    """One read or change: who did what, why, about whom. No personal data."""

    id = models.BigAutoField(primary_key=True)
    at = models.DateTimeField(db_default=models.functions.Now())
    kind = models.CharField(max_length=60)
    actor = models.CharField(max_length=120)
    purpose = models.CharField(max_length=300)
    subject = models.BigIntegerField(null=True)  # a person id; no foreign key: the trace outlives what it speaks of
    detail = models.JSONField(default=dict, db_default=models.Value({}, models.JSONField()))
    seq = models.BigIntegerField(null=True)  # the entry's place in the public log; null while pending

    class Meta:
        indexes = [
            models.Index(fields=["subject", "-at"], condition=Q(subject__isnull=False), name="trace_by_subject"),
            models.Index(fields=["id"], condition=Q(seq__isnull=True), name="trace_pending"),
            models.Index(fields=["kind", "id"], name="trace_by_kind"),
            models.Index(fields=["actor", "id"], name="trace_by_actor"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["seq"], name="trace_seq_once"),
            models.CheckConstraint(
                condition=~Q(actor="") & ~Q(purpose="") & ~Q(kind=""), name="trace_says_who_and_why"
            ),
        ]
