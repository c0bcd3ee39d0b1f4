"""What the files of events may say: kinds of event (events/), what may happen next (lifecycle.toml), what follows elsewhere (chains/).

A kind's form can be drawn from its file alone: sections in order, fields with type, code set, hints and what is filled in beforehand.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

from wanjia.kernel.declared import Text, did_you_mean

Breach = tuple[str, str, str]

#: how a field is entered; most fields name an element and take its type
FieldType = Literal[
    "text", "code", "date", "datetime", "division", "identity_number", "name", "address", "document_number", "boolean", "integer",
    "organisation", "household", "relations",
]  # fmt: skip


@dataclass(frozen=True)
class When:
    """Something holds only where field `key` has one of the values `among`, or (no values) is filled in."""

    key: str
    among: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Party:
    """A part that a person plays in the event.

    `is_new`: the event founds this person. `reach`: "area" persons must be within the officer's reach; "named" ones may be of anywhere, and the
    officer enters their full citizen number from the document at hand. `many`: any number of persons.
    """

    role: str
    name: Text
    is_new: bool = False
    is_required: bool = True
    many: bool = False
    reach: Literal["area", "named"] = "area"
    hint: Text | None = None
    when: When | None = None


@dataclass(frozen=True)
class FormField:
    """One field. `element`: the column of the profile it states, which gives type, code set and name; `of`: the part it is said of."""

    key: str
    element: str = ""
    of: str = ""
    type: FieldType | None = None
    codes: str = ""
    name: Text | None = None
    hint: Text | None = None
    is_required: bool = True
    is_protected: bool = False
    prefill: str = ""  # "<part>.<column>", "household.address", "today"
    future: bool = False  # days after today are right
    least: int = 0
    most: int = 200
    when: When | None = None


@dataclass(frozen=True)
class Section:
    """Fields that stand together under one heading."""

    key: str
    name: Text
    fields: list[FormField]
    hint: Text | None = None


@dataclass(frozen=True)
class Evidence:
    """A document to be seen; its number is entered."""

    key: str
    name: Text
    kind: str = ""  # code of document_kind, where there is one
    is_required: bool = True
    has_number: bool = True
    law: str = ""
    when: When | None = None


@dataclass(frozen=True)
class Limit:
    """The legal time: so many days after the day in the field `after`. Late cases are marked, never refused."""

    days: int
    after: str
    law: str


@dataclass(frozen=True)
class CheckUse:
    """A named rule (register/rules/checks.py) with what it looks at."""

    rule: str
    person: str = ""
    other: str = ""
    field: str = ""
    first: str = ""
    household: str = ""
    least: int = 0
    most: int = 200
    sex: str = ""
    kind: str = ""
    when: When | None = None


@dataclass(frozen=True)
class EffectUse:
    """A named effect (register/rules/effects.py) with what it changes. Values: a field's key, or "=text" for just that text."""

    do: str
    person: str = ""
    other: str = ""
    on: str = ""
    household: str = ""
    relation: str = ""
    division: str = ""
    kind: str = ""
    set: dict[str, str] = field(default_factory=dict)
    says: dict[str, str] = field(default_factory=dict)
    died: bool = False
    event: str = ""
    when: When | None = None


@dataclass(frozen=True)
class Corrects:
    """What a resident may have corrected by this event: column of the profile → value of the field `by` that says so. `person`: whose value it is."""

    person: str
    by: str
    columns: dict[str, str]


