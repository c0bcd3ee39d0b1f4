"""A few declared elements and sources as resolving needs them, without reading any declared file."""

from dataclasses import dataclass, field
from types import SimpleNamespace

from tests.make.assertions import COLUMNS, SOURCES

LAW_FIRST = {
    "birth_on": ["birth_certificates", "police_register"],
    "sex": ["police_register"],
    "name": ["police_register"],
    "citizen_number": ["police_register"],
    "household_number": ["police_register"],
    "domicile_division": ["police_register"],
    "died_at": ["death_certificates"],
}
TYPES = {
    "citizen_number": "identity_number",
    "mother_number": "identity_number",
    "father_number": "identity_number",
    "spouse_number": "identity_number",
    "name": "name",
    "birth_on": "date",
    "domicile_division": "division",
    "residence_division": "division",
    "died_at": "datetime",
    "moved_in_on": "date",
    "marriage_event_on": "date",
}


@dataclass
class Element:
    """An element with the fields that resolving reads."""

    key: str
    code: str
    type: str = "text"
    parts: list = field(default_factory=list)
    resolve: SimpleNamespace | None = None


@dataclass
class Source:
    """A source with the fields that resolving reads."""

    code: str
    department: str = "GA"
    role: str = "supplement"
    reliability: float = 0.8


def elements(**strategies: str) -> list[Element]:
    """All elements of `tests.make.assertions`, with their usual rules or those given by name."""
    keys = [c for c in COLUMNS if "__" not in c and c not in BOOKKEEPING]
    made = []
    for number, key in enumerate(keys):
        strategy = strategies.get(key) or ("precedence" if key in LAW_FIRST else "recency")
        made.append(
            Element(
                key,
                f"PB.XX.{number:02}",
                TYPES.get(key, "text"),
                [],
                SimpleNamespace(strategy=strategy, precedence=LAW_FIRST.get(key, []), law=""),
            )
        )
    return made


def tag(key: str) -> str:
    """The element's mark in a dossier."""
    return next(e.code for e in elements() if e.key == key).removeprefix("PB.").replace(".", "")


def sources(**reliability: float) -> dict[str, Source]:
    """All sources of `tests.make.assertions`; the police register is the baseline."""
    made = {code: Source(code) for code in SOURCES}
    made["police_register"].role, made["police_register"].reliability = "baseline", 0.95
    for code, value in reliability.items():
        made[code].reliability = value
    return made


BOOKKEEPING = ("assertion_id", "source", "delivery_id", "row_no", "record_key", "subject", "as_of")
