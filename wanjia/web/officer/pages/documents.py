"""Documents at the counter: a person's documents, issue with preview, one document's state, print, reissue, revoke, the second person's answer.

Errors of issuing stand in the form they come from: an officer sees at once what is missing, with the form as it was.
"""

import secrets
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.functional import Promise
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _

from wanjia.access.api import Right, may
from wanjia.documents import api as documents
from wanjia.documents.api import REISSUE_REASONS, Reason, Told
from wanjia.documents.errors import DocumentUnknown
from wanjia.kernel.errors import WanjiaError
from wanjia.web.labels import DOCUMENT_STATES, spoken, word
from wanjia.web.officer.forms import CASE, mark_mistakes
from wanjia.web.page import Audience, page

REASONS: dict[str, str | Promise] = {
    Reason.MISTAKE: gettext_lazy("it holds a mistake"),
    Reason.LOST: gettext_lazy("it was lost"),
    Reason.DAMAGED: gettext_lazy("it is damaged"),
    Reason.OUTDATED: gettext_lazy("the register has changed"),
    Reason.OBTAINED_WRONGLY: gettext_lazy("it was obtained wrongly"),
    Reason.ENDED: gettext_lazy("what it attests has ended"),
}
STEPS: dict[str, str | Promise] = {
    "issued": gettext_lazy("issued"),
    "printed": gettext_lazy("printed"),
    "asked": gettext_lazy("revocation asked for"),
    "refused": gettext_lazy("revocation refused"),
    "revoked": gettext_lazy("revoked"),
    "superseded": gettext_lazy("superseded"),
    "erased": gettext_lazy("content erased by law"),
}
TONES = {"valid": "good", "asked": "warn", "expired": "warn", "revoked": "bad", "superseded": "bad"}
TOKEN_LONGEST = 64


class CaseForm(forms.Form):
    """A case number, and the token that makes of a form sent twice one document."""

    case = forms.CharField(
        label=gettext_lazy("Case number (if any)"),
        required=False,
        max_length=40,
        widget=forms.TextInput({"class": "form-control", "autocomplete": "off"}),
    )
    token = forms.CharField(max_length=TOKEN_LONGEST, widget=forms.HiddenInput())

    def __init__(self, *given: Any, **named: Any) -> None:
        named["initial"] = {"token": secrets.token_urlsafe(18), **(named.get("initial") or {})}
        super().__init__(*given, **named)

    def clean_case(self) -> str:
        """Letters, digits, - and / only: the trace must hold no name."""
        case = self.cleaned_data["case"].strip()
        if not CASE.match(case):
            raise forms.ValidationError(_("A case number has letters, digits, “-” and “/” only; do not write a name."))
        return case


class IssueForm(CaseForm):
    """Which document, and in which language."""

    kind = forms.ChoiceField(
        label=gettext_lazy("Document"),
        widget=forms.Select({"class": "form-select"}),
        error_messages={"required": gettext_lazy("Choose a document.")},
    )
    lang = forms.ChoiceField(label=gettext_lazy("Language"), widget=forms.Select({"class": "form-select"}))
    field_order = ("kind", "lang", "case", "token")

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        kinds = documents.declared().kinds.values()
        self.fields["kind"].choices = [("", _("Choose a document")), *((k.key, spoken(k.name)) for k in kinds)]
        self.fields["lang"].choices = [(code, spoken(name)) for code, name in documents.LANGUAGES.items()]


