"""What the register's declared files may say: cross-checks here (declared/<profile>/checks/<code>.toml), events beside it."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import ClassVar, Literal

from wanjia.kernel.declared import Text
from wanjia.register.declared.events import (
    Chain,
    CheckUse,
    EffectUse,
    EventExample,
    EventKind,
    Evidence,
    FormField,
    Lifecycle,
    Limit,
    Move,
    Party,
    Section,
    Status,
    When,
)

__all__ = [
    "FOUND_BY_LINKAGE", "Chain", "Check", "CheckUse", "EffectUse", "EventExample", "EventKind", "Evidence", "FormField", "Lifecycle", "Limit",
    "Move", "Party", "Rule", "Section", "Status", "When",
]  # fmt: skip

Rule = Literal[
    "sex_against_number",
    "birth_against_number",
    "differs_from_register",
    "two_sound_numbers",
    "number_of_several",
    "death_before_birth",
    "active_after_death",
    "parent_too_young",
    "several_heads",
    "no_head",
    "several_spouses",
    "married_too_young",
    "resident_in_two_places",
    "too_many_alike",
]
#: found by linkage, which counts how many records share a value; the register looks for the others
FOUND_BY_LINKAGE = ("too_many_alike",)


@dataclass(frozen=True)
class Check:
    """One cross-check between sources, or inside a household: a named rule of the register with its limits.

    `limit` is in years or days as the rule says (its docstring in register/bulk/checks.py); `elements` are those it looks at (for what linkage finds:
    those it mainly meets).
    """

    IDENTITY: ClassVar[str] = "code"

    code: str
    rule: Rule
    name: Text
    meaning: Text
    elements: list[str]
    limit: int | None = None
    law: str = ""
    working_days: int = 10
    women_limit: int | None = None
    kinds: list[str] = field(default_factory=list)  # relation kinds a check of relatives looks at
    beside: list[str] = field(
        default_factory=list
    )  # elements that whoever decides a conflict sees besides the one found wrong

    def check(self) -> Iterable[tuple[str, str, str]]:
        """Rules a check keeps beyond its shape."""
        if not self.elements:
            yield "elements", "must name at least one element", "须至少列出一个数据元"
        if self.rule in _NEEDS_LIMIT and self.limit is None:
            yield "limit", f"is needed by the rule {self.rule}", f"规则 {self.rule} 需要此项"
        if self.working_days < 1:
            yield "working_days", "must be at least 1", "须不小于 1"


_NEEDS_LIMIT = ("active_after_death", "parent_too_young", "married_too_young", "resident_in_two_places")
