"""Pushing records: POST one JSON object or an array of them, with a bearer token and an Idempotency-Key."""

from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt

from wanjia.intake import api as intake
from wanjia.intake.errors import DeliveryTooLarge, IdempotencyKeyMissing
from wanjia.kernel.errors import WanjiaError
from wanjia.web.exchange import population, tracker
from wanjia.web.exchange.answers import bearer, language, problem
from wanjia.web.page import Audience, page

__all__ = ["population", "tracker"]

MAX_BODY_BYTES = 8 * 1024 * 1024


# a machine has no session and no cookie, so there is no request a third site could forge
@page("exchange/v1/sources/<str:code>/records", audience=Audience.PUBLIC, right=None, methods=("POST",))
@csrf_exempt
def push_records(request: HttpRequest, code: str) -> HttpResponse:
    """Promise pushed rows: 202 with a receipt and its address; 200 when this very push had been promised before."""
    try:
        by = intake.bearer_of(bearer(request), source=code)
        size = int(request.headers.get("Content-Length") or 0)
        if size > MAX_BODY_BYTES:
            raise DeliveryTooLarge(size=size, limit=MAX_BODY_BYTES)
        if not (key := request.headers.get("Idempotency-Key", "").strip()):
            raise IdempotencyKeyMissing()
        receipt = intake.receive_rows(
            code, intake.parse_body(request.body), idempotency_key=key, by=by, why=f"push:{code}"
        )
    except WanjiaError as error:
        return problem(request, error)
    answer = JsonResponse(_shown(receipt), status=200 if receipt.was_known else 202)
    answer["Location"] = f"/exchange/v1/sources/{code}/receipts/{receipt.id}"
    return answer


@page("exchange/v1/sources/<str:code>/receipts/<int:number>", audience=Audience.PUBLIC, right=None)
def push_receipt(request: HttpRequest, code: str, number: int) -> HttpResponse:
    """What became of a push: waiting, or the state of its delivery, with a sentence for every refused row."""
    try:
        intake.bearer_of(bearer(request), source=code)
        return JsonResponse(_shown(intake.receipt(number, source=code, lang=language(request))))
    except WanjiaError as error:
        return problem(request, error)


def _shown(receipt: intake.Receipt) -> dict[str, Any]:
    return {
        "receipt": receipt.id,
        "source": receipt.source,
        "rows": receipt.rows,
        "state": receipt.state,
        "delivery": receipt.delivery,
        "refused": receipt.refused,
    }
