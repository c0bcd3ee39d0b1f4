"""The form of an event: what was typed is judged field by field, and by the named checks against what the register holds."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from functools import lru_cache
from typing import Any

from django.db import connection, transaction

from wanjia.access import api as access
from wanjia.access.api import Action, Right
from wanjia.access.models import Account
from wanjia.kernel import clock
from wanjia.kernel.declared import did_you_mean
from wanjia.privacy import api as privacy
from wanjia.privacy.api import BlindKind
from wanjia.register import rules
from wanjia.register.api.declaring import event_book
from wanjia.register.api.doubles import look
from wanjia.register.api.explaining import beliefs
from wanjia.register.api.finding import subjects_of
from wanjia.register.api.matching import match_forms
from wanjia.register.api.places import days_of, meant, use_of
from wanjia.register.api.redirecting import forwarded
from wanjia.register.declared import EventKind, FormField, Party
from wanjia.register.errors import FieldError
from wanjia.register.errors import fields as wrong
from wanjia.register.rules import forms
from wanjia.register.rules.scene import Scene
from wanjia.standards import api as standards
from wanjia.trace import api as trace

MOST_PARTIES = 50


@dataclass
class Judged:
    """A form in canonical values, and what is wrong with it: field, part, "evidence.<key>" or "declarant" → sentences."""

    values: dict[str, Any] = field(default_factory=dict)
    people: dict[str, list[int]] = field(default_factory=dict)
    numbers: dict[str, str] = field(default_factory=dict)  # citizen numbers typed for parts
    evidence: dict[str, str] = field(default_factory=dict)
    declarant: str = ""
    problems: dict[str, list[FieldError]] = field(default_factory=dict)

    def object(self, where: str, problem: FieldError) -> None:
        """Note a problem at a field."""
        self.problems.setdefault(where, []).append(problem)

    @property
    def everybody(self) -> list[int]:
        """All who play a part, as far as they were found."""
        return sorted({person for ids in self.people.values() for person in ids})

    def kept(self) -> dict[str, Any]:
        """What is sealed with the case."""
        return {
            "values": self.values,
            "people": self.people,
            "numbers": self.numbers,
            "evidence": self.evidence,
            "declarant": self.declarant,
        }


def judge(kind: EventKind, form: Mapping[str, Any], *, officer: Account | None, purpose: str, today: date) -> Judged:
    """The form's own mistakes: each field, the parts within reach, the evidence seen. Without an officer persons are not looked up."""
    judged = Judged()
    known = what_is_known(today)
    given = form.get("values") if isinstance(form.get("values"), Mapping) else {}
    for key in [one for one in given if one not in kind.fields][:20]:
        near = did_you_mean(str(key)[:60], kind.fields)
        judged.object(
            "form",
            wrong.FieldUnknown(
                near_zh=f"，是否应为 {near}" if near else "", near_en=f"; did you mean {near!r}?" if near else ""
            ),
        )
    days = days_of(given.get(kind.happens_on), today)
    for key, one in kind.fields.items():
        _judge_field(judged, one, given.get(key), _on_its_day(known, one, days))
    scene = Scene(kind, {}, judged.values, {}, {}, today)
    if officer is not None:
        _judge_parties(judged, kind, form, officer, purpose, known)
        scene.people = judged.people
    for key, one in kind.fields.items():
        if not scene.holds(one.when):
            judged.values.pop(key, None)
            judged.problems.pop(key, None)
        elif one.is_required and judged.values.get(key) in (None, "") and key not in judged.problems:
            judged.object(key, wrong.FieldMissing())
    if officer is not None:
        _judge_evidence(judged, kind, form, scene)
        _judge_declarant(judged, kind, form)
    _judge_household_number(judged, kind)
    return judged


def parties_judged(kind: EventKind, form: Mapping[str, Any], *, officer: Account, purpose: str, today: date) -> Judged:
    """Only the parts of the form: who plays them, as far as they are within reach."""
    judged = Judged()
    _judge_parties(judged, kind, form, officer, purpose, what_is_known(today))
    return judged


