"""The people of the city with their ten years: locals and floating residents now, and those who died or left."""

from dataclasses import dataclass, fields

import numpy as np
import pyarrow as pa

from wanjia.city import ages, calendar, chance, dwellings, families, names, numbers, places
from wanjia.city.families import NOBODY

LIVING, DEAD, GONE = 1, 2, 3
MAINLAND, HMT, FOREIGNER = 0, 1, 2

# Ethnicity (GB/T 3304) and its share in percent; Han first (91.11 % nationally).
ETHNICITIES = (
    (1, 93.2), (8, 1.5), (15, 1.1), (6, 1.0), (3, 0.9), (11, 0.8), (7, 0.5), (2, 0.25), (9, 0.2), (12, 0.2), (5, 0.15), (4, 0.1), (10, 0.1),
)  # fmt: skip
MEAN_HOUSEHOLD = 2.62  # persons per family household, census of 2020
BORN_ELSEWHERE = 0.11  # locals who moved their registration here and keep the number of where they came from
OLD_SEQUENCES = 120  # sequences of numbers that were replaced, so that they are nobody else's
MOTHERS_SURNAME = 0.075  # of children, one in thirteen


@dataclass
class People:
    """One row per person who ever was registered here in the ten years; persons are numbered by their position."""

    birth: np.ndarray
    sex: np.ndarray
    ethnicity: np.ndarray
    local: np.ndarray  # bool: household registered in the city
    kind: np.ndarray  # MAINLAND, HMT, FOREIGNER
    state: np.ndarray  # LIVING, DEAD, GONE
    died: np.ndarray
    arrived: np.ndarray  # day of coming from elsewhere; NO_DAY for those from here
    left: np.ndarray
    origin: np.ndarray  # six digits: where the number was given
    marital: np.ndarray
    married: np.ndarray  # day of the last marriage or divorce
    spouse: np.ndarray
    former_spouse: np.ndarray
    mother: np.ndarray
    father: np.ndarray
    twin: np.ndarray
    household: np.ndarray
    relation: np.ndarray
    collective: np.ndarray
    surname: np.ndarray
    first: np.ndarray
    second: np.ndarray
    name_kind: np.ndarray

    def __len__(self) -> int:
        return len(self.birth)

    def age(self, on: np.ndarray | int = calendar.REFERENCE) -> np.ndarray:
        """Completed years on a day."""
        return calendar.years_between(self.birth, on)


@dataclass
class City:
    """Everything true about the city."""

    seed: int
    people: People
    dwellings: dwellings.Dwellings
    names: pa.Array
    former_names: pa.Array  # null for most
    numbers: np.ndarray  # bytes (n, 18), what stands on the card today
    old_numbers: np.ndarray  # what some departments still hold; the same row unless `renumbered`
    renumbered: np.ndarray  # bool: one person under two numbers
    shared_with: np.ndarray  # person whose number was also given to this one; NOBODY for all but a few
    today: int = calendar.REFERENCE
    series: str = ""  # marks the keys of rows that departments add in a later wave


def build(residents: int, seed: int) -> City:
    """The city of `residents` people living there on the reference day, and those who died or left in the ten years before."""
    rng = chance.stream(seed, "people")
    birth = ages.draw_births(rng, residents)
    floating = (
        rng.random(residents)
        < np.array(ages.FLOATING_SHARE)[ages.group_of(calendar.years_between(birth, calendar.REFERENCE))]
    )
    guests = _pool(birth[floating], families.Custom(None, 0.8, 0.45), rng, local=False)
    housed = guests.household[~guests.collective]
    custom = families.Custom(MEAN_HOUSEHOLD, 1.0, 0.2, len(housed), len(np.unique(housed)))
    locals_ = _pool(birth[~floating], custom, rng, local=True)
    people = _joined([locals_, guests, _the_dead(locals_, residents, rng), _the_gone(residents, rng)])
    _name(people, rng)
    _date_marriages(people, rng)
    _gather_dormitories(people)
    homes = dwellings.settle(people.household, people.local, people.collective, seed)
    _register_places(people, homes, rng)
    return _identified(people, homes, seed, rng)


def _pool(birth: np.ndarray, custom: families.Custom, rng: np.random.Generator, *, local: bool) -> People:
    sex = ages.draw_sexes(rng, birth)
    family, birth = families.form(birth, sex, custom, rng)
    size = len(birth)
    people = blank(size)
    for name in ("marital", "spouse", "former_spouse", "mother", "father", "twin", "household", "relation"):
        getattr(people, name)[:] = getattr(family, name)
    people.birth[:], people.sex[:], people.local[:] = birth, sex, local
    people.collective[:] = family.dormitory
    people.relation[family.dormitory] = 99
    if not local:
        # arrivals grow denser towards today; nobody arrives before birth
        arrived = calendar.REFERENCE - np.floor(rng.exponential(3.2 * 365, size)) - 20
        people.arrived[:] = np.maximum(arrived, birth)
        kind = rng.random(size)
        people.kind[kind < 0.0015] = HMT
        people.kind[kind > 0.9994] = FOREIGNER
        alone = (people.spouse >= 0) | (people.mother >= 0) | (people.age() < 18)
        people.kind[alone] = MAINLAND
    return people


