"""Log-in, and an account's own keys and devices: allauth's views under the house's declarations, templates and words.

What is not declared here (signing up, mail addresses, resetting a password by mail) has no address.
"""

from functools import partial, wraps
from typing import Any

from allauth.account import views as account
from allauth.mfa.base import views as factors
from allauth.mfa.recovery_codes import views as recovery
from allauth.mfa.totp import views as totp
from allauth.mfa.webauthn import views as passkeys
from allauth.socialaccount import views as outside
from allauth.socialaccount.providers.openid_connect import views as openid
from allauth.usersessions.models import UserSession
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from wanjia.access.api import Right
from wanjia.trace import api as trace
from wanjia.web.middleware import explain
from wanjia.web.page import Audience, View, page
from wanjia.web.public import log_in as _log_in  # noqa: F401  connects what is written into the trace

FORM = ("GET", "POST")
PUBLIC: dict[str, Any] = {"audience": Audience.PUBLIC, "right": None}
OWN: dict[str, Any] = {"audience": Audience.STAFF, "right": Right.ENTER}


def adopt(path: str, name: str, view: View, *, methods: tuple[str, ...] = FORM, **declared: Any) -> View:
    """Declare a library's view as a page of ours, under the library's own name for it."""

    @wraps(view)
    def adopted(request: HttpRequest, *given: Any, **named: Any) -> HttpResponse:
        return view(request, *given, **named)

    adopted.__module__ = __name__
    return page(path, methods=methods, name=name, **declared)(adopted)


public, own = partial(adopt, **PUBLIC), partial(adopt, **OWN)

public("logout/", "account_logout", account.logout, methods=("POST",))
public("closed/", "account_inactive", account.account_inactive, methods=("GET",))
public("login/second/", "mfa_authenticate", factors.authenticate)
public("login/passkey/", "mfa_login_webauthn", passkeys.login_webauthn)
public("login/<slug:provider_id>/", "openid_connect_login", openid.login, methods=("GET",))
public("login/<slug:provider_id>/back/", "openid_connect_callback", openid.callback, methods=("GET",))
public("login/outside/cancelled/", "socialaccount_login_cancelled", outside.login_cancelled, methods=("GET",))
public("login/outside/failed/", "socialaccount_login_error", outside.login_error, methods=("GET",))

own("account/", "mfa_index", factors.index, methods=("GET",))
own("account/again/", "account_reauthenticate", account.reauthenticate)
own("account/again/code/", "mfa_reauthenticate", factors.reauthenticate)
own("account/again/passkey/", "mfa_reauthenticate_webauthn", passkeys.reauthenticate_webauthn)
own("account/password/", "account_change_password", account.password_change)
own("account/password/first/", "account_set_password", account.password_set)
own("account/app/", "mfa_activate_totp", totp.activate_totp)
own("account/app/remove/", "mfa_deactivate_totp", totp.deactivate_totp)
own("account/codes/", "mfa_view_recovery_codes", recovery.view_recovery_codes, methods=("GET",))
own("account/codes/new/", "mfa_generate_recovery_codes", recovery.generate_recovery_codes)
own("account/codes/download/", "mfa_download_recovery_codes", recovery.download_recovery_codes, methods=("GET",))
own("account/passkeys/", "mfa_list_webauthn", passkeys.list_webauthn, methods=("GET",))
own("account/passkeys/add/", "mfa_add_webauthn", passkeys.add_webauthn)
own("account/passkeys/<int:pk>/remove/", "mfa_remove_webauthn", passkeys.remove_webauthn)
own("account/passkeys/<int:pk>/name/", "mfa_edit_webauthn", passkeys.edit_webauthn)


@page("login/", methods=FORM, name="account_login", **PUBLIC)
def log_in(request: HttpRequest) -> HttpResponse:
    """Log in. Says when the last session ended by itself, and which outside provider there is."""
    answer = account.login(request)
    if hasattr(answer, "context_data"):
        answer.context_data |= {
            "has_ended": request.session.get("ended", False),
            "idle_minutes": settings.IDLE_SECONDS // 60,
            "providers": settings.SOCIALACCOUNT_PROVIDERS["openid_connect"]["APPS"],
        }
        wanted = request.POST.get("next") or request.GET.get("next") or ""
        if wanted.startswith(f"/{Audience.RESIDENT}/"):
            # the residents' look weighs a tenth of the staff's
            answer.template_name = "resident/log_in.html"
    return answer


@page("account/outside/", methods=FORM, name="socialaccount_connections", **OWN)
def outside_identities(request: HttpRequest) -> HttpResponse:
    """Connect an outside identity to the account, or remove it."""
    answer = outside.connections(request)
    if hasattr(answer, "context_data"):
        answer.context_data["providers"] = settings.SOCIALACCOUNT_PROVIDERS["openid_connect"]["APPS"]
    return answer


@page("account/devices/", methods=FORM, **OWN)
def devices(request: HttpRequest) -> HttpResponse:
    """Where the account is logged in; each device can be signed out, and all the others at once."""
    sessions = UserSession.objects.purge_and_list(request.user)
    here = request.session.session_key
    if request.method == "POST":
        wanted = request.POST.get("end", "")
        ended = [s for s in sessions if s.session_key != here and wanted in ("others", str(s.pk))]
        for session in ended:
            session.end()
        trace.record(
            "access.end_sessions", by=request.user.username, why="own account", detail={"sessions": len(ended)}
        )
        return redirect("devices")
    rows = [
        {"id": s.pk, "is_here": s.session_key == here, "agent": _agent(s.user_agent), "ip": s.ip, "seen": s.last_seen_at, "since": s.created_at}
        for s in sorted(sessions, key=lambda s: (s.session_key != here, -s.last_seen_at.timestamp()))
    ]  # fmt: skip
    return render(request, "account/devices.html", {"rows": rows})


def _agent(said: str) -> str:
    """A browser in a word or two; what else it says of itself stays out of sight."""
    names = {"Edg/": "Edge", "Firefox/": "Firefox", "Chrome/": "Chrome", "Safari/": "Safari"}
    systems = {"Android": "Android", "iPhone": "iPhone", "Windows": "Windows", "Mac OS": "macOS", "Linux": "Linux"}
    browser = next((name for mark, name in names.items() if mark in said), _("another program"))
    system = next((name for mark, name in systems.items() if mark in said), "")
    return f"{browser} · {system}" if system else browser


def too_many(request: HttpRequest, _error: Exception | None = None) -> HttpResponse:
    """Too many requests of one kind from one place."""
    sentence = _("Too many attempts from this place. Wait a minute, then try again.")
    return explain(request, sentence=sentence, code="WEB-429", status=429)