def check_form(
    kind_code: str, form: Mapping[str, Any], *, officer: Account, purpose: str
) -> dict[str, list[FieldError]]:
    """What is wrong with a form now: field → sentences with codes. Field mistakes first; where there are none, the checks against the register.

    Changes nothing. Traced for each person named. Raises `RightMissing`, `PurposeUnknown`, `KindUnknown`.
    """
    from wanjia.register.api.staging import makes_one, rehearsed

    access.require(officer, Right.HANDLE_EVENTS)
    access.require_purpose(officer, purpose)
    kind = event_book().kind(kind_code)
    judged = judge(kind, form, officer=officer, purpose=purpose, today=clock.today())
    looked = None
    if makes_one(kind) and not judged.problems:
        both = (judged.people["person"][0], judged.people["other"][0])
        looked = look(*both, officer=officer, purpose=purpose, why=f"{purpose}:{kind.code}")
    with transaction.atomic(), connection.cursor() as cursor:
        problems = judged.problems or rehearsed(cursor, kind, judged, looked=looked)
        told_of_check(problems, judged.everybody, officer=officer, why=f"{purpose}:{kind.code}", kind=kind.code)
    return problems


def told_of_check(
    problems: Mapping[str, list[FieldError]], people: list[int], *, officer: Account, why: str, **detail: Any
) -> None:
    """Trace that a form was checked against what is held of these persons: also what is refused tells the officer something of them.

    `why`: purpose and, where there is no case yet, the kind of event.
    """
    codes = sorted({one.code for said in problems.values() for one in said})
    trace.record(
        "register.event_check",
        subject_ids=people,
        by=officer.username,
        why=why,
        department=officer.department,
        detail={**detail, "problems": codes},
    )


def prefilled(
    kind_code: str,
    people: Mapping[str, int],
    *,
    fields: Collection[str],
    household: int | None = None,
    officer: Account,
    purpose: str,
) -> dict[str, str]:
    """What these fields of the form are filled with beforehand: field → value, of what the officer may read of the persons named for this purpose.

    Opens their dossiers, each traced, as far as the fields need it. `household`: whose head's address and household number are meant by
    "household.…".
    """
    access.require(officer, Right.HANDLE_EVENTS)
    kind = event_book().kind(kind_code)
    wanted: dict[str, set[str]] = {}
    asked = {key: one for key, one in kind.fields.items() if key in fields}
    for one in asked.values():
        source, dot, column = one.prefill.partition(".")
        if dot:
            wanted.setdefault(source, set()).add(column)
    opened = {
        source: _read(person, columns, officer, purpose, f"{purpose}:{kind.code}")
        for source, columns in wanted.items()
        if (person := people.get(source) or (_head(household) if source == "household" else None)) is not None
    }
    filled = {}
    for key, one in asked.items():
        source, dot, column = one.prefill.partition(".")
        if one.prefill == "today":
            filled[key] = clock.today().isoformat()
        elif dot and column in opened.get(source, {}):
            said = opened[source][column]
            # what is filled in beforehand for a field that is read by another day is the division of today
            filled[key] = standards.load_profile().code_now(said) if one.type == "division" else said
    return filled


def _read(person_id: int, columns: set[str], officer: Account, purpose: str, why: str) -> dict[str, str]:
    subject = subjects_of([person_id]).get(person_id)
    decision = access.decide(officer, Action.READ, subject, purpose) if subject else None
    if decision is None or not decision.is_allowed:
        return {}
    profile = standards.load_profile()
    found: dict[str, str] = {}
    if "household" in columns:
        with connection.cursor() as cursor:
            cursor.execute("SELECT household_id FROM register_homes(%s)", [[person_id]])
            if row := cursor.fetchone():
                found["household"] = str(row[0])
    parts = {column: profile.parts[column] for column in columns if column in profile.parts}
    readable = {column for column, part in parts.items() if part.element in decision.elements}
    if readable:
        dossier = privacy.open_person(
            person_id,
            by=officer.username,
            why=why,
            department=officer.department,
            basis=decision.basis,
            fields=sorted({parts[column].element for column in readable}),
        )
        found |= {b.column: b.value for b in beliefs(dossier, profile.elements.values()) if b.column in readable}
    return found


