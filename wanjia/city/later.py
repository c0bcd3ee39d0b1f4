"""The second wave: three months later. What changed in the city, and what the departments send about it.

Newborns, arrivals, deaths, marriages and children who start school come as rows with new keys; people who moved, and errors that were
found, come as rows whose keys were sent before: the later row replaces the earlier one.
"""

import dataclasses
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from wanjia.city import calendar, chance, dwellings, families, names, numbers, places
from wanjia.city.exports.writing import Export
from wanjia.city.faults import BIT
from wanjia.city.population import DEAD, LIVING, City, People, blank

LATER = calendar.day(2026, 9, 30)
SERIES = "B"
NEW_SEQUENCES = 200  # numbers given in the second wave start here, so that they are nobody else's
ABSENT = 9  # a state no export looks for

# Shares of residents per quarter.
BORN, ARRIVED, MARRIED, HOUSEHOLDS_MOVED = 0.0017, 0.010, 0.0009, 0.012
REPORTED = 0.6  # of changes of address that a source learns in the quarter
CORRECTED = 0.10  # of faulty numbers and names that a source finds in the quarter


@dataclass(frozen=True)
class Fields:
    """The columns of a source that a later row may change."""

    number: str
    name: str
    as_of: str
    date_style: calendar.DateStyle
    address: str | None = None
    address_style: dwellings.AddressStyle = "full"
    community: str | None = None


FIELDS = {
    "police_register": Fields("公民身份号码", "姓名", "更新日期", "compact"),
    "residence_registration": Fields("身份证件号码", "姓名", "登记日期", "iso", "现住地址", "district", "现住地区划"),
    "assistance": Fields("身份证号", "姓名", "填报日期", "iso", "家庭住址", "loose", "所属社区"),
    "social_insurance": Fields("citizen_no", "full_name", "updated_on", "iso", "address", "road"),
    "school_rolls": Fields("身份证件号", "姓名", "学籍更新日期", "slash", "家庭住址", "loose"),
    "medical_insurance": Fields("证件号", "姓名", "更新时间", "compact", "联系地址", "district"),
}
_NUMBER_FAULTS = (
    "number_missing",
    "number_transposed",
    "number_digit_off",
    "number_check_wrong",
    "number_of_another",
    "two_numbers",
)
_NAME_FAULTS = ("name_homophone", "name_look_alike", "name_former", "name_missing")
# not looked for, but gone once the field is written anew
_ALSO_MENDED = ("number_first_generation", "number_spelling", "name_variant", "name_spacing")


@dataclass(frozen=True)
class Changes:
    """Persons concerned by what happened in the quarter (bool per person of the later city)."""

    born: np.ndarray
    arrived: np.ndarray
    died: np.ndarray
    married: np.ndarray
    moved: np.ndarray
    starts_school: np.ndarray

    def new_in(self, source: str) -> np.ndarray:
        """Persons of whom the source writes a row it did not have before."""
        match source:
            case "police_register" | "birth_certificates":
                return self.born
            case "residence_registration" | "social_insurance":
                return self.arrived
            case "death_certificates":
                return self.died
            case "marriages":
                return self.married
            case "school_rolls":
                return self.starts_school
            case "medical_insurance":
                return self.born | self.arrived
            case _:
                return np.zeros(len(self.born), dtype=bool)


def three_months_on(city: City) -> tuple[City, Changes]:
    """The city on 2026-09-30, and what changed since the reference day. Persons keep their numbers; new ones follow them."""
    rng = chance.stream(city.seed, "later")
    before, residents = len(city.people), int((city.people.state == LIVING).sum())
    people = dataclasses.replace(
        city.people, **{f.name: getattr(city.people, f.name).copy() for f in dataclasses.fields(People)}
    )
    died = _some_die(people, rng)
    married = _some_marry(people, round(residents * MARRIED), rng)
    babies = _newborns(people, round(residents * BORN), rng)
    guests = _arrivals(people, round(residents * ARRIVED), rng)
    fresh = People(
        **{f.name: np.concatenate([getattr(p, f.name) for p in (babies, guests)]) for f in dataclasses.fields(People)}
    )
    fresh.first[:], fresh.second[:] = names.draw_given(rng, fresh.birth, fresh.sex)
    people = People(
        **{f.name: np.concatenate([getattr(p, f.name) for p in (people, fresh)]) for f in dataclasses.fields(People)}
    )
    homes, moved_household = _move(city, people, rng)
    later = _with_fresh(city, people, fresh, homes)
    size = len(people)
    position = np.arange(size)

    def among(rows: np.ndarray) -> np.ndarray:
        found = np.zeros(size, dtype=bool)
        found[rows] = True
        return found

    starts = (people.state == LIVING) & (people.age(LATER) == 6) & (people.age(calendar.REFERENCE) < 6)
    return later, Changes(
        born=(position >= before) & (position < before + len(babies)),
        arrived=position >= before + len(babies),
        died=among(died),
        married=among(married),
        moved=moved_household[people.household] & (people.state == LIVING) & (position < before),
        starts_school=starts,
    )


