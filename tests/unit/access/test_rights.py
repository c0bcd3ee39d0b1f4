"""Roles, rights and areas: deny by default."""

import pytest

from wanjia.access.rules import RIGHTS_OF, Right, covers, holds, significant


def test_unknown_roles_and_rights_hold_nothing():
    assert not holds("", Right.ENTER)
    assert not holds("root", Right.ENTER)
    assert not holds("officer", "anything")


def test_only_officers_open_persons():
    assert {role for role in RIGHTS_OF if holds(role, Right.OPEN_PERSON)} == {"officer"}


def test_the_administrator_sees_no_person_and_no_raw_row():
    for right in (Right.FIND_PERSON, Right.OPEN_PERSON, Right.SHOW_QUARANTINED_ROW):
        assert not holds("admin", right)


def test_an_auditor_changes_and_opens_nothing():
    assert RIGHTS_OF["auditor"] == {Right.ENTER, Right.SEE_TRACE, Right.SEE_RUNS, Right.SEE_POPULATION}


@pytest.mark.parametrize(
    ("code", "short"),
    [
        ("", ""),
        ("990000", "99"),
        ("990100", "9901"),
        ("990102", "990102"),
        ("990102000000", "990102"),
        ("990102001", "990102001"),
        ("990102001000", "990102001"),
    ],
)
def test_a_code_without_its_padding(code, short):
    assert significant(code) == short


@pytest.mark.parametrize(
    ("area", "division", "is_covered"),
    [
        ("", "990102001001", True),
        ("", None, True),
        ("990100", "990102001001", True),
        ("990102", "990102001001", True),
        ("990102", "990103001001", False),
        ("990102001", "990102", False),
        ("990102", None, False),
    ],
)
def test_an_area_covers_what_lies_below_it(area, division, is_covered):
    assert covers(area, division) is is_covered
