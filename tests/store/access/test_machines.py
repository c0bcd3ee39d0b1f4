"""Machines: tokens for random secrets, what a token is good for, and when it ends. Seeds of second factors lie sealed."""

import base64
from datetime import timedelta

import pytest
from allauth.idp.oidc.models import Client as Registered
from allauth.idp.oidc.models import Token
from allauth.mfa.models import Authenticator
from django.test import Client
from django.utils import timezone

from wanjia.access import api
from wanjia.access.api import Action, Subject
from wanjia.access.errors import ClientRefused
from wanjia.access.models import Account, Grant
from wanjia.kernel import clock, settings
from wanjia.kernel.keyring import Keyring

pytestmark = pytest.mark.django_db

WHY = {"by": "test", "why": "test"}


def ask(client_id: str, secret: str, **more):
    told = base64.b64encode(f"{client_id}:{secret}".encode()).decode()
    return Client().post(
        "/identity/o/api/token",
        {"grant_type": "client_credentials", "scope": "exchange"} | more,
        headers={"authorization": f"Basic {told}"},
    )


def test_a_secret_gets_a_token_and_the_token_names_the_machine():
    made = api.open_machine("exchange-1", **WHY)
    answer = ask(made.client_id, made.secret)
    assert answer.status_code == 200
    assert answer.json()["expires_in"] <= 3600
    machine = api.machine_of(answer.json()["access_token"])
    assert (machine.username, machine.role) == ("exchange-1", "machine")


def test_neither_secret_nor_token_is_kept():
    made = api.open_machine("exchange-1", **WHY)
    bearer = ask(made.client_id, made.secret).json()["access_token"]
    assert made.secret not in str(vars(Registered.objects.get(id=made.client_id)))
    assert Registered.objects.get(id=made.client_id).secret.startswith("random_secret_sha256$")
    assert bearer not in str([vars(token) for token in Token.objects.all()])


def test_wrong_secrets_and_ended_tokens_are_refused():
    made = api.open_machine("exchange-1", **WHY)
    assert ask(made.client_id, "wrong").status_code == 401
    assert ask(made.client_id, made.secret, scope="openid").status_code in (400, 401)
    bearer = ask(made.client_id, made.secret).json()["access_token"]
    for wrong in ("", "x", bearer[:-1]):
        with pytest.raises(ClientRefused):
            api.machine_of(wrong)
    Token.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    with pytest.raises(ClientRefused):
        api.machine_of(bearer)
    assert api.forget_ended() == 1


def test_a_closed_client_ends_at_once():
    made = api.open_machine("exchange-1", **WHY)
    bearer = ask(made.client_id, made.secret).json()["access_token"]
    api.close_client(made.client_id, **WHY)
    with pytest.raises(ClientRefused):
        api.machine_of(bearer)
    assert ask(made.client_id, made.secret).status_code == 401


def test_a_machine_is_given_what_was_agreed_and_never_a_sealed_person():
    made = api.open_machine("exchange-1", **WHY)
    machine = api.machine_of(ask(made.client_id, made.secret).json()["access_token"])
    now = clock.now()
    Grant.objects.create(
        account=machine, purpose="exchange", fields=["identity"], finds=False, reads=True, issued_by="agreement",
        begins_at=now, ends_at=now + timedelta(days=30),
    )  # fmt: skip
    given = api.decide(machine, Action.EXPORT, Subject(1, ("990102001",)), "exchange")
    assert given.fields == {"identity"}
    assert not api.decide(machine, Action.EXPORT, Subject(2, ("990102001",), True), "exchange").is_allowed
    assert not api.decide(machine, Action.READ, Subject(1, ("990102001",)), "exchange").is_allowed
    with clock.stopped_at(now + timedelta(days=31)):
        assert not api.decide(machine, Action.EXPORT, Subject(1, ("990102001",)), "exchange").is_allowed


def test_a_machine_logs_in_to_no_page():
    api.open_machine("exchange-1", **WHY)
    account = Account.objects.get(username="exchange-1")
    assert not account.has_usable_password()
    assert not any(api.may(account, right) for right in api.Right)


def test_seeds_are_sealed_and_made_again_when_their_key_rotates():
    account = api.open_account(username="o", display_name="O", role="officer", password=None)
    sealed = api.seal_text("JBSWY3DPEHPK3PXP")
    assert "JBSWY3DPEHPK3PXP" not in sealed
    row = Authenticator.objects.create(user=account, type=Authenticator.Type.TOTP, data={"secret": sealed})
    keyring = Keyring.open(settings.home())
    [seeds] = [store for store in api.KEYED if store.purpose == "second-factor"]
    new = keyring.rotate("second-factor")
    assert seeds.under(keyring, new) == 0
    assert seeds.remake(keyring, lambda _n: None) == 1
    row.refresh_from_db()
    assert seeds.under(keyring, new) == 1
    assert api.open_text(row.data["secret"]) == "JBSWY3DPEHPK3PXP"
    assert seeds.remake(keyring, lambda _n: None) == 0


def test_failures_lock_a_name_whether_it_exists_or_not():
    for name in ("nobody", "o"):
        assert [api.count_failure(name) for _ in range(5)] == [False] * 4 + [True]
        assert api.locked_until(name) is not None
        assert api.locked_until(name.upper()) is not None
        with clock.stopped_at(clock.now() + timedelta(minutes=16)):
            assert api.locked_until(name) is None
            assert api.count_failure(name) is False
    api.open_account(username="o", display_name="O", role="officer", password=None)
    for _ in range(5):
        api.count_failure("o")
    api.lift_lock("o", **WHY)
    assert api.locked_until("o") is None
