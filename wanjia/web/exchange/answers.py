"""What the machines' pages have in common: the token, the language, refusals as problem details (RFC 9457)."""

from django.http import HttpRequest, HttpResponse, JsonResponse

from wanjia.access.errors import ClientRefused, RightMissing
from wanjia.intake.errors import (
    DeliveryTooLarge,
    IdempotencyConflict,
    IdempotencyKeyMissing,
    MissingColumns,
    MovementRefused,
    PracticeTakesNoRecords,
    PushRefused,
    ReceiptUnknown,
    SourceUnknown,
    TokenRefused,
    TooManyColumns,
)
from wanjia.kernel.errors import WanjiaError
from wanjia.register.errors.divisions import AreaNotThere, YearNotCounted
from wanjia.services.errors import UsageQueryWrong
from wanjia.trace.errors import LogNotShown

STATUS: dict[type[WanjiaError], int] = {
    TokenRefused: 401,
    ClientRefused: 401,
    RightMissing: 403,
    PracticeTakesNoRecords: 403,
    SourceUnknown: 404,
    ReceiptUnknown: 404,
    AreaNotThere: 404,
    YearNotCounted: 404,
    PushRefused: 400,
    UsageQueryWrong: 400,
    IdempotencyKeyMissing: 400,
    IdempotencyConflict: 422,
    MissingColumns: 422,
    MovementRefused: 422,
    TooManyColumns: 422,
    DeliveryTooLarge: 413,
    LogNotShown: 503,
}


def bearer(request: HttpRequest) -> str:
    """The bearer token, or nothing."""
    scheme, _, secret = request.headers.get("Authorization", "").partition(" ")
    return secret.strip() if scheme.lower() == "bearer" else ""


def language(request: HttpRequest) -> str:
    """Chinese unless the machine asks for English first; a program's own header is a choice, unlike a browser's."""
    return "en" if request.headers.get("Accept-Language", "").lower().startswith("en") else "zh"


def problem(request: HttpRequest, error: WanjiaError) -> HttpResponse:
    """A refusal with its sentence and code."""
    status = STATUS.get(type(error), 500)
    answer = JsonResponse(
        {
            "type": f"urn:wanjia:error:{error.code}",
            "title": type(error).__name__,
            "status": status,
            "detail": error.sentence(language(request)),
            "code": error.code,
        },
        status=status,
        content_type="application/problem+json",
        json_dumps_params={"ensure_ascii": False},
    )
    if status == 401:
        answer["WWW-Authenticate"] = "Bearer"
    return answer
