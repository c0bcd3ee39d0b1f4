"""Under any sequence of changes of divisions: sums over areas are the total, in the divisions of any day; codes lead to today; history stays."""

from datetime import date, timedelta
from fractions import Fraction

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.make.divisions import change_text
from wanjia.standards import api as standards
from wanjia.standards.api import Division, Divisions

COUNTIES = ("990101", "990102")
FIRST = date(2000, 1, 1)


def row(code, parent, level):
    return Division(code, code, code, level, parent, None, None, "day", (), "test")


def small_land() -> Divisions:
    rows = [
        row("990000", None, "province"),
        row("990100", "990000", "city"),
        *(row(one, "990100", "county") for one in COUNTIES),
    ]
    for county in COUNTIES:
        for town in ("001", "002"):
            rows.append(row(county + town, county, "town"))
            rows += [row(f"{county}{town}{village:03d}", county + town, "village") for village in (1, 2)]
    return Divisions(rows)


def fresh(divisions, parent, taken):
    """A code under a parent that never was one."""
    width = 12 if len(parent) == 9 else 9
    return next(
        code
        for number in range(1, 999)
        if (code := f"{parent}{number:03d}") not in divisions and code not in taken and len(code) == width
    )


def drawn_change(draw, divisions, number, on):
    towns = [one.code for county in COUNTIES for one in divisions.children(county)]
    kind = draw(st.sampled_from(["rename", "split", "merge", "transfer", "transfer village"]))
    taken: set[str] = set()

    def new(parent):
        code = fresh(divisions, parent, taken)
        taken.add(code)
        return code

    town = draw(st.sampled_from(towns))
    names, moves, office = {}, [], None
    if kind == "rename":
        moves, names = [(town, town)], {town: f"n{number}"}
    elif kind == "split":
        one, other = new(town[:6]), new(town[:6])
        part = draw(st.integers(1, 9))
        told = draw(st.booleans())
        moves = [(town, one, part / 10), (town, other, (10 - part) / 10)] if told else [(town, one), (town, other)]
        for village in divisions.children(town):
            if draw(st.integers(0, 3)) == 0:
                moves += [(village.code, new(one), 0.5), (village.code, new(other), 0.5)]
            else:
                moves.append((village.code, new(draw(st.sampled_from([one, other])))))
        office = one
    elif kind == "merge":
        others = [one for one in towns if one[:6] == town[:6] and one != town]
        if not others:
            return None
        other = draw(st.sampled_from(others))
        into = draw(st.sampled_from([town, new(town[:6])]))
        brought = (0.25, 0.75) if draw(st.booleans()) else (None, None)
        moves = [(town, into, None, brought[0]), (other, into, None, brought[1])]
        for source in (town, other):
            if source == into:
                continue
            moves += [(one.code, new(into)) for one in divisions.children(source)]
    elif kind == "transfer":
        into = new(next(one for one in COUNTIES if one != town[:6]))
        moves = [(town, into), *((one.code, new(into)) for one in divisions.children(town))]
    else:
        villages, others = divisions.children(town), [one for one in towns if one != town]
        if not villages or not others:
            return None
        moves = [(draw(st.sampled_from(villages)).code, new(draw(st.sampled_from(others))))]
    text = change_text(f"{on.year:04d}-{on.month:02d}-x{number}", kind.split()[0], on, moves, names, office=office)
    return standards.read_change(text)


@given(st.data())
@settings(max_examples=60, deadline=None)
def test_sums_over_areas_are_the_total_in_the_divisions_of_any_day(data):
    divisions, on, tables = small_land(), FIRST, []
    for number in range(data.draw(st.integers(1, 8))):
        on += timedelta(days=data.draw(st.integers(1, 900)))
        change = drawn_change(data.draw, divisions, number, on)
        if change is None:
            continue
        before = divisions
        divisions = standards.divisions_after(change, before)
        tables.append((on, before))
    codes = sorted({one.code for one in divisions if len(one.code) >= 9})
    people = {code: data.draw(st.integers(0, 40)) for code in data.draw(st.lists(st.sampled_from(codes), max_size=12))}
    said, asked = (FIRST + timedelta(days=data.draw(st.integers(-400, 6000))) for _ in range(2))
    for within, areas in {
        "9901": divisions.children("990100", asked),
        **{county: divisions.children(county, asked) for county in COUNTIES},
    }.items():
        told = standards.restate(
            divisions,
            people,
            on=said,
            to=asked,
            within=within,
            areas=[standards.significant(one.code) for one in areas],
        )
        assert min([told.apart, *told.areas.values()], default=0) >= 0
        if within == "9901":
            assert sum(told.areas.values()) + told.apart == sum(people.values())
    for code in people:
        parts = standards.carried(divisions, code, said, asked).parts
        assert sum(parts.values(), Fraction(0)) == 1
        assert all(divisions.find(one, asked).is_valid_on(asked) for one in parts), (code, parts)
        now = divisions.current_code(code)
        assert divisions.find(now).valid_to is None
    # what a day was like does not change by what comes after it
    for day, before in tables:
        eve = day - timedelta(days=1)
        for county in COUNTIES:
            names = [(one.code, one.name_zh, one.parent) for one in before.children(county, eve)]
            assert [(one.code, one.name_zh, one.parent) for one in divisions.children(county, eve)] == names
