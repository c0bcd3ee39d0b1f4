"""Asking why somebody looked, asking for a correction, following both, appealing; and how fast offices answer, for everybody."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from wanjia.access.api import Right
from wanjia.register.api import Belief
from wanjia.services import api as services
from wanjia.services.api import Kind
from wanjia.services.errors import EvidenceRefused, LookUnknown, NothingToCorrect
from wanjia.web.labels import CASE_KINDS, OWNERS, spoken, word
from wanjia.web.page import Audience, page
from wanjia.web.resident.forms import CorrectForm, TextForm
from wanjia.web.resident.own import open_own, own_person
from wanjia.web.resident.portrait import correctable, own_beliefs, value_of
from wanjia.web.resident.telling import case_words, step_words, told


@page("looks/<int:number>/ask/", audience=Audience.RESIDENT, right=Right.SEE_OWN_RECORD, methods=("GET", "POST"))
def ask_why(request: HttpRequest, number: int) -> HttpResponse:
    """Ask the department why it looked. The look itself is shown again."""
    person_id, own = own_person(request), request.user.username
    row = services.look(person_id, number)
    if row is None or row["actor"] == own:
        raise LookUnknown()
    form = TextForm(request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid():
        return redirect("own_request", services.ask(request.user, person_id, number, form.cleaned_data["text"]))
    context = {"form": form, "look": told(row, own=own), "service": _service(Kind.ASK)}
    return render(request, "resident/ask_why.html", context)


@page("record/<slug:column>/correct/", audience=Audience.RESIDENT, right=Right.SEE_OWN_RECORD, methods=("GET", "POST"))
def correct_value(request: HttpRequest, column: str) -> HttpResponse:
    """Ask for one value to be corrected, beginning with what the register says now. Reading it is traced."""
    belief = _held(request, column)
    form = CorrectForm(*((request.POST, request.FILES) if request.method == "POST" else ()))
    if form.is_bound and _is_too_large(request):
        form.add_error("files", _("Together the files are too large."))
    if form.is_bound and form.is_valid():
        said = form.cleaned_data
        try:
            number = services.correct(
                request.user,
                request.user.person_id,
                column,
                current=belief.value,
                source=belief.winner.source if belief.winner else "",
                wanted=said["wanted"],
                text=said["text"],
                files=said["files"],
            )
            return redirect("own_request", number)
        except EvidenceRefused as refused:
            form.add_error("files", refused.sentence("en" if request.LANGUAGE_CODE == "en" else "zh"))
    context = {"form": form, "value": value_of(belief), "service": _service(Kind.CORRECT)}
    return render(request, "resident/correct.html", context)


@page("requests/", audience=Audience.RESIDENT, right=Right.SEE_OWN_RECORD)
def own_requests(request: HttpRequest) -> HttpResponse:
    """All that the resident has asked, newest first."""
    rows = [case_words(case) for case in services.own_cases(own_person(request))]
    return render(request, "resident/requests.html", {"rows": rows})


@page("requests/<int:number>/", audience=Audience.RESIDENT, right=Right.SEE_OWN_RECORD, methods=("GET", "POST"))
def own_request(request: HttpRequest, number: int) -> HttpResponse:
    """One request: what was said, by which office, and how to appeal."""
    person_id, own = own_person(request), request.user.username
    form = TextForm(request.POST if request.method == "POST" else None)
    form.fields["text"].label = _("Why do you appeal?")
    if form.is_bound and form.is_valid():
        services.appeal(request.user, person_id, number, form.cleaned_data["text"])
        return redirect("own_request", number)
    story = services.own_case(request.user, person_id, number)
    context = {
        "case": case_words(story.case),
        "steps": [step_words(step, story, own=own) for step in story.steps],
        "look": told(story.entry, own=own) if story.entry else None,
        "appeal_until": story.appeal_until,
        "form": form,
    }
    return render(request, "resident/request.html", context)


@page("requests/<int:number>/evidence/<int:pk>/", audience=Audience.RESIDENT, right=Right.SEE_OWN_RECORD)
def own_evidence(request: HttpRequest, number: int, pk: int) -> HttpResponse:
    """A piece of the resident's own evidence, as a file to keep."""
    return as_file(*services.own_evidence(request.user, own_person(request), number, pk), number=pk)


@page("answers/", audience=Audience.PUBLIC, right=None)
def answers(request: HttpRequest) -> HttpResponse:
    """How fast each department answers residents, for everybody."""
    rows = [
        {"times": one, "department": word(OWNERS, one.department), "kind": word(CASE_KINDS, one.kind)}
        for one in services.answer_times()
    ]
    return render(request, "resident/answers.html", {"rows": rows, "services": [_service(kind) for kind in Kind]})


def as_file(media: str, content: bytes, *, number: int) -> HttpResponse:
    """Evidence as a file to save: a browser never shows what a stranger sent inside a page of ours."""
    answer = HttpResponse(content, content_type=media)
    answer["Content-Disposition"] = f'attachment; filename="evidence-{number}.{media.rpartition("/")[2]}"'
    return answer


def _held(request: HttpRequest, column: str) -> Belief:
    own_person(request)
    own = open_own(request)
    for belief in own_beliefs(own.dossier, own.decision):
        if belief.column == column and correctable(belief.element):
            return belief
    raise NothingToCorrect()


def _service(kind: Kind) -> dict[str, object]:
    declared = services.service(kind)
    return {
        "name": spoken(declared.name),
        "law": declared.law,
        "days": declared.days,
        "appeal_days": declared.appeal_days,
        "department": word(OWNERS, declared.department),
    }


def _is_too_large(request: HttpRequest) -> bool:
    return int(request.headers.get("Content-Length") or 0) > settings.FILE_UPLOAD_MAX_MEMORY_SIZE
