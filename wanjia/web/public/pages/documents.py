"""Anybody may ask whether a document is valid: by its QR code, by its number, or a program by the signed list. Nothing personal is told."""

# the library's public door lets every GET pass, and a QR code leads to a GET
from allauth.core.internal import ratelimit
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from wanjia.documents import api as documents
from wanjia.web.labels import DOCUMENT_STATES, word
from wanjia.web.page import Audience, page
from wanjia.web.public.pages.accounts import too_many

#: seconds a list may be kept: what is revoked is on it for all within this time
LIST_SECONDS = 300
TONES = {
    "valid": "good",
    "expired": "warn",
    "revoked": "bad",
    "superseded": "bad",
    "unknown": "bad",
    "mistyped": "warn",
}


@page("check/", audience=Audience.PUBLIC, right=None, methods=("GET", "POST"))
def check_document(request: HttpRequest) -> HttpResponse:
    """Type a number; the answer has its own address, the one in the QR code."""
    typed = request.POST.get("number", "").strip()
    if request.method == "POST" and typed:
        if not _is_within_limit(request):
            return too_many(request)
        checked = documents.check(typed)
        if checked.number:
            return redirect("document_checked", checked.number)
        return _told(request, checked, typed[:40])
    return render(request, "public/check.html", {"typed": "", "is_empty": request.method == "POST"})


@page("check/<str:number>/", audience=Audience.PUBLIC, right=None)
def document_checked(request: HttpRequest, number: str) -> HttpResponse:
    """Number, day of issue, and whether it is valid. So many questions a minute from one place, so that nobody tries numbers."""
    if not _is_within_limit(request):
        return too_many(request)
    return _told(request, documents.check(number), "")


@page("check/revoked.jwt", audience=Audience.PUBLIC, right=None, sets_keeping=True)
def revocation_list(request: HttpRequest) -> HttpResponse:
    """The signed list of documents that count no more, for programs."""
    if not _is_within_limit(request):
        return too_many(request)
    return _public_file(documents.revocation_list(), "application/jwt")


@page("check/certificates.pem", audience=Audience.PUBLIC, right=None, sets_keeping=True)
def document_certificates(request: HttpRequest) -> HttpResponse:
    """The certificates under which documents and the list are signed."""
    return _public_file(documents.certificates(), "application/pem-certificate-chain")


def _public_file(text: str, kind: str) -> HttpResponse:
    headers = {"Cache-Control": f"public, max-age={LIST_SECONDS}", "Access-Control-Allow-Origin": "*"}
    return HttpResponse(text, content_type=kind, headers=headers)


def _is_within_limit(request: HttpRequest) -> bool:
    return bool(ratelimit.consume(request, app="allauth.account", action="check_document", limit_get=True))


def _told(request: HttpRequest, checked: documents.Checked, typed: str) -> HttpResponse:
    context = {
        "checked": checked,
        "number": documents.grouped(checked.number),
        "state": word(DOCUMENT_STATES, checked.state),
        "tone": TONES[checked.state],
        "typed": typed,
    }
    status = 404 if checked.state in ("unknown", "mistyped") else 200
    return render(request, "public/check.html", context, status=status)
