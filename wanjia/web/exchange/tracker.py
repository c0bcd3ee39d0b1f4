"""Who looked, for a national portal: findUsage, usagePeriod, heartbeat. The person's number comes in a header, so that no address holds it."""

from datetime import UTC, datetime
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.translation import override

from wanjia.access.api import machine_of
from wanjia.access.models import Account
from wanjia.kernel import clock
from wanjia.kernel.errors import WanjiaError
from wanjia.services import api as services
from wanjia.services.errors import UsageQueryWrong
from wanjia.web.exchange.answers import bearer, language, problem
from wanjia.web.listing import whole_number
from wanjia.web.page import Audience, page
from wanjia.web.resident.telling import told

#: the token's scope: a token for pushing or for an agreement's data does not do here
SCOPE = "tracker"
#: the person who asks at the portal, and is asked about: two letters of the country, then the number
SUBJECT = "X-Road-UserId"
COUNTRY = "CN"
ASKED = {"periodStart", "periodEnd", "limit", "offset", "includeBulkProcessing"}
SYSTEM = "wanjia"


@page("exchange/v1/tracker/findUsage", audience=Audience.PUBLIC, right=None)
def find_usage(request: HttpRequest) -> HttpResponse:
    """Who looked at the record of the person named in the header, in plain words, newest first."""
    try:
        machine = _machine(request)
        asked = request.GET
        if set(asked) - ASKED or asked.get("includeBulkProcessing", "true") not in ("true", "false"):
            raise UsageQueryWrong()
        found = services.find_usage(
            machine,
            _number(request),
            since=_moment(asked.get("periodStart")),
            until=_moment(asked.get("periodEnd")),
            with_bulk=asked.get("includeBulkProcessing", "true") == "true",
            offset=_count(asked.get("offset"), 0),
            limit=_count(asked.get("limit"), services.DEFAULT_LIMIT),
        )
        with override("en" if language(request) == "en" else "zh-hans"):
            usages = [_usage(row) for row in found.rows]
    except WanjiaError as error:
        return problem(request, error)
    return JsonResponse(
        {
            "totalUsages": found.total,
            "returnedUsages": len(usages),
            "usages": usages,
            "toldByMonth": [{"month": f"{m.begins:%Y-%m}", "count": m.count} for m in found.months],
        },
        json_dumps_params={"ensure_ascii": False},
    )


@page("exchange/v1/tracker/usagePeriod", audience=Audience.PUBLIC, right=None)
def usage_period(request: HttpRequest) -> HttpResponse:
    """From when until when looks can be asked for."""
    try:
        since, until = services.usage_period(_machine(request))
    except WanjiaError as error:
        return problem(request, error)
    return JsonResponse({"periodStart": _said(since) if since else None, "periodEnd": _said(until)})


@page("exchange/v1/tracker/heartbeat", audience=Audience.PUBLIC, right=None)
def heartbeat(request: HttpRequest) -> HttpResponse:
    """That the service answers, and its clock; for anybody, and nothing else."""
    return JsonResponse({"status": "OK", "appName": SYSTEM, "systemTime": _said(clock.now())})


def _machine(request: HttpRequest) -> Account:
    return machine_of(bearer(request), scope=SCOPE)


def _number(request: HttpRequest) -> str:
    named = request.headers.get(SUBJECT, "").strip()
    number = named.removeprefix(COUNTRY)
    if not number.isascii() or not number.isalnum() or not 1 <= len(number) <= 32:
        raise UsageQueryWrong()
    return number


def _count(text: str | None, default: int) -> int:
    number = default if text is None else whole_number(text, digits=5)
    if number is None:
        raise UsageQueryWrong()
    return number


def _moment(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        # a plus sign comes out of an address as a blank
        moment = datetime.fromisoformat(text.replace(" ", "+"))
    except ValueError:
        raise UsageQueryWrong() from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _said(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _usage(row: dict[str, Any]) -> dict[str, Any]:
    look = told(row, own="")
    return {
        "logtime": _said(row["at"]),
        "action": look["what"],
        "purpose": look["purpose"],
        "legalBasis": look["law"],
        "receiverCode": row["department"],
        "receiverName": look["who"],
        "receiverSystem": SYSTEM,
        "bulkProcessing": row["is_job"],
        "fields": look["groups"],
        "logPlace": row["seq"],
    }
