"""Opening a record in an emergency, and what a supervisor is told of it."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from wanjia.access.api import Right, break_glass, mark_seen, may_break_glass, revoke_grant
from wanjia.access.api import notices as notices_for
from wanjia.register.api import numbers_of, sought_by, subjects_of
from wanjia.trace.api import record
from wanjia.web.labels import OWNERS, purpose_words, word
from wanjia.web.listing import whole_number
from wanjia.web.officer import readings
from wanjia.web.officer.emergency import EmergencyForm
from wanjia.web.page import Audience, page

SOUND = ("sound", "sound15")


@page("emergency/", audience=Audience.OFFICER, right=Right.BREAK_GLASS, methods=("GET", "POST"))
def emergency(request: HttpRequest) -> HttpResponse:
    """Open a record outside the own area to protect life or health: with a reason, for a time; supervisor and person are told."""
    form = EmergencyForm(request.POST if request.method == "POST" else None, account=request.user)
    if form.is_bound and form.is_valid() and (mistake := _mistake_in(form.cleaned_data["query"])):
        form.add_error("query", mistake)
    if form.is_bound and form.is_valid():
        said = form.cleaned_data
        ids = {person for found in numbers_of(said["query"]) for person in found}
        urgent = [s for s in subjects_of(ids).values() if may_break_glass(request.user, s, said["purpose"])]
        if len(urgent) == 1:
            break_glass(
                request.user, urgent[0], purpose=said["purpose"], reason=said["reason"], minutes=said["minutes"]
            )
            readings.state_purpose(request, urgent[0].person_id, purpose=said["purpose"], case="", why=said["purpose"])
            return redirect("person", urgent[0].person_id)
        record("access.break_glass_refused", by=request.user.username, why=said["purpose"])
        form.add_error(
            "query",
            _(
                "No record can be opened by emergency under this number: nobody has it, it lies within your area, or it needs a supervisor."
            ),
        )
    return render(request, "officer/emergency.html", {"form": form})


@page("notices/", audience=Audience.OFFICER, right=Right.SEE_NOTICES, methods=("GET", "POST"))
def notices(request: HttpRequest) -> HttpResponse:
    """What a supervisor is told: emergencies of the own area's officers, each with its reason; an open one can be ended."""
    if request.method == "POST" and (number := whole_number(request.POST.get("end", ""), digits=18)) is not None:
        revoke_grant(request.user, number, why="supervision")
        return redirect("notices")
    rows = [
        {"told": told, "purpose": purpose_words(told.purpose), "department": word(OWNERS, told.department)}
        for told in notices_for(request.user)
    ]
    mark_seen(request.user)
    return render(request, "officer/notices.html", {"rows": rows})


def _mistake_in(query: str) -> str | None:
    """What is wrong with a typed number, or None; said before searching, because a mistyped number finds nobody or somebody else."""
    state = sought_by(query).number_state
    if state == "check_failed":
        return _("The last character (check digit) does not fit this citizen number. Compare it with the document.")
    if state is not None and state not in SOUND:
        return _("This is not a citizen number: it has 18 characters, or 15 digits before 1999.")
    return None
