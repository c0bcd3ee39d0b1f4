"""What an officer must say before a read: for what, and in which case."""

import re
import unicodedata
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from wanjia.access.api import purposes_of
from wanjia.access.models import Account
from wanjia.web.labels import spoken

CONTROL = {"class": "form-control"}
CASE = re.compile(r"^[0-9A-Za-z\-/]{0,40}$")


class PurposeForm(forms.Form):
    """Purpose and case number; the case number is a number, so that no name gets into the trace.

    Offered are the purposes that the account's role may state; an urgent one is stated on its own page, with its reason.
    """

    purpose = forms.ChoiceField(
        label=gettext_lazy("Purpose"),
        widget=forms.Select({"class": "form-select"}),
        error_messages={"required": gettext_lazy("Choose what you need this for.")},
    )
    case = forms.CharField(
        label=gettext_lazy("Case number (if any)"),
        required=False,
        max_length=40,
        widget=forms.TextInput({**CONTROL, "autocomplete": "off"}),
    )

    def __init__(self, *given: Any, account: Account, **named: Any) -> None:
        super().__init__(*given, **named)
        offered = purposes_of(account).items()
        self.fields["purpose"].choices = [
            ("", _("Choose a purpose")),
            *((code, spoken(purpose.name)) for code, purpose in offered if not purpose.is_urgent),
        ]

    def clean_case(self) -> str:
        """Letters, digits, - and / only: the trace must hold no name."""
        case = self.cleaned_data["case"].strip()
        if not CASE.match(case):
            raise forms.ValidationError(_("A case number has letters, digits, “-” and “/” only; do not write a name."))
        return case

    @property
    def why(self) -> str:
        """Purpose and case as the trace keeps them: code, then case."""
        case = self.cleaned_data["case"]
        return f"{self.cleaned_data['purpose']}:{case}" if case else self.cleaned_data["purpose"]


class FindForm(PurposeForm):
    """Whatever is known of a person, perhaps a birth year, and the purpose."""

    query = forms.CharField(
        label=gettext_lazy("Name, pinyin, number or address"),
        max_length=120,
        widget=forms.TextInput({**CONTROL, "autocomplete": "off", "spellcheck": "false", "data-key": "/"}),
        error_messages={"required": gettext_lazy("Enter a name, a number or an address.")},
    )
    birth_year = forms.CharField(
        label=gettext_lazy("Birth year (optional)"),
        required=False,
        max_length=4,
        widget=forms.TextInput({**CONTROL, "inputmode": "numeric", "autocomplete": "off"}),
    )
    field_order = ("query", "birth_year", "purpose", "case")

    def clean_query(self) -> str:
        """The query without the blanks of a form (NFKC: full-width digits become plain ones)."""
        query = unicodedata.normalize("NFKC", self.cleaned_data["query"]).strip()
        if len(query.replace(" ", "")) < 2:
            raise forms.ValidationError(_("Enter at least two characters."))
        return query

    def clean_birth_year(self) -> int | None:
        """A year of four digits, or nothing."""
        year = unicodedata.normalize("NFKC", self.cleaned_data["birth_year"]).strip()
        if not year:
            return None
        if not re.fullmatch(r"(18|19|20)\d\d", year):
            raise forms.ValidationError(_("A birth year has four digits, such as 1986."))
        return int(year)


def mark_mistakes(form: forms.Form) -> forms.Form:
    """Tie each wrong field to its sentence, for screen readers."""
    for name, errors in form.errors.items():
        if errors and name in form.fields:
            attributes: dict[str, Any] = form.fields[name].widget.attrs
            attributes["aria-invalid"] = "true"
            attributes["aria-describedby"] = f"{form[name].id_for_label}-wrong"
    return form
