"""Documents and what was done with them. Who they are about is an id; what they say is sealed in one blob."""

from django.db import models
from django.db.models import F, Q

from wanjia.documents.rules.lifecycle import Reason, State, StepKind

IN_FORCE = Q(state__in=["valid", "asked"])


class Layout(models.Model):
    """The texts of a layout as it was when documents were made from it. Append-only."""

    digest = models.CharField(primary_key=True, max_length=64)  # SHA-256 in hex
    files = models.JSONField()  # name → text; "main.typ" is set


class Document(models.Model):
    """One document. Only its state, its end and its blob ever change; a trigger refuses the rest, and deletion.

    `holder` is the household's or the person's id, as the kind is about the one or the other.
    """

    number = models.CharField(primary_key=True, max_length=16)
    kind = models.CharField(max_length=40)
    holder = models.BigIntegerField()
    #: hash of the account and the token of the form it came from: sent twice, it is one document
    request = models.BinaryField(max_length=32, unique=True)
    issued_at = models.DateTimeField()
    issued_by = models.CharField(max_length=64)
    area = models.CharField(max_length=12, blank=True, default="")
    language = models.CharField(max_length=8)
    layout = models.ForeignKey(Layout, on_delete=models.PROTECT)
    expires_on = models.DateField(null=True)
    replaces = models.OneToOneField("self", on_delete=models.PROTECT, null=True, related_name="replaced_by")
    is_single = models.BooleanField()
    needs_second = models.BooleanField()
    prints = models.SmallIntegerField()
    state = models.CharField(max_length=12, choices=[(s.value, s.value) for s in State])
    asked_by = models.CharField(max_length=64, blank=True, default="")
    ended_at = models.DateTimeField(null=True)
    ended_by = models.CharField(max_length=64, blank=True, default="")
    reason = models.CharField(max_length=20, blank=True, default="", choices=[(r.value, r.value) for r in Reason])
    #: frozen content and signature, sealed; empty once erased
    blob = models.BinaryField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "holder"], condition=IN_FORCE & Q(is_single=True), name="documents_one_in_force"
            ),
            models.CheckConstraint(condition=Q(state__in=[s.value for s in State]), name="documents_state_known"),
            models.CheckConstraint(
                condition=(IN_FORCE & Q(ended_at=None)) | (~IN_FORCE & Q(ended_at__isnull=False)),
                name="documents_end_with_state",
            ),
            # the second pair of eyes is not the first
            models.CheckConstraint(
                condition=~Q(state="revoked", needs_second=True) | (~Q(asked_by="") & ~Q(asked_by=F("ended_by"))),
                name="documents_two_persons",
            ),
        ]
        indexes = [
            models.Index(fields=["kind", "holder"], name="documents_of_holder"),
            models.Index(fields=["ended_at"], condition=Q(ended_at__isnull=False), name="documents_ended"),
            models.Index(fields=["area"], condition=Q(state="asked"), name="documents_asked"),
        ]


class DocumentSubject(models.Model):
    """A person who stands in a document."""

    document = models.ForeignKey(Document, on_delete=models.PROTECT, related_name="subjects")
    person_id = models.BigIntegerField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["document", "person_id"], name="documents_subject_once")]
        indexes = [models.Index(fields=["person_id"], name="documents_of_person")]


class Step(models.Model):
    """Something done with a document. Append-only; the document's state is the fold of its steps (rules/lifecycle.py)."""

    id = models.BigAutoField(primary_key=True)
    document = models.ForeignKey(Document, on_delete=models.PROTECT, related_name="steps")
    at = models.DateTimeField()
    by = models.CharField(max_length=64)
    kind = models.CharField(max_length=12, choices=[(k.value, k.value) for k in StepKind])
    reason = models.CharField(max_length=20, blank=True, default="")
    case = models.CharField(max_length=40, blank=True, default="")

    class Meta:
        indexes = [models.Index(fields=["document", "id"], name="documents_steps_of")]
