"""What the rules of an event look at: who plays which part, what was said, and what the register holds of everybody concerned (pure)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from wanjia.register.declared.events import EventKind, When
from wanjia.register.rules.folding import Facts, nothing, open_piece

HEADS = ("01", "02")


@dataclass(frozen=True)
class Double:
    """What stands, besides facts, against two being one. `cases`: open cases about either."""

    is_sealed: bool = False
    are_numbers_apart: bool = False
    cases: tuple[int, ...] = ()


@dataclass
class Scene:
    """One event as its rules see it.

    `people`: part → ids (a person the event founds has its id already); `values`: field → canonical value; `facts`: what is held of everybody
    concerned; `rosters`: household → its present members. `related`: event ids of `pair` etc. are not here: rules know no cases but by `pair`.
    """

    kind: EventKind
    people: Mapping[str, list[int]]
    values: Mapping[str, Any]
    facts: dict[int, Facts]
    rosters: dict[int, list[int]]
    today: date
    holders: Mapping[str, list[int]] = field(default_factory=dict)  # citizen number in the form → who holds it
    pair: Mapping[str, Any] | None = None  # the other half: {"event", "people", "is_used"}
    new_household: int | None = None
    double: Double = Double()
    placed: Mapping[int, str] = field(default_factory=dict)  # household → division code of its office
    current: Mapping[str, str] = field(default_factory=dict)  # division code as said → what it is today

    def one(self, role: str) -> int | None:
        """Who plays the part; None where nobody does."""
        return next(iter(self.people.get(role, ())), None)

    def all_of(self, role: str) -> list[int]:
        """All who play the part."""
        return list(self.people.get(role, ()))

    def of(self, person: int | None) -> Facts:
        """What the register holds of somebody."""
        return self.facts.get(person, nothing()) if person is not None else nothing()

    def state(self, person: int | None, column: str) -> Any:
        """One column of somebody's state; None where nothing is known."""
        state = self.of(person)["state"]
        return state[column] if state else None

    def household_of(self, person: int | None) -> int | None:
        """The household somebody belongs to now."""
        piece = open_piece(self.of(person), "membership", "domicile")
        return piece["household_id"] if piece else None

    def is_head(self, person: int | None) -> bool:
        """Whether somebody is head of a household now."""
        piece = open_piece(self.of(person), "membership", "domicile")
        return bool(piece and piece["is_head"])

    def others_in(self, household: int | None, leaving: Iterable[int] = ()) -> list[int]:
        """The members of a household without those who leave."""
        gone = set(leaving)
        return [person for person in self.rosters.get(household, []) if person not in gone]

    def head_of(self, household: int | None) -> int | None:
        """The head of a household now."""
        return next((p for p in self.rosters.get(household, []) if self.is_head(p)), None)

    def spouse_of(self, person: int | None) -> int | None:
        """Whom somebody is married to now."""
        piece = open_piece(self.of(person), "relation", "spouse")
        return piece["other_id"] if piece else None

    def value(self, spec: str) -> Any:
        """A declared value: a field's, "=text" for just that, "part.column" for what the register holds."""
        if not spec:
            return None
        if spec.startswith("="):
            return spec[1:]
        role, dot, column = spec.partition(".")
        if dot:
            return self.state(self.one(role), column)
        return self.values.get(spec)

    def day(self, spec: str = "") -> str:
        """The day something takes effect: the field's, or the event's own."""
        return str(self.value(spec) or self.values[self.kind.happens_on])[:10]

    def holds(self, when: When | None) -> bool:
        """Whether a condition of the declaration is met by what was said."""
        if when is None:
            return True
        value = self.people.get(when.key) or self.values.get(when.key)
        if not when.among:
            return value not in (None, "", False, [])
        return (str(value).lower() if isinstance(value, bool) else str(value)) in when.among


def years_between(earlier: str, later: str) -> int:
    """Whole years from one day to another; somebody born on 29 February is a year older on 1 March of a common year."""
    return int(later[:4]) - int(earlier[:4]) - (later[5:10] < earlier[5:10])
