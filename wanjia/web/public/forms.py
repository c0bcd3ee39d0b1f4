"""The log-in form in the house's words."""

from typing import Any

from allauth.account.forms import LoginForm
from django.utils.translation import gettext_lazy


class LogInForm(LoginForm):
    """Account name and password."""

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        name, password = self.fields["login"], self.fields["password"]
        name.label, password.label = gettext_lazy("Account"), gettext_lazy("Password")
        name.error_messages["required"] = gettext_lazy("Enter your account name.")
        password.error_messages["required"] = gettext_lazy("Enter your password.")
        name.widget.attrs["autocapitalize"] = "none"
        # the words of a link to a page that does not exist here
        password.help_text = ""
