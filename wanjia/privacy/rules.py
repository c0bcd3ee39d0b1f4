"""The form of a dossier, and masks (pure).

A dossier is what one sealed blob holds. It is text in three parts; the separators are control characters that no standardised value
contains, so nothing needs escaping and both engines write it with plain concatenation:

    choices GS statements GS locators
    choices     tag=ordinal letter [: value], …   (US between)   which statement won under which rule; a value only where none states it
    statements  ordinal US source US record key US subject US as-of US tag=value …   (RS between)
    locators    the statements' assertion ids, in their order   (, between)

Locators are apart because they change when the same content is delivered again; whether a person changed is judged without them.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from wanjia.privacy.errors import DossierUnreadable

FORM = b"W1"
PART, RECORD, FIELD = "\x1d", "\x1e", "\x1f"


@dataclass(frozen=True)
class Statement:
    """What one source said about the person, in one record."""

    source: str
    record_key: str
    subject: str
    as_of: date | None
    assertion_id: int
    values: dict[str, str] = field(default_factory=dict)  # tag of the element (or element column) → value
    event_id: int | None = None  # said by a registered event: no record, and above all records


@dataclass(frozen=True)
class Choice:
    """Which statement an element's value was taken from (its place in `Dossier.statements`), and under which rule."""

    statement: int
    rule: str
    value: str | None = None  # only of an average: no statement says exactly this


@dataclass(frozen=True)
class Dossier:
    """Everything known of one person: all statements, and which of them won. `person_id` and `version` are the vault's."""

    person_id: int
    version: int
    statements: list[Statement]
    choices: dict[str, Choice]

    def value(self, tag: str) -> str | None:
        """The value that holds for the element column `tag`, or None."""
        choice = self.choices.get(tag.partition("/")[0])
        if choice is None:
            return None
        if choice.value is not None:
            return choice.value
        return self.statements[choice.statement].values.get(tag)

    def losing(self, tag: str) -> list[Statement]:
        """The statements that say something else about the element than what holds."""
        held = self.value(tag)
        return [s for s in self.statements if tag in s.values and s.values[tag] != held]


DESK, BY_EVENT = "desk", "e"


SOUGHT = "?"


def pack_amendment(
    subject: str, as_of: str, values: Mapping[str, str], searchable: Sequence[tuple[int, str]] = ()
) -> bytes:
    """What an event says of a person, and by which values (kind, match form) they are found, as the bytes to be sealed."""
    said = [f"{tag}={value}" for tag, value in sorted(values.items())]
    sought = [f"{SOUGHT}{kind}={value}" for kind, value in searchable]
    return FIELD.join([as_of, subject, *said, *sought]).encode()


def read_amendment(plain: bytes) -> tuple[str, str, dict[str, str]]:
    """(subject, as of, values) of an opened amendment."""
    as_of, subject, *said = plain.decode().split(FIELD)
    return subject, as_of, dict(one.split("=", 1) for one in said if not one.startswith(SOUGHT))


def sought_in(plain: bytes) -> list[tuple[int, str]]:
    """(kind, match form) of the values by which an opened amendment's person is found."""
    said = (one[1:].split("=", 1) for one in plain.decode().split(FIELD)[2:] if one.startswith(SOUGHT))
    return [(int(kind), value) for kind, value in said]


def with_amendments(dossier: Dossier, amendments: Sequence[tuple[int, bytes]]) -> Dossier:
    """The dossier and over it what events say ((event id, opened bytes) in order of events): each value of an event holds, the last one's first."""
    statements, choices = list(dossier.statements), dict(dossier.choices)
    for event_id, plain in amendments:
        subject, as_of, values = read_amendment(plain)
        for element in {tag.partition("/")[0] for tag in values}:
            choices[element] = Choice(len(statements), BY_EVENT)
        day = date.fromisoformat(as_of) if as_of else None
        statements.append(Statement(DESK, str(event_id), subject, day, 0, values, event_id))
    return Dossier(dossier.person_id, dossier.version, statements, choices)


