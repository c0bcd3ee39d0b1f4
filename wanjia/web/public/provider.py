"""What other systems learn when somebody logs in to them with an account of this house: the name of the account, and no more."""

from collections.abc import Iterable
from functools import lru_cache
from typing import Any

from allauth.idp.oidc.adapter import DefaultOIDCAdapter
from allauth.idp.oidc.models import PrivateKey
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from django.contrib.auth.base_user import AbstractBaseUser

from wanjia.access import api as access
from wanjia.kernel import settings
from wanjia.kernel.keyring import Keyring

PURPOSE = "oidc-signing"
PLACE = b"keys/oidc_signing_key"
RSA_BITS = 3072


class Provider(DefaultOIDCAdapter):
    """The house as a provider of identities (OpenID Connect) and of machines' tokens."""

    def generate_client_secret(self) -> str:
        """256 random bits, so that one fast hash guards it."""
        return access.random_secret()

    def list_private_keys(self, **_wanted: Any) -> list[PrivateKey]:
        """The one signing key."""
        return [PrivateKey(pem=_signing_key(settings.home().as_posix()))]

    def populate_server_metadata(self, data: dict[str, Any]) -> None:
        """Only what is offered here: codes for people, client credentials for machines."""
        data.pop("device_authorization_endpoint", None)
        data |= {
            "grant_types_supported": ["authorization_code", "client_credentials", "refresh_token"],
            "response_types_supported": ["code"],
            "scopes_supported": ["openid", "profile"],
        }

    def get_claims(
        self,
        purpose: str,
        user: AbstractBaseUser,
        client: Any,
        scopes: Iterable[str],
        email: str | None = None,
        **_given: Any,
    ) -> dict[str, Any]:
        """A number, and with the scope `profile` the account's names. No person's data ever: that is what the exchange is for."""
        claims = {"sub": self.get_user_sub(client, user)}
        if "profile" in scopes:
            claims |= {"preferred_username": user.get_username(), "name": user.display_name}
        return claims


@lru_cache(maxsize=2)
def _signing_key(home: str) -> str:
    """The signing key's PEM; made at first use and kept sealed beside the other keys."""
    path = settings.home() / "keys" / "oidc_signing_key"
    keyring = Keyring.open(settings.home())
    if not path.exists():
        made = rsa.generate_private_key(public_exponent=65537, key_size=RSA_BITS)
        pem = made.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        fresh = path.with_suffix(".writing")
        fresh.write_bytes(keyring.seal(PURPOSE, pem, PLACE))
        fresh.chmod(0o600)
        try:
            # linked, not renamed: of two processes starting together the first one's key stays
            path.hardlink_to(fresh)
        except FileExistsError:
            pass
        fresh.unlink(missing_ok=True)
    return keyring.unseal(PURPOSE, path.read_bytes(), PLACE).decode()
