"""Hostile and impossible input, field by field: a coded sentence, never an exception of another kind, never the input itself."""

from datetime import date

import pytest

from wanjia.register.errors import FieldError, fields
from wanjia.register.rules import forms, numbers

TODAY = date(2026, 11, 21)


def in_a_small_land(text):
    """A table whose codes begin with 99."""
    if not text.startswith("99"):
        raise fields.DivisionNotKnown()
    return text


KNOWN = forms.Known(lambda codes: {"1": "1", "男": "1"}, in_a_small_land, lambda number: number == 7, TODAY)


def problem_of(value, kind, **more):
    try:
        forms.canonical(value, kind, KNOWN, **more)
    except FieldError as problem:
        return problem
    return None


@pytest.mark.parametrize(
    ("value", "kind", "code"),
    [
        ("王" * 100_000, "name", "REGISTER-F02"),
        ("x" * 100_000, "text", "REGISTER-F02"),
        ("1" * 100_000, "identity_number", "REGISTER-F02"),
        ("9" * 100_000, "household", "REGISTER-F13"),
        ("王\x00伟", "name", "REGISTER-F03"),
        ("王\u202e伟", "name", "REGISTER-F03"),
        ("王\u200b伟", "name", "REGISTER-F03"),
        ("\ud800", "text", "REGISTER-F03"),
        ("王伟<script>", "name", "REGISTER-F12"),
        ("王3", "name", "REGISTER-F12"),
        ("2025-02-29", "date", "REGISTER-F05"),
        ("2024-02-29", "date", None),
        ("2026-11-22", "date", "REGISTER-F06"),
        ("1879-12-31", "date", "REGISTER-F07"),
        ("0000-00-00", "date", "REGISTER-F05"),
        ("２０２６-01-01", "date", "REGISTER-F04"),
        ("29/02/2024", "date", "REGISTER-F04"),
        ("2026-11-21 25:00", "datetime", "REGISTER-F04"),
        ("11010519491231002x", "identity_number", None),
        ("110105194912310021", "identity_number", "REGISTER-F09"),
        ("110105194902310021", "identity_number", "REGISTER-F09"),
        ("11010519491231002", "identity_number", "REGISTER-F08"),
        ("'; DROP TABLE x", "code", "REGISTER-F10"),
        ("男 ", "code", None),
        ("123456", "division", "REGISTER-F11"),
        ("九九", "division", "REGISTER-F11"),
        (8, "household", "REGISTER-F13"),
        (True, "household", "REGISTER-F22"),
        (-7, "household", "REGISTER-F13"),
        ([1], "name", "REGISTER-F22"),
        ({"a": 1}, "text", "REGISTER-F22"),
        ("x", "relations", "REGISTER-F22"),
        ({"x": "1"}, "relations", "REGISTER-F22"),
        ({"1": ["1"]}, "relations", "REGISTER-F22"),
        (1e309, "integer", "REGISTER-F22"),
        ("१२", "integer", "REGISTER-F21"),
    ],
)
def test_what_is_typed_is_judged(value, kind, code):
    problem = problem_of(value, kind)
    assert (problem.code if problem else None) == code
    if problem and len(str(value)) > 3:
        assert str(value) not in problem.sentence("zh") + problem.sentence("en")


def test_numbers_are_issued_with_check_and_parity():
    for sex in "12":
        for sequence in range(1 if sex == "1" else 2, numbers.LAST_SEQUENCE + 1, 2):
            number = numbers.citizen_number("990104", date(2026, 10, 2), sequence)
            assert numbers.is_sound(number)
            assert numbers.parity_fits(number, sex)
    assert numbers.is_sound("11010519491231002X")
