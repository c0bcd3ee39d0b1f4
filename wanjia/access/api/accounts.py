"""Accounts: opened, closed, bound to a person; their owners' settings; demo accounts."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass

from django.db import transaction

from wanjia.access.api.deciding import book
from wanjia.access.errors import AccountNameTaken, AccountUnknown, BindingRefused, RoleUnknown
from wanjia.access.models import Account
from wanjia.kernel.declared import did_you_mean
from wanjia.trace import api as trace

#: symbols of a random password: no look-alikes (0O 1lI), because it is read from a terminal and typed
PASSWORD_SYMBOLS = "abcdefghjkmnpqrstuvwxyz23456789"


@dataclass(frozen=True)
class DemoAccount:
    """A demo account as printed once by `make demo`; the password is stored nowhere in clear."""

    username: str
    display_name: str
    role: str
    password: str


@transaction.atomic
def open_account(
    *,
    username: str,
    display_name: str,
    role: str,
    password: str | None,
    area: str = "",
    department: str = "",
    by: str = "cli",
    why: str = "open account",
) -> Account:
    """Open an account. Only a hash of the password is kept; without one, nobody logs in by password.

    Raises `AccountNameTaken`, `RoleUnknown`. Traced.
    """
    if role not in book().roles:
        near = did_you_mean(role, book().roles)
        raise RoleUnknown(
            role=role, near_zh=f"，是否应为 {near}" if near else "", near_en=f"; did you mean {near!r}?" if near else ""
        )
    if Account.objects.filter(username=username).exists():
        raise AccountNameTaken(username=username)
    account = Account(username=username, display_name=display_name, role=role, area=area, department=department)
    account.set_password(password)
    account.save()
    trace.record("access.open_account", by=by, why=why, detail={"account": account.pk, "role": role})
    return account


def account_named(username: str) -> Account:
    """The account of that name, open or closed. Raises `AccountUnknown`."""
    account = Account.objects.filter(username=username).first()
    if account is None:
        raise AccountUnknown(username=username)
    return account


@transaction.atomic
def close_account(username: str, *, by: str, why: str) -> None:
    """Close an account: it may nothing from now on, and its sessions end with the next request. Raises `AccountUnknown`."""
    account = account_named(username)
    account.is_active = False
    account.save(update_fields=["is_active"])
    trace.record("access.close_account", by=by, why=why, detail={"account": account.pk})


@transaction.atomic
def bind_resident(username: str, person_id: int, *, by: str, why: str) -> Account:
    """Let a resident's account stand for a person: its owner was identified as that person. Traced, also to the person.

    Raises `AccountUnknown`, and `BindingRefused` for another role's account or when somebody else's account stands for the person.
    """
    account = Account.objects.select_for_update().filter(username=username).first()
    if account is None:
        raise AccountUnknown(username=username)
    is_taken = Account.objects.filter(person_id=person_id, is_active=True).exclude(pk=account.pk).exists()
    if not book().roles[account.role].is_resident or is_taken:
        raise BindingRefused(username=username)
    account.person_id = person_id
    account.save(update_fields=["person_id"])
    trace.record("access.bind_resident", subject_ids=[person_id], by=by, why=why, detail={"account": account.pk})
    return account


@transaction.atomic
def unbind_resident(username: str, *, by: str, why: str) -> None:
    """End that an account stands for a person. Raises `AccountUnknown`."""
    account = account_named(username)
    if account.person_id is not None:
        trace.record(
            "access.unbind_resident", subject_ids=[account.person_id], by=by, why=why, detail={"account": account.pk}
        )
        Account.objects.filter(pk=account.pk).update(person_id=None)


def account_of_person(person_id: int) -> Account | None:
    """The open account that stands for a person, or None."""
    return Account.objects.filter(person_id=person_id, is_active=True).first()


def random_password() -> str:
    """Twelve random symbols in groups of four (about 59 bits)."""
    return "-".join("".join(secrets.choice(PASSWORD_SYMBOLS) for _ in range(4)) for _ in range(3))


def make_demo_accounts(*, resident: int | None = None) -> list[DemoAccount]:
    """Open a demo account for every declared role, or give those that exist a fresh random password; return them, to be printed.

    `resident`: the person the resident's account stands for. Machines log in to nothing, so they get none. Passwords are never kept, so
    a second `make demo` cannot repeat the first one's. Sessions made with the old password end: Django ties them to its hash.
    """
    made = []
    for code, role in book().roles.items():
        if role.is_machine:
            continue
        password = random_password()
        name = f"示例{role.name.zh}"
        with transaction.atomic():
            account = Account.objects.select_for_update().filter(username=code).first()
            if account is None:
                account = open_account(
                    username=code, display_name=name, role=code, password=password, department=role.department
                )
            else:
                account.role, account.is_active = code, True
                account.set_password(password)
                account.save(update_fields=["role", "is_active", "password"])
            if role.is_resident and resident is not None and account.person_id is None:
                bind_resident(code, resident, by="cli:demo", why="demonstration")
        made.append(DemoAccount(code, name, code, password))
    return made


def choose_language(account: Account, language: str) -> None:
    """Keep the language this account's owner chose."""
    Account.objects.filter(pk=account.pk).update(language=language)


def choose_text_size(account: Account, *, large: bool) -> None:
    """Keep whether this account's owner reads in large text."""
    Account.objects.filter(pk=account.pk).update(large_text=large)


def staff_accounts() -> list[Account]:
    """The accounts of staff, open and closed: neither residents' nor machines'."""
    others = [code for code, role in book().roles.items() if role.is_resident or role.is_machine]
    return list(Account.objects.exclude(role__in=others).order_by("username"))


def accounts_by_area() -> list[tuple[str, str]]:
    """(username, area) of open accounts that serve a part of the country only, in order of name."""
    rows = Account.objects.filter(is_active=True).exclude(area="").order_by("username")
    return list(rows.values_list("username", "area"))


def areas_served() -> list[str]:
    """Every area some open account serves."""
    return sorted({area for _, area in accounts_by_area()})


@transaction.atomic
def move_areas(areas: Mapping[str, str], *, by: str, why: str) -> list[str]:
    """Let accounts serve what became of their area (area → area); their names. Each is traced: what an account may see is another."""
    moved = []
    for account in (
        Account.objects.select_for_update().filter(area__in=list(areas), is_active=True).order_by("username")
    ):
        account.area = areas[account.area]
        account.save(update_fields=["area"])
        trace.record("access.move_area", by=by, why=why, detail={"account": account.pk})
        moved.append(account.username)
    return moved
