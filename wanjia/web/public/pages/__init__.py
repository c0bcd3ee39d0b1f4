"""The way in, own settings, health, and what is shown when something went wrong. Log-in itself: accounts.py; OpenID Connect: identity.py;
checking documents: documents.py."""

from dataclasses import asdict

from django.conf import settings
from django.db import connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _

from wanjia.access.api import Right, choose_language, choose_text_size
from wanjia.trace.api import gaps, public_file
from wanjia.trace.api import health as trace_health
from wanjia.web.middleware import LANGUAGE_COOKIE, TEXT_COOKIE, explain
from wanjia.web.navigation import first_page
from wanjia.web.page import Audience, page
from wanjia.web.public.pages import accounts, divisions, documents, identity

__all__ = ["accounts", "divisions", "documents", "identity"]

COOKIE_SECONDS = 365 * 24 * 3600
PLAIN = "text/plain; charset=utf-8"


@page("", audience=Audience.STAFF, right=Right.ENTER)
def home(request: HttpRequest) -> HttpResponse:
    """Straight to the work: the first page of the account's menu."""
    first = first_page(request)
    if first is None:
        return explain(
            request, sentence=_("Your account has no page yet. Ask an administrator."), code="WEB-002", status=403
        )
    return redirect(first)


@page("preferences/", audience=Audience.PUBLIC, right=None, methods=("POST",))
def preferences(request: HttpRequest) -> HttpResponse:
    """Keep a chosen language or text size, and return to the page it was chosen on."""
    answer = redirect(_safe_next(request))
    language, text = request.POST.get("language"), request.POST.get("text")
    if language in dict(settings.LANGUAGES):
        if request.user.is_authenticated:
            choose_language(request.user, language)
        _keep(answer, LANGUAGE_COOKIE, language)
    if text in ("large", "normal"):
        if request.user.is_authenticated:
            choose_text_size(request.user, large=text == "large")
        _keep(answer, TEXT_COOKIE, text)
    return answer


@page("health/", audience=Audience.PUBLIC, right=None)
def health(request: HttpRequest) -> HttpResponse:
    """Whether the server answers and reaches its database; says nothing else."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return HttpResponse("ok\n", content_type=PLAIN)


@page("trace/<path:name>", audience=Audience.PUBLIC, right=None, sets_keeping=True)
def public_log(request: HttpRequest, name: str) -> HttpResponse:
    """The trace's public log as C2SP lays it out: checkpoint, keys, tiles, entry bundles. Anybody's checker may read it, from any site."""
    found = public_file(name)
    if found is None:
        answer = HttpResponse("nothing here\n", status=404, content_type=PLAIN)
    else:
        answer = HttpResponse(found.content, content_type="application/octet-stream" if found.is_final else PLAIN)
    # a tile never changes; a checkpoint is old after seconds, and a tile that is not there yet may come
    is_final = found is not None and found.is_final
    answer.headers["Cache-Control"] = "public, max-age=31536000, immutable" if is_final else "no-cache"
    answer.headers["Access-Control-Allow-Origin"] = "*"
    return answer


@page("trace-health/", audience=Audience.PUBLIC, right=None)
def log_health(request: HttpRequest) -> HttpResponse:
    """How the log stands, in figures: published, cosigned, waiting, sealed reads, gaps. For anybody who watches it."""
    return JsonResponse({"schema": 1, **asdict(trace_health()), "gaps": gaps()})


def _keep(answer: HttpResponse, cookie: str, value: str) -> None:
    answer.set_cookie(
        cookie, value, max_age=COOKIE_SECONDS, httponly=True, samesite="Lax", secure=settings.SESSION_COOKIE_SECURE
    )


def _safe_next(request: HttpRequest) -> str:
    """The address to go on to: only one on this site, so that a crafted link cannot send a user away after log-in."""
    wanted = request.POST.get("next") or request.GET.get("next") or "/"
    if url_has_allowed_host_and_scheme(wanted, allowed_hosts=None):
        return wanted
    return "/"


def form_expired(request: HttpRequest, reason: str = "") -> HttpResponse:
    """A form came without a valid token: the page was open for too long, or another site sent it."""
    sentence = _("This form has expired. Go back, reload the page and send it again.")
    return explain(request, sentence=sentence, code="WEB-003", status=403)


def request_malformed(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer to a request that makes no sense."""
    return explain(
        request, sentence=_("The request could not be read. Go back and try again."), code="WEB-400", status=400
    )


def page_missing(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer to an address that nothing is at."""
    sentence = _("There is nothing at this address. It may have been moved or withdrawn. Choose a page from the menu.")
    return explain(request, sentence=sentence, code="WEB-404", status=404)


def server_failed(request: HttpRequest) -> HttpResponse:
    """Answer to a fault of ours."""
    sentence = _(
        "Something failed on our side and nothing was changed. Try again; if it fails again, quote the number below."
    )
    return explain(request, sentence=sentence, code="WEB-500", status=500)
