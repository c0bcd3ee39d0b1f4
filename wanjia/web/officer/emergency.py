"""What an officer must say before opening a record in an emergency."""

import unicodedata
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from wanjia.access.api import purposes_of
from wanjia.access.models import Account
from wanjia.web.labels import spoken

MINUTES = (30, 60, 120, 240)


class EmergencyForm(forms.Form):
    """The person's number, the purpose, the reason in words, and for how long."""

    query = forms.CharField(
        label=gettext_lazy("Citizen number"),
        max_length=32,
        widget=forms.TextInput({"autocomplete": "off", "spellcheck": "false"}),
        error_messages={"required": gettext_lazy("Enter the person's citizen number.")},
    )
    purpose = forms.ChoiceField(
        label=gettext_lazy("Purpose"), error_messages={"required": gettext_lazy("Choose what you need this for.")}
    )
    reason = forms.CharField(
        label=gettext_lazy("What has happened?"),
        max_length=500,
        min_length=10,
        widget=forms.Textarea({"rows": 3}),
        help_text=gettext_lazy("Your supervisor reads this. The person is told at once that you opened the record."),
        error_messages={
            "required": gettext_lazy("Say what has happened."),
            "min_length": gettext_lazy("Say it in at least ten characters."),
        },
    )
    minutes = forms.TypedChoiceField(label=gettext_lazy("For how long?"), coerce=int, initial=60)

    def __init__(self, *given: Any, account: Account, **named: Any) -> None:
        super().__init__(*given, **named)
        urgent = {code: p for code, p in purposes_of(account).items() if p.is_urgent}
        self.fields["purpose"].choices = [(code, spoken(purpose.name)) for code, purpose in urgent.items()]
        self.fields["minutes"].choices = [(n, _("%(n)s minutes") % {"n": n}) for n in MINUTES]

    def clean_query(self) -> str:
        """The number without the blanks of a form."""
        return unicodedata.normalize("NFKC", self.cleaned_data["query"]).strip()
