"""Former ids lead to the person they stand for now, and to nobody else."""

from datetime import date

import pytest

from tests.make import assertions as make
from tests.make import profile
from wanjia.kernel import clock
from wanjia.register import api
from wanjia.register.models import Person
from wanjia.trace.models import Entry

pytestmark = pytest.mark.django_db

WHO = {"by": "test", "why": "test"}


@pytest.fixture
def load(engine):
    frame = make.frame(
        [
            {"name": "李兰", "sex": "2", "birth_on": date(1980, 1, 1)},
            {"name": "李岚", "sex": "2", "birth_on": date(1980, 1, 1), "source": "medical_insurance"},
        ]
    )

    def as_persons(*persons):
        links = engine.load("l", make.links(frame, list(persons)))
        found = api.resolve(
            engine, engine.load("a", frame), links, sources=profile.sources(), elements=profile.elements()
        )
        api.load(found, **WHO)

    return as_persons


def test_a_merge_leaves_a_redirect_and_a_split_takes_it_back(load):
    load(1, 2)
    assert api.persons_who_left() == []
    load(1, 1)
    assert api.persons_who_left() == [2]
    assert api.redirect_persons({2: 1}, **WHO) == 1
    assert (api.forwarded(2), api.forwarded(1)) == (1, 1)
    load(1, 2)
    assert api.persons_who_left() == []
    assert api.redirect_persons({}, **WHO) == 1
    assert api.forwarded(2) == 2


def test_merged_twice_leads_straight_to_the_last(load):
    load(1, 2)
    load(1, 1)
    api.redirect_persons({2: 1}, **WHO)
    load(3, 3)
    assert api.persons_who_left() == [1, 2]
    assert api.redirect_persons({1: 3, 2: 3}, **WHO) == 2
    assert (api.forwarded(1), api.forwarded(2)) == (3, 3)


def test_nothing_to_change_writes_no_trace(load):
    load(1, 1)
    api.redirect_persons({2: 1}, **WHO)
    before = Entry.objects.count()
    assert api.redirect_persons({2: 1}, **WHO) == 0
    assert Entry.objects.count() == before


def test_a_seal_goes_with_the_person():
    at = clock.now()
    Person.objects.bulk_create(
        [Person(id=n, founded_at=at, left_at=at if n == 51 else None, is_sealed=n == 51) for n in (51, 52, 53)]
    )
    api.redirect_persons({51: 52}, by="test", why="test")
    assert set(Person.objects.filter(is_sealed=True).values_list("pk", flat=True)) == {51, 52}