def pack(text: str) -> bytes:
    """A dossier's text as the bytes to be sealed."""
    return FORM + text.encode()


def read_dossier(plain: bytes, person_id: int, version: int) -> Dossier:
    """The dossier in the opened bytes. Raises `DossierUnreadable`."""
    if not plain.startswith(FORM):
        raise DossierUnreadable(form=plain[:2].hex())
    chosen, stated, located = plain[len(FORM) :].decode().split(PART)
    ids = [int(one) for one in located.split(",")] if located else []
    statements, place = [], {}
    for number, line in enumerate(filter(None, stated.split(RECORD))):
        ordinal, source, record_key, subject, as_of, *values = line.split(FIELD)
        place[int(ordinal)] = number
        statements.append(
            Statement(
                source=source,
                record_key=record_key,
                subject=subject,
                as_of=date.fromisoformat(as_of) if as_of else None,
                assertion_id=ids[number],
                values=dict(value.split("=", 1) for value in values),
            )
        )
    choices = {}
    for one in filter(None, chosen.split(FIELD)):
        tag, _, rest = one.partition("=")
        winner, _, value = rest.partition(":")
        choices[tag] = Choice(place.get(int(winner[:-1]), 0), winner[-1], value or None)
    return Dossier(person_id, version, statements, choices)


def dossier_made(person_id: int, dossier: str) -> Dossier:
    """The dossier that the engine wrote, before it is sealed: of version 0."""
    return read_dossier(pack(dossier), person_id, 0)


def content_of(plain: bytes) -> bytes:
    """The part of the opened bytes by which a dossier is compared: all but the locators."""
    return plain[: plain.rindex(PART.encode())]


def mask_number(number: str) -> str:
    """An identity number with its first 6 and last 4 characters shown; shorter numbers keep their last 4 at most.

    The pattern is common practice, not the text of a standard (standards-facts 5.4).
    """
    if len(number) >= 15:
        return number[:6] + "*" * (len(number) - 10) + number[-4:]
    kept = min(4, len(number) // 2)
    return "*" * (len(number) - kept) + number[len(number) - kept :]


def mask_name(name: str) -> str:
    """A name with only its first character shown."""
    return name[:1] + "*" * max(1, len(name) - 1) if name else name


def mask_address(address: str, shown: int = 6) -> str:
    """An address shown down to about its sub-district: the first `shown` characters."""
    return address[:shown] + "***" if len(address) > shown else "***"


SMALLEST_COUNT = 10  # design, limit 5: no count below this leaves the register


@dataclass(frozen=True)
class ProtectedCount:
    """A count as it may be given out. `people` is None where it is held back: because it is small, or to keep a small one hidden."""

    people: int | None
    is_small: bool = False

    @property
    def is_held_back(self) -> bool:
        """Whether the number itself is not given."""
        return self.people is None


def protect_counts(
    counts: Mapping[Any, int], *, is_total_shown: bool = True, also: Collection[Any] = ()
) -> dict[Any, ProtectedCount]:
    """Counts that partition a whole, with those from 1 to 9 held back; 0 is given, since it speaks of nobody. `also`: others that would tell one.

    Where the whole is published too (`is_total_shown`) and the counts held back sum to less than twice the smallest, subtraction would
    reveal them: the next larger counts are then held back as well, until what subtraction gives is no longer one small number.
    """
    held = {key for key, people in counts.items() if 0 < people < SMALLEST_COUNT}
    small = frozenset(held)
    held |= {key for key in also if counts[key]}
    if is_total_shown and held:
        larger = sorted(
            (key for key, people in counts.items() if people >= SMALLEST_COUNT and key not in held),
            key=lambda key: counts[key],
        )
        while larger and (len(held) < 2 or sum(counts[key] for key in held) < 2 * SMALLEST_COUNT):
            held.add(larger.pop(0))
    return {key: ProtectedCount(None if key in held else people, key in small) for key, people in counts.items()}
