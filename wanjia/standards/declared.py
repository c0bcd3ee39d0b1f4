"""What the declared files of a profile's standards may say: profile.toml, elements/*.toml, codes/*.toml."""

import datetime
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import ClassVar, Literal

from wanjia.kernel.declared import Text
from wanjia.standards.rules import Breach, limit_breaches, protected_kind

Type = Literal[
    "identity_number", "name", "text", "code", "division", "date", "datetime", "boolean", "integer", "address", "organisation",
    "document_number",
]  # fmt: skip
Evidence = Literal["S", "P", "M+", "M", "own"]
Protected = Literal["ethnicity", "religion", "health", "biometrics"]
Use = Literal["index", "filter", "label", "feature"]


@dataclass(frozen=True)
class Resolve:
    """How one value is chosen among what sources say (design, section 4). `precedence` names source codes, departments or roles."""

    strategy: Literal["precedence", "recency", "vote", "average"] = "recency"
    precedence: list[str] = field(default_factory=list)
    law: str = ""


@dataclass(frozen=True)
class Example:
    """A written value and what it must become, or the reason it is refused for. Run as a test. `part` for composite elements."""

    given: str
    expect: str | None = None
    refuse: str | None = None
    part: str | None = None


@dataclass(frozen=True)
class Part:
    """One column of a composite element."""

    key: str
    name: Text
    type: Type
    codes: str | None = None
    scheme: str | None = None
    open_ended: bool = False


@dataclass(frozen=True)
class ElementPart:
    """A column of the register's frames: what a written value of it is and how it is read."""

    key: str
    element: str
    name: Text
    type: Type
    codes: str | None = None
    scheme: str | None = None
    script: str = "han"
    length: int | None = None
    pattern: str | None = None
    open_ended: bool = False
    minimum: int | None = None
    maximum: int | None = None

    @property
    def derived(self) -> tuple[str, ...]:
        """The further columns that standardising makes from this one."""
        return tuple(f"{self.key}__{suffix}" for suffix in DERIVED.get(self._kind, ()))

    @property
    def _kind(self) -> str:
        return "latin_name" if self.type == "name" and self.script == "latin" else self.type


DERIVED: dict[str, tuple[str, ...]] = {
    "identity_number": ("state",),
    "name": ("norm", "pinyin", "surname", "given"),
    "latin_name": ("norm",),
    "address": ("norm", "division", "place", "building", "unit", "room"),
    "date": ("precision", "year"),
    "datetime": ("precision", "year"),
    "division": ("current",),
}