def _the_dead(locals_: People, residents: int, rng: np.random.Generator) -> People:
    """Locals who died in the ten years: spouses of today's widowed where ages fit, else parents in the homes of others."""
    size = round(residents * 0.74 * ages.YEARLY_DEATHS_PER_RESIDENT * 10)
    people = blank(size)
    people.birth[:], people.died[:] = ages.draw_deaths(rng, size)
    people.state[:] = DEAD
    people.local[:] = True
    people.sex[:] = np.where(rng.random(size) < 0.53, 1, 2)
    people.household[:] = -1 - np.arange(size)  # a home of one's own, numbered below
    old = np.flatnonzero(calendar.years_between(people.birth, people.died) >= 45)
    people.marital[old] = families.WIDOWED
    for sex in (1, 2):
        widowed = rng.permutation(np.flatnonzero((locals_.marital == families.WIDOWED) & (locals_.sex == 3 - sex)))
        partners = old[people.sex[old] == sex]
        count = min(len(widowed), int(len(partners) * 0.6))
        widowed = widowed[:count][np.argsort(locals_.birth[widowed[:count]], kind="stable")]
        partners = rng.permutation(partners)[:count]
        partners = partners[np.argsort(people.birth[partners], kind="stable")]
        close = np.abs(locals_.birth[widowed] - people.birth[partners]) < 9 * calendar.YEAR
        widowed, partners = widowed[close], partners[close]
        people.spouse[partners] = -2 - widowed  # marks a person of the locals' pool, resolved when the pools are joined
        people.marital[partners] = families.FIRST_MARRIAGE
        people.household[partners] = locals_.household[widowed]
        mate_heads = locals_.relation[widowed] == 2
        people.relation[partners] = np.where(mate_heads, np.where(sex == 1, 11, 12), np.where(sex == 1, 51, 52))
    own = people.household < 0
    people.relation[own] = 2
    return people


def _the_gone(residents: int, rng: np.random.Generator) -> People:
    """People who left in the ten years: locals who moved their registration away, floating residents who went on."""
    moved, guests = round(residents * 0.035), round(residents * 0.13)
    people = blank(moved + guests)
    size = moved + guests
    people.birth[:] = calendar.REFERENCE - np.floor(np.clip(rng.gamma(6.0, 5.6, size), 0.6, 80) * calendar.YEAR)
    people.sex[:] = np.where(rng.random(size) < 0.53, 1, 2)
    people.local[:moved] = True
    people.state[:] = GONE
    left = calendar.WINDOW_START + np.floor(rng.random(size) * (calendar.REFERENCE - calendar.WINDOW_START))
    people.left[:] = np.maximum(left, people.birth + 120)
    stay = np.floor(rng.exponential(1.6 * 365, size)) + 40
    people.arrived[moved:] = np.maximum(people.left[moved:] - stay[moved:], people.birth[moved:])
    people.household[:] = -1 - np.arange(size)
    people.relation[:] = 2
    adult = people.age() >= 27
    people.marital[adult] = families.FIRST_MARRIAGE
    return people


def blank(size: int) -> People:
    """`size` persons about whom nothing is decided yet."""

    def full(value: int, dtype: type = np.int32) -> np.ndarray:
        return np.full(size, value, dtype=dtype)

    return People(
        birth=full(0), sex=full(1, np.int8), ethnicity=full(1, np.int8), local=full(0, bool), kind=full(MAINLAND, np.int8),
        state=full(LIVING, np.int8), died=full(calendar.NO_DAY), arrived=full(calendar.NO_DAY), left=full(calendar.NO_DAY),
        origin=full(0), marital=full(families.SINGLE, np.int8), married=full(calendar.NO_DAY), spouse=full(NOBODY),
        former_spouse=full(NOBODY), mother=full(NOBODY), father=full(NOBODY), twin=full(0, bool), household=full(0, np.int64),
        relation=full(2, np.int8), collective=full(0, bool), surname=full(0), first=full(0), second=full(-1), name_kind=full(0, np.int8),
    )  # fmt: skip


