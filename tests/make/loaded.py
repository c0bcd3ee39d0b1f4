"""A register loaded from made assertions, and what it holds."""

from datetime import date

from django.db import connection

from tests.make import assertions as make
from tests.make import profile
from wanjia.register import api

WHO = {"by": "test", "why": "test"}
GIVEN = {"sources": profile.sources(), "elements": profile.elements()}


def settle(engine, assertions, links):
    return api.resolve(engine, engine.load("a", assertions), engine.load("l", links), **GIVEN)


def load(engine, assertions, links):
    return api.load(settle(engine, assertions, links), **WHO)


def rows(query, *given):
    with connection.cursor() as cursor:
        cursor.execute(query, given)
        return cursor.fetchall()


def digest():
    return api.digest(**WHO)


def family(**mother):
    """A mother and her child in one household: two assertions, persons 1 and 2."""
    frame = make.frame(
        [
            {"name": "李兰", "sex": "2", "birth_on": date(1980, 1, 1), "household_number": "H1", "relation_to_head": "02",
             "domicile_division": "990101001", "as_of": date(2020, 1, 1)} | mother,
            {"name": "王明", "sex": "1", "birth_on": date(2010, 1, 1), "household_number": "H1", "relation_to_head": "20",
             "domicile_division": "990101001", "as_of": date(2020, 1, 1)},
        ]
    )  # fmt: skip
    return frame, make.links(frame, [1, 2])
