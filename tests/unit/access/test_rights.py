"""Roles, rights and areas: deny by default."""

import pytest

from wanjia.access.adapters.policies import load_book
from wanjia.access.rules import PERSON_RIGHTS, Right, covers, significant

ROLES = load_book().roles


def holders(right: Right) -> set[str]:
    return {code for code, role in ROLES.items() if right in role.rights}


def test_persons_are_opened_by_the_registry_alone():
    assert holders(Right.OPEN_PERSON) == holders(Right.FIND_PERSON) == {"officer", "supervisor"}
    assert {code for code, role in ROLES.items() if role.reads_persons} == {"officer", "supervisor"}


def test_three_administrators_reach_no_person_and_no_raw_row():
    administrators = {code for code, role in ROLES.items() if role.is_administrator}
    assert administrators == {"system_admin", "security_admin", "audit_admin"}
    for code in administrators:
        assert not PERSON_RIGHTS & set(ROLES[code].rights)


def test_no_administrator_can_do_anothers_work():
    duties = (Right.MANAGE_ACCOUNTS, Right.MANAGE_LOCKS, Right.SEE_TRACE)
    holding = {code: [d for d in duties if d in ROLES[code].rights] for code in ROLES if ROLES[code].is_administrator}
    assert sorted(len(held) for held in holding.values()) == [1, 1, 1]


def test_an_auditor_opens_no_person():
    assert not PERSON_RIGHTS & set(ROLES["auditor"].rights)


def test_a_resident_sees_the_own_record_and_nothing_else():
    assert set(ROLES["resident"].rights) == {Right.ENTER, Right.SEE_OWN_RECORD}


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