@dataclass(frozen=True)
class Element:
    """A standard field: what it means, who owns it, how sensitive it is, and how its values are read and chosen.

    `conform` is the evidence its values rest on (S read in a source, P measured in a package, M+ and M from memory, own = this
    product's own list); only S and P may ever be said to follow a standard. `vault` values live sealed, apart from the register.
    """

    IDENTITY: ClassVar[str] = "key"

    key: str
    code: str
    name: Text
    meaning: Text
    type: Type
    owner: str
    latency: Literal["M", "D", "L"]
    tier: Literal["G1", "G2", "G3", "G4"]
    sensitivity: Literal["sensitive", "listed", "ordinary"]
    conform: Evidence
    standard: str = ""
    codes: str | None = None
    scheme: str | None = None
    script: Literal["han", "latin"] = "han"
    length: int | None = None
    pattern: str | None = None
    open_ended: bool = False
    minimum: int | None = None
    maximum: int | None = None
    vault: bool = False
    default_on: bool = True
    protected: Protected | None = None
    uses: list[Use] = field(default_factory=list)
    parts: list[Part] = field(default_factory=list)
    resolve: Resolve = Resolve()
    examples: list[Example] = field(default_factory=list)

    @property
    def columns(self) -> tuple[ElementPart, ...]:
        """The element's columns: one of its own key, or one for each declared part."""
        if self.parts:
            return tuple(
                ElementPart(p.key, self.key, p.name, p.type, p.codes, p.scheme, self.script, open_ended=p.open_ended)
                for p in self.parts
            )
        return (
            ElementPart(
                self.key, self.key, self.name, self.type, self.codes, self.scheme, self.script, self.length, self.pattern,
                self.open_ended, self.minimum, self.maximum,
            ),
        )  # fmt: skip

    @property
    def may_be_index(self) -> bool:
        """Whether persons may be looked up by this element (limit 3)."""
        return self.protected is None

    @property
    def may_be_label(self) -> bool:
        """Whether this element may mark, filter or select persons, or be a criterion of sharing (limit 3)."""
        return self.protected is None

    @property
    def may_be_feature(self) -> bool:
        """Whether a model about persons, linkage included, may look at this element (limit 3)."""
        return self.protected is None

    def check(self) -> Iterator[Breach]:
        """Rules an element keeps beyond its shape: the limits, a meaning in both languages, a code set where one is needed."""
        yield from limit_breaches({"key": self.key, "name.zh": self.name.zh, "name.en": self.name.en})
        yield from self._protected_breaches()
        for words, where in ((self.name, "name"), (self.meaning, "meaning")):
            if not words.zh.strip() or not words.en.strip():
                yield where, "must be said in both languages", "须用两种语言写明"
        for column in self.columns:
            if (column.type == "code") != (column.codes is not None):
                yield (
                    "codes",
                    f"{column.key}: a code has a code set, and only a code",
                    f"{column.key}：代码型须有且仅有代码型可有代码集",
                )
            if column.type == "identity_number" and column.scheme not in ("cn", "digits"):
                yield "scheme", "an identity number says its scheme: cn or digits", "身份号码须写明方案：cn 或 digits"
        keys = {column.key for column in self.columns}
        for number, example in enumerate(self.examples):
            if (example.expect is None) == (example.refuse is None):
                yield f"examples[{number}]", "says either expect or refuse", "须且只能写 expect 或 refuse"
            if (example.part or self.columns[0].key) not in keys:
                yield (
                    f"examples[{number}].part",
                    f"is none of {', '.join(sorted(keys))}",
                    f"不在 {', '.join(sorted(keys))} 之中",
                )
        if not self.examples:
            yield (
                "examples",
                "at least one example, because examples are run as tests",
                "至少一个示例，示例会作为测试运行",
            )

    def _protected_breaches(self) -> Iterator[Breach]:
        spoken_of = protected_kind([self.key, self.name.zh, self.name.en])
        if spoken_of and self.protected != spoken_of:
            yield (
                "protected",
                f"limit 3 (protected attributes): this speaks of {spoken_of}; write protected = {spoken_of!r}",
                f"界限三（受保护属性）：涉及 {spoken_of}，须写明 protected = {spoken_of!r}",
            )
        if self.protected and self.uses:
            yield (
                "uses",
                f"breaks limit 3 (protected attributes): {self.protected} is never {', '.join(self.uses)} for persons",
                f"违反界限三（受保护属性）：{self.protected} 不得作为个人的 {', '.join(self.uses)}",
            )
        if self.protected == "religion" and self.default_on:
            yield (
                "default_on",
                "breaks limit 3 (protected attributes): religion is off; write default_on = false",
                "违反界限三（受保护属性）：宗教信仰默认关闭，须写明 default_on = false",
            )


@dataclass(frozen=True)
class Code:
    """One value of a code set. A retired code is never deleted: it gets `valid_to` (first day without it) and `replaced_by`."""

    code: str
    zh: str
    en: str
    parent: str | None = None
    valid_from: datetime.date | None = None
    valid_to: datetime.date | None = None
    replaced_by: str | None = None
    spellings: list[str] = field(default_factory=list)

    def is_valid_on(self, day: datetime.date) -> bool:
        """Whether the code may be given on `day`."""
        return (self.valid_from is None or self.valid_from <= day) and (self.valid_to is None or day < self.valid_to)