def _joined(pools: list[People]) -> People:
    """The pools as one: persons and households renumbered, links between pools resolved."""
    start = homes = 0
    for number, pool in enumerate(pools):
        for name in ("spouse", "former_spouse", "mother", "father"):
            links = getattr(pool, name)
            links[:] = np.where(links >= 0, links + start, np.where(links <= -2, -2 - links, NOBODY))
        # households below zero are new; the others of the dead belong to the locals' pool, which comes first
        shift = 0 if number == 2 else homes
        fresh = pool.household < 0
        pool.household[~fresh] += shift
        pool.household[fresh] = homes + np.arange(int(fresh.sum()))
        homes = max(homes, int(pool.household.max(initial=-1)) + 1)
        start += len(pool)
    return People(**{f.name: np.concatenate([getattr(pool, f.name) for pool in pools]) for f in fields(People)})


def _name(people: People, rng: np.random.Generator) -> None:
    """Surnames run in families, oldest first; ethnicity follows the mother's or the father's."""
    size = len(people)
    people.surname[:] = names.draw_surnames(rng, size)
    codes = np.array([code for code, _ in ETHNICITIES], dtype=np.int8)
    people.ethnicity[:] = codes[
        chance.pick(rng, chance.cumulative(np.array([share for _, share in ETHNICITIES])), size)
    ]
    maternal = rng.random(size) < MOTHERS_SURNAME
    parent = np.where(maternal | (people.father < 0), people.mother, people.father)
    heirs = np.flatnonzero(parent >= 0)
    for _ in range(5):  # more generations than live at once; those without parents never change, so this settles
        people.surname[heirs] = people.surname[parent[heirs]]
        people.ethnicity[heirs] = people.ethnicity[parent[heirs]]
    people.first[:], people.second[:] = names.draw_given(rng, people.birth, people.sex)
    people.name_kind[people.ethnicity == 5] = names.UYGHUR
    people.name_kind[people.ethnicity == 4] = names.TIBETAN
    people.name_kind[people.kind == FOREIGNER] = names.FOREIGN


def _date_marriages(people: People, rng: np.random.Generator) -> None:
    """A day for every marriage: before the first child, the wife at least twenty; and for every divorce."""
    wives = np.flatnonzero((people.spouse >= 0) & (people.sex == 2) & (people.state == LIVING))
    wives = wives[people.state[people.spouse[wives]] == LIVING]
    when = people.birth[wives] + np.clip(rng.normal(25.8, 3.3, len(wives)), 20.0, 45.0) * calendar.YEAR
    again = people.marital[wives] == families.REMARRIED
    when[again] += rng.gamma(3.0, 4.0, int(again.sum())) * calendar.YEAR
    first_child = np.full(len(people), np.iinfo(np.int32).max, dtype=np.int64)
    children = np.flatnonzero(people.mother >= 0)
    np.minimum.at(first_child, people.mother[children], people.birth[children])
    when = np.where(again, when, np.minimum(when, first_child[wives] - 200))
    latest = calendar.REFERENCE - rng.integers(5, 1500, len(wives))
    when = np.floor(np.where(when > calendar.REFERENCE - 5, latest, when)).astype(np.int32)
    people.married[wives] = when
    people.married[people.spouse[wives]] = when
    apart = np.flatnonzero((people.former_spouse >= 0) & (people.sex == 2))
    ended = calendar.REFERENCE - np.floor(rng.random(len(apart)) ** 1.3 * 22 * calendar.YEAR) - 3
    adult = np.maximum(people.birth[apart], people.birth[people.former_spouse[apart]]) + 23 * calendar.YEAR
    ended = np.minimum(np.maximum(ended, adult), calendar.REFERENCE - 3).astype(np.int32)
    people.married[apart] = ended
    people.married[people.former_spouse[apart]] = ended


def _gather_dormitories(people: People) -> None:
    """Puts the people of collective households together by about thirty, locals and floating residents apart."""
    for local in (True, False):
        members = np.flatnonzero(people.collective & (people.local == local))
        if len(members):
            base = int(people.household.max()) + 1
            people.household[members] = base + np.arange(len(members)) // 30
    people.household[:] = np.unique(people.household, return_inverse=True)[1]


