"""Machine clients and other systems: accounts with random secrets, tokens by client credentials (RFC 6749 4.4), log-in for their users."""

from collections.abc import Sequence
from dataclasses import dataclass

from allauth.idp.oidc.models import Client, Token
from django.contrib.auth.hashers import make_password
from django.contrib.sessions.models import Session
from django.db import transaction

from wanjia.access.adapters.hashing import RandomSecretHasher, random_secret
from wanjia.access.api.accounts import open_account
from wanjia.access.api.deciding import book
from wanjia.access.errors import ClientRefused, RoleUnknown
from wanjia.access.models import Account
from wanjia.kernel import clock
from wanjia.trace import api as trace

#: what a token of a machine may be for, by the role of its account; of any other role: `SCOPE`
SCOPE = "exchange"
SCOPES = {"portal": "tracker"}


@dataclass(frozen=True)
class NewClient:
    """A client as shown once: its secret is kept as a hash only."""

    client_id: str
    secret: str


@transaction.atomic
def open_machine(
    name: str, *, role: str = "machine", area: str = "", department: str = "", by: str, why: str
) -> NewClient:
    """Open an account for a program, with a client that gets tokens for its secret. `role`: a declared one of machines. Traced.

    Raises `AccountNameTaken`, `RoleUnknown` (also for a role of people).
    """
    if role in book().roles and not book().roles[role].is_machine:
        raise RoleUnknown(role=role, near_zh="（机器角色）", near_en=" for machines")
    account = open_account(
        username=name,
        display_name=name,
        role=role,
        password=None,
        area=area,
        department=department,
        by=by,
        why=why,
    )
    return _client(
        name,
        owner=account,
        grants=[Client.GrantType.CLIENT_CREDENTIALS],
        scopes=[SCOPES.get(role, SCOPE)],
        redirects=[],
        by=by,
        why=why,
    )


@transaction.atomic
def open_client(name: str, redirects: Sequence[str], *, by: str, why: str) -> NewClient:
    """Let another system log its users in with accounts of this house (OpenID Connect); answers go to `redirects` only. Traced."""
    return _client(
        name,
        owner=None,
        grants=[Client.GrantType.AUTHORIZATION_CODE],
        scopes=["openid", "profile"],
        redirects=list(redirects),
        by=by,
        why=why,
    )


@transaction.atomic
def close_client(client_id: str, *, by: str, why: str) -> None:
    """End a client: its tokens end with it. Traced. Raises `ClientRefused`."""
    client = Client.objects.filter(id=client_id).first()
    if client is None:
        raise ClientRefused()
    if client.owner_id:
        Account.objects.filter(pk=client.owner_id).update(is_active=False)
    client.delete()
    trace.record("access.close_client", by=by, why=why, detail={"client": client_id})


def machine_of(bearer: str, *, scope: str = SCOPE) -> Account:
    """The account of the machine that holds this token, for `scope`.

    Raises `ClientRefused` for a token that is unknown, ended, a person's, or of another scope.
    """
    token = Token.objects.lookup(Token.Type.ACCESS_TOKEN, bearer) if bearer else None
    owner = token.client.owner if token and token.client else None
    if owner is None or not owner.is_active or token.user_id is not None or scope not in token.get_scopes():
        raise ClientRefused()
    return owner


def forget_ended() -> int:
    """Delete what ended by itself: tokens past their hour, old sessions, cached attempts. Returns how many tokens."""
    Session.objects.filter(expire_date__lt=clock.now()).delete()
    count, _ = Token.objects.expired().delete()
    return count


def _client(
    name: str,
    *,
    owner: Account | None,
    grants: Sequence[str],
    scopes: Sequence[str],
    redirects: Sequence[str],
    by: str,
    why: str,
) -> NewClient:
    secret = random_secret()
    client = Client(name=name[:100], owner=owner, secret=make_password(secret, hasher=RandomSecretHasher.algorithm))
    client.set_grant_types([str(grant) for grant in grants])
    client.set_scopes(list(scopes))
    client.set_default_scopes(list(scopes))
    client.set_redirect_uris(list(redirects))
    client.save()
    trace.record("access.open_client", by=by, why=why, detail={"client": client.id})
    return NewClient(client.id, secret)