@dataclass(frozen=True)
class EventExample:
    """A form and what the form's own checks make of it: nothing wrong, or a code for a field. Run as a test."""

    values: dict[str, Any]
    refuse: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class EventKind:
    """One kind of event. `happens_on` is the field with the day it took effect; `office` says whose it is: a field of type division or household,
    or a part (where that person is registered)."""

    code: str
    name: Text
    meaning: Text
    law: str
    parties: list[Party]
    sections: list[Section]
    effects: list[EffectUse]
    happens_on: str
    office: str
    declared_by: list[str]
    decided_by: list[str]
    checks: list[CheckUse] = field(default_factory=list)
    evidence: list[Evidence] = field(default_factory=list)
    limit: Limit | None = None
    second_eyes: bool = False
    pairs_with: str = ""
    is_correction: bool = False  # stands also after death
    corrects: Corrects | None = None  # begun when a resident's request is accepted
    undone_by: str = ""  # the only way to undo it is an event of that kind, which nothing undoes
    document: str = ""  # what is printed once it is registered
    order: int = 100
    examples: list[EventExample] = field(default_factory=list)

    @property
    def fields(self) -> dict[str, FormField]:
        """All fields in their order, by key."""
        return {one.key: one for section in self.sections for one in section.fields}

    def party(self, role: str) -> Party | None:
        """The part of that name."""
        return next((one for one in self.parties if one.role == role), None)

    def check(self) -> Iterable[Breach]:
        """Keys are said once, and everything that is spoken of is declared in the file."""
        keys = [one.key for section in self.sections for one in section.fields]
        roles = [party.role for party in self.parties]
        said = [*keys, *roles]
        for twice in sorted({one for one in said if said.count(one) > 1}):
            yield twice, "is declared twice", "重复声明"
        if not keys:
            yield "sections", "a form has at least one field", "表单至少须有一项"
        for where, named in self._fields_named():
            if named not in keys:
                yield where, *_not(named, keys, "field", "项")
        for where, named in self._roles_named():
            if named not in roles:
                yield where, *_not(named, roles, "part", "当事人")
        for key, one in self.fields.items():
            if not one.element and (one.type is None or one.name is None):
                yield key, "names an element, or says its own type and name", "须指明数据元，或写明类型与名称"
            if one.type == "code" and not one.codes:
                yield key, "a code needs its code set", "代码型须指明代码集"
        if self.office not in (*keys, *roles):
            yield "office", *_not(self.office, [*keys, *roles], "field or part", "项或当事人")
        stated = [one.element for one in self.fields.values() if one.element]
        for column in self.corrects.columns if self.corrects else ():
            if column not in stated:
                yield "corrects.columns", *_not(column, stated, "element", "数据元")
        if not self.effects:
            yield "effects", "an event changes something", "事项至少须有一项效果"

    def _fields_named(self) -> Iterable[tuple[str, str]]:
        yield "happens_on", self.happens_on
        if self.limit:
            yield "limit.after", self.limit.after
        for listed, what in ((self.checks, "checks"), (self.effects, "effects"), (self.evidence, "evidence")):
            for number, one in enumerate(listed):
                if one.when and self.party(one.when.key) is None:
                    yield f"{what}[{number}].when", one.when.key
        for key, one in self.fields.items():
            if one.when:
                yield f"{key}.when", one.when.key
        if self.corrects:
            yield "corrects.by", self.corrects.by
        for number, one in enumerate(self.checks):
            for name in ("field", "first", "household"):
                if named := getattr(one, name):
                    yield f"checks[{number}].{name}", named
        for number, one in enumerate(self.effects):
            given = (
                one.on,
                one.household,
                one.relation,
                one.division,
                one.event,
                *one.set.values(),
                *one.says.values(),
            )
            for value in given:
                if value and not value.startswith("=") and "." not in value:
                    yield f"effects[{number}]", value

    def _roles_named(self) -> Iterable[tuple[str, str]]:
        for key, one in self.fields.items():
            if one.of:
                yield f"{key}.of", one.of
            if "." in one.prefill and not one.prefill.startswith("household."):
                yield f"{key}.prefill", one.prefill.partition(".")[0]
        if self.corrects:
            yield "corrects.person", self.corrects.person
        for number, used in enumerate([*self.checks, *self.effects]):
            for role in (used.person, used.other):
                if role:
                    yield f"{'checks' if number < len(self.checks) else 'effects'}.{role}", role


def _not(named: str, known: Iterable[str], what_en: str, what_zh: str) -> tuple[str, str]:
    near = did_you_mean(named, known)
    return (
        f"speaks of {named!r}, which is no {what_en} of this form{f'; did you mean {near!r}?' if near else ''}",
        f"提到 {named!r}，此表单没有该{what_zh}{f'；是否应为 {near!r}？' if near else ''}",
    )


@dataclass(frozen=True)
class Status:
    """A state a case can be in. `counts`: its acts are part of the register; `is_open`: somebody still has work with it."""

    key: str
    name: Text
    counts: bool = False
    is_open: bool = False


@dataclass(frozen=True)
class Move:
    """One thing that may happen to a case: the verb, from which states to which, by which roles."""

    verb: str
    name: Text
    of: list[str]
    to: str
    roles: list[str]
    needs_reason: bool = False
    is_second: bool = False  # where the kind asks for a second pair of eyes, not by who handled it


@dataclass(frozen=True)
class Lifecycle:
    """What may happen next: the one table of it (declared/<profile>/lifecycle.toml)."""

    IDENTITY: ClassVar[str] = "code"

    code: str
    first: str
    statuses: list[Status]
    moves: list[Move]

    def status(self, key: str) -> Status:
        """The state of that key."""
        return next(one for one in self.statuses if one.key == key)

    def move(self, verb: str) -> Move | None:
        """The move of that verb."""
        return next((one for one in self.moves if one.verb == verb), None)

    def check(self) -> Iterable[Breach]:
        """Every state that is spoken of is declared, and every state but the first can be reached."""
        known = [one.key for one in self.statuses]
        for one in self.moves:
            for named in (*one.of, one.to):
                if named not in known:
                    yield f"moves.{one.verb}", *_not(named, known, "state", "状态")
        if self.first not in known:
            yield "first", *_not(self.first, known, "state", "状态")
        for key in known:
            if key != self.first and not any(one.to == key for one in self.moves):
                yield f"statuses.{key}", "no move leads there", "没有任何步骤可到达"


@dataclass(frozen=True)
class Chain:
    """What another department is asked to do after an event: a task with a time, sent as a notice. Declared, not coded."""

    code: str
    name: Text
    after: list[str]
    department: str
    party: str
    days: int
    law: str = ""