def _head(household: int | None) -> int | None:
    if household is None:
        return None
    with connection.cursor() as cursor:
        cursor.execute("SELECT register_head(%s)", [household])
        return cursor.fetchone()[0]


def what_is_known(today: date) -> forms.Known:
    """What judging a field asks of the profile and the register."""
    profile = standards.load_profile()

    def division(text: str) -> str:
        return meant(profile, text, today)

    def is_household(number: int) -> bool:
        with connection.cursor() as cursor:
            cursor.execute("SELECT EXISTS (SELECT FROM register_household WHERE id = %s AND left_at IS NULL)", [number])
            return cursor.fetchone()[0]

    def numbered(number: str) -> int | None:
        household = rules.household_id(None, number)
        return household if is_household(household) else None

    return forms.Known(profile.spellings, division, is_household, today, by_pinyin, numbered)


@lru_cache(maxsize=64)
def by_pinyin(codes: str) -> Mapping[str, str]:
    """Names of a code set by pinyin without spaces and by its initials, upper case → code; what two codes share means neither."""
    rows = standards.load_profile().code_set(codes).by_code.values()
    names = {name: code.code for code in rows for name in (*code.spellings, code.zh) if name and not name.isascii()}
    found: dict[str, set[str]] = {}
    for name, read in match_forms(sorted(names)).items():
        syllables = [one for one in (read["pinyin"] or "").upper().split() if one.isascii() and one.isalpha()]
        for key in {"".join(syllables), "".join(one[0] for one in syllables)} - {""}:
            found.setdefault(key, set()).add(names[name])
    return {key: next(iter(owners)) for key, owners in found.items() if len(owners) == 1}


def _on_its_day(known: forms.Known, one: FormField, days: standards.Days) -> forms.Known:
    """What judging asks, with divisions as they were on the day by which this field's code is read."""
    if one.type != "division":
        return known
    profile = standards.load_profile()
    on = profile.day_of_use(use_of(one), days)
    return replace(known, division=lambda text: meant(profile, text, on))


def _judge_field(judged: Judged, one: FormField, value: Any, known: forms.Known) -> None:
    profile = standards.load_profile()
    pattern = profile.parts[one.element].pattern if one.element else None
    try:
        judged.values[one.key] = forms.canonical(
            value,
            one.type or "text",
            known,
            codes=one.codes,
            future=one.future,
            least=one.least,
            most=one.most,
            pattern=pattern,
        )
    except FieldError as problem:
        judged.object(one.key, problem)


def _judge_parties(
    judged: Judged, kind: EventKind, form: Mapping[str, Any], officer: Account, purpose: str, known: forms.Known
) -> None:
    given = form.get("people") if isinstance(form.get("people"), Mapping) else {}
    typed = form.get("numbers") if isinstance(form.get("numbers"), Mapping) else {}
    for party in kind.parties:
        if party.is_new:
            continue
        try:
            ids, numbers = _ids(given.get(party.role)), _numbers(typed.get(party.role), known)
            people = _reached(party, ids, numbers, officer, purpose)
        except FieldError as problem:
            judged.object(party.role, problem)
            continue
        if len(numbers) == 1:
            judged.numbers[party.role] = numbers[0]
        if len(people) > (MOST_PARTIES if party.many else 1):
            judged.object(party.role, wrong.WrongShape())
        elif people:
            judged.people[party.role] = people
        elif party.is_required:
            judged.object(party.role, wrong.PersonMissing())


