"""Accounts in the database: hashes only, roles by constraint, demo accounts anew each time."""

import pytest
from django.contrib.auth import authenticate
from django.db import IntegrityError, transaction

from wanjia.access import api
from wanjia.access.errors import AccountNameTaken, OutsideArea, RightMissing
from wanjia.access.models import Account

pytestmark = pytest.mark.django_db


def test_demo_accounts_are_made_once_and_get_new_passwords():
    first = {a.username: a for a in api.make_demo_accounts()}
    again = {a.username: a for a in api.make_demo_accounts()}
    assert set(first) == set(again) == set(Account.objects.values_list("username", flat=True))
    assert {a.role for a in first.values()} == {"officer", "steward", "planner", "auditor", "admin"}
    assert authenticate(username="officer", password=first["officer"].password) is None
    assert authenticate(username="officer", password=again["officer"].password) is not None


def test_no_password_is_kept():
    passwords = [a.password for a in api.make_demo_accounts()]
    for account in Account.objects.all():
        assert account.password.startswith("scrypt$")
        assert not any(password in str(vars(account)) for password in passwords)


def test_a_name_is_taken_once():
    given = {"username": "wei", "display_name": "Wei", "role": "officer", "password": "x" * 12}
    api.open_account(**given)
    with pytest.raises(AccountNameTaken):
        api.open_account(**given)


@pytest.mark.parametrize("fault", [{"role": "root"}, {"area": "99-01"}])
def test_the_database_refuses_what_no_form_would_offer(fault):
    with pytest.raises(IntegrityError), transaction.atomic():
        Account.objects.create(**{"username": "x", "display_name": "x", "role": "officer", **fault})


def test_a_closed_account_may_nothing():
    account = api.open_account(username="o", display_name="O", role="officer", password="x" * 12)
    assert api.may(account, api.Right.OPEN_PERSON)
    account.is_active = False
    with pytest.raises(RightMissing):
        api.require(account, api.Right.OPEN_PERSON)


def test_area_bounds_whose_record_may_be_opened():
    account = api.open_account(username="o", display_name="O", role="officer", password="x" * 12, area="990102")
    api.require_area(account, ["990103001001", "990102001001"])
    with pytest.raises(OutsideArea):
        api.require_area(account, ["990103001001"])
    with pytest.raises(OutsideArea):
        api.require_area(account, [])
