"""The outside provider of identities, plugged in by settings. What it says of a person is used once and not kept."""

from typing import Any

from allauth.socialaccount.models import SocialLogin
from allauth.socialaccount.providers.openid_connect.provider import OpenIDConnectProvider
from django.http import HttpRequest


class OutsideIdentities(OpenIDConnectProvider):
    """As allauth's own, but claims (a real name, a citizen number) never reach the database."""

    def sociallogin_from_response(self, request: HttpRequest, response: dict[str, Any]) -> SocialLogin:
        """The log-in with its claims at hand for this request only."""
        login = super().sociallogin_from_response(request, response)
        login.claims = response.get("userinfo") or response.get("id_token") or response
        return login

    def extract_extra_data(self, data: dict[str, Any]) -> dict[str, Any]:
        """Nothing: the provider's own number for the identity is enough to know it again."""
        return {}


provider_classes = [OutsideIdentities]
