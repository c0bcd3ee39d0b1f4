"""Rights by name, areas, and the circumstances of a decision: pure, deny by default."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from enum import StrEnum


class Right(StrEnum):
    """What a page or verb may ask for; declared roles hold them. The value is the stable name used in traces and tests."""

    ENTER = "enter"
    FIND_PERSON = "find_person"
    OPEN_PERSON = "open_person"
    BREAK_GLASS = "break_glass"
    SEE_NOTICES = "see_notices"
    HANDLE_EVENTS = "handle_events"
    SEAL_PERSON = "seal_person"
    GRANT_PERSON = "grant_person"
    SEE_OWN_RECORD = "see_own_record"
    SEE_RUNS = "see_runs"
    SEE_QUARANTINE = "see_quarantine"
    SHOW_QUARANTINED_ROW = "show_quarantined_row"
    SEE_QUALITY = "see_quality"
    SEE_LINKAGE = "see_linkage"
    SEE_POPULATION = "see_population"
    SEE_TRACE = "see_trace"
    SEE_ACCOUNTS = "see_accounts"
    MANAGE_ACCOUNTS = "manage_accounts"
    MANAGE_LOCKS = "manage_locks"
    SEE_POLICIES = "see_policies"
    KEYS = "keys"
    OVERSEE = "oversee"
    OPEN_SEALS = "open_seals"
    ISSUE_DOCUMENT = "issue_document"
    REVOKE_DOCUMENT = "revoke_document"
    CONFIRM_REVOCATION = "confirm_revocation"
    ANSWER_ASKED = "answer_asked"
    DECIDE_CORRECTION = "decide_correction"
    FIND_USAGE = "find_usage"
    CHANGE_DIVISIONS = "change_divisions"


class Action(StrEnum):
    """What a policy decides about: finding that somebody is there, reading, delivering, putting on the person's own papers, and opening in an
    emergency."""

    FIND = "find"
    READ = "read"
    EXPORT = "export"
    CERTIFY = "certify"
    BREAK_GLASS = "break_glass"


#: rights that lead to persons: no administrator's role may hold one
PERSON_RIGHTS = frozenset(
    {
        Right.FIND_PERSON,
        Right.OPEN_PERSON,
        Right.HANDLE_EVENTS,
        Right.BREAK_GLASS,
        Right.SHOW_QUARANTINED_ROW,
        Right.SEE_OWN_RECORD,
        Right.ISSUE_DOCUMENT,
        Right.ANSWER_ASKED,
        Right.DECIDE_CORRECTION,
        Right.FIND_USAGE,
    }
)


#: actions that are decided field group by field group
FIELD_ACTIONS = frozenset({Action.READ, Action.EXPORT, Action.CERTIFY})


@dataclass(frozen=True)
class Subject:
    """The person a decision is about, as far as deciding needs: id, today's divisions (codes), and whether sealed."""

    person_id: int
    divisions: tuple[str, ...] = ()
    is_sealed: bool = False


@dataclass(frozen=True)
class LiveGrant:
    """What was granted to one account for one person and one purpose, now. Empty `fields` reads nothing."""

    finds: bool = False
    reads: bool = False
    is_urgent: bool = False
    covers_sealed: bool = False
    fields: frozenset[str] = frozenset()
    number: int | None = None


@dataclass(frozen=True)
class Circumstances:
    """Everything a policy may look at besides role, purpose and fields; equal circumstances get equal decisions."""

    in_area: bool = False
    is_sealed: bool = False
    is_own: bool = False
    may_find: bool = False
    may_read: bool = False
    is_urgent: bool = False
    covers_sealed: bool = False

    def as_context(self) -> dict[str, bool]:
        """The circumstances as Cedar's context takes them."""
        return asdict(self)


@dataclass(frozen=True)
class Decision:
    """What was decided. `fields` are groups of elements; `elements` their keys; empty where nothing may be shown.

    `policies` maps the id of each deciding policy to the hash of its text; empty when nothing permitted.
    """

    action: Action
    purpose: str
    is_allowed: bool
    fields: frozenset[str] = frozenset()
    elements: frozenset[str] = frozenset()
    policies: Mapping[str, str] = field(default_factory=dict)
    grant: int | None = None

    @property
    def basis(self) -> str:
        """The deciding policies as the trace names a basis: id and hash of the text of each."""
        return "; ".join(f"{policy}@{hashed}" for policy, hashed in sorted(self.policies.items()))

    def detail(self) -> dict[str, object]:
        """What the trace keeps of the decision: deciding policies with their text's hash, field groups, the grant used."""
        kept: dict[str, object] = {"policies": dict(self.policies), "groups": sorted(self.fields)}
        if self.grant is not None:
            kept["grant"] = self.grant
        return kept


def circumstances(area: str, person_id: int | None, subject: Subject, grant: LiveGrant) -> Circumstances:
    """The circumstances of an account of `area` (bound to `person_id`, if a resident's) towards a subject."""
    return Circumstances(
        in_area=covers_one(area, subject.divisions),
        is_sealed=subject.is_sealed,
        is_own=person_id is not None and person_id == subject.person_id,
        may_find=grant.finds,
        may_read=grant.reads,
        is_urgent=grant.is_urgent,
        covers_sealed=grant.covers_sealed,
    )


def covers_one(area: str, divisions: Iterable[str]) -> bool:
    """Whether `area` covers one of a record's divisions; an empty area covers everything, also records of no division."""
    return not area or any(covers(area, division) for division in divisions)


def covers(area: str, division: str | None) -> bool:
    """Whether an account of `area` may see a record of `division`.

    Division codes nest by prefix once trailing zeros are cut in pairs (province 2, prefecture 4, county 6, then 9 and 12
    digits). An empty area covers everything; a record of unknown division is seen only by those who see everything.
    """
    if not area:
        return True
    if not division:
        return False
    return division.startswith(significant(area))


def significant(code: str) -> str:
    """`code` without the zero padding below its own level: 990100 → 9901, 990101000000 → 990101."""
    for width in (2, 4, 6, 9):
        if len(code) > width and not code[width:].strip("0"):
            return code[:width]
    return code


@dataclass(frozen=True)
class Tally:
    """Failed log-ins of one name in a row, and until when it is locked."""

    failures: int = 0
    last_at: datetime | None = None
    locked_until: datetime | None = None
