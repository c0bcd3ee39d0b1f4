"""The one-page form of an event, drawn from the kind's declared file, and what was typed into it in the shape the register's door takes."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from django.http import QueryDict
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from wanjia.access.api import Action, decide_many
from wanjia.access.models import Account
from wanjia.register.api import subjects_of
from wanjia.register.declared import EventKind, FormField, When
from wanjia.register.errors import FieldError
from wanjia.web.labels import spoken
from wanjia.web.words import division_name, value_words, vocabulary

#: how controls are named: values, parts, evidence, relations, choices among divisions
VALUE, PART, SEEN, NUMBER, RELATION, CHOICE = "v-", "p-", "seen-", "no-", "r-", "pick-"
_APART = re.compile(r"[\s,;，；、]+")
_LIKE_A_NUMBER = re.compile(r"[0-9]{17}[0-9Xx]")
MOST_TYPED = 200  # of persons in one part; the door says what is too many
HINTS = {
    "date": "2026-01-31",
    "datetime": "2026-01-31 04:30",
}


def typed(kind: EventKind, post: QueryDict, *, officer: Account, purpose: str) -> dict[str, Any]:
    """The form as it was typed: {"values", "people", "numbers", "evidence", "declarant"}; nothing is judged here.

    One person id in ten has as many digits as a citizen number: it is an id if it is that of somebody the officer may find for this purpose.
    """
    form: dict[str, Any] = {
        "values": {},
        "people": {},
        "numbers": {},
        "evidence": {},
        "declarant": post.get("declarant", ""),
    }
    for key, one in kind.fields.items():
        if one.type == "relations":
            start = f"{RELATION}{key}-"
            said = {
                name[len(start) :]: value for name, value in post.items() if name.startswith(start) and value.strip()
            }
            form["values"][key] = said
        else:
            # one of the choices shown beside what was ambiguous goes before it
            form["values"][key] = post.get(f"{CHOICE}{key}") or post.get(f"{VALUE}{key}", "")
    for party in kind.parties:
        if not party.is_new:
            said = [one for one in _APART.split(post.get(f"{PART}{party.role}", "")) if one][:MOST_TYPED]
            ids = _ids_among(said, officer, purpose)
            form["people"][party.role] = [one for one in said if one in ids]
            form["numbers"][party.role] = [one for one in said if one not in ids]
    for one in kind.evidence:
        form["evidence"][one.key] = {
            "seen": f"{SEEN}{one.key}" in post,
            "number": post.get(f"{NUMBER}{one.key}", ""),
        }
    return form


def _ids_among(said: Sequence[str], officer: Account, purpose: str) -> set[str]:
    like_numbers = {one for one in said if _LIKE_A_NUMBER.fullmatch(one)}
    unclear = [int(one) for one in like_numbers if one.isdecimal()]
    found = decide_many(officer, Action.FIND, subjects_of(unclear).values(), purpose) if unclear else {}
    return set(said) - like_numbers | {str(person) for person, decision in found.items() if decision.is_allowed}


def declarants(kind: EventKind) -> list[tuple[str, str]]:
    """Who may declare an event of the kind: (code, name)."""
    codes = vocabulary().code_sets["declarant"].by_code
    return [(code, spoken_code(codes[code])) for code in kind.declared_by]


def drawn(
    kind: EventKind,
    form: Mapping[str, Any],
    problems: Mapping[str, Sequence[FieldError]],
    members: Sequence[Mapping[str, Any]],
) -> dict[str, Any]:
    """The form for the template: parts, sections, evidence, who declares, and the summary of mistakes in the order of the page.

    `members`: who may need a relation to a head: {"person_id", "words"}.
    """
    values, evidence = _of(form, "values"), _of(form, "evidence")
    parties = [_party(party, form, problems) for party in kind.parties if not party.is_new]
    sections = [
        {
            "name": spoken(section.name),
            "hint": spoken(section.hint) if section.hint else "",
            "fields": [_field(kind, one, values.get(one.key), problems, members) for one in section.fields],
        }
        for section in kind.sections
    ]
    papers = [
        {
            "key": one.key,
            "id": f"{NUMBER}{one.key}" if one.has_number else f"{SEEN}{one.key}",
            "label": spoken(one.name),
            "is_required": one.is_required,
            "has_number": one.has_number,
            "is_seen": bool(_of(evidence, one.key).get("seen")),
            "number": str(_of(evidence, one.key).get("number") or ""),
            "when": _when(kind, one.when),
            "errors": _sentences(problems, f"evidence.{one.key}"),
        }
        for one in kind.evidence
    ]
    told = {
        "parties": parties,
        "sections": sections,
        "evidence": papers,
        "declarants": declarants(kind),
        "declarant": form.get("declarant", ""),
        "declarant_errors": _sentences(problems, "declarant"),
    }
    shown = [*parties, *(one for section in sections for one in section["fields"]), *papers]
    shown.append({"id": "declarant", "label": _("Declared by"), "errors": told["declarant_errors"]})
    told["mistakes"] = [(one["id"], one["label"], error) for one in shown for error in one["errors"]]
    named = {one.key for one in kind.evidence}
    at_fields = {
        *kind.fields,
        *(p.role for p in kind.parties if not p.is_new),
        "declarant",
        *(f"evidence.{k}" for k in named),
    }
    told["mistakes"] += [
        ("main", "", error) for key in problems if key not in at_fields for error in _sentences(problems, key)
    ]
    return told


def is_asked(kind: EventKind, one: FormField, values: Mapping[str, Any]) -> bool:
    """Whether a field counts with what else was typed; what was typed in words rather than by code is left to the register to judge."""
    deciding = kind.fields.get(one.when.key) if one.when and one.when.among else None
    if deciding is None:
        return True
    said = str(values.get(one.when.key) or "")
    known = vocabulary().code_sets[deciding.codes].by_code if deciding.codes else {}
    return said in one.when.among or bool(said and said not in known)


def spoken_code(code: Any) -> str:
    """A code's name in the user's language."""
    return (code.en if get_language() == "en" else code.zh) or code.code


def shown_value(one: FormField, value: Any) -> str:
    """What was typed, with a code's name where it is one."""
    if one.codes and one.codes in vocabulary().code_sets:
        code = vocabulary().code_sets[one.codes].by_code.get(str(value))
        return f"{code.code} {spoken_code(code)}" if code else str(value)
    return value_words(one.element, str(value)) if one.element else str(value)


