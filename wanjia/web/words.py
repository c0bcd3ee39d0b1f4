"""The profile's own words for codes: elements, code values, divisions, sources, in the user's language. Unknown codes stay codes."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from pathlib import Path

from django.utils.translation import get_language
from django.utils.translation import gettext as _

from wanjia.intake.declared import Source
from wanjia.kernel import clock, settings
from wanjia.kernel.declared import Text, load_folder
from wanjia.privacy.api import DESK
from wanjia.register.declared import Check
from wanjia.standards import api as standards
from wanjia.standards.api import Days
from wanjia.standards.declared import CodeSet, Element, ElementPart
from wanjia.web.labels import spoken


@dataclass(frozen=True)
class Vocabulary:
    """What a profile calls things."""

    profile: standards.Profile
    elements: Mapping[str, Element]
    columns: Mapping[str, ElementPart]
    code_sets: Mapping[str, CodeSet]
    divisions: Mapping[str, Text]
    sources: Mapping[str, Source]
    checks: Mapping[str, Check]


def vocabulary() -> Vocabulary:
    """The words of the profile in force, read once."""
    return _read(settings.profile_dir(), standards.changes_stamp())


@lru_cache(maxsize=4)
def _read(profile: Path, changes: tuple) -> Vocabulary:
    # ordered by code, because the profile's codes follow the order of the register form
    elements = sorted(
        load_folder(profile / "elements", Element).values(), key=lambda e: (not e.code.startswith("PB.GA"), e.code)
    )
    loaded = standards.load_profile(profile)
    # of what a code stood for over the years, the last
    divisions = {one.code: Text(one.name_zh, one.name_en or one.name_zh) for one in loaded.divisions}
    return Vocabulary(
        profile=loaded,
        elements={e.key: e for e in elements},
        columns={c.key: c for e in elements for c in e.columns},
        code_sets=load_folder(profile / "codes", CodeSet),
        divisions=divisions,
        sources=load_folder(profile / "sources", Source),
        checks=load_folder(profile / "checks", Check),
    )


def element_name(column: str) -> str:
    """The name of an element's column."""
    known = vocabulary().columns.get(column)
    return spoken(known.name) if known else column


def source_name(code: str) -> str:
    """The name of a source."""
    if code == DESK:
        return _("the register’s desk")
    known = vocabulary().sources.get(code)
    return spoken(known.name) if known else code


def check_name(code: str) -> str:
    """What a cross-check's finding says."""
    known = vocabulary().checks.get(code)
    return spoken(known.name) if known else code


def division_name(code: str | None, *, whole: bool = False) -> str:
    """The name of a division (codes are padded to 6, or 9 and 12 digits); `whole`: with those above it, down from the prefecture."""
    if not code:
        return "–"
    names = vocabulary().divisions
    padded = code if code in names else code.ljust(6, "0")
    if not whole:
        return spoken(names[padded]) if padded in names else code
    chain = [
        code[:4].ljust(6, "0"),
        *(code[:n] for n in (6, 9, 12) if len(code) >= n and code[:n] != code[:4].ljust(6, "0")),
    ]
    said = [spoken(names[c]) for c in dict.fromkeys(chain) if c in names]
    if not said:
        return code
    return ", ".join(reversed(said)) if get_language() == "en" else "".join(said)


def place_words(use: str, code: str | None, *, registration: date | None = None, residence: date | None = None) -> str:
    """A division by its name on the day this use of it is read by (divisions/anchors.toml), and by that of today where it is another."""
    if not code:
        return "–"
    lang, days = get_language() or "zh", Days(clock.today(), registration=registration, residence=residence)
    return vocabulary().profile.place(use, code, days, lang).said(lang)


def value_words(column: str, value: str | None) -> str:
    """A standardised value as a person reads it: codes and divisions by name, yes and no, dates as they are."""
    if value is None or value == "":
        return "–"
    known = vocabulary().columns.get(column)
    if known is None:
        return value
    if known.type == "code" and known.codes in vocabulary().code_sets:
        code = vocabulary().code_sets[known.codes].by_code.get(value)
        return (code.en if get_language() == "en" else code.zh) if code else value
    if known.type == "division":
        return division_name(value, whole=True)
    if known.type == "boolean":
        return {"true": _("yes"), "1": _("yes"), "false": _("no"), "0": _("no")}.get(value.lower(), value)
    return value


def sex_words(code: str | None) -> str:
    """Sex by its code in the profile's own set."""
    return value_words("sex", code)
