"""The register's state and its past. Two times on each fact: `valid` (when true) and `known` (when we knew), both half-open.

Rows with an open `known` are the state; closed ones are its past and are never changed again. `sole` says that the row is the only one
ever of its subject and kind: see README.
"""

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import DateRangeField, DateTimeRangeField, RangeOperators
from django.db import models
from django.db.models import Q

from wanjia.register.models.divisions import DivisionChange, DivisionCount
from wanjia.register.models.events import Act, Basis, Event, EventParty, EventStep, Notice, NumberSeries
from wanjia.register.models.kinds import ResidenceKind

__all__ = [
    "Act", "Basis", "DivisionChange", "DivisionCount", "Event", "EventParty", "EventStep", "Fact", "Household", "HouseholdKind", "Load",
    "Membership", "Notice", "NumberSeries",
    "Person", "PersonRedirect", "PersonState", "PopulationCell", "PopulationCount", "Relation", "RelationKind", "Residence", "ResidenceKind",
]  # fmt: skip

CURRENT = Q(known__upper_inf=True)


def never_two_at_once(name: str, *fields: str, only: Q | None = None) -> list[models.BaseConstraint]:
    """The constraints that keep two rows with equal `fields` from holding at one time, as known at one time.

    A sole row needs only a unique index; all others need the exclusion constraint (see README on `sole`).
    """
    sole, several = Q(sole=True), Q(sole=False)
    return [
        models.UniqueConstraint(fields=list(fields), condition=sole & only if only else sole, name=f"{name}_sole"),
        ExclusionConstraint(
            name=f"{name}_apart",
            expressions=[
                *((field, RangeOperators.EQUAL) for field in fields),
                ("valid", RangeOperators.OVERLAPS),
                ("known", RangeOperators.OVERLAPS),
            ],
            condition=several & only if only else several,
        ),
    ]


class Fact(models.Model):
    """Something that was true for a time, and that we knew for a time."""

    id = models.BigAutoField(primary_key=True)
    valid = DateRangeField()
    known = DateTimeRangeField()
    sole = models.BooleanField()

    class Meta:
        abstract = True


class Load(models.Model):
    """One time the state was changed. `at` is what `known` begins and ends with; it only grows, whatever the clock does."""

    id = models.BigAutoField(primary_key=True)
    at = models.DateTimeField(unique=True)
    actor = models.CharField(max_length=120)
    purpose = models.CharField(max_length=300)
    counts = models.JSONField(default=dict)


class Person(models.Model):
    """A person of the register. The id comes from the person's founding record and never changes meaning."""

    id = models.BigIntegerField(primary_key=True)
    founded_at = models.DateTimeField()
    left_at = models.DateTimeField(null=True)  # no active record speaks of this person any more
    is_sealed = models.BooleanField(default=False)


class PersonRedirect(models.Model):
    """A former id and the person it stands for now."""

    former_id = models.BigIntegerField(primary_key=True)
    person = models.ForeignKey(Person, on_delete=models.CASCADE, db_constraint=False, related_name="former_ids")
    since = models.DateTimeField()
    event_id = models.BigIntegerField(null=True)  # made by an event (a merge): only its revocation ends it


class PersonState(Fact):
    """What is kept of a person outside the vault: only what counting and filtering by law need."""

    person_id = models.BigIntegerField()
    sex = models.CharField(max_length=2, null=True)
    birth_on = models.DateField(null=True)
    died_on = models.DateField(null=True)
    registration_state = models.CharField(max_length=4, null=True)
    marital_status = models.CharField(max_length=4, null=True)
    marital_since = models.DateField(null=True)

    class Meta:
        constraints = never_two_at_once("register_state", "person_id")
        # with what a list of hits shows beside the id: a search of a common name asks about hundreds, each of whom would be a page of the table
        indexes = [
            models.Index(
                fields=["person_id"], include=["birth_on", "died_on", "sex", "known"], name="register_state_of"
            )
        ]


class Household(models.Model):
    """A household. Its id comes from the registering office and the household number; the number itself is in the vault."""

    id = models.BigIntegerField(primary_key=True)
    founded_at = models.DateTimeField()
    left_at = models.DateTimeField(null=True)


class HouseholdKind(models.TextChoices):
    """Why people are together."""

    DOMICILE = "domicile", "户籍户"


class Membership(Fact):
    """A person belongs to a household, as its head or as `relation` to the head (GB/T 4761)."""

    person_id = models.BigIntegerField()
    household_id = models.BigIntegerField()
    kind = models.CharField(max_length=10, choices=HouseholdKind)
    is_head = models.BooleanField()
    relation = models.CharField(max_length=4, null=True)

    class Meta:
        constraints = [
            *never_two_at_once("register_member", "person_id", "kind"),
            # a household has one head at a time; `sole` is about the person, so heads have a constraint of their own
            models.UniqueConstraint(
                fields=["household_id"],
                condition=Q(is_head=True) & CURRENT & Q(valid__upper_inf=True),
                name="register_one_head",
            ),
        ]
        indexes = [
            models.Index(fields=["person_id"], name="register_household_of"),
            models.Index(fields=["household_id"], name="register_by_household"),
        ]


class Residence(Fact):
    """Where a person is registered or lives, to the division; the address is in the vault."""

    person_id = models.BigIntegerField()
    kind = models.CharField(max_length=10, choices=ResidenceKind)
    division = models.CharField(max_length=12)  # as the source says it, valid then
    division_now = models.CharField(max_length=12)  # its successor today

    class Meta:
        constraints = never_two_at_once("register_residence", "person_id", "kind")
        indexes = [
            models.Index(fields=["person_id"], name="register_residence_of"),
        ]


class RelationKind(models.TextChoices):
    """What the other person is to this person."""

    SPOUSE = "spouse", "配偶"
    MOTHER = "mother", "母亲"
    FATHER = "father", "父亲"


class Relation(Fact):
    """`other_id` is the spouse, mother or father of `person_id`. A marriage is two rows, one for each spouse."""

    person_id = models.BigIntegerField()
    kind = models.CharField(max_length=10, choices=RelationKind)
    other_id = models.BigIntegerField()

    class Meta:
        constraints = [
            *never_two_at_once("register_relation", "person_id", "kind"),
            models.CheckConstraint(condition=~Q(person_id=models.F("other_id")), name="register_not_own_relative"),
        ]
        indexes = [
            models.Index(fields=["person_id"], name="register_relatives_of"),
            models.Index(fields=["other_id"], name="register_by_relative"),
        ]


class PopulationCount(models.Model):
    """One counting of the living, kept so that population pages need no pass over all persons."""

    counted_at = models.DateTimeField()
    as_of = models.DateField()


class PopulationCell(models.Model):
    """How many people of one sex and age a division has. `basis` domicile: registered there; residence: living there."""

    id = models.BigAutoField(primary_key=True)
    count = models.ForeignKey(PopulationCount, on_delete=models.CASCADE, related_name="cells")
    basis = models.CharField(max_length=10, choices=ResidenceKind)
    division = models.CharField(max_length=12)  # today's code, as precise as it is known
    sex = models.CharField(max_length=2)  # GB/T 2261.1; "0" unknown
    age = models.SmallIntegerField()  # whole years on the day counted; -1 unknown
    people = models.IntegerField()

    class Meta:
        indexes = [models.Index(fields=["count", "basis", "division"], name="register_cells_by_division")]
