"""The vault's tables. Who may read them is set by migration 0002 (roles, the opening function)."""

from django.db import models
from django.db.models import F, Q


class VaultEntry(models.Model):
    """One person's dossier, sealed. The newest version has no `known_to`; older ones answer "as known on"."""

    pk = models.CompositePrimaryKey("person_id", "version")
    person_id = models.BigIntegerField()
    version = models.IntegerField()
    known_from = models.DateTimeField()
    known_to = models.DateTimeField(null=True)
    # keyed hash of the content: says "unchanged" without opening, and nothing to whoever lacks the key
    likeness = models.BinaryField()
    likeness_key = models.IntegerField(default=0, db_default=0)  # id of the key of that hash; 0: the first one
    blob = models.BinaryField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["person_id"], condition=Q(known_to__isnull=True), name="vault_one_current_version"
            ),
            models.CheckConstraint(
                condition=Q(known_to__isnull=True) | Q(known_to__gte=F("known_from")), name="vault_known_in_order"
            ),
        ]


class BlindKind(models.IntegerChoices):
    """What a blind index was made of, or what is looked for by it (`PLACE`)."""

    NAME = 1, "name"
    PINYIN = 2, "pinyin"
    NUMBER = 3, "number"
    INITIALS = 4, "initials"  # first letters of the pinyin, with the year of birth: "ly|1986"
    HOUSEHOLD = 5, "household"  # the household's number
    DOOR = 6, "door"  # place, building and room of an address
    PLACE = 7, "place"  # road and number, or community: no rows of its own, the blinds of all its doors begin alike
    # numbers a person's records name as somebody else's: found again when that person arrives
    MOTHER_NUMBER = 11, "mother_number"
    FATHER_NUMBER = 12, "father_number"
    SPOUSE_NUMBER = 13, "spouse_number"


class BlindIndex(models.Model):
    """A keyed hash of one value of one person."""

    # what writes the rows makes them distinct: an index that enforced it would be the database's largest, and nobody looks anything up in it
    pk = models.CompositePrimaryKey("person_id", "kind", "blind")
    person_id = models.BigIntegerField()
    kind = models.SmallIntegerField(choices=BlindKind)
    blind = models.BinaryField()
    blind_key = models.IntegerField(default=0, db_default=0)  # id of the key it was hashed under; 0: the first one

    class Meta:
        indexes = [
            models.Index(fields=["kind", "blind"], name="privacy_by_kind"),
            models.Index(fields=["person_id"], name="privacy_blind_of"),
        ]


class Amendment(models.Model):
    """What a registered event says of one person, sealed; opened together with the dossier, over whose values it stands."""

    id = models.BigAutoField(primary_key=True)
    person_id = models.BigIntegerField()
    event_id = models.BigIntegerField()
    known_from = models.DateTimeField()
    known_to = models.DateTimeField(null=True)
    blob = models.BinaryField()

    class Meta:
        indexes = [
            models.Index(fields=["person_id"], condition=Q(known_to__isnull=True), name="privacy_amendments_of"),
            models.Index(fields=["event_id"], name="privacy_amendments_by"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(known_to__isnull=True) | Q(known_to__gte=F("known_from")), name="amendment_known_in_order"
            )
        ]


class AmendmentBlind(models.Model):
    """A keyed hash of one value of an amendment: whom it is about is found by it while the amendment stands."""

    pk = models.CompositePrimaryKey("amendment_id", "kind", "blind")
    amendment_id = models.BigIntegerField()
    person_id = models.BigIntegerField()
    kind = models.SmallIntegerField(choices=BlindKind)
    blind = models.BinaryField()
    blind_key = models.IntegerField(default=0, db_default=0)

    class Meta:
        indexes = [
            models.Index(fields=["blind", "kind"], name="privacy_amended_by_blind"),
            models.Index(fields=["person_id"], name="privacy_amended_of"),
        ]
