"""Numbers of people of one year in the divisions of another (pure): what is exact, what only shares tell, what cannot be told apart."""

import datetime
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction

from wanjia.standards.rules.changes import significant
from wanjia.standards.rules.divisions import Division, Divisions

WHOLE = Fraction(1)


@dataclass(frozen=True)
class UsedShare:
    """A share by which people were told apart: of `old`, on the day it became several, or of those several's successor."""

    old: str
    new: str
    on: datetime.date
    share: Fraction
    is_back: bool


@dataclass(frozen=True)
class Carried:
    """Where the people of one code are in the divisions of another day: code → part of them, of which `estimated` by shares."""

    parts: Mapping[str, Fraction]
    estimated: Mapping[str, Fraction]
    used: frozenset[UsedShare] = frozenset()


@dataclass
class Restated:
    """People by area: whole numbers whose sum is that of what was restated. `apart`: who is known only to an area above.

    `by_share`: how many of an area's people only shares tell. `flows`: (area then, area asked for) → people, of the exact part.
    """

    areas: dict[str, int]
    apart: int
    by_share: dict[str, int]
    used: list[UsedShare]
    flows: dict[tuple[str, str], int] = field(default_factory=dict)


def carried(divisions: Divisions, code: str, on: datetime.date, to: datetime.date) -> Carried:
    """Where the people whose division was written `code` for the day `on` are in the divisions of the day `to`.

    Forward along successors, backward along what they came from. Where one became several and no share is told (or several one, and it is not told
    what each brought), they stay together in the smallest division of that day that holds all. An unknown finer code is read as what holds it.
    """
    known = next((one for one in (code, code[:9], code[:6]) if one in divisions), None)
    if known is None:
        return Carried({code: WHOLE}, {})
    begins = divisions.find(known, on)
    if begins.is_valid_on(to):
        return Carried({code: WHOLE}, {})
    parts: dict[str, Fraction] = {}
    estimated: dict[str, Fraction] = {}
    used: set[UsedShare] = set()
    waiting = [(begins, WHOLE, False, 0)]
    while waiting:
        at, part, is_estimate, steps = waiting.pop()
        # a table may lead in a ring (a code given back); nobody walks longer than there are changes
        onward = _onward(divisions, at, to) if steps < 100 else None
        if onward is None:
            # nothing finer than a known code is lost where that code still stands
            here = code if known != code and at.code == known and steps == 0 else at.code
            parts[here] = parts.get(here, Fraction(0)) + part
            if is_estimate:
                estimated[here] = estimated.get(here, Fraction(0)) + part
            continue
        for after, share in onward:
            if share is not None:
                is_back = after.valid_to is not None and after.valid_to == at.valid_from
                used.add(UsedShare(at.code, after.code, at.valid_from if is_back else at.valid_to, share, is_back))
            waiting.append(
                (after, part if share is None else part * share, is_estimate or share is not None, steps + 1)
            )
    return Carried(parts, estimated, frozenset(used))


def restate(
    divisions: Divisions,
    people: Mapping[str, int],
    *,
    on: datetime.date,
    to: datetime.date,
    within: str,
    areas: Iterable[str],
) -> Restated:
    """The people of the day `on`, by written code, in `areas` of the day `to` (codes without zero padding, all inside `within`).

    Who was, or would be, inside `within` counts. Sums are kept: numbers are rounded so that areas and `apart` make up the whole.
    """
    wanted = list(areas)
    width = len(wanted[0]) if wanted else 12
    inside = set(wanted)
    exact: dict[str, Fraction] = {}
    shared: dict[str, Fraction] = {}
    flows: dict[tuple[str, str], int] = {}
    used: set[UsedShare] = set()
    for code, number in people.items():
        if not number:
            continue
        went = carried(divisions, code, on, to)
        is_inside = False
        for target, part in went.parts.items():
            shown = significant(target)
            if not shown.startswith(within):
                # an area above `within` holds people who may be inside: they are counted there, not here
                continue
            is_inside = True
            area = shown[:width] if shown[:width] in inside else ""
            exact[area] = exact.get(area, Fraction(0)) + number * part
            by_share = went.estimated.get(target, Fraction(0))
            shared[area] = shared.get(area, Fraction(0)) + number * by_share
            if part == WHOLE and not by_share:
                of_then = carried(divisions, code, on, on).parts
                then = significant(next(iter(of_then)))[:width] if len(of_then) == 1 else ""
                flows[then, area] = flows.get((then, area), 0) + number
        if is_inside:
            used |= went.used
    whole = _rounded({area: exact.get(area, Fraction(0)) for area in ("", *wanted)})
    return Restated(
        areas={area: whole[area] for area in wanted},
        apart=whole[""],
        by_share={area: round(shared[area]) for area in wanted if shared.get(area)},
        used=sorted(used, key=lambda one: (one.on, one.old, one.new)),
        flows=flows,
    )


def tellable(restated: Restated, smallest: int) -> set[str]:
    """The areas whose number, beside those in the divisions of its own day, would tell a count of fewer than `smallest`: the part of an area of then
    that lies in one of several areas asked for.
    """
    split: dict[str, dict[str, int]] = {}
    for (then, area), people in restated.flows.items():
        split.setdefault(then, {})[area] = people
    return {
        area for parts in split.values() if len(parts) > 1 for area, people in parts.items() if 0 < people < smallest
    }


def _rounded(parts: Mapping[str, Fraction]) -> dict[str, int]:
    """Whole numbers with the sum of `parts`, rounded to the nearest whole: those with the largest remainders are rounded up."""
    floors = {key: int(part) for key, part in parts.items()}
    missing = round(sum(parts.values(), Fraction(0))) - sum(floors.values())
    by_remainder = sorted(parts, key=lambda key: (floors[key] - parts[key], key))
    for key in by_remainder[:missing]:
        floors[key] += 1
    return floors


def _onward(divisions: Divisions, at: Division, to: datetime.date) -> list[tuple[Division, Fraction | None]] | None:
    """Where the people of a division were next on the way to a day, each with its share (None: all of them); None where they have arrived."""
    if at.valid_to is not None and at.valid_to <= to and not at.is_valid_on(to):
        nexts = divisions.became(at)
        shares = [divisions.shares.get((at.code, at.valid_to, one.code), (None, None))[0] for one in nexts]
    elif at.valid_from is not None and at.valid_from > to:
        nexts = divisions.came_from(at)
        shares = [divisions.shares.get((one.code, at.valid_from, at.code), (None, None))[1] for one in nexts]
    else:
        return None
    if len(nexts) == 1:
        return [(nexts[0], None)]
    if nexts and all(share is not None for share in shares):
        return list(zip(nexts, shares, strict=True))
    above = _holding(divisions, nexts or [at], to)
    return None if above is None else [(above, None)]


def _holding(divisions: Divisions, several: list[Division], to: datetime.date) -> Division | None:
    """The smallest division of a day that holds all of these, by their parents; None where there is none."""
    chains = []
    for one in several:
        chain, parent = [], one.parent
        while parent:
            above = divisions.find(parent, to)
            if above is None or above.code in chain:
                break
            if above.is_valid_on(to):
                chain.append(above.code)
            parent = above.parent
        chains.append(chain)
    shared = [code for code in chains[0] if all(code in chain for chain in chains)]
    return divisions.find(shared[0], to) if shared else None
