"""Accounts in the database: hashes only, roles by constraint, demo accounts anew each time; what decides is written down."""

import shutil

import pytest
from django.contrib.auth import authenticate
from django.db import IntegrityError, transaction
from django.test import Client

from wanjia.access import api
from wanjia.access.errors import AccountNameTaken, BindingRefused, OutsideArea, RightMissing, RoleUnknown
from wanjia.access.models import Account
from wanjia.kernel.settings import profile_dir
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
    begun = api.keep_policies(by="test", why="test")
    assert set(begun) == set(api.book().parts)
    assert {f"policy:{name}" for name in api.book().hashes} < set(begun)
    assert api.keep_policies(by="test", why="test") == []
    for name, hashed in api.book().hashes.items():
        assert f'@id("{name}")' in api.policy_text(name, hashed)
    assert api.policy_text("never-was", "0") is None


@pytest.fixture
def own_files(tmp_path, monkeypatch):
    """A profile of its own whose files can be changed, looked at anew at every question."""
    profile = profile_dir()
    copy = tmp_path / "declared" / profile.name
    shutil.copytree(profile, copy)
    monkeypatch.setenv("WANJIA_DECLARED", str(copy))
    monkeypatch.setattr("wanjia.access.api.deciding.LOOK_AGAIN_SECONDS", 0.0)
    return copy / "access"


def test_every_change_of_the_files_is_an_entry_with_old_and_new(own_files):
    api.keep_policies(by="test", why="test")
    was = dict(api.book().parts)
    policy = sorted((own_files / "policies").glob("*.cedar"))[0]
    before = policy.read_text()
    policy.write_text("// a comment changes nothing\n" + before)
    assert api.keep_policies(by="test", why="test") == []

    added = (
        before
        + '\n@id("nobody-on-mondays") forbid (principal, action, resource) when { context.in_area && !context.in_area };\n'
    )
    policy.write_text(added)
    role = own_files / "roles" / "officer.toml"
    role.write_text(role.read_text().replace("rights = [", 'rights = ["see_linkage", ', 1))
    assert api.keep_policies(by="test", why="test") == ["policy:nobody-on-mondays", "role:officer"]
    [entry] = trace.entries(kind="access.keep_policies", limit=1)
    said = entry["detail"]
    assert (said["begun"]["role:officer"], said["ended"]["role:officer"]) == (
        api.book().parts["role:officer"],
        was["role:officer"],
    )
    assert said["ended"].keys() == {"role:officer"}
    assert said["old"] != said["new"]
    assert said["last_written"]["file"] == "officer.toml"

    # back to what it was: a change too, though every text is known already
    policy.write_text(before)
    assert api.keep_policies(by="test", why="test") == ["policy:nobody-on-mondays"]
    assert "policy:nobody-on-mondays" in trace.entries(kind="access.keep_policies", limit=1)[0]["detail"]["ended"]


def test_a_change_while_pages_are_served_is_told_before_the_next_page(own_files, home, settings):
    settings.STORAGES = {
        **settings.STORAGES,
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    }
    account = api.open_account(username="o", display_name="o", role="officer", password=None)
    client = Client()
    client.force_login(account)
    assert client.get("/officer/find/").status_code == 200
    role = own_files / "roles" / "officer.toml"
    role.write_text(role.read_text().replace('"find_person", ', ""))
    assert client.get("/officer/find/").status_code == 403
    [entry] = trace.entries(kind="access.keep_policies", limit=1)
    assert (entry["actor"], list(entry["detail"]["begun"])) == ("policy-files", ["role:officer"])
