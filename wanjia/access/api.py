"""The door to access: open accounts, keep a person's own settings, answer who may do what."""

import secrets
from collections.abc import Iterable
from dataclasses import dataclass

from django.contrib.auth.models import AnonymousUser
from django.db import transaction

from wanjia.access import rules
from wanjia.access.errors import AccountNameTaken, OutsideArea, RightMissing
from wanjia.access.models import Account, Role
from wanjia.access.rules import Right, significant

__all__ = [
    "DemoAccount",
    "Right",
    "choose_language",
    "choose_text_size",
    "covers",
    "make_demo_accounts",
    "may",
    "open_account",
    "require",
    "require_area",
    "significant",
]

#: symbols of a random password: no look-alikes (0O 1lI), because it is read from a terminal and typed
PASSWORD_SYMBOLS = "abcdefghjkmnpqrstuvwxyz23456789"

#: username, name shown, role, department
DEMO = (
    ("officer", "示例登记员", Role.OFFICER, "GA"),
    ("steward", "示例数据管理员", Role.STEWARD, "GA"),
    ("planner", "示例规划员", Role.PLANNER, ""),
    ("auditor", "示例审计员", Role.AUDITOR, ""),
    ("admin", "示例系统管理员", Role.ADMIN, ""),
)


@dataclass(frozen=True)
class DemoAccount:
    """A demo account as printed once by `make demo`; the password is stored nowhere in clear."""

    username: str
    display_name: str
    role: str
    password: str


def may(account: Account | AnonymousUser, right: Right | str) -> bool:
    """Whether this account may use `right` now. Anonymous and closed accounts may nothing."""
    return bool(account.is_authenticated and account.is_active and rules.holds(getattr(account, "role", ""), right))


def require(account: Account | AnonymousUser, right: Right | str) -> None:
    """Pass, or raise RightMissing."""
    if not may(account, right):
        raise RightMissing(role=getattr(account, "role", "–") or "–", right=str(right))


def covers(account: Account, division: str | None) -> bool:
    """Whether the account's area covers a record of `division` (see rules.covers)."""
    return rules.covers(account.area, division)


def require_area(account: Account, divisions: Iterable[str]) -> None:
    """Pass if the account's area covers one of the record's divisions, or raise OutsideArea."""
    if account.area and not any(rules.covers(account.area, division) for division in divisions):
        raise OutsideArea(area=account.area)


@transaction.atomic
def open_account(
    *, username: str, display_name: str, role: str, password: str, area: str = "", department: str = ""
) -> Account:
    """Open an account; raises AccountNameTaken. Only a hash of the password is kept."""
    if Account.objects.filter(username=username).exists():
        raise AccountNameTaken(username=username)
    account = Account(username=username, display_name=display_name, role=role, area=area, department=department)
    account.set_password(password)
    account.save()
    return account


def make_demo_accounts() -> list[DemoAccount]:
    """Open the demo accounts, or give those that exist a fresh random password; return them with it, to be printed.

    Passwords are never kept, so a second `make demo` cannot repeat the first one's: it sets new ones. Sessions made
    with the old password end, because Django ties a session to the password's hash.
    """
    made = []
    for username, display_name, role, department in DEMO:
        password = "-".join("".join(secrets.choice(PASSWORD_SYMBOLS) for _ in range(4)) for _ in range(3))
        with transaction.atomic():
            account = Account.objects.select_for_update().filter(username=username).first()
            if account is None:
                open_account(
                    username=username, display_name=display_name, role=role, password=password, department=department
                )
            else:
                account.role, account.is_active = role, True
                account.set_password(password)
                account.save(update_fields=["role", "is_active", "password"])
        made.append(DemoAccount(username, display_name, role.value, password))
    return made


def choose_language(account: Account, language: str) -> None:
    """Keep the language this member of staff chose."""
    Account.objects.filter(pk=account.pk).update(language=language)


def choose_text_size(account: Account, *, large: bool) -> None:
    """Keep whether this member of staff reads in large text."""
    Account.objects.filter(pk=account.pk).update(large_text=large)
