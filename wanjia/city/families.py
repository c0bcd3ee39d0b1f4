"""Families and households: who is whose spouse and parent, and who lives together, for one pool of persons."""

from dataclasses import dataclass

import numpy as np

from wanjia.city import ages, calendar, chance

NOBODY = -1
SINGLE, FIRST_MARRIAGE, REMARRIED, WIDOWED, DIVORCED = 10, 21, 22, 30, 40


@dataclass
class Families:
    """Arrays over the persons of a pool; persons are positions in it, households are numbered from 0."""

    marital: np.ndarray  # GB/T 2261.2
    spouse: np.ndarray
    former_spouse: np.ndarray
    mother: np.ndarray
    father: np.ndarray
    twin: np.ndarray  # bool
    household: np.ndarray
    head: np.ndarray  # of every household: the person at its head
    relation: np.ndarray  # GB/T 4761
    dormitory: np.ndarray  # bool: lives in a collective household


@dataclass(frozen=True)
class Custom:
    """How a pool lives. `mean_size` None: as it falls; else units join until the mean size is reached over this pool and the
    `beside_persons` in `beside_households` of another."""

    mean_size: float | None
    parents_present: float  # how many of those who could have a living mother have her in the pool
    dormitory: float  # share of lone unmarried persons in collective households
    beside_persons: int = 0
    beside_households: int = 0


def form(birth: np.ndarray, sex: np.ndarray, custom: Custom, rng: np.random.Generator) -> tuple[Families, np.ndarray]:
    """Families of the pool. Also returns the birth days, because twins get one birthday. Runs in a few sorts."""
    birth = birth.copy()
    size = len(birth)
    twin_first, twin_second = _choose_twins(birth, rng)
    birth[twin_second] = birth[twin_first]
    age = calendar.years_between(birth, calendar.REFERENCE)
    marital, spouse, former = _marry(birth, sex, age, rng)
    mother = _mothers(birth, sex, age, marital, twin_first, twin_second, custom.parents_present, rng)
    father = np.where(mother >= 0, spouse[mother], NOBODY)
    divorced = (mother >= 0) & (father < 0) & (former[mother] >= 0)
    father[divorced] = former[mother[divorced]]
    # a father must have been old enough; where the ranks matched a younger man, the father is unknown
    too_young = (father >= 0) & (birth - birth[father] < 17 * calendar.YEAR)
    father[too_young] = NOBODY
    twin = np.zeros(size, dtype=bool)
    twin[twin_first] = twin[twin_second] = True
    household, head, dormitory = _live_together(birth, sex, age, marital, spouse, mother, custom, rng)
    relation = _relations(sex, spouse, mother, father, household, head, birth, rng)
    return Families(marital, spouse, former, mother, father, twin, household, head, relation, dormitory), birth


