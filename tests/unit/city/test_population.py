"""The people: marginals against the census, families that can be, and numbers that are nobody else's."""

import numpy as np
import pytest

from wanjia.city import ages, calendar, later, numbers, places, population


@pytest.fixture(scope="module")
def city() -> population.City:
    return population.build(2000, 11)


@pytest.fixture(scope="module")
def living(city) -> np.ndarray:
    return city.people.state == population.LIVING


def test_the_number_of_residents_is_the_one_asked_for(city, living):
    assert living.sum() == 2000


def test_ages_follow_the_census(city, living):
    got = np.bincount(ages.group_of(city.people.age()[living]), minlength=ages.GROUPS) / living.sum()
    want = np.array([share for _, share, _ in ages.CENSUS_2020]) / 100
    # four standard errors of a share of 2,000
    assert (np.abs(got - want) < 4 * np.sqrt(want * (1 - want) / 2000) + 0.001).all()


def test_men_per_hundred_women_is_near_the_census(city, living):
    men = (city.people.sex[living] == 1).mean()
    assert men == pytest.approx(0.512, abs=0.045)


def test_a_quarter_floats(city, living):
    assert (~city.people.local[living]).mean() == pytest.approx(0.26, abs=0.05)


def test_family_households_have_2_62_persons(city, living):
    family = living & ~city.people.collective
    assert family.sum() / len(np.unique(city.people.household[family])) == pytest.approx(2.62, abs=0.02)


def test_every_family_household_has_one_head(city, living):
    people = city.people
    family = living & ~people.collective
    heads = np.bincount(people.household[family & (people.relation == 2)], minlength=people.household.max() + 1)
    assert (heads[np.unique(people.household[family])] == 1).all()


def test_spouses_are_mutual_and_of_two_sexes(city, living):
    people = city.people
    wives = np.flatnonzero(living & (people.spouse >= 0) & (people.sex == 2))
    husbands = people.spouse[wives]
    assert (people.spouse[husbands] == wives).all()
    assert (people.sex[husbands] == 1).all()


def test_mothers_are_women_of_an_age_to_be_mothers(city):
    people = city.people
    children = np.flatnonzero(people.mother >= 0)
    mothers = people.mother[children]
    assert (people.sex[mothers] == 2).all()
    years = (people.birth[children] - people.birth[mothers]) / calendar.YEAR
    assert years.min() >= 17.9
    assert years.max() <= 46.1


def test_births_of_one_mother_are_months_apart_save_twins(city):
    people = city.people
    children = np.flatnonzero((people.mother >= 0) & ~people.twin)
    children = children[np.lexsort((people.birth[children], people.mother[children]))]
    same = people.mother[children[1:]] == people.mother[children[:-1]]
    assert (np.diff(people.birth[children])[same] >= 300).all()


def test_there_are_twins_of_one_birthday_and_mother(city):
    people = city.people
    twins = np.flatnonzero(people.twin & (people.mother >= 0))
    keys, counts = np.unique(np.stack([people.mother[twins], people.birth[twins]]), axis=1, return_counts=True)
    assert len(keys)
    assert (counts == 2).all()


def test_children_bear_the_surname_of_a_parent(city):
    people = city.people
    children = np.flatnonzero((people.father >= 0) & (people.name_kind == 0))
    of_father = people.surname[children] == people.surname[people.father[children]]
    of_mother = people.surname[children] == people.surname[people.mother[children]]
    assert (of_father | of_mother).all()
    assert of_father.mean() == pytest.approx(0.93, abs=0.04)


def test_numbers_are_shared_only_where_that_is_said(city):
    texts = np.array(numbers.texts(city.numbers).to_pylist())
    _, _first, counts = np.unique(texts, return_index=True, return_counts=True)
    lent = np.flatnonzero(city.shared_with >= 0)
    assert len(lent) == (counts - 1).sum() > 0
    assert (texts[lent] == texts[city.shared_with[lent]]).all()
    assert not set(numbers.texts(city.old_numbers[city.renumbered]).to_pylist()) & set(texts)


def test_locals_numbers_begin_here_or_whence_they_came_and_guests_elsewhere(city):
    people, table = city.people, places.communities()
    here = {int(code) for code in table.districts} | {int(places.FORMER_COUNTY_CODE)}
    from_here = np.isin(people.origin, list(here))
    assert from_here[people.local & (people.arrived == calendar.NO_DAY)].all()
    assert not from_here[~people.local].any()
    of_former = people.origin == int(places.FORMER_COUNTY_CODE)
    assert of_former.any()
    assert (people.birth[of_former] < places.FORMER_COUNTY_UNTIL).all()


def test_no_two_households_live_behind_one_door(city):
    homes = city.dwellings
    doors = np.stack([homes.community, homes.compound, homes.building, homes.unit, homes.room])
    assert np.unique(doors, axis=1).shape[1] == doors.shape[1]


def test_the_same_seed_gives_the_same_city_and_another_does_not(city):
    again, other = population.build(2000, 11), population.build(2000, 12)
    assert (again.numbers == city.numbers).all()
    assert again.names.equals(city.names)
    assert not other.names.equals(city.names)


def test_three_months_later_people_have_kept_their_numbers(city):
    grown, changes = later.three_months_on(city)
    before = len(city.people)
    assert (grown.numbers[:before] == city.numbers).all()
    assert changes.born.sum() > 0
    assert changes.arrived.sum() == round(2000 * later.ARRIVED)
    mothers = grown.people.mother[changes.born]
    assert (grown.people.household[changes.born] == grown.people.household[mothers]).all()
    assert (grown.people.died[changes.died] > calendar.REFERENCE).all()
    moved = np.unique(grown.people.household[changes.moved])
    assert (grown.dwellings.home[moved] != city.dwellings.home[moved]).all()
    assert (grown.dwellings.before[moved] == city.dwellings.home[moved]).all()
    newcomers = numbers.texts(grown.numbers[before:]).to_pylist()
    assert not set(newcomers) & set(numbers.texts(city.numbers).to_pylist())


def test_relations_name_sexes_rightly(city, living):
    people = city.people
    male_codes, female_codes = (11, 20, 21, 22, 23, 27, 41, 51, 53, 55), (12, 30, 31, 32, 33, 37, 42, 52, 54, 56)
    assert (people.sex[living & np.isin(people.relation, male_codes)] == 1).all()
    assert (people.sex[living & np.isin(people.relation, female_codes)] == 2).all()
