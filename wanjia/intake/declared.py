"""What a source's file may say (declared/<profile>/sources/<code>.toml): one department's data set, described by its owner.

The product knows no column name of any city: everything about a file's shape is here, and another country is another folder.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import ClassVar, Literal

from django.utils.dateparse import parse_duration

from wanjia.intake.rules import movement_word
from wanjia.kernel.declared import Text

Kind = Literal["csv", "xlsx", "jsonl", "parquet", "table", "push"]


@dataclass(frozen=True)
class Cadence:
    """How the source arrives and how often: `every` is an ISO 8601 duration ("P1D", "PT5M"); of a pull it is the clock, so without months."""

    kind: Literal["file", "push", "pull"] = "file"
    every: str = "P1D"

    @property
    def interval(self) -> timedelta | None:
        """`every` as a span of time; None where it has no fixed length ("P1M")."""
        return parse_duration(self.every) if self.every.startswith("P") else None


@dataclass(frozen=True)
class Format:
    """The shape in which the source is delivered. A delivered file's own suffix may override `kind`."""

    kind: Kind
    files: list[str] = field(default_factory=list)  # name patterns, "police_register*.csv"
    encodings: list[str] = field(default_factory=list)  # expected; what was found is reported
    delimiter: str = ","
    header_rows: int = 1  # merged header rows are joined from the top down
    skip_footer: list[str] = field(default_factory=list)  # first-cell texts that mark totals rows
    sheet: str | None = None
    table: str | None = None
    watermark: str | None = None  # column that only grows; pulls start from its last value
    url_setting: str | None = None  # name of the environment variable with the SQLAlchemy URL


@dataclass(frozen=True)
class AsOf:
    """When the source says a record was true: a column, or the day of the delivery."""

    column: str | None = None
    delivery: bool = False


@dataclass(frozen=True)
class Column:
    """One column of one subject and the element it carries."""

    element: str
    aliases: list[str] = field(default_factory=list)
    required: bool = False  # the delivery must have the column and the row a value in it
    codes: dict[str, str] = field(default_factory=dict)  # local spelling → standard code
    part: str | None = None  # which part of a composite element


@dataclass(frozen=True)
class Subject:
    """One person a record speaks of ("self", "mother", "spouse_a"), and the columns that describe that person."""

    role: str
    columns: dict[str, Column]
    when: str | None = None  # the subject exists only in rows where this column has a value


@dataclass(frozen=True)
class Example:
    """A worked row, run as a test: what it must become, or why it must be refused."""

    row: dict[str, str]
    expect: dict[str, str] = field(default_factory=dict)
    refuse: str | None = None


@dataclass(frozen=True)
class Source:
    """One department's data set. `key` names the columns that identify a record between deliveries; without one, the row
    itself is its key and a changed row is a different record."""

    IDENTITY: ClassVar[str] = "code"

    code: str
    name: Text
    department: str
    role: Literal["baseline", "supplement"]
    reliability: float
    purpose: Text
    legal_basis: str
    format: Format
    subjects: list[Subject]
    cadence: Cadence = Cadence()
    key: list[str] = field(default_factory=list)
    as_of: AsOf = AsOf(delivery=True)
    examples: list[Example] = field(default_factory=list)

    def columns(self) -> dict[str, list[str]]:
        """Every column the source may deliver → its aliases, in order of first mention (mapped, key and as-of columns)."""
        found: dict[str, list[str]] = {}
        for subject in self.subjects:
            for name, column in subject.columns.items():
                aliases = found.setdefault(name, [])
                aliases.extend(alias for alias in column.aliases if alias not in aliases)
        for name in [*self.key, self.as_of.column, self.format.watermark, *(s.when for s in self.subjects)]:
            if name:
                found.setdefault(name, [])
        return found

    def required_columns(self) -> list[str]:
        """Columns without which a delivery is refused: the key's, and those marked required for a subject always present."""
        marked = [n for s in self.subjects for n, c in s.columns.items() if c.required]
        return list(dict.fromkeys([*self.key, *marked]))

    def check(self) -> Iterable[tuple[str, str, str]]:
        """Rules a source keeps beyond its shape: (key, sentence in English, sentence in Chinese) for every breach."""
        if not 0 <= self.reliability <= 1:
            yield "reliability", "must lie between 0 and 1", "须在 0 与 1 之间"
        if not 1 <= len(self.subjects) <= 4:
            yield (
                "subjects",
                "one to four subjects, because the subject has two bits in an assertion's id",
                "主体须为一至四个",
            )
        roles = [subject.role for subject in self.subjects]
        if len(set(roles)) != len(roles):
            yield "subjects", "two subjects have the same role", "有两个主体角色相同"
        mapped = {name for subject in self.subjects for name in subject.columns}
        for subject in self.subjects:
            targets = [column.part or column.element for column in subject.columns.values()]
            for target in {t for t in targets if targets.count(t) > 1}:
                yield f"subjects.{subject.role}", f"two columns carry {target}", f"有两列都对应 {target}"
        for name in self.key:
            if not name.strip():
                yield "key", "an empty column name", "列名为空"
        if self.as_of.column and self.as_of.delivery:
            yield "as_of", "give a column or the delivery, not both", "列与批次只能取其一"
        if self.cadence.kind == "pull" and not self.cadence.interval:
            yield (
                "cadence.every",
                'of a pull is a duration such as "PT1H" or "P1D"',
                "拉取周期须为 PT1H、P1D 之类的时长",
            )
        if self.format.kind == "table" and not (self.format.table and self.format.url_setting):
            yield "format", "a database source names its table and url_setting", "数据库来源须写明 table 与 url_setting"
        if self.format.kind in ("csv", "xlsx", "jsonl", "parquet") and not self.format.files:
            yield "format.files", "a file source names its file patterns", "文件来源须写明文件名样式"
        if self.format.header_rows < 1 or self.format.header_rows > 5:
            yield "format.header_rows", "must be 1 to 5", "须为 1 至 5"
        for name in [self.code, *mapped, *self.key]:
            word = movement_word(name)
            if word:
                yield (
                    f"columns.{name}",
                    f"limit 1 (no tracking of people): '{word}' speaks of where a person went",
                    f"违反界限一（不追踪个人去向）：“{word}”属个人行踪",
                )