def _register_places(people: People, homes: dwellings.Dwellings, rng: np.random.Generator) -> None:
    """Where everybody's number was given: a district of the city, the county it was then, or elsewhere."""
    size = len(people)
    communities = places.communities()
    districts = np.array([int(code) for code in communities.districts])
    of_home = communities.district_index[homes.community[homes.domicile[people.household]]]
    here = np.where(rng.random(size) < 0.78, of_home, rng.integers(0, len(districts), size))
    origin = districts[here]
    former = (origin == int(places.FORMER_COUNTY_NOW)) & (people.birth < places.FORMER_COUNTY_UNTIL)
    origin[former] = int(places.FORMER_COUNTY_CODE)
    codes = np.array([int(code) for code in places.elsewhere()[0]])
    of_family = codes[(people.household * 7919 + 13) % len(codes)]
    away = np.where(rng.random(size) < 0.8, of_family, codes[rng.integers(0, len(codes), size)])
    came = people.local & (rng.random(size) < BORN_ELSEWHERE) & (people.age() > 3)
    since = np.floor(people.birth + rng.random(size) * (calendar.REFERENCE - 30 - people.birth)).astype(np.int32)
    people.arrived[came] = since[came]
    people.origin[:] = np.where(people.local & ~came, origin, away)
    people.origin[people.kind == HMT] = np.array([810000, 820000, 830000])[
        rng.integers(0, 3, int((people.kind == HMT).sum()))
    ]


def _identified(people: People, homes: dwellings.Dwellings, seed: int, rng: np.random.Generator) -> City:
    """Names and numbers, with those that have gone wrong for good: two numbers for one person, one number for two."""
    size = len(people)
    on_card = numbers.make(people.origin, people.birth, people.sex)
    foreign = np.flatnonzero(people.kind == FOREIGNER)
    nationality = np.array([840, 124, 276, 250, 392, 410, 643, 682, 826, 36])[rng.integers(0, 10, len(foreign))]
    on_card[foreign] = numbers.foreign_numbers(
        people.origin[foreign] // 10000, nationality, people.birth[foreign], people.sex[foreign]
    )
    shared = _share_numbers(people, on_card, rng)
    renumbered = (rng.random(size) < 0.0006) & (shared < 0) & (people.kind == MAINLAND) & (people.age() >= 10)
    old = on_card.copy()
    chosen = np.flatnonzero(renumbered)
    moved_birth = people.birth[chosen] + np.array([-365, 366, 30, -31])[rng.integers(0, 4, len(chosen))]
    old[chosen] = numbers.make(people.origin[chosen], moved_birth.astype(np.int32), people.sex[chosen], OLD_SEQUENCES)
    parts = names.NameParts(people.surname, people.first, people.second, people.name_kind)
    spelled = names.spelled(parts, people.sex)
    former = _former_names(people, spelled, rng)
    return City(seed, people, homes, spelled, former, on_card, old, renumbered, shared)


def _share_numbers(people: People, on_card: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Gives a few persons the number of another (重号): half of one sex and birthday in one district, half of any birthday."""
    shared = np.full(len(people), NOBODY, dtype=np.int32)
    grown = np.flatnonzero(people.local & (people.age() >= 30) & (people.state == LIVING))
    count = max(1, round(len(grown) * 0.0001)) if len(grown) > 4 else 0
    chosen = rng.permutation(grown)[: 2 * count]
    shared[chosen[:count]] = chosen[count : 2 * count][: len(chosen[:count])]
    same = np.lexsort((people.birth[grown], people.sex[grown], people.origin[grown]))
    ordered = grown[same]
    alike = np.flatnonzero(
        (people.birth[ordered[1:]] == people.birth[ordered[:-1]])
        & (people.sex[ordered[1:]] == people.sex[ordered[:-1]])
        & (people.origin[ordered[1:]] == people.origin[ordered[:-1]])
        & (people.household[ordered[1:]] != people.household[ordered[:-1]])
    )
    for place in rng.permutation(alike)[:count]:
        first, second = int(ordered[place]), int(ordered[place + 1])
        if shared[first] < 0 and shared[second] < 0:
            shared[second] = first
    # nobody lends a number that is itself borrowed
    lent = np.flatnonzero(shared >= 0)
    shared[lent[shared[shared[lent]] >= 0]] = NOBODY
    lent = np.flatnonzero(shared >= 0)
    on_card[lent] = on_card[shared[lent]]
    return shared


def _former_names(people: People, spelled: pa.Array, rng: np.random.Generator) -> pa.Array:
    """Names borne before a change: another given name for most, another surname for some."""
    size = len(people)
    changed = np.flatnonzero((rng.random(size) < 0.018) & (people.name_kind == names.HAN) & (people.age() >= 6))
    surname = people.surname[changed].copy()
    taken = rng.random(len(changed)) < 0.3
    surname[taken] = names.draw_surnames(rng, int(taken.sum()))
    first, second = names.draw_given(rng, people.birth[changed], people.sex[changed])
    keeps = taken & (rng.random(len(changed)) < 0.8)
    first[keeps], second[keeps] = people.first[changed][keeps], people.second[changed][keeps]
    parts = names.NameParts(surname, first, second, people.name_kind[changed])
    texts = np.full(size, None, dtype=object)
    texts[changed] = np.array(names.spelled(parts, people.sex[changed]).to_pylist(), dtype=object)
    return pa.array(texts, pa.string())
