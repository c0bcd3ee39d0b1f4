"""What a kind of document may say: declared/<profile>/documents/kinds/*.toml, and the fonts it is set in (fonts.toml)."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import ClassVar, Literal

from wanjia.documents.rules.numbers import ALPHABET
from wanjia.kernel.declared import Text

Breach = tuple[str, str, str]
#: what is composed from several values, or taken from a relative
FACTS = ("moved_here", "mother_name", "father_name")


@dataclass(frozen=True)
class DocumentField:
    """One line of a document: a column of an element, or a composed fact; under its own label, or under the form's."""

    column: str = ""
    fact: Literal["", "moved_here", "mother_name", "father_name"] = ""
    label: Text | None = None
    is_needed: bool = False

    @property
    def key(self) -> str:
        """By what the layout calls it."""
        return self.column or self.fact


@dataclass(frozen=True)
class DocumentExample:
    """Values as the register holds them, for one holder or several members, and how many pages come of them. Set as a test."""

    persons: list[dict[str, str]]
    pages: int


@dataclass(frozen=True)
class DocumentKind:
    """A kind of document.

    `letter` begins its numbers. `subject`: about a household (one page for it and one for each member) or one person. `prints`: how often one may be
    printed before it must be reissued. `valid_days` 0: until revoked. `is_single`: a holder has one valid at a time. `needs_second`: another person
    confirms a revocation.
    """

    IDENTITY: ClassVar[str] = "key"

    key: str
    name: Text
    letter: str
    subject: Literal["household", "person"]
    layout: str
    fields: list[DocumentField]
    examples: list[DocumentExample]
    member_fields: list[DocumentField] = field(default_factory=list)
    standing: Literal["living", "dead", "any"] = "living"
    law: str = ""
    prints: int = 3
    valid_days: int = 0
    is_single: bool = False
    needs_second: bool = False

    @property
    def all_fields(self) -> list[DocumentField]:
        """The fields of the first page and of members' pages."""
        return [*self.fields, *self.member_fields]

    def check(self) -> Iterable[Breach]:
        """What can be said without the other files."""
        if len(self.letter) != 1 or self.letter not in ALPHABET:
            yield "letter", f"is one of {ALPHABET}", f"应为 {ALPHABET} 中的一个字符"
        for number, one in enumerate(self.all_fields):
            if bool(one.column) == bool(one.fact):
                yield f"fields[{number}]", "names a column or a fact, one of the two", "column 与 fact 须且只须写一个"
            if one.fact and one.label is None:
                yield f"fields[{number}]", "a fact needs a label", "fact 须有 label"
        if bool(self.member_fields) != (self.subject == "household"):
            yield "member_fields", "are of households' documents, and of those only", "仅户的证件有 member_fields"
        if not 1 <= self.prints <= 99 or self.valid_days < 0:
            yield "prints", "is 1 to 99, and valid_days is not negative", "prints 为 1 至 99，valid_days 不为负"
        if not self.examples:
            yield "examples", "are missing: at least one", "至少须有一个示例"


@dataclass(frozen=True)
class FontList:
    """The families documents are set in: the first by default, the others for characters it lacks, in this order."""

    families: list[str]

    def check(self) -> Iterable[Breach]:
        """There is one at least."""
        if not self.families:
            yield "families", "are missing", "缺少字体"
