"""How the register decides between sources (pure)."""

import hashlib
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

Strategy = Literal["precedence", "recency", "vote", "average"]

HALF_LIFE_DAYS = 1461  # four years: a statement that old weighs half as much as one of today
LAST_RANK = 63  # of a source that an element's precedence does not name
# a preference key packs, from the high end: is the number sound, rank, effective day, ordinal (the later record wins a tie)
ORDINAL_SPAN = 1 << 12
DAY_SPAN = 1 << 18
DAY_OFFSET = 1 << 17  # effective days reach from about -130 000 to +130 000, far more than any register
RANK_STEP = ORDINAL_SPAN * DAY_SPAN
SOUND_STEP = RANK_STEP * (LAST_RANK + 1)

# the separators of a dossier's text, as wanjia.privacy.rules reads them (a test holds the two together: the engine's part must not need Django)
DOSSIER_PART, DOSSIER_RECORD, DOSSIER_FIELD = "\x1d", "\x1e", "\x1f"

# of what was chosen: an ordinal plus 1, as many as a signed 64-bit number holds
ORDINAL_ROOM = 2 * ORDINAL_SPAN
ORDINALS_PACKED = 4

HEAD_RELATIONS = ("01", "02")  # GB/T 4761: 本人, 户主
SPOUSE_RELATIONS = ("10", "11", "12")
CHILD_RELATIONS = (
    "20",
    "21",
    "22",
    "23",
    "24",
    "25",
    "26",
    "27",
    "29",
    "30",
    "31",
    "32",
    "33",
    "34",
    "35",
    "36",
    "37",
    "39",
)
FATHER_RELATIONS = ("51", "57")
MOTHER_RELATIONS = ("52", "58")
MALE, FEMALE = "1", "2"


class TrustedSource(Protocol):
    """What resolving needs to know of a source."""

    code: str
    department: str
    role: str
    reliability: float


class DeclaredElement(Protocol):
    """What resolving needs to know of an element (standards.declared.Element)."""

    key: str
    code: str
    type: str


@dataclass(frozen=True)
class ElementRule:
    """How one element's value is chosen. `columns` are its value columns (several for a composite element: they win together)."""

    key: str
    tag: str
    columns: tuple[str, ...]
    type: str
    strategy: Strategy
    precedence: tuple[str, ...] = ()
    is_composite: bool = False  # declared with parts, however many of them are delivered
    has_state: bool = False  # an identity number with `__state`: a sound one is preferred to any other

    @property
    def letter(self) -> str:
        """The rule's letter in a dossier."""
        return RULE_LETTERS[self.strategy]


RULE_LETTERS: dict[str, str] = {"precedence": "p", "recency": "r", "vote": "v", "average": "a"}
#: stands between the letter and what an average came to
AVERAGED = ":"
RULE_NAMES = {**{letter: name for name, letter in RULE_LETTERS.items()}, "e": "event"}


def packed_name(elements: Iterable[tuple[int, str, str]]) -> str:
    """The name of a column about these elements: (place in a dossier, tag, letter of the rule)."""
    return "|".join(f"{place}.{tag}.{letter}" for place, tag, letter in elements)


def packed_elements(name: str) -> list[tuple[int, str, str]]:
    """The elements in a name that `packed_name` made."""
    found = []
    for element in name.split("|"):
        place, _, rest = element.partition(".")
        tag, _, letter = rest.rpartition(".")
        found.append((int(place), tag, letter))
    return found


def chosen_text(held: Mapping[str, int | str | None]) -> str:
    """Which statement won each element, and by which rule, as a dossier says it. `held`: column of `packed_name` → number, or text of an average."""
    said: dict[int, str] = {}
    for name, value in held.items():
        for place, tag, letter in packed_elements(name):
            if letter == AVERAGED:
                # it stands behind the column of its ordinal
                if place in said and value is not None:
                    said[place] += f"{AVERAGED}{value}"
                continue
            value, ordinal = divmod(value or 0, ORDINAL_ROOM)
            if ordinal:
                said[place] = f"{tag}={ordinal - 1}{letter}"
    return DOSSIER_FIELD.join(said[place] for place in sorted(said))


def element_rules(elements: Iterable[DeclaredElement], available: Iterable[str]) -> list[ElementRule]:
    """The rules of those declared elements that the frame has columns for, in the declared order."""
    present = set(available)
    rules = []
    for element in elements:
        columns = tuple(column for column in value_columns(element) if column in present)
        if not columns:
            continue
        resolve = getattr(element, "resolve", None)
        rules.append(
            ElementRule(
                key=element.key,
                tag=tag_of(element),
                columns=columns,
                type=element.type,
                strategy=getattr(resolve, "strategy", None) or "recency",
                precedence=tuple(getattr(resolve, "precedence", None) or ()),
                is_composite=bool(getattr(element, "parts", None)),
                has_state=f"{element.key}__state" in present,
            )
        )
    return rules


def value_columns(element: DeclaredElement) -> list[str]:
    """The columns that carry the element's value: its own, or one for each part of a composite."""
    parts = getattr(element, "parts", None) or ()
    return [part.key for part in parts] or [element.key]


def tag_of(element: DeclaredElement) -> str:
    """The element's short mark inside a dossier: PB.GA.02 → GA02; the key itself where the code is of another form."""
    code = element.code
    return code.removeprefix("PB.").replace(".", "") if code.startswith("PB.") else element.key


def rank_of(source: TrustedSource, precedence: Sequence[str]) -> int:
    """The source's place in a precedence list (0 is first): by its code, else its department, else its role; else last."""
    for name in (source.code, source.department, source.role):
        if name in precedence:
            return precedence.index(name)
    return LAST_RANK


def days_of_trust(reliability: float) -> int:
    """A source's reliability as days of recency.

    reliability × 2^(-age / half-life) orders statements exactly as (as_of + half-life × log2 reliability) does: so the order needs
    no reference day, whole days are enough, and both engines agree to the last bit.
    """
    return round(HALF_LIFE_DAYS * math.log2(min(1.0, max(reliability, 1e-6))))


def weight_of(reliability: float) -> int:
    """A source's weight in a vote or an average, in whole millionths before it is halved by age."""
    return max(1, round(min(1.0, max(reliability, 0.0)) * 1_000_000))


def household_id(office: str | None, number: str) -> int:
    """A household's id: the first 60 bits of SHA-256 over "office|number" (the engine computes the same in bulk/facts.py)."""
    return int(hashlib.sha256(f"{office or ''}|{number}".encode()).hexdigest()[:15], 16)


def rank_tables(
    rules: Iterable[ElementRule], sources: Mapping[str, TrustedSource]
) -> tuple[list[dict[str, int]], dict[str, int]]:
    """(distinct rank tables, element key → number of its table). A rank table says each source's rank.

    Elements share a handful of precedences, and a key column is computed for each table, not for each element.
    """
    tables: list[dict[str, int]] = []
    chosen: dict[str, int] = {}
    for rule in rules:
        listed = rule.precedence if rule.strategy == "precedence" else ()
        table = {code: rank_of(source, listed) for code, source in sources.items()}
        if table not in tables:
            tables.append(table)
        chosen[rule.key] = tables.index(table)
    return tables, chosen
