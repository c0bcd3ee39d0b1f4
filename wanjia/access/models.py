"""Accounts of staff. Residents' log-in is a separate matter and has no row here."""

from typing import ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models
from django.utils import timezone


class Role(models.TextChoices):
    """What an account is for; the rights of each are in rules.RIGHTS_OF."""

    OFFICER = "officer"
    STEWARD = "steward"
    PLANNER = "planner"
    AUDITOR = "auditor"
    ADMIN = "admin"


class Accounts(BaseUserManager["Account"]):
    """Look-up by natural key, as Django's log-in needs it; accounts are opened through api.open_account only."""


class Account(AbstractBaseUser):
    """One member of staff who can log in."""

    username = models.CharField(max_length=64, unique=True)
    display_name = models.CharField(max_length=64)
    role = models.CharField(max_length=16, choices=Role.choices)
    #: division code the account works for; its codes below are covered too; empty = every division of the profile
    area = models.CharField(max_length=12, blank=True, default="")
    #: department code as in declared/<profile>/departments; empty = none
    department = models.CharField(max_length=16, blank=True, default="")
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
            models.CheckConstraint(condition=models.Q(role__in=Role.values), name="account_role_known"),
            models.CheckConstraint(condition=models.Q(area__regex=r"^([0-9]{2,12})?$"), name="account_area_is_a_code"),
        ]