@dataclass(frozen=True)
class CodeSet:
    """The values an element of type code may have, with the standard they come from and the evidence for that."""

    IDENTITY: ClassVar[str] = "key"

    key: str
    name: Text
    standard: str
    evidence: Evidence
    codes: list[Code]
    note: str = ""

    @property
    def by_code(self) -> dict[str, Code]:
        """Code → its row."""
        return {code.code: code for code in self.codes}

    def check(self) -> Iterator[Breach]:
        """Codes are unique, parents and replacements exist, labels keep the limits."""
        yield from limit_breaches({"key": self.key, "name.zh": self.name.zh, "name.en": self.name.en})
        known = [code.code for code in self.codes]
        for twice in sorted({code for code in known if known.count(code) > 1}):
            yield f"codes.{twice}", "is given twice", "重复"
        for row in self.codes:
            for where, other in (("parent", row.parent), ("replaced_by", row.replaced_by)):
                if other is not None and other not in known:
                    yield (
                        f"codes.{row.code}.{where}",
                        f"{other!r} is not a code of this set",
                        f"{other!r} 不是本代码集的代码",
                    )
            if row.replaced_by and not row.valid_to:
                yield f"codes.{row.code}.valid_to", "a replaced code says when it ended", "被替代的代码须写明失效日期"
            yield from (
                (f"codes.{row.code}", en, zh)
                for _, en, zh in limit_breaches({"": f"{row.zh} {row.en}"})
                if "limit 2" in en
            )


@dataclass(frozen=True)
class ProfileFile:
    """profile.toml: what holds for the whole profile. `missing` are the texts by which departments write that nothing is known."""

    code: str
    name: Text
    missing: list[str]
    date_order: Literal["ymd", "dmy", "mdy"] = "ymd"
    numbers: Literal["cn", "none"] = "none"


def unknown_references(
    elements: Iterable[Element], code_sets: Iterable[str], departments: Iterable[str]
) -> Iterator[tuple[str, Breach]]:
    """Code sets and departments that elements name but the profile does not declare: (element key, breach)."""
    sets, owners = set(code_sets), set(departments)
    for element in elements:
        for column in element.columns:
            if column.codes and column.codes not in sets:
                yield (
                    element.key,
                    ("codes", f"no code set {column.codes!r} is declared", f"未声明代码集 {column.codes!r}"),
                )
        if owners and element.owner not in owners:
            yield (
                element.key,
                ("owner", f"no department {element.owner!r} is declared", f"未声明部门 {element.owner!r}"),
            )


AnchorDay = Literal["event", "registration", "residence", "today"]


@dataclass(frozen=True)
class AnchoredUse:
    """One use of a division code, and by which day it is read: of the event, of the registration, since when somebody lives there, today."""

    use: str
    anchor: AnchorDay
    why: Text


@dataclass(frozen=True)
class Anchors:
    """divisions/anchors.toml: every use of a division code with its day. `reprint`: which name a document shows that is made again."""

    uses: list[AnchoredUse]
    reprint: Literal["then", "then_and_today", "today"] = "then_and_today"

    def check(self) -> Iterator[Breach]:
        """No use is said twice."""
        known = [one.use for one in self.uses]
        for twice in sorted({use for use in known if known.count(use) > 1}):
            yield f"uses.{twice}", "is given twice", "重复"


@dataclass(frozen=True)
class Begins:
    """A division that begins, or has another name or parent, with a change. What is left out is taken from what moves into it."""

    code: str
    name: Text | None = None
    parent: str | None = None


@dataclass(frozen=True)
class Moved:
    """What becomes of one division: all of it, or a `share` of its people, is `new` from that day. `brought`: the part of `new`'s people it had."""

    old: str
    new: str
    share: float | None = None
    brought: float | None = None


@dataclass(frozen=True)
class DivisionChange:
    """A change of divisions, as a file of one act of law: who becomes what from the day `on`, and whose office takes over what is open."""

    code: str
    kind: Literal["rename", "split", "merge", "transfer"]
    on: datetime.date
    law: Text
    moves: list[Moved]
    begins: list[Begins] = field(default_factory=list)
    office: str | None = None