def _ids(value: Any) -> list[int]:
    listed = value if isinstance(value, list | tuple) else [value]
    if len(listed) > MOST_PARTIES:
        raise wrong.WrongShape()
    ids = []
    for one in listed:
        if one in (None, ""):
            continue
        if (
            isinstance(one, bool)
            or not isinstance(one, int | str)
            or len(str(one)) > 19
            or not str(one).isascii()
            or not str(one).isdigit()
        ):
            raise wrong.WrongShape()
        ids.append(forwarded(int(one)))
    return list(dict.fromkeys(ids))


def _numbers(value: Any, known: forms.Known) -> list[str]:
    listed = value if isinstance(value, list | tuple) else [value]
    if len(listed) > MOST_PARTIES:
        raise wrong.WrongShape()
    numbers = [forms.canonical(one, "identity_number", known) for one in listed]
    return list(dict.fromkeys(number for number in numbers if number))


def _reached(party: Party, ids: list[int], numbers: list[str], officer: Account, purpose: str) -> list[int]:
    """The persons, if all are within reach: by a decision of access, or (a named part) by the full number from their own document."""
    found = privacy.find_by_blind(BlindKind.NUMBER, numbers) if numbers else {}
    holders: set[int] = set()
    for number in numbers:
        of_number = {forwarded(one) for one in found.get(number, [])}
        if not set(ids) & of_number:
            # a number alone says who is meant; beside the one person of a part it must be theirs
            if ids and not party.many:
                raise wrong.NumberOfAnother()
            if len(of_number) != 1:
                raise wrong.PersonNotReached()
            ids = [*ids, *of_number]
        holders |= of_number
    subjects = subjects_of(ids)
    decided = access.decide_many(officer, Action.FIND, subjects.values(), purpose)
    for person in ids:
        is_found = person in subjects and decided[person].is_allowed
        # whoever shows a full number has its holder, or the holder's document, before them; a sealed person stays as nobody all the same
        is_named = (
            party.reach == "named" and person in holders and person in subjects and not subjects[person].is_sealed
        )
        if not (is_found or is_named):
            raise wrong.PersonNotReached()
    return list(dict.fromkeys(ids))


def _judge_evidence(judged: Judged, kind: EventKind, form: Mapping[str, Any], scene: Scene) -> None:
    given = form.get("evidence") if isinstance(form.get("evidence"), Mapping) else {}
    for one in kind.evidence:
        said = given.get(one.key) if isinstance(given.get(one.key), Mapping) else {}
        try:
            number = forms.clean(str(said.get("number") or ""), 60)
        except FieldError as problem:
            judged.object(f"evidence.{one.key}", problem)
            continue
        is_seen = bool(said.get("seen")) and (number is not None or not one.has_number)
        if is_seen:
            judged.evidence[one.key] = number or "-"
        elif one.is_required and scene.holds(one.when):
            judged.object(f"evidence.{one.key}", wrong.EvidenceMissing())


def _judge_declarant(judged: Judged, kind: EventKind, form: Mapping[str, Any]) -> None:
    if form.get("declarant") in kind.declared_by:
        judged.declarant = str(form["declarant"])
        return
    names = standards.load_profile().code_set("declarant").by_code
    judged.object(
        "declarant",
        wrong.DeclarantNotAllowed(
            who_zh="、".join(names[one].zh for one in kind.declared_by),
            who_en=", ".join(names[one].en for one in kind.declared_by),
        ),
    )


def _judge_household_number(judged: Judged, kind: EventKind) -> None:
    """A household's number and the household chosen must be one: the number is what the book will say."""
    household = next((judged.values.get(k) for k, f in kind.fields.items() if f.type == "household"), None)
    for key, one in kind.fields.items():
        number = judged.values.get(key)
        if one.element == "household_number" and household and number and rules.household_id(None, number) != household:
            judged.object(key, wrong.HouseholdNotKnown())
