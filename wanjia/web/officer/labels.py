"""Words of the officer's pages for the codes that contexts answer with."""

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

#: by what a search found somebody
FOUND_BY: dict[str, str | Promise] = {
    "number": _("the same number"),
    "household": _("household number"),
    "name": _("name as written, present or former"),
    "pinyin": _("pinyin"),
    "door": _("the same address"),
    "near_number": _("a number one slip away"),
    "place": _("the same road and number, or community"),
    "sound": _("a name that sounds the same"),
    "initials": _("first letters of the name"),
}

SLIPS: dict[str, str | Promise] = {
    "digit": _("character %(place)s of the number differs"),
    "swap": _("characters %(place)s and %(after)s of the number are swapped"),
    "missing": _("character %(place)s of the number was left out"),
    "extra": _("one character too many after place %(place)s of the number"),
}
