"""The trace as an auditor reads it."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from wanjia.access.api import Right
from wanjia.trace.api import entries, kinds
from wanjia.web.labels import READ_KINDS, purpose_words, word
from wanjia.web.listing import ROWS, whole_number
from wanjia.web.page import Audience, is_fragment, page


@page("trace/", audience=Audience.AUDITOR, right=Right.SEE_TRACE)
def trace(request: HttpRequest) -> HttpResponse:
    """Entries newest first, by kind, account or person id; pages go by entry number, because the trace grows while it is read."""
    chosen = {key: request.GET.get(key, "").strip() for key in ("kind", "actor", "subject", "before")}
    found = entries(
        kind=chosen["kind"],
        actor=chosen["actor"],
        subject=whole_number(chosen["subject"], digits=19),
        before=whole_number(chosen["before"]),
        limit=ROWS + 1,
    )
    rows = [
        {**entry, "kind_name": word(READ_KINDS, entry["kind"]), "purpose_words": purpose_words(entry["purpose"])}
        for entry in found[:ROWS]
    ]
    context = {
        "chosen": chosen,
        "kinds": [{"code": kind, "name": word(READ_KINDS, kind)} for kind in kinds()],
        "listing": {"rows": rows, "older": rows[-1]["id"] if len(found) > ROWS else None},
    }
    return render(request, "auditor/trace_rows.html" if is_fragment(request) else "auditor/trace.html", context)