def _days(rng: np.random.Generator, size: int) -> np.ndarray:
    """Days of the quarter, early enough to be reported in it."""
    return (calendar.REFERENCE + 1 + rng.integers(0, LATER - calendar.REFERENCE - 25, size)).astype(np.int32)


def _some_die(people: People, rng: np.random.Generator) -> np.ndarray:
    quarterly = np.interp(people.age(), (0, 50, 60, 70, 80, 90), (5e-5, 4e-4, 0.0018, 0.0045, 0.012, 0.03))
    dead = np.flatnonzero(people.local & (people.state == LIVING) & (rng.random(len(people)) < quarterly))
    people.state[dead] = DEAD
    people.died[dead] = _days(rng, len(dead))
    return dead


def _some_marry(people: People, count: int, rng: np.random.Generator) -> np.ndarray:
    free = (
        (people.state == LIVING)
        & people.local
        & (people.marital == families.SINGLE)
        & (people.age() >= 22)
        & (people.age() < 36)
    )
    men, women = (rng.permutation(np.flatnonzero(free & (people.sex == sex)))[:count] for sex in (1, 2))
    count = min(len(men), len(women))
    men, women = np.sort(men[:count]), np.sort(women[:count])
    men, women = (
        men[np.argsort(people.birth[men], kind="stable")],
        women[np.argsort(people.birth[women], kind="stable")],
    )
    people.spouse[men], people.spouse[women] = women, men
    people.married[women] = people.married[men] = _days(rng, count)
    both = np.r_[men, women]
    people.marital[both] = families.FIRST_MARRIAGE
    return both


def _newborns(people: People, count: int, rng: np.random.Generator) -> People:
    lately = np.zeros(len(people), dtype=bool)
    lately[people.mother[(people.mother >= 0) & (people.age() < 2)]] = True
    able = (people.sex == 2) & (people.state == LIVING) & (people.spouse >= 0) & people.local & ~lately
    mothers = rng.permutation(np.flatnonzero(able & (people.age() >= 21) & (people.age() < 40)))[:count]
    fathers = people.spouse[mothers]
    babies = blank(len(mothers))
    babies.birth[:] = _days(rng, len(mothers))
    babies.sex[:] = np.where(rng.random(len(mothers)) < 0.527, 1, 2)
    babies.local[:] = True
    babies.mother[:], babies.father[:] = mothers, fathers
    babies.household[:] = people.household[mothers]
    under_parents = (people.relation[mothers] == 2) | (people.relation[fathers] == 2)
    babies.relation[:] = np.where(babies.sex == 1, np.where(under_parents, 20, 41), np.where(under_parents, 30, 42))
    for name in ("surname", "ethnicity"):
        getattr(babies, name)[:] = getattr(people, name)[fathers]
    districts = np.array([int(code) for code in places.communities().districts])
    babies.origin[:] = districts[rng.integers(0, len(districts), len(mothers))]
    return babies


def _arrivals(people: People, count: int, rng: np.random.Generator) -> People:
    guests = blank(count)
    guests.birth[:] = calendar.REFERENCE - np.floor((18 + rng.gamma(2.0, 7.0, count)) * calendar.YEAR)
    guests.sex[:] = np.where(rng.random(count) < 0.54, 1, 2)
    guests.surname[:] = names.draw_surnames(rng, count)
    guests.arrived[:] = _days(rng, count)
    guests.household[:] = int(people.household.max()) + 1 + np.arange(count)
    codes = np.array([int(code) for code in places.elsewhere()[0]])
    guests.origin[:] = codes[rng.integers(0, len(codes), count)]
    return guests


def _move(city: City, people: People, rng: np.random.Generator) -> tuple[dwellings.Dwellings, np.ndarray]:
    """Dwellings with those of the arrivals, and with new homes for the households that move."""
    old = len(city.dwellings.home)
    households = int(people.household.max()) + 1
    moves = rng.random(old) < HOUSEHOLDS_MOVED
    moves[people.household[: len(city.people)][people.collective[: len(city.people)]]] = False
    homes = dwellings.extended(
        city.dwellings, households - old, np.flatnonzero(moves), _days(rng, int(moves.sum())), rng
    )
    return homes, np.r_[moves, np.zeros(households - old, dtype=bool)]


