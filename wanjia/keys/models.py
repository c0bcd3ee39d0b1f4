"""Tables of keys: the course of re-encryptions, certificates of erasure as they were signed, and chains of signing keys. No key and no personal
value."""

from django.db import models
from django.db.models import F, Q


class Reencryption(models.Model):
    """One run of re-encryption. `done` counts in the transactions that do the work, so it is exact after a kill."""

    id = models.BigAutoField(primary_key=True)
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)
    by = models.CharField(max_length=120)
    why = models.CharField(max_length=300)
    total = models.BigIntegerField()
    done = models.BigIntegerField(default=0)
    left = models.JSONField(default=dict)  # store → values still under older keys when it ended

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(finished_at__isnull=True) | Q(finished_at__gte=F("started_at")), name="keys_in_order"
            )
        ]


class Certificate(models.Model):
    """A signed document of what was destroyed, exactly as it was signed. Append-only: a trigger refuses UPDATE and DELETE."""

    id = models.BigIntegerField(primary_key=True)  # without holes
    issued_at = models.DateTimeField()
    kind = models.CharField(max_length=12, choices=[("person", "person"), ("key", "key")])
    subject = models.BigIntegerField()  # a person id or a key id
    document = models.TextField()

    class Meta:
        indexes = [models.Index(fields=["kind", "subject"], name="keys_certificate_of")]


class SigningChain(models.Model):
    """The certificates of a key that signs for other people's programs, the key's own first. Append-only; the newest of a key counts."""

    id = models.BigAutoField(primary_key=True)
    purpose = models.CharField(max_length=40)
    key = models.BigIntegerField()  # id in the ring
    chain = models.TextField()  # PEM
    is_test = models.BooleanField()
    made_at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["purpose", "key", "id"], name="keys_chain_of")]
