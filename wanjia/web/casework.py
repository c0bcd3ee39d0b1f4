"""The office's pages of residents' cases, alike for questions and for corrections: what waits, one case, the answer."""

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from wanjia.services import api as services
from wanjia.services.api import Kind
from wanjia.web.labels import purpose_words
from wanjia.web.resident.telling import case_words, step_words, told


class AnswerForm(forms.Form):
    """What the office decides, and why in words the resident understands."""

    outcome = forms.ChoiceField(
        label=gettext_lazy("Outcome"), error_messages={"required": gettext_lazy("Choose an outcome.")}
    )
    text = forms.CharField(
        label=gettext_lazy("To the resident"),
        max_length=4000,
        widget=forms.Textarea({"rows": 6}),
        help_text=gettext_lazy("The resident reads this. Name no other person."),
        error_messages={"required": gettext_lazy("Write what the resident is to know.")},
    )

    def __init__(self, *given: object, case: dict, **named: object) -> None:
        super().__init__(*given, **named)
        if case["needs_outcome"]:
            self.fields["outcome"].choices = [("", _("Choose an outcome")), *case["outcomes"]]
        else:
            del self.fields["outcome"]


def list_page(request: HttpRequest, kind: Kind, *, one: str) -> HttpResponse:
    """The cases of the own department, most urgent first; `one`: the page of a case."""
    rows = [case_words(case) for case in services.waiting(request.user, kind)]
    return render(request, "cases.html", {"rows": rows, "one": one, "is_ask": kind is Kind.ASK})


def case_page(
    request: HttpRequest, kind: Kind, number: int, *, one: str, listed: str, evidence: str = ""
) -> HttpResponse:
    """One case with what was written, and the form for what it waits for. Opening it is traced, to the resident too."""
    story = services.story(request.user, kind, number)
    case = case_words(story.case)
    form = AnswerForm(request.POST if request.method == "POST" else None, case=case)
    if form.is_bound and form.is_valid():
        said = form.cleaned_data
        event = services.act(request.user, kind, number, outcome=said.get("outcome", ""), text=said["text"])
        # an accepted correction goes on as an event, with the value filled in
        return redirect("case_form", event) if event else redirect(one, number)
    context = {
        "case": case,
        "steps": [{**step_words(step, story, own=""), "by": step.by} for step in story.steps],
        "look": told(story.entry, own="") if story.entry else None,
        "looked": {"by": story.entry["actor"], "why": purpose_words(story.entry["purpose"])} if story.entry else None,
        "form": form,
        "one": one,
        "listed": listed,
        "evidence": evidence,
        "is_ask": kind is Kind.ASK,
    }
    return render(request, "case.html", context)
