"""How allauth logs in here: names and passwords under our lock-out, seeds sealed, every step in the trace, strangers not signed up."""

from typing import Any, ClassVar

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.signals import password_changed, password_set
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.signals import authenticator_added, authenticator_removed, authenticator_reset
from django.contrib.auth.base_user import AbstractBaseUser
from django.dispatch import Signal, receiver
from django.http import HttpRequest
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from wanjia.access import api as access
from wanjia.kernel import clock
from wanjia.trace import api as trace

WHY = "log in"


class Accounts(DefaultAccountAdapter):
    """Log-in of accounts."""

    error_messages: ClassVar[dict[str, str | Promise]] = {
        **DefaultAccountAdapter.error_messages,
        "username_password_mismatch": gettext_lazy(
            "Account and password do not match. Check both, or ask an administrator."
        ),
        "too_many_login_attempts": gettext_lazy(
            "Too many attempts failed. Log-in under this name is locked for a quarter of an hour; a security administrator can lift it."
        ),
        "account_inactive": gettext_lazy("This account is closed. Ask an administrator."),
        "incorrect_password": gettext_lazy("This is not your password."),
        "incorrect_code": gettext_lazy("This code is not right, or it has been used. Wait for the next one."),
        "enter_current_password": gettext_lazy("Enter your present password."),
    }

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Accounts are opened by an administrator, never by whoever comes."""
        return False

    def pre_authenticate(self, request: HttpRequest, **credentials: Any) -> None:
        """Refuse a locked name before its password is looked at."""
        if access.locked_until(credentials.get("username", "")):
            raise self.validation_error("too_many_login_attempts")

    def authenticate(self, request: HttpRequest, **credentials: Any) -> AbstractBaseUser | None:
        """The account of these credentials, or None; failures count towards the lock."""
        account = super().authenticate(request, **credentials)
        if account is not None:
            access.forget_failures(credentials["username"])
        return account

    def authentication_failed(self, request: HttpRequest, **credentials: Any) -> None:
        """Count the failure."""
        access.count_failure(credentials.get("username", ""))

    def login(self, request: HttpRequest, user: AbstractBaseUser) -> None:
        """Begin the session; how its owner was recognised goes into the trace."""
        records = request.session.get("account_authentication_methods", [])
        super().login(request, user)
        request.session.pop("ended", None)
        request.session["began_at"] = clock.now().timestamp()
        methods = [f"{one['method']}:{one['type']}" if "type" in one else one["method"] for one in records]
        trace.record("access.log_in", by=user.get_username(), why=WHY, detail={"account": user.pk, "by": methods})

    def logout(self, request: HttpRequest) -> None:
        """End the session."""
        if request.user.is_authenticated:
            trace.record("access.log_out", by=request.user.get_username(), why=WHY, detail={"account": request.user.pk})
        super().logout(request)

    def send_notification_mail(self, *given: Any, **named: Any) -> None:
        """No mail is sent: accounts have no address here."""


class SecondFactors(DefaultMFAAdapter):
    """TOTP, passkeys and recovery codes."""

    error_messages: ClassVar[dict[str, str | Promise]] = {
        **DefaultMFAAdapter.error_messages,
        "incorrect_code": Accounts.error_messages["incorrect_code"],
        "cannot_generate_recovery_codes": gettext_lazy("Set up an authenticator app or a passkey first."),
    }

    def encrypt(self, text: str) -> str:
        """A seed as it goes into the database."""
        return access.seal_text(text)

    def decrypt(self, encrypted_text: str) -> str:
        """A seed as it came out of it."""
        return access.open_text(encrypted_text)

    def get_totp_issuer(self) -> str:
        """The name under which an authenticator app lists the account."""
        return "Wanjia"

    def generate_authenticator_name(self, user: AbstractBaseUser, type: str) -> str:
        """A name to begin with for a new passkey."""
        return _("Passkey of %(day)s") % {"day": clock.today().isoformat()}

    def send_notification_mail(self, *given: Any, **named: Any) -> None:
        """No mail is sent; the change stands in the trace (below)."""


@receiver([authenticator_added, authenticator_removed, authenticator_reset])
def note_second_factor(
    request: HttpRequest, user: AbstractBaseUser, authenticator: Any, signal: Signal, **_given: Any
) -> None:
    """A second factor came, went or was made anew: the trace says so."""
    what = {authenticator_added: "add", authenticator_removed: "remove"}.get(signal, "renew")
    detail = {"account": user.pk, "kind": str(authenticator.type)}
    trace.record(f"access.{what}_second_factor", by=user.get_username(), why="own account", detail=detail)


@receiver([password_changed, password_set])
def note_password(request: HttpRequest, user: AbstractBaseUser, **_given: Any) -> None:
    """A password was changed by its owner."""
    trace.record("access.change_password", by=user.get_username(), why="own account", detail={"account": user.pk})
