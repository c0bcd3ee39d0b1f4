"""The trace's tables: what was done (entries), and the public log made of it (places, tiles, checkpoints).

Append-only by grants and triggers (migrations 0002 and 0005): entries and places are never changed. An entry's text and its nonce can be erased,
which leaves a row of `Erasure` and an entry of its own; the place, and so every proof, stays.
"""

from django.contrib.postgres.fields import BigIntegerRangeField
from django.contrib.postgres.indexes import GistIndex
from django.db import models
from django.db.models import F, Func, Q, Value
from django.db.models.functions import StrIndex
from django.db.models.lookups import GreaterThan

# a purpose is a declared code, and perhaps a case after a colon
_purpose_without_case = Func(F("purpose"), Value(":"), Value(1), function="split_part", output_field=models.TextField())
_has_case = GreaterThan(StrIndex("purpose", Value(":")), 0)


class Reach(models.IntegerChoices):
    """Whom an entry is about."""

    ONE = 0, "subject"  # the person in `subject`, or nobody
    LISTED = 1, "listed"  # the persons listed beside it: bulk work
    EVERYBODY = 2, "everybody"  # whoever is in the register


class Entry(models.Model):
    """One read or change: who did what, why, about whom. No personal data."""

    id = models.BigAutoField(primary_key=True)
    # the clock and not the transaction's start: a load takes minutes, and its entry comes at its end
    at = models.DateTimeField(db_default=models.Func(function="clock_timestamp"))
    kind = models.CharField(max_length=60)
    actor = models.CharField(max_length=120)
    department = models.CharField(max_length=60, default="", db_default="")
    purpose = models.CharField(max_length=300)
    # the law or the policy (its id and the hash of its text) under which it was allowed
    basis = models.CharField(max_length=300, default="", db_default="")
    subject = models.BigIntegerField(null=True)  # a person id; no foreign key: the trace outlives what it speaks of
    reach = models.SmallIntegerField(choices=Reach, default=Reach.ONE, db_default=Reach.ONE)
    detail = models.JSONField(default=dict, db_default=models.Value({}, models.JSONField()))

    class Meta:
        indexes = [
            models.Index(fields=["subject", "at", "id"], condition=Q(subject__isnull=False), name="trace_by_person"),
            # each holds the other columns one may search by: a rare mix is found within one index (api/searching.py)
            models.Index(
                fields=["kind", "at", "id"], include=["actor", "department", "purpose", "reach"], name="trace_by_kind"
            ),
            models.Index(
                fields=["actor", "at", "id"], include=["kind", "department", "purpose", "reach"], name="trace_by_actor"
            ),
            models.Index(
                fields=["department", "at", "id"],
                include=["kind", "actor", "purpose", "reach"],
                condition=~Q(department=""),
                name="trace_by_department",
            ),
            models.Index(
                _purpose_without_case,
                "at",
                "id",
                include=["purpose", "kind", "actor", "department", "reach"],
                name="trace_by_purpose",
            ),
            models.Index(fields=["purpose", "at", "id"], condition=Q(_has_case), name="trace_by_case"),
            models.Index(
                fields=["at", "id"],
                include=["kind", "actor", "department", "purpose"],
                condition=Q(reach__gt=0),
                name="trace_of_jobs",
            ),
            models.Index(fields=["at", "id"], name="trace_by_time"),
            models.Index(fields=["at", "id"], condition=Q(reach=2), name="trace_of_everybody"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=~Q(actor="") & ~Q(purpose="") & ~Q(kind=""), name="trace_says_who_and_why"
            ),
            models.CheckConstraint(condition=Q(subject__isnull=True) | Q(reach=0), name="trace_one_reach"),
        ]


class Pending(models.Model):
    """An entry that has no place in the public log yet; a trigger puts every new entry here, the sequencer takes it out."""

    entry_id = models.BigIntegerField(primary_key=True)


class Place(models.Model):
    """An entry's place in the public log and the commitment that stands there. No entry: its content was lost before a restore."""

    seq = models.BigIntegerField(primary_key=True)
    entry_id = models.BigIntegerField(null=True, unique=True)
    commitment = models.BinaryField()


