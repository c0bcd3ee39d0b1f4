"""What holds for every page: language by choice, nothing kept by browsers, refusals explained, denied by default."""

import logging
import secrets
from collections.abc import Callable

from allauth.account.adapter import get_adapter
from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import render
from django.utils import translation

from wanjia.access.api import may, note_policies, reading_for
from wanjia.access.errors import OutsideArea, RightMissing
from wanjia.kernel import clock
from wanjia.kernel.errors import WanjiaError
from wanjia.register.errors import CaseUnknown, KindUnknown
from wanjia.web.labels import RIGHTS, role_words, word
from wanjia.web.page import Audience, View, declaration_of

Answer = Callable[[HttpRequest], HttpResponse]

LANGUAGE_COOKIE = "wanjia_language"
TEXT_COOKIE = "wanjia_text"

log = logging.getLogger("wanjia.web")


class ChosenLanguage:
    """Chinese unless the user chose otherwise: the account's choice, else this browser's cookie.

    The browser's own preference is not asked: an English browser on a Chinese counter gave English errors beside
    Chinese labels.
    """

    def __init__(self, answer: Answer) -> None:
        self.answer = answer
        self.known = {code for code, _ in settings.LANGUAGES}

    def __call__(self, request: HttpRequest) -> HttpResponse:
        chosen = request.COOKIES.get(LANGUAGE_COOKIE, "")
        if request.user.is_authenticated and request.user.language:
            chosen = request.user.language
        with translation.override(chosen if chosen in self.known else settings.LANGUAGE_CODE):
            request.LANGUAGE_CODE = translation.get_language()
            response = self.answer(request)
            response.headers.setdefault("Content-Language", request.LANGUAGE_CODE)
            return response


class NothingKept:
    """No answer is kept by a browser or a proxy, but of public pages that say themselves for how long (the log's tiles); static files are served
    before this and are kept for good."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.answer(request)
        match = getattr(request, "resolver_match", None)
        declared = declaration_of(match.func) if match else None
        if declared is None or not declared.sets_keeping:
            response.headers["Cache-Control"] = "no-store"
        return response


class ErrorsExplained:
    """An error with a code becomes a page: what happened, what to do, a number to quote. Others are logged by number.

    The log line holds the number, the address's name and the error's class, never the request's content.
    """

    STATUS: dict[type[WanjiaError], int] = {RightMissing: 403, OutsideArea: 403, CaseUnknown: 404, KindUnknown: 404}

    def __init__(self, answer: Answer) -> None:
        self.answer = answer

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.answer(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """Answer a WanjiaError with its own sentence; leave everything else to handler500."""
        if not isinstance(error, WanjiaError):
            return None
        status = next((code for kind, code in self.STATUS.items() if isinstance(error, kind)), 409)
        return explain(request, sentence=_sentence(error), code=error.code, status=status)


def _sentence(error: WanjiaError) -> str:
    return error.sentence("en" if translation.get_language() == "en" else "zh")


def explain(request: HttpRequest, *, sentence: str, code: str, status: int) -> HttpResponse:
    """The error page: the sentence, its code and a reference number that also stands in the log."""
    reference = secrets.token_hex(4).upper()
    match = getattr(request, "resolver_match", None)
    log.warning("%s %s on %s", reference, code, match.url_name if match else "unknown address")
    return render(request, "error.html", {"sentence": sentence, "code": code, "reference": reference}, status=status)


class DeniedByDefault:
    """A page answers only if it declared a right and the account holds it; what it reads of persons, it reads as this account."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not request.user.is_authenticated:
            return self.answer(request)
        with reading_for(request.user):
            return self.answer(request)

    def process_view(self, request: HttpRequest, view: View, args: tuple, kwargs: dict) -> HttpResponse | None:
        """Refuse, send to log-in, or let the page answer (None)."""
        declared = declaration_of(view)
        if declared is None:
            sentence = translation.gettext("This page declares no right and is refused.")
            return explain(request, sentence=sentence, code="WEB-001", status=403)
        if request.method not in declared.methods:
            return HttpResponseNotAllowed(sorted(declared.methods))
        if declared.audience is Audience.PUBLIC:
            return None
        if not request.user.is_authenticated:
            return redirect_to_login(request.get_full_path())
        # files may have changed since: the change is in the trace before the first page that is answered by it
        note_policies()
        if not may(request.user, declared.right):
            refused = RightMissing(role=role_words(request.user.role), right=word(RIGHTS, declared.right))
            return explain(request, sentence=_sentence(refused), code=refused.code, status=403)
        return None


class SessionsEnd:
    """A session ends after half an hour without a request, and after a working day in any case; the log-in page then says so.

    Once a minute the session is marked as seen, also on the list of devices; marking each request would write on every read.
    """

    MARK_SECONDS = 60

    def __init__(self, answer: Answer) -> None:
        self.answer = answer

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.user.is_authenticated:
            now = clock.now().timestamp()
            seen = request.session.get("seen_at", now)
            began = request.session.get("began_at", now)
            if now - seen > settings.IDLE_SECONDS or now - began > settings.LONGEST_SESSION_SECONDS:
                get_adapter().logout(request)
                request.session["ended"] = True
                return self.answer(request)
            if "seen_at" not in request.session or now - seen > min(self.MARK_SECONDS, settings.IDLE_SECONDS / 4):
                request.session["seen_at"] = now
                request.session.setdefault("began_at", now)
                UserSession.objects.filter(session_key=request.session.session_key).update(last_seen_at=clock.now())
        return self.answer(request)
