"""Tables of intake. No column holds a personal value in clear: raw cells and pushed bodies are sealed, file names are not kept."""

from django.db import models
from django.db.models import F, Q


class Status(models.TextChoices):
    """Where a delivery stands."""

    RECEIVED = "received", "已接收"  # landed; not yet read
    STANDARDISED = "standardised", "已标准化"  # its assertions count
    FAILED = "failed", "失败"  # refused whole, with a code
    WITHDRAWN = "withdrawn", "已撤回"  # kept as a trace; its assertions do not count


class SourceState(models.Model):
    """What intake remembers of a source between deliveries."""

    source = models.CharField(max_length=64, primary_key=True)
    watermark = models.CharField(max_length=64, null=True)  # how far the last pull came
    pulled_at = models.DateTimeField(null=True)


class Delivery(models.Model):
    """One arrival of a source. Its content is immutable in the lake (landing/<id>); its status is the last of its events."""

    id = models.AutoField(primary_key=True)  # int32: it is half of an assertion's id
    source = models.CharField(max_length=64)
    sequence = (
        models.IntegerField()
    )  # the source's first, second … delivery: what people call it, since names are not kept
    digest = models.BinaryField(max_length=16)  # blind: of a short file a plain hash could be guessed
    digest_key = models.IntegerField(default=0, db_default=0)  # id of the key of that hash; 0: the first one
    kind = models.CharField(max_length=12)
    size = models.BigIntegerField()
    received_at = models.DateTimeField()
    status = models.CharField(max_length=12, choices=Status.choices, default=Status.RECEIVED)
    rows_in = models.BigIntegerField(null=True)
    accepted = models.BigIntegerField(null=True)
    quarantined = models.BigIntegerField(null=True)
    repeats = models.BigIntegerField(null=True)
    failure_code = models.CharField(max_length=16, default="")
    failure = models.JSONField(null=True)  # the fields of the failure's sentence: columns and counts

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="intake_nothing_lost",
                condition=~Q(status=Status.STANDARDISED)
                | Q(
                    # a sum with a null in it is unknown, and a CHECK lets the unknown pass
                    rows_in__isnull=False,
                    accepted__isnull=False,
                    quarantined__isnull=False,
                    repeats__isnull=False,
                    rows_in=F("accepted") + F("quarantined") + F("repeats"),
                ),
            ),
            models.CheckConstraint(
                name="intake_failure_has_code", condition=~Q(status=Status.FAILED) | ~Q(failure_code="")
            ),
            models.UniqueConstraint(
                name="intake_same_content_once", fields=["source", "digest"], condition=~Q(status=Status.WITHDRAWN)
            ),
            models.UniqueConstraint(name="intake_sequence_once", fields=["source", "sequence"]),
        ]
        indexes = [models.Index(fields=["status", "source"], name="intake_delivery_by_status")]


class DeliveryEvent(models.Model):
    """What happened to a delivery, by whom and why. Append-only: a trigger refuses UPDATE and DELETE."""

    id = models.BigAutoField(primary_key=True)
    delivery = models.ForeignKey(Delivery, on_delete=models.PROTECT, related_name="events")
    status = models.CharField(max_length=12, choices=Status.choices)
    at = models.DateTimeField()
    by = models.CharField(max_length=120)
    why = models.CharField(max_length=300)
    counts = models.JSONField(default=dict)


class ColumnReport(models.Model):
    """How a delivery was read: what a department needs to mend its export."""

    delivery = models.OneToOneField(Delivery, on_delete=models.CASCADE, primary_key=True, related_name="report")
    kind = models.CharField(max_length=12)
    encoding = models.CharField(max_length=16, null=True)
    expected_encodings = models.JSONField(default=list)
    delimiter = models.CharField(max_length=4, null=True)
    header_row = models.IntegerField()
    aliases_used = models.JSONField(default=dict)
    unknown_columns = models.JSONField(default=list)
    absent_columns = models.JSONField(default=list)
    footer_rows = models.IntegerField(default=0)
    blank_rows = models.IntegerField(default=0)


class QuarantinedRow(models.Model):
    """One refused row. `cells` are its raw cells, sealed (purpose "quarantine", bound to delivery and row)."""

    id = models.BigAutoField(primary_key=True)
    delivery = models.ForeignKey(Delivery, on_delete=models.CASCADE, related_name="quarantine")
    row_no = models.IntegerField()
    column = models.CharField(max_length=200, null=True)
    reason = models.CharField(max_length=40)
    cells = models.BinaryField()

    class Meta:
        constraints = [models.UniqueConstraint(name="intake_quarantined_once", fields=["delivery", "row_no"])]
        indexes = [models.Index(fields=["delivery", "reason"], name="intake_quarantine_by_reason")]


class ErasedRow(models.Model):
    """One row's subject that was erased by law: standardising its delivery again leaves it out."""

    id = models.BigAutoField(primary_key=True)
    delivery = models.ForeignKey(Delivery, on_delete=models.CASCADE, related_name="erased")
    row_no = models.IntegerField()
    subject = models.CharField(max_length=40, default="")
    person_id = models.BigIntegerField()  # for whom it was erased; the id means nobody any more

    class Meta:
        indexes = [models.Index(fields=["person_id"], name="intake_erased_for")]
        constraints = [models.UniqueConstraint(fields=["delivery", "row_no", "subject"], name="intake_erased_once")]


class Push(models.Model):
    """One pushed body, waiting for or already in a delivery. The worker gathers waiting pushes into deliveries."""

    id = models.BigAutoField(primary_key=True)
    source = models.CharField(max_length=64)
    idempotency_key = models.BinaryField(max_length=16)  # blind: callers sometimes put numbers into keys
    digest = models.BinaryField(max_length=16)
    blind_key = models.IntegerField(default=0, db_default=0)  # id of the key of both hashes; 0: the first one
    rows = models.IntegerField()
    received_at = models.DateTimeField()
    by = models.CharField(max_length=120)
    why = models.CharField(max_length=300)
    sealed = models.BinaryField(null=True)  # the rows until they are landed; then the landing holds them
    delivery = models.ForeignKey(Delivery, null=True, on_delete=models.PROTECT, related_name="pushes")
    first_row = models.IntegerField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(name="intake_push_once", fields=["source", "idempotency_key"]),
            models.CheckConstraint(
                name="intake_push_is_somewhere", condition=Q(sealed__isnull=False) ^ Q(delivery__isnull=False)
            ),
        ]
        indexes = [models.Index(fields=["source", "id"], condition=Q(delivery=None), name="intake_push_waiting")]


class PushToken(models.Model):
    """A machine's right to push to one source. Only the hash is kept; a token is a long random secret, so a fast hash is right."""

    id = models.BigAutoField(primary_key=True)
    source = models.CharField(max_length=64)
    label = models.CharField(max_length=80)
    digest = models.BinaryField(max_length=32, unique=True)
    issued_at = models.DateTimeField()
    issued_by = models.CharField(max_length=120)
    revoked_at = models.DateTimeField(null=True)
