"""What a resident writes: a question, a correction with its evidence, an appeal."""

from typing import Any

from django import forms
from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from wanjia.services.api import MOST_BYTES, MOST_FILES

MEGABYTES = MOST_BYTES // (1024 * 1024)


class TextForm(forms.Form):
    """A few sentences."""

    text = forms.CharField(
        label=gettext_lazy("What do you want to know or say?"),
        max_length=2000,
        widget=forms.Textarea({"rows": 5}),
        error_messages={"required": gettext_lazy("Write at least a few words.")},
    )


class ManyFiles(forms.ClearableFileInput):
    """A control that takes several files."""

    allow_multiple_selected = True


class FilesField(forms.FileField):
    """Several files as a list of their contents; none of them touches the disk (see settings: uploads stay in memory)."""

    def clean(self, given: Any, initial: Any = None) -> list[bytes]:
        """Each file's bytes. Raises ValidationError for too many, too large or empty ones."""
        files: list[UploadedFile] = [super(FilesField, self).clean(one, initial) for one in given or []]
        if len(files) > MOST_FILES or any(file.size > MOST_BYTES for file in files):
            raise forms.ValidationError(
                _("Send %(n)s files at most, of %(mb)s MB each.") % {"n": MOST_FILES, "mb": MEGABYTES}
            )
        return [file.read() for file in files]


class CorrectForm(forms.Form):
    """What is right, why, and papers that show it."""

    wanted = forms.CharField(
        label=gettext_lazy("What is right?"),
        max_length=200,
        widget=forms.TextInput({"autocomplete": "off", "spellcheck": "false"}),
        error_messages={"required": gettext_lazy("Write what is right.")},
    )
    text = forms.CharField(
        label=gettext_lazy("How do you know?"),
        max_length=2000,
        widget=forms.Textarea({"rows": 4}),
        help_text=gettext_lazy("Say which paper shows it, or what happened."),
        error_messages={"required": gettext_lazy("Say how you know.")},
    )
    files = FilesField(
        label=gettext_lazy("Evidence (if you have it)"),
        required=False,
        widget=ManyFiles({"accept": "image/jpeg,image/png,application/pdf"}),
        help_text=gettext_lazy(
            "Photos or PDF, three at most, 2 MB each. They are kept sealed and shown to the deciding office only."
        ),
        error_messages={"empty": gettext_lazy("A file is empty.")},
    )
