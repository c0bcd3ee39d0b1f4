"""Changes of divisions that were ordered and carried out, and the living by written division for the years that are restated."""

from django.db import models

from wanjia.kernel import clock
from wanjia.register.models.kinds import ResidenceKind


class DivisionChange(models.Model):
    """One change of divisions as its file says it: ordered by a steward, carried out once by a job on or after its day. Says nothing of anybody."""

    id = models.BigAutoField(primary_key=True)
    code = models.CharField(max_length=60, unique=True)
    kind = models.CharField(max_length=10)
    on = models.DateField()
    text = models.TextField()
    ordered_by = models.CharField(max_length=120)
    ordered_at = models.DateTimeField(default=clock.now)
    withdrawn_at = models.DateTimeField(null=True)
    carried_out_at = models.DateTimeField(null=True)
    counts = models.JSONField(default=dict)


class DivisionCount(models.Model):
    """How many lived, or were registered, in a division on a day, by the code their residence was written with: what history said."""

    id = models.BigAutoField(primary_key=True)
    as_of = models.DateField()
    counted_at = models.DateTimeField()
    basis = models.CharField(max_length=10, choices=ResidenceKind)
    division = models.CharField(max_length=12)
    people = models.IntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["as_of", "basis", "division"], name="register_division_counted_once")
        ]
