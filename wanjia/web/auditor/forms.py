"""What an auditor looks for in the trace."""

from datetime import date, datetime, time, timedelta
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from wanjia.access.api import book
from wanjia.trace.api import Wanted, departments, kinds
from wanjia.web.labels import READ_KINDS, WORK, spoken, word

LARGEST_ID = 2**63 - 1


def _typed(**said: str) -> forms.TextInput:
    return forms.TextInput({"autocomplete": "off", "spellcheck": "false", **said})


class _Day(forms.DateInput):
    input_type = "date"

    def __init__(self) -> None:
        super().__init__(format="%Y-%m-%d")


class SearchForm(forms.Form):
    """Who, whose, which department, for what, what, when, and one read or bulk work: any of them, or none."""

    kind = forms.ChoiceField(label=gettext_lazy("What"), required=False)
    actor = forms.CharField(label=gettext_lazy("Who"), required=False, max_length=120, widget=_typed())
    subject = forms.IntegerField(
        label=gettext_lazy("Person id"), required=False, min_value=0, max_value=LARGEST_ID, widget=_typed(inputmode="numeric")
    )  # fmt: skip
    department = forms.CharField(
        label=gettext_lazy("Department"), required=False, max_length=60, widget=_typed(list="f-departments")
    )
    purpose = forms.CharField(
        label=gettext_lazy("Purpose, or purpose:case"), required=False, max_length=300, widget=_typed(list="f-purposes")
    )
    since = forms.DateField(label=gettext_lazy("From day"), required=False, widget=_Day())
    until = forms.DateField(label=gettext_lazy("To day"), required=False, widget=_Day())
    work = forms.ChoiceField(label=gettext_lazy("Work on"), required=False)

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, auto_id="f-%s", **named)
        self.fields["kind"].choices = [("", _("Everything")), *((kind, word(READ_KINDS, kind)) for kind in kinds())]
        self.fields["work"].choices = [("", _("One person or many")), *WORK.items()]

    @property
    def departments(self) -> list[str]:
        """Departments that stand in the trace."""
        return departments()

    @property
    def purposes(self) -> list[dict[str, str]]:
        """The declared purposes: {code, name}."""
        return [{"code": code, "name": spoken(purpose.name)} for code, purpose in book().purposes.items()]

    @property
    def wanted(self) -> Wanted:
        """What is looked for; days are whole days where the office is, the last one included. For a valid form."""
        said = dict(self.cleaned_data)
        last = said.pop("until")
        return Wanted(
            **{**said, "since": _begin(said["since"])}, until=_begin(last + timedelta(days=1)) if last else None
        )

    def clean_until(self) -> date | None:
        """The last day, which the day after must still be a day of the calendar."""
        last: date | None = self.cleaned_data["until"]
        if last == date.max:
            raise forms.ValidationError(_("Enter a valid date."))
        return last


def _begin(day: date | None) -> datetime | None:
    return timezone.make_aware(datetime.combine(day, time())) if day else None