def _choose_twins(birth: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Pairs of persons born close together, about one birth in seventy, who become twins."""
    order = np.argsort(birth, kind="stable")
    young = order[(calendar.REFERENCE - birth[order]) < 60 * calendar.YEAR]
    firsts = np.flatnonzero(rng.random(max(len(young) - 1, 0)) < 0.013)
    firsts = firsts[np.r_[True, np.diff(firsts) > 1]] if len(firsts) else firsts
    return young[firsts], young[firsts + 1]


def _marry(birth, sex, age, rng) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Marital status, present and former spouse. Men and women who are married are matched by rank of age, men two years older."""
    size = len(birth)
    group = ages.group_of(age)
    share = np.where(sex == 2, np.array(ages.MARRIED_WOMEN)[group], np.array(ages.MARRIED_MEN)[group])
    draw = rng.random(size)
    married = draw < share
    rest = (draw - share) / np.maximum(1.0 - share, 1e-9)  # again uniform, among those not married
    widowed = ~married & (age >= 35) & (rest < np.interp(age, (35, 50, 65, 75), (0.06, 0.3, 0.72, 0.9)))
    divorced = ~married & ~widowed & (age >= 25) & (rest > np.interp(age, (25, 40, 60), (0.95, 0.55, 0.4)))
    marital = np.full(size, SINGLE, dtype=np.int8)
    marital[widowed] = WIDOWED
    marital[divorced] = DIVORCED
    spouse = _match(birth, sex, married, 2.2, rng)
    marital[spouse >= 0] = FIRST_MARRIAGE
    former = _match(birth, sex, divorced & (rng.random(size) < 0.7), 2.2, rng)
    couples = np.flatnonzero((spouse >= 0) & (sex == 1) & (age >= 30) & (rng.random(size) < 0.06))
    marital[couples] = marital[spouse[couples]] = REMARRIED
    return marital, spouse, former


def _match(birth, sex, wanted, older_by, rng) -> np.ndarray:
    """Partners for as many as possible of `wanted`, by rank of (noisy) age."""
    men, women = np.flatnonzero(wanted & (sex == 1)), np.flatnonzero(wanted & (sex == 2))
    count = min(len(men), len(women))
    men = rng.permutation(men)[:count]
    women = rng.permutation(women)[:count]
    noise = 2.3 * calendar.YEAR
    men = men[np.argsort(birth[men] + older_by * calendar.YEAR + noise * rng.standard_normal(count), kind="stable")]
    women = women[np.argsort(birth[women] + 0.5 * noise * rng.standard_normal(count), kind="stable")]
    partner = np.full(len(birth), NOBODY, dtype=np.int32)
    partner[men], partner[women] = women, men
    return partner


def _mothers(birth, sex, age, marital, twin_first, twin_second, present, rng) -> np.ndarray:
    """A mother for most who could have one: ever-married women 18 to 45 years older, births at least ten months apart."""
    size = len(birth)
    mother = np.full(size, NOBODY, dtype=np.int32)
    women = np.flatnonzero((sex == 2) & (marital != SINGLE))
    if not len(women):
        return mother
    # a random hour of birth, so that a search does not always end at the first of all women born on one day
    women_birth = birth[women] + rng.random(len(women))
    order = np.argsort(women_birth)
    women, women_birth = women[order], women_birth[order]
    capacity = 1 + chance.pick(rng, chance.cumulative(np.array([0.36, 0.46, 0.14, 0.04])), size)
    chances = np.interp(age, (0, 17, 18, 30, 40, 50, 60, 66), (0.98, 0.97, 0.90, 0.78, 0.62, 0.42, 0.22, 0.0)) * present
    wanted = (rng.random(size) < chances) & (age < 66)
    wanted[twin_second] = False
    # minors first: a child without a mother in the city is rarer than a grown person without one
    for waiting in (np.flatnonzero(wanted & (age < 18)), np.flatnonzero(wanted & (age >= 18))):
        _choose_mothers(mother, birth, waiting, women, women_birth, capacity, rng)
    mother[twin_second] = mother[twin_first]
    return mother


def _choose_mothers(mother, birth, waiting, women, women_birth, capacity, rng) -> None:
    """Gives those `waiting` a mother where one fits, in ten rounds of choosing and taking back what cannot be."""
    for _ in range(10):
        if not len(waiting):
            break
        at_birth = np.clip(rng.normal(27.2, 4.3, len(waiting)), 19.0, 44.0) * calendar.YEAR
        place = np.searchsorted(women_birth, birth[waiting] - at_birth)
        candidate = women[np.clip(place, 0, len(women) - 1)]
        apart = birth[waiting] - birth[candidate]
        fits = (apart >= 18 * calendar.YEAR) & (apart <= 46 * calendar.YEAR)
        mother[waiting[fits]] = candidate[fits]
        _undo_impossible(mother, birth, waiting, capacity)
        waiting = waiting[mother[waiting] < 0]


def _undo_impossible(mother, birth, newest, capacity) -> None:
    """Takes back the newest choices that give a mother too many children or two births within ten months."""
    is_new = np.zeros(len(mother), dtype=bool)
    is_new[newest] = True
    children = np.flatnonzero(mother >= 0)
    children = children[np.lexsort((is_new[children], mother[children]))]
    excess = chance.rank_within(mother[children]) >= capacity[mother[children]]
    mother[children[excess & is_new[children]]] = NOBODY
    children = np.flatnonzero(mother >= 0)
    children = children[np.lexsort((birth[children], mother[children]))]
    same = mother[children[1:]] == mother[children[:-1]]
    close = same & (birth[children[1:]] - birth[children[:-1]] < 300)
    later, earlier = children[1:][close], children[:-1][close]
    mother[np.where(is_new[later], later, earlier)] = NOBODY


def _live_together(birth, sex, age, marital, spouse, mother, custom, rng) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Household, head and dormitory of everybody. Couples and lone adults are units of their own; then units join."""
    size = len(birth)
    unit = np.arange(size, dtype=np.int64)  # a unit is named by the person who heads it
    men = np.flatnonzero((spouse >= 0) & (sex == 1))
    wife_heads = rng.random(len(men)) < 0.18
    unit[men[wife_heads]] = spouse[men[wife_heads]]
    unit[spouse[men[~wife_heads]]] = men[~wife_heads]
    minors = np.flatnonzero((age < 18) & (mother >= 0))
    unit[minors] = unit[mother[minors]]
    _place_orphans(birth, age, marital, mother, unit, rng)
    lone = (marital == SINGLE) & (age >= 18) & (age < 50) & (np.bincount(unit, minlength=size) == 1)
    dormitory = lone & (rng.random(size) < custom.dormitory)
    _join(age, marital, spouse, mother, unit, dormitory, custom, rng)
    for _ in range(6):
        unit = unit[unit]
    head, household = np.unique(unit, return_inverse=True)
    return household.astype(np.int64), head, dormitory


def _place_orphans(birth, age, marital, mother, unit, rng) -> None:
    """Minors without a mother here live with people of their grandparents' age."""
    orphans = np.flatnonzero((age < 18) & (mother < 0))
    elders = np.flatnonzero((age >= 45) & (marital != SINGLE))
    if not len(elders):
        elders = np.flatnonzero(age >= 18)
    elders_birth = birth[elders] + rng.random(len(elders))
    order = np.argsort(elders_birth)
    elders, elders_birth = elders[order], elders_birth[order]
    at = np.searchsorted(
        elders_birth, birth[orphans] - np.clip(rng.normal(54, 5, len(orphans)), 47, 75) * calendar.YEAR
    )
    chosen = elders[np.clip(at, 0, len(elders) - 1)]
    unit[orphans] = unit[chosen]


def _join(age, marital, spouse, mother, unit, dormitory, custom, rng) -> None:
    """Grown-up children stay with their parents and old parents move to a child, most willing first, until the mean size fits."""
    size = len(age)
    persons = np.arange(size)
    single = np.flatnonzero((marital == SINGLE) & (age >= 18) & (mother >= 0) & (unit == persons) & ~dormitory)
    willing_single = np.interp(age[single], (18, 24, 30, 45), (9.0, 5.0, 1.5, 0.5))
    grown = np.flatnonzero((mother >= 0) & (spouse >= 0) & (age >= 25))
    grown = grown[rng.random(len(grown)) < 0.75]
    parent_unit = unit[mother[grown]]
    old = (age[mother[grown]] >= 55) & (parent_unit != unit[grown])
    grown, parent_unit = grown[old], parent_unit[old]
    first = np.unique(parent_unit, return_index=True)[1]
    grown, parent_unit = grown[first], parent_unit[first]
    alone = spouse[mother[grown]] < 0
    young_child = age[grown] < 45
    willing_old = np.where(alone, 2.2, 0.9) * np.where(young_child, 1.3, 0.8)
    moving = np.r_[single, parent_unit]
    target = np.r_[unit[mother[single]], unit[grown]]
    willing = np.r_[willing_single, willing_old]
    if custom.mean_size is None:
        keep = rng.random(len(moving)) < np.minimum(0.9, willing / (willing + 1.5))
    else:
        units = len(np.unique(unit)) - int(dormitory.sum())
        housed = size - int(dormitory.sum()) + custom.beside_persons
        wanted = round(housed / custom.mean_size) - custom.beside_households
        surplus = int(np.clip(units - wanted, 0, len(moving)))
        keep = np.zeros(len(moving), dtype=bool)
        # weighted sampling without replacement: the smallest of exponential waiting times
        keep[np.argsort(rng.exponential(size=len(moving)) / willing, kind="stable")[:surplus]] = True
    unit[moving[keep]] = target[keep]


def _relations(sex, spouse, mother, father, household, head, birth, rng) -> np.ndarray:
    """Relation to the head of the household (GB/T 4761) of every person."""
    size = len(sex)
    persons = np.arange(size)
    mine = head[household]
    heads_spouse = np.where(spouse[mine] >= 0, spouse[mine], -2)
    male = sex == 1

    def is_(a: np.ndarray, b: np.ndarray) -> np.ndarray:
        return (a >= 0) & (a == b)

    own_child = is_(mother, mine) | is_(father, mine)
    step_child = ~own_child & (is_(mother, heads_spouse) | is_(father, heads_spouse))
    head_mother, head_father = mother[mine], father[mine]
    partner = np.maximum(heads_spouse, 0)
    partner_mother = np.where(heads_spouse >= 0, mother[partner], -2)
    partner_father = np.where(heads_spouse >= 0, father[partner], -2)
    parent = (head_mother == persons) | (head_father == persons) | (is_(spouse, head_mother) & (spouse >= 0))
    in_law = (partner_mother == persons) | (partner_father == persons) | is_(spouse, partner_mother)
    sibling = is_(mother, head_mother) & (persons != mine)
    spouse_sibling = (mother >= 0) & (mother == partner_mother) & (persons != heads_spouse)
    older = birth < birth[mine]
    head_male = male[mine]
    own = np.where(male, 20, 30) + _birth_order(own_child, mine, sex, birth)
    result = np.select(
        [
            persons == mine,
            persons == heads_spouse,
            own_child,
            step_child,
            parent & male,
            parent,
            in_law & male,
            in_law,
            sibling,
            spouse_sibling,
            (birth - birth[mine]) > 36 * calendar.YEAR,
        ],
        [
            2,
            np.where(male, 11, 12),
            own,
            np.where(male, 27, 37),
            51,
            52,
            np.where(head_male, 55, 53),
            np.where(head_male, 56, 54),
            np.where(male, np.where(older, 71, 73), np.where(older, 75, 77)),
            79,
            np.where(male, 41, 42),
        ],
        default=97,
    )
    return result.astype(np.int8)


def _birth_order(own_child, mine, sex, birth) -> np.ndarray:
    """0 for half of only children (plain son, daughter), 1 only child, 2 eldest, 3 second … among the head's children of a sex."""
    order = np.zeros(len(sex), dtype=np.int64)
    children = np.flatnonzero(own_child)
    children = children[np.lexsort((birth[children], sex[children], mine[children]))]
    brood = mine[children].astype(np.int64)
    count = np.bincount(brood, minlength=len(sex))[brood]
    rank = chance.rank_within(brood * 2 + (sex[children] == 1))
    order[children] = np.where(count == 1, np.where(children % 2 == 0, 0, 1), np.minimum(2 + rank, 6))
    return order