def _party(party: Any, form: Mapping[str, Any], problems: Mapping[str, Sequence[FieldError]]) -> dict[str, Any]:
    said = [*_listed(_of(form, "people").get(party.role)), *_listed(_of(form, "numbers").get(party.role))]
    return {
        "id": f"{PART}{party.role}",
        "label": spoken(party.name),
        "hint": spoken(party.hint) if party.hint else "",
        "is_named": party.reach == "named",
        "is_required": party.is_required,
        "is_many": party.many,
        "value": " ".join(said),
        "errors": _sentences(problems, party.role),
    }


def _field(
    kind: EventKind,
    one: FormField,
    value: Any,
    problems: Mapping[str, Sequence[FieldError]],
    members: Sequence[Mapping[str, Any]],
) -> dict[str, Any]:
    field = {
        "id": f"{VALUE}{one.key}",
        "key": one.key,
        "type": one.type,
        "label": spoken(one.name) if one.name else one.key,
        "hint": spoken(one.hint) if one.hint else "",
        "example": HINTS.get(one.type or "", ""),
        "is_required": one.is_required,
        "when": _when(kind, one.when),
        "value": "" if value is None or isinstance(value, Mapping) else str(value),
        "errors": _sentences(problems, one.key),
    }
    if one.type == "code":
        codes = vocabulary().code_sets[one.codes].by_code.values()
        field["options"] = [(code.code, spoken_code(code)) for code in codes if code.valid_to is None]
    if one.type == "division":
        field["value"] = _division_words(field["value"])
        codes = dict.fromkeys(code for problem in problems.get(one.key, ()) for code in getattr(problem, "choices", ()))
        field["choices"] = [(code, division_name(code, whole=True)) for code in codes]
        # where there is something to choose the first choice is what the summary leads to
        field["happens_on"] = kind.happens_on
    if one.type == "relations":
        said = value if isinstance(value, Mapping) else {}
        codes = vocabulary().code_sets["kinship"].by_code.values()
        field["options"] = [(code.code, spoken_code(code)) for code in codes if code.valid_to is None]
        field["rows"] = [
            {
                **member,
                "id": f"{RELATION}{one.key}-{member['person_id']}",
                "value": str(said.get(str(member["person_id"]), "")),
            }
            for member in members
        ]
        if field["rows"]:
            field["id"] = field["rows"][0]["id"]
    return field


def _division_words(value: str) -> str:
    """A code with its name beside it, as the list of choices writes it; anything else as it was typed."""
    name = division_name(value)
    return f"{value} {name}" if value.isascii() and value.isdigit() and name != value else value


def _when(kind: EventKind, when: When | None) -> str:
    """In words, when something is asked for."""
    if when is None:
        return ""
    one, party = kind.fields.get(when.key), kind.party(when.key)
    name = spoken(one.name) if one and one.name else spoken(party.name) if party else when.key
    if one is None or not when.among:
        return _("only with: %(name)s") % {"name": name}
    among = "、".join(shown_value(one, value) for value in when.among)
    return _("only where %(name)s is: %(values)s") % {"name": name, "values": among}


def _sentences(problems: Mapping[str, Sequence[FieldError]], where: str) -> list[str]:
    return [problem.sentence(get_language() or "zh") for problem in problems.get(where, ())]


def _of(form: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    found = form.get(key)
    return found if isinstance(found, Mapping) else {}


def _listed(value: Any) -> list[str]:
    return [str(one) for one in (value if isinstance(value, list) else [value]) if one not in (None, "")]
