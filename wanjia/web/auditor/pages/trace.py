"""The trace as an auditor reads it."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from wanjia.access.api import Right
from wanjia.trace.api import COUNTED, Found, search
from wanjia.web.auditor.forms import SearchForm
from wanjia.web.labels import READ_KINDS, purpose_words, word
from wanjia.web.listing import ROWS, whole_number
from wanjia.web.page import Audience, is_fragment, page


@page("trace/", audience=Audience.AUDITOR, right=Right.SEE_TRACE)
def trace(request: HttpRequest) -> HttpResponse:
    """Entries newest first, by any mix of filters; pages go by entry number, because the trace grows while it is read.

    A filter that is wrong shows nothing: everything would look like the answer to it.
    """
    form = SearchForm(request.GET)
    before = whole_number(request.GET.get("before", ""))
    is_narrowed, found = False, Found([], None, None)
    if form.is_valid():
        is_narrowed = form.wanted.is_anything
        found = search(form.wanted, before=before, limit=ROWS, by=request.user.username, why="oversight")
    rows = [
        {**entry, "kind_name": word(READ_KINDS, entry["kind"]), "purpose_words": purpose_words(entry["purpose"])}
        for entry in found.rows
    ]
    context = {
        "form": form,
        "is_narrowed": is_narrowed,
        "before": before,
        "listing": {"rows": rows, "older": found.older, "count": found.count, "is_more": found.count == COUNTED},
    }
    return render(request, "auditor/trace_rows.html" if is_fragment(request) else "auditor/trace.html", context)
