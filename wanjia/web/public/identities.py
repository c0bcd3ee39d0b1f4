"""Whom an outside identity stands for here: an account that was connected to it, or the resident its real name and number name."""

from typing import Any

from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.models import SocialLogin
from django.conf import settings
from django.http import HttpRequest
from django.utils.translation import gettext as _

from wanjia.access import api as access
from wanjia.access.models import Account
from wanjia.privacy import api as privacy
from wanjia.register import api as register
from wanjia.register.api import Found

BY = "identity-provider"


class Identities(DefaultSocialAccountAdapter):
    """Log-in by an outside provider."""

    def is_open_for_signup(self, request: HttpRequest, sociallogin: SocialLogin) -> bool:
        """Nobody signs up: an identity without an account here is told so."""
        return False

    def pre_social_login(self, request: HttpRequest, sociallogin: SocialLogin) -> None:
        """At the first log-in of a resident, find the person by number and name, both as the provider vouches for them."""
        if sociallogin.is_existing or sociallogin.state.get("process") == "connect":
            return
        number = sociallogin.claims.get(settings.IDENTITY_NUMBER_CLAIM or "-")
        name = sociallogin.claims.get(settings.IDENTITY_NAME_CLAIM)
        if number and name and (person := person_of(str(number), str(name))) is not None:
            sociallogin.connect(request, resident_account(person))

    def send_notification_mail(self, *given: Any, **named: Any) -> None:
        """No mail is sent: accounts have no address here."""


def person_of(number: str, name: str) -> int | None:
    """The one person who has this number and this name, or None. Blind indexes only: nothing is opened."""
    ids = [_holders(number, Found.NUMBER), _holders(name, Found.NAME)]
    both = ids[0] & ids[1]
    return both.pop() if len(both) == 1 else None


def _holders(typed: str, found: Found) -> set[int]:
    """Who has exactly what was typed: nothing near it, nothing that sounds like it."""
    forms = [form for form in register.sought_by(typed).forms if form.found is found]
    return {person for form in forms for person in privacy.find_by_blind(form.kind, [form.value]).get(form.value, [])}


def resident_account(person_id: int) -> Account:
    """The account that stands for a person, opened without a password if there is none."""
    found = access.account_of_person(person_id)
    if found is None:
        username = f"r{person_id}"
        access.open_account(
            username=username, display_name=_("Resident"), role="resident", password=None, by=BY, why="first log-in"
        )
        found = access.bind_resident(username, person_id, by=BY, why="first log-in")
    return found
