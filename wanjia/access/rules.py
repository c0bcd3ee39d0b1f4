"""Which role holds which right, and which area covers which division: pure decisions, deny by default."""

from enum import StrEnum


class Right(StrEnum):
    """What a page or verb may ask for. The value is the stable name used in traces and tests."""

    ENTER = "enter"
    FIND_PERSON = "find_person"
    OPEN_PERSON = "open_person"
    SEE_RUNS = "see_runs"
    SEE_QUARANTINE = "see_quarantine"
    SHOW_QUARANTINED_ROW = "show_quarantined_row"
    SEE_QUALITY = "see_quality"
    SEE_LINKAGE = "see_linkage"
    SEE_POPULATION = "see_population"
    SEE_TRACE = "see_trace"


#: role → rights. A right that stands in no line here is held by nobody.
#: The administrator runs the system and holds no right to open persons or raw rows: that is work of an office.
RIGHTS_OF: dict[str, frozenset[Right]] = {
    "officer": frozenset({Right.ENTER, Right.FIND_PERSON, Right.OPEN_PERSON, Right.SEE_POPULATION}),
    "steward": frozenset(
        {
            Right.ENTER,
            Right.SEE_RUNS,
            Right.SEE_QUARANTINE,
            Right.SHOW_QUARANTINED_ROW,
            Right.SEE_QUALITY,
            Right.SEE_LINKAGE,
            Right.SEE_POPULATION,
        }
    ),
    "planner": frozenset({Right.ENTER, Right.SEE_POPULATION}),
    "auditor": frozenset({Right.ENTER, Right.SEE_TRACE, Right.SEE_RUNS, Right.SEE_POPULATION}),
    "admin": frozenset(
        {
            Right.ENTER,
            Right.SEE_RUNS,
            Right.SEE_QUARANTINE,
            Right.SEE_QUALITY,
            Right.SEE_LINKAGE,
            Right.SEE_POPULATION,
            Right.SEE_TRACE,
        }
    ),
}


def holds(role: str, right: Right | str) -> bool:
    """Whether `role` holds `right`; an unknown role or right holds nothing."""
    return right in RIGHTS_OF.get(role, frozenset())


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