class Nonce(models.Model):
    """The sealed nonce of a place, apart from the entry: without it a commitment tells nothing."""

    seq = models.BigIntegerField(primary_key=True)
    sealed = models.BinaryField()


class Tile(models.Model):
    """Up to 256 hashes of the tree, as C2SP lays them out."""

    pk = models.CompositePrimaryKey("level", "index")
    level = models.SmallIntegerField()
    index = models.BigIntegerField()
    hashes = models.BinaryField()


class Checkpoint(models.Model):
    """A signed tree head that was published. `cosigned` holds the witnesses' signature lines."""

    size = models.BigIntegerField(primary_key=True)
    root = models.BinaryField()
    at = models.DateTimeField(db_default=models.Func(function="clock_timestamp"))
    note = models.TextField()
    cosigned = models.TextField(default="", db_default="")

    class Meta:
        indexes = [models.Index(fields=["size"], condition=~Q(cosigned=""), name="trace_cosigned")]


class JobPerson(models.Model):
    """A person that a small piece of bulk work was about."""

    pk = models.CompositePrimaryKey("person_id", "entry_id")
    person_id = models.BigIntegerField()
    entry_id = models.BigIntegerField()


class JobPart(models.Model):
    """Some of the persons a large piece of bulk work was about: their ids, sorted, eight bytes each."""

    id = models.BigAutoField(primary_key=True)
    entry_id = models.BigIntegerField()
    span = BigIntegerRangeField()
    persons = models.BinaryField()

    class Meta:
        indexes = [
            GistIndex(fields=["span"], name="trace_job_of_person"),
            models.Index(fields=["entry_id"], name="trace_parts_of_job"),
        ]


class Seal(models.Model):
    """A read that a law keeps from the person for a time. Counted from its first second; on `opens_on` the person sees it."""

    entry_id = models.BigIntegerField(primary_key=True)
    number = models.BigIntegerField(unique=True)  # 1, 2, 3 …: a missing number would show
    basis = models.CharField(max_length=300)
    approver = models.CharField(max_length=120)
    opens_on = models.DateField()
    opened_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=~Q(basis="") & ~Q(approver=""), name="trace_seal_says_law_and_approver"),
        ]
        indexes = [models.Index(fields=["opens_on"], condition=Q(opened_at__isnull=True), name="trace_still_sealed")]


class Opening(models.Model):
    """That somebody asked for a seal to be opened before its day; it opens when somebody else agrees."""

    entry_id = models.BigIntegerField(primary_key=True)
    asked_at = models.DateTimeField(db_default=models.Func(function="clock_timestamp"))
    asked_by = models.CharField(max_length=120)
    why = models.CharField(max_length=300)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=~Q(asked_by="") & ~Q(why=""), name="trace_opening_says_who_and_why"),
        ]


class Erasure(models.Model):
    """An entry whose text and nonce were deleted, and the entry that says who did so and why."""

    entry_id = models.BigIntegerField(primary_key=True)
    seq = models.BigIntegerField(unique=True)
    at = models.DateTimeField(db_default=models.Func(function="clock_timestamp"))
    told_by = models.BigIntegerField()


class Gate(models.Model):
    """Whether persons may be read: only where the log was shown to go on from the last published checkpoint.

    `bound_to` names this very database as it runs (server, database, table, start of the server): after a restore or a restart it fits no longer.
    """

    id = models.SmallIntegerField(primary_key=True)
    bound_to = models.TextField(default="", db_default="")
    reason = models.CharField(max_length=40, default="", db_default="")  # why it was shut; empty: not shut
    since = models.DateTimeField(db_default=models.Func(function="clock_timestamp"))

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(id=1), name="trace_one_gate")]


class Gap(models.Model):
    """Places whose entries were lost with a restored backup: that they existed is proven, what they said is not known."""

    first_seq = models.BigIntegerField(primary_key=True)
    end_seq = models.BigIntegerField()
    told_at = models.DateTimeField(db_default=models.Func(function="clock_timestamp"))
    note = models.TextField()

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(end_seq__gt=F("first_seq")), name="trace_gap_in_order")]
