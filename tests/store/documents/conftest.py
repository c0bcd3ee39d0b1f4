"""A household of three and an officer who may certify for them."""

from datetime import date
from types import SimpleNamespace

import pytest

from tests.make.registered import household, register, related
from wanjia.access import api as access
from wanjia.documents.api import SIGNS_FOR
from wanjia.keys import api as keys

HEAD, WIFE, CHILD, DEAD = 71, 72, 73, 74


def values(name: str, **more: str) -> dict[str, str]:
    return {
        "name": name, "sex": "1", "birth_on": "1980-02-29", "citizen_number": "990102198002290017", "ethnicity": "01",
        "household_number": "990102001000061", "household_kind": "10", "domicile_division": "990102001",
        "domicile_address": "澜江省望川市临江区某街道1号", "registration_office": "990102001", "registration_state": "1",
        **more,
    }  # fmt: skip


@pytest.fixture
def chain():
    """A test chain for the key that signs documents."""
    return keys.make_test_chain(SIGNS_FOR, by="test", why="test")


@pytest.fixture
def desk(db, chain):
    """Persons, household, officers."""
    register(HEAD, values("刘桂生"))
    register(WIFE, values("欧阳秀英", sex="2", moved_in_on="1999-05-01", moved_in_from="990101"))
    register(CHILD, values("刘一", birth_on="2010-06-01", moved_out_on="2026-11-02", moved_out_to="990101"))
    register(DEAD, values("王五", died_at="2024-03-05 00:00:00"), died_on=date(2024, 3, 5))
    home = household(9001, [(CHILD, "20"), (HEAD, "02"), (WIFE, "12")])
    related(CHILD, "mother", WIFE)
    related(CHILD, "father", HEAD)

    def account(name: str, role: str = "officer", area: str = "990102"):
        return access.open_account(username=name, display_name=name, role=role, password=None, area=area)

    return SimpleNamespace(
        officer=account("officer-1"),
        other=account("officer-2"),
        supervisor=account("supervisor-1", "supervisor"),
        elsewhere=account("officer-3", area="990101"),
        steward=account("steward-1", "steward", area=""),
        home=home,
    )