def _with_fresh(city: City, people: People, fresh: People, homes: dwellings.Dwellings) -> City:
    """The later city: what hangs on persons, extended by the new ones."""
    count = len(fresh)
    parts = names.NameParts(fresh.surname, fresh.first, fresh.second, fresh.name_kind)
    given = numbers.make(fresh.origin, fresh.birth, fresh.sex, NEW_SEQUENCES)
    return City(
        seed=city.seed,
        people=people,
        dwellings=homes,
        names=pa.concat_arrays([city.names, names.spelled(parts, fresh.sex)]),
        former_names=pa.concat_arrays([city.former_names, pa.nulls(count, pa.string())]),
        numbers=np.concatenate([city.numbers, given]),
        old_numbers=np.concatenate([city.old_numbers, given]),
        renumbered=np.r_[city.renumbered, np.zeros(count, dtype=bool)],
        shared_with=np.r_[city.shared_with, np.full(count, families.NOBODY, dtype=np.int32)],
        today=LATER,
        series=SERIES,
    )


def only(city: City, persons: np.ndarray) -> City:
    """The city as an export sees it that writes rows for `persons` (bool) alone; their relatives can still be named."""
    people = dataclasses.replace(
        city.people,
        state=np.where(persons, city.people.state, ABSENT).astype(np.int8),
        local=city.people.local & persons,
    )
    return dataclasses.replace(city, people=people)


def changed_rows(first: Export, later: City, changes: Changes) -> Export | None:
    """Rows sent before that the source sends again: new addresses, corrected numbers and names. None if it has none."""
    fields = FIELDS.get(first.source)
    if fields is None:
        return None
    rng = chance.stream(later.seed, "changed", first.source)
    who, mask = first.person["self"], first.faults["self"]
    moved = changes.moved[who] & (rng.random(len(who)) < REPORTED) if fields.address else np.zeros(len(who), dtype=bool)
    found = rng.random(len(who)) < CORRECTED
    number_wrong = (mask & sum(BIT[f] for f in _NUMBER_FAULTS)) != 0
    name_wrong = (mask & sum(BIT[f] for f in _NAME_FAULTS)) != 0
    sound = np.asarray(first.keys.is_valid()) & ((mask & (BIT["broken_nobody"] | BIT["broken_date"])) == 0)
    sound &= later.people.state[who] == LIVING
    rows = np.flatnonzero(sound & (moved | (found & (number_wrong | name_wrong))))
    if not len(rows):
        return None
    who, on = who[rows], _days(rng, len(rows))
    columns = {name: column.take(pa.array(rows)) for name, column in first.columns.items()}
    columns[fields.number] = numbers.texts(later.numbers[who])
    columns[fields.name] = later.names.take(pa.array(who))
    columns[fields.as_of] = calendar.written(on, fields.date_style)
    kept = mask[rows] & ~np.uint32(sum(BIT[fault] for fault in (*_NUMBER_FAULTS, *_NAME_FAULTS, *_ALSO_MENDED)))
    if fields.address:
        home = later.dwellings.home[later.people.household[who]]
        columns[fields.address] = dwellings.addresses(later.dwellings, home, fields.address_style)
        if fields.community:
            columns[fields.community] = dwellings.community_codes(later.dwellings, home)
        kept &= ~(BIT["address_stale"] | BIT["address_missing"])
    return Export(
        first.source, first.keys.take(pa.array(rows)), columns, {"self": who}, {"self": kept}, np.zeros(0, np.int64), on
    )


def together(parts: list[Export]) -> Export:
    """Several exports of one source as one delivery."""
    first, starts = parts[0], np.cumsum([0, *(len(part) for part in parts[:-1])])
    return Export(
        first.source,
        pa.concat_arrays([part.keys for part in parts]),
        {name: pa.concat_arrays([_plain(part.columns[name]) for part in parts]) for name in first.columns},
        {role: np.concatenate([part.person[role] for part in parts]) for role in first.person},
        {role: np.concatenate([part.faults[role] for part in parts]) for role in first.faults},
        np.concatenate([part.repeats + start for part, start in zip(parts, starts, strict=True)]).astype(np.int64),
        np.concatenate([part.changed_on for part in parts]),
    )


def _plain(column: pa.Array | pa.ChunkedArray) -> pa.Array:
    return column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
