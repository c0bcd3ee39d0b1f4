"""Accounts, what was granted to them for single persons, notices, failed log-ins, the policies' texts."""

from typing import ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from wanjia.kernel import clock


class Accounts(BaseUserManager["Account"]):
    """Look-up by natural key, as Django's log-in needs it; accounts are opened through api.open_account only."""


class Account(AbstractBaseUser):
    """Somebody who can log in: a member of staff, a resident, or a machine client (which never sees a page)."""

    username = models.CharField(max_length=64, unique=True)
    display_name = models.CharField(max_length=64)
    #: a role of declared/<profile>/access/roles; one that is not declared holds no right
    role = models.CharField(max_length=32)
    #: division code the account works for; its codes below are covered too; empty = every division of the profile
    area = models.CharField(max_length=12, blank=True, default="")
    #: department code as in declared/<profile>/departments; empty = none
    department = models.CharField(max_length=16, blank=True, default="")
    #: the person a resident's account stands for; no foreign key: the register lies above
    person_id = models.BigIntegerField(null=True, blank=True)
    #: chosen language; empty = not chosen, so the product's default
    language = models.CharField(max_length=16, blank=True, default="")
    large_text = models.BooleanField(default=False)
    is_active = models.BooleanField(default=True)
    opened_at = models.DateTimeField(default=timezone.now, editable=False)

    USERNAME_FIELD = "username"
    REQUIRED_FIELDS: ClassVar[list[str]] = ["display_name", "role"]

    objects: ClassVar[Accounts] = Accounts()

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(condition=Q(role__regex=r"^[a-z][a-z_]{1,31}$"), name="account_role_is_a_code"),
            models.CheckConstraint(condition=Q(area__regex=r"^([0-9]{2,12})?$"), name="account_area_is_a_code"),
            models.UniqueConstraint(fields=["person_id"], condition=Q(is_active=True), name="account_one_for_a_person"),
            # somebody who works in the register never carries a person's own rights in the same account
            models.CheckConstraint(
                condition=Q(person_id__isnull=True) | Q(role="resident"),
                name="account_only_residents_stand_for_persons",
            ),
        ]


class Grant(models.Model):
    """What one account may do beyond its role's standing rights: for one person, or (a machine under an agreement) for any."""

    id = models.BigAutoField(primary_key=True)
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="grants")
    person_id = models.BigIntegerField(null=True)
    purpose = models.CharField(max_length=32)
    fields = ArrayField(models.CharField(max_length=32), default=list)
    finds = models.BooleanField(default=True)
    reads = models.BooleanField(default=False)
    covers_sealed = models.BooleanField(default=False)
    is_urgent = models.BooleanField(default=False)
    #: why, in words: sealed, because somebody in need writes whatever comes to mind, names included
    sealed_reason = models.BinaryField(default=bytes)
    issued_by = models.CharField(max_length=120)
    begins_at = models.DateTimeField(default=clock.now)
    ends_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True)
    #: the same end in seconds of the machine's own running: a clock that is set back extends no grant (`clock.running`)
    boot = models.CharField(max_length=36, blank=True, default="")
    boot_ends = models.FloatField(null=True)

    class Meta:
        indexes: ClassVar[list[models.Index]] = [models.Index(fields=["account", "ends_at"], name="access_grants_of")]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(condition=Q(ends_at__gt=F("begins_at")), name="grant_ends_after_it_begins"),
            # an emergency is about one person, never about a sealed one, and lasts a day at the very most
            models.CheckConstraint(
                condition=Q(is_urgent=False)
                | Q(
                    person_id__isnull=False,
                    covers_sealed=False,
                    ends_at__lte=F("begins_at") + models.Value("1 day", output_field=models.DurationField()),
                ),
                name="grant_urgent_is_short_and_single",
            ),
            models.CheckConstraint(
                condition=Q(covers_sealed=False) | Q(person_id__isnull=False), name="grant_sealed_names_its_person"
            ),
        ]


class Notice(models.Model):
    """Something a supervisor, or the resident it is about, must be told. Texts are made from the kind when shown."""

    id = models.BigAutoField(primary_key=True)
    at = models.DateTimeField(default=clock.now)
    kind = models.CharField(max_length=32)
    #: one of the two is told
    account = models.ForeignKey(Account, null=True, on_delete=models.CASCADE, related_name="notices")
    person_id = models.BigIntegerField(null=True)
    grant = models.ForeignKey(Grant, null=True, on_delete=models.PROTECT, related_name="notices")
    seen_at = models.DateTimeField(null=True)

    class Meta:
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["account", "-id"], name="access_notices_of_account"),
            models.Index(fields=["person_id", "-id"], name="access_notices_of_person"),
        ]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(
                condition=Q(account__isnull=False, person_id__isnull=True)
                | Q(account__isnull=True, person_id__isnull=False),
                name="notice_tells_one",
            )
        ]


class LogInTally(models.Model):
    """Failed log-ins in a row under one name, known or not. The name is a keyed hash: what people mistype may be a password."""

    name_hash = models.BinaryField(primary_key=True)
    failures = models.IntegerField(default=0)
    last_at = models.DateTimeField()
    locked_until = models.DateTimeField(null=True)


class PolicyText(models.Model):
    """A policy as it stood from some moment on, kept for good: a hash in the trace can be read years later."""

    id = models.BigAutoField(primary_key=True)
    policy = models.CharField(max_length=120)
    hash = models.CharField(max_length=64)
    text = models.TextField()
    since = models.DateTimeField(default=clock.now)

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["policy", "hash"], name="policy_text_once")
        ]
