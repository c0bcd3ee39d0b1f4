"""The house as provider of identities (OpenID Connect) and of machines' tokens (client credentials): allauth's views, declared here."""

from urllib.parse import urlsplit

from allauth.idp.oidc import views as idp
from allauth.idp.oidc.models import Client
from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt

from wanjia.web.page import Audience, page
from wanjia.web.public.pages.accounts import public


def not_offered(request: HttpRequest) -> HttpResponse:
    """Log-in of devices without a keyboard: the library wants its addresses to exist, and nobody here needs it."""
    raise Http404


public(".well-known/openid-configuration", "idp:oidc:configuration", idp.configuration, methods=("GET",))
public(".well-known/jwks.json", "idp:oidc:jwks", idp.jwks, methods=("GET",))
public("identity/o/api/token", "idp:oidc:token", idp.token, methods=("POST",))
public("identity/o/api/userinfo", "idp:oidc:userinfo", idp.user_info)
public("identity/o/api/revoke", "idp:oidc:revoke", idp.revoke, methods=("POST",))
public("identity/o/api/device/code", "idp:oidc:device_code", not_offered, methods=("POST",))
public("identity/o/device", "idp:oidc:device_authorization", not_offered, methods=("GET",))
public("identity/o/logout", "idp:oidc:logout", idp.logout)


@page(
    "identity/o/authorize", audience=Audience.PUBLIC, right=None, methods=("GET", "POST"), name="idp:oidc:authorization"
)
@csrf_exempt
def authorize(request: HttpRequest) -> HttpResponse:
    """Ask whether another system may learn who is logged in. Its own token against forgery is checked inside (the first request may be a post).

    The answer goes to the other system's address, so for this page the policy lets the form end there too.
    """
    answer = idp.authorization(request)
    client = Client.objects.filter(id=request.GET.get("client_id", "")).first()
    origins = {f"{u.scheme}://{u.netloc}" for u in map(urlsplit, client.get_redirect_uris() if client else [])}
    if origins:
        answer._csp_update = {"form-action": sorted(origins)}
    return answer
