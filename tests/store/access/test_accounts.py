"""Accounts in the database: hashes only, roles by constraint, demo accounts anew each time."""

import pytest
from django.contrib.auth import authenticate
from django.db import IntegrityError, transaction

from wanjia.access import api
from wanjia.access.errors import AccountNameTaken, BindingRefused, OutsideArea, RightMissing, RoleUnknown
from wanjia.access.models import Account
from wanjia.trace import api as trace

pytestmark = pytest.mark.django_db


def test_demo_accounts_are_made_once_and_get_new_passwords():
    first = {a.username: a for a in api.make_demo_accounts()}
    again = {a.username: a for a in api.make_demo_accounts()}
    assert set(first) == set(again) == set(Account.objects.values_list("username", flat=True))
    assert {a.role for a in first.values()} == {code for code, role in api.book().roles.items() if not role.is_machine}
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


@pytest.mark.parametrize("fault", [{"role": "Root 1"}, {"area": "99-01"}, {"person_id": 7}])
def test_the_database_refuses_what_no_form_would_offer(fault):
    with pytest.raises(IntegrityError), transaction.atomic():
        Account.objects.create(**{"username": "x", "display_name": "x", "role": "officer", **fault})


def test_a_closed_account_may_nothing():
    account = api.open_account(username="o", display_name="O", role="officer", password="x" * 12)
    assert api.may(account, api.Right.OPEN_PERSON)
    account.is_active = False
    with pytest.raises(RightMissing):
        api.require(account, api.Right.OPEN_PERSON)


def test_a_role_nobody_declared_is_refused_and_would_hold_nothing():
    with pytest.raises(RoleUnknown, match="did you mean 'officer'"):
        api.open_account(username="o", display_name="O", role="oficer", password="x" * 12)
    stray = Account.objects.create(username="x", display_name="x", role="root")
    assert not any(api.may(stray, right) for right in api.Right)


def test_area_bounds_whose_record_may_be_read():
    account = api.open_account(username="o", display_name="O", role="officer", password="x" * 12, area="990102")

    def read(*divisions):
        return api.decide(account, api.Action.READ, api.Subject(1, divisions), "case").is_allowed

    assert read("990103001001", "990102001001")
    assert not read("990103001001")
    assert not read()
    with pytest.raises(OutsideArea):
        api.require_decision(account, api.Action.READ, None, "case")


def test_a_resident_account_stands_for_one_person():
    resident = {"role": "resident", "password": "x" * 12}
    api.open_account(username="r", display_name="R", **resident)
    api.open_account(username="r2", display_name="R", **resident)
    api.open_account(username="o", display_name="O", role="officer", password="x" * 12)
    bound = api.bind_resident("r", 7, by="test", why="identified")
    assert api.account_of_person(7) == bound
    for username in ("r2", "o"):
        with pytest.raises(BindingRefused):
            api.bind_resident(username, 7, by="test", why="identified")
    own, other = api.Subject(7, (), True), api.Subject(8)
    assert "ethnicity" in api.decide(bound, api.Action.READ, own, "own").elements
    assert not api.decide(bound, api.Action.READ, other, "own").is_allowed
    assert not api.decide(bound, api.Action.READ, own, "case").is_allowed
    assert [e["kind"] for e in trace.who_looked(7)] == ["access.bind_resident"]
    api.unbind_resident("r", by="test", why="moved away")
    assert api.account_of_person(7) is None


def test_the_texts_behind_the_hashes_are_kept_once():
    fresh = api.keep_policies(by="test", why="test")
    assert set(fresh) == set(api.book().hashes)
    assert api.keep_policies(by="test", why="test") == []
    for name, hashed in api.book().hashes.items():
        assert f'@id("{name}")' in api.policy_text(name, hashed)
    assert api.policy_text("never-was", "0") is None