class ReasonForm(CaseForm):
    """Why a document is reissued or revoked: one of the declared reasons, so that no name gets into the record of it."""

    reason = forms.ChoiceField(
        label=gettext_lazy("Reason"),
        widget=forms.Select({"class": "form-select"}),
        error_messages={"required": gettext_lazy("Choose the reason.")},
    )
    field_order = ("reason", "case", "token")

    def __init__(self, *given: Any, reasons: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self.fields["reason"].choices = [("", _("Choose the reason")), *((r.value, word(REASONS, r)) for r in reasons)]


class NumberForm(forms.Form):
    """A document's number as typed or scanned."""

    number = forms.CharField(
        label=gettext_lazy("Number of the document"),
        max_length=40,
        widget=forms.TextInput({"class": "form-control", "autocomplete": "off", "spellcheck": "false"}),
        error_messages={"required": gettext_lazy("Enter the number printed on the document.")},
    )

    def clean_number(self) -> str:
        """The number without hyphens, if it can be one."""
        checked = documents.check(self.cleaned_data["number"])
        if not checked.number:
            raise forms.ValidationError(_("This is no number of a document: compare it with the print, 16 characters."))
        return checked.number


def pdf(file: bytes, name: str) -> HttpResponse:
    """A PDF shown in the browser. The file's name is the document's number or kind, never a person's."""
    return HttpResponse(
        file, content_type="application/pdf", headers={"Content-Disposition": f'inline; filename="{name}.pdf"'}
    )


def row_of(told: Told) -> dict[str, Any]:
    """A document for a list."""
    kind = documents.declared().kinds.get(told.kind)
    return {
        "told": told,
        "number": documents.grouped(told.number),
        "kind": spoken(kind.name) if kind else told.kind,
        "state": word(DOCUMENT_STATES, told.state),
        "tone": TONES[told.state],
        "reason": word(REASONS, told.reason) if told.reason else "",
        "replaces": documents.grouped(told.replaces) if told.replaces else "",
        "replaced_by": documents.grouped(told.replaced_by) if told.replaced_by else "",
    }


def _said(error: WanjiaError) -> str:
    return error.sentence("en" if get_language() == "en" else "zh")


@page(
    "persons/<int:person_id>/documents/", audience=Audience.OFFICER, right=Right.ISSUE_DOCUMENT, methods=("GET", "POST")
)
def person_documents(request: HttpRequest, person_id: int) -> HttpResponse:
    """The documents a person stands in, and a new one: previewed in a tab of its own, or issued."""
    form = IssueForm(request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid():
        said = form.cleaned_data
        try:
            if request.POST.get("act") == "preview":
                file = documents.preview(request.user, said["kind"], person_id, lang=said["lang"], case=said["case"])
                return pdf(file, f"preview-{said['kind']}")
            number = documents.issue(
                request.user, said["kind"], person_id, request=said["token"], lang=said["lang"], case=said["case"]
            )
            return redirect("document", number)
        except WanjiaError as refused:
            if not refused.code.startswith(("DOCUMENTS-", "KEYS-006")):
                raise
            form.add_error("kind", _said(refused))
    rows = [row_of(told) for told in documents.of_person(request.user, person_id)]
    context = {"form": mark_mistakes(form), "rows": rows, "person_id": person_id}
    return render(request, "officer/person_documents.html", context)


@page("documents/", audience=Audience.OFFICER, right=Right.ISSUE_DOCUMENT, methods=("GET", "POST"))
def documents_desk(request: HttpRequest) -> HttpResponse:
    """Find a document by its number; for those who confirm, the revocations that wait."""
    form = NumberForm(request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid():
        return redirect("document", form.cleaned_data["number"])
    may_confirm = may(request.user, Right.CONFIRM_REVOCATION)
    rows = [row_of(told) for told in documents.waiting(request.user)] if may_confirm else []
    context = {"form": mark_mistakes(form), "rows": rows, "may_confirm": may_confirm}
    return render(request, "officer/documents.html", context)


@page("documents/<str:number>/", audience=Audience.OFFICER, right=Right.ISSUE_DOCUMENT, methods=("GET", "POST"))
def document(request: HttpRequest, number: str) -> HttpResponse:
    """One document: what state it is in, what was done with it, and what may be done now."""
    act = request.POST.get("act", "") if request.method == "POST" else ""
    again = ReasonForm(request.POST if act == "reissue" else None, reasons=REISSUE_REASONS, prefix="again")
    ending = ReasonForm(request.POST if act == "revoke" else None, reasons=Reason, prefix="end")
    mistake = ""
    try:
        if act == "print":
            return pdf(documents.file_of(request.user, number), documents.grouped(number[:16]))
        if act in ("confirm", "refuse"):
            answer = documents.confirm_revocation if act == "confirm" else documents.refuse_revocation
            answer(request.user, number)
            return redirect("document", number)
        if again.is_bound and again.is_valid():
            said = again.cleaned_data
            made = documents.reissue(
                request.user, number, reason=Reason(said["reason"]), request=said["token"], case=said["case"]
            )
            return redirect("document", made)
        if ending.is_bound and ending.is_valid():
            said = ending.cleaned_data
            documents.revoke(request.user, number, reason=Reason(said["reason"]), case=said["case"])
            return redirect("document", number)
    except WanjiaError as refused:
        if isinstance(refused, DocumentUnknown) or not refused.code.startswith(("DOCUMENTS-", "KEYS-006")):
            raise
        mistake = _said(refused)
    told, steps, persons = documents.shown(request.user, number)
    is_in_force = told.state in ("valid", "expired")
    context = {
        **row_of(told),
        "mistake": mistake,
        "again": mark_mistakes(again),
        "ending": mark_mistakes(ending),
        "steps": [
            {"step": step, "name": word(STEPS, step.kind), "reason": word(REASONS, step.reason) if step.reason else ""}
            for step in steps
        ],
        "persons": persons,
        "is_in_force": is_in_force,
        "may_print": is_in_force and told.prints_left > 0,
        "may_revoke": is_in_force and may(request.user, Right.REVOKE_DOCUMENT),
        "may_answer": told.state == "asked" and may(request.user, Right.CONFIRM_REVOCATION),
        "check_address": documents.check_address(told.number),
    }
    return render(request, "officer/document.html", context)
