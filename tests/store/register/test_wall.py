"""The second wall: what the web role's connection can see of the register, whatever statement it runs."""

from contextlib import contextmanager
from datetime import UTC, datetime

import psycopg
import pytest
from django.db import ProgrammingError, connection, transaction

from wanjia.access import api as access
from wanjia.access.api.walls import settings_for
from wanjia.access.models import Account
from wanjia.kernel import clock
from wanjia.register import api as register

pytestmark = pytest.mark.django_db

AT = datetime(2026, 1, 1, tzinfo=UTC)
#: person → division; 3 is sealed, 5 lives nowhere known
PEOPLE = {1: "990101001001", 2: "990102001001", 3: "990101002001", 4: "990101001001", 5: None}
SEALED = {3}
TABLES = ("register_personstate", "register_residence", "register_membership", "register_relation")


@pytest.fixture(autouse=True)
def people():
    with connection.cursor() as cursor:
        for person, division in PEOPLE.items():
            cursor.execute(
                "INSERT INTO register_person (id, founded_at, is_sealed) VALUES (%s, %s, %s)",
                [person, AT, person in SEALED],
            )
            cursor.execute(
                "INSERT INTO register_personstate (person_id, sex, valid, known, sole) VALUES (%s, '2', daterange(null, null),"
                " tstzrange(%s, null), true)",
                [person, AT],
            )
            if division:
                cursor.execute(
                    "INSERT INTO register_residence (person_id, kind, division, division_now, valid, known, sole)"
                    " VALUES (%s, 'domicile', %s, %s, daterange(null, null), tstzrange(%s, null), true)",
                    [person, division, division, AT],
                )
        for person, household, is_head in ((1, 7, True), (4, 7, False), (3, 7, False)):
            cursor.execute(
                "INSERT INTO register_membership (person_id, household_id, kind, is_head, valid, known, sole)"
                " VALUES (%s, %s, 'domicile', %s, daterange(null, null), tstzrange(%s, null), true)",
                [person, household, is_head, AT],
            )


@contextmanager
def as_web_role():
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL ROLE wanjia_web")
        yield cursor
        # the test's own transaction goes on: rolled back, the role and the settings of this one are gone
        transaction.set_rollback(True)


def seen(cursor, table="register_personstate") -> set[int]:
    cursor.execute(f"SELECT person_id FROM {table}")
    return {row[0] for row in cursor.fetchall()}


def account(role: str, area: str = "", person: int | None = None) -> Account:
    made = access.open_account(username=f"{role}{area}", display_name=role, role=role, password=None, area=area)
    return access.bind_resident(made.username, person, by="test", why="test") if person else made


def seen_by(reader) -> set[int]:
    with as_web_role() as cursor, access.reading_for(reader):
        access.raise_wall(cursor)
        return seen(cursor)


def test_a_residence_that_is_known_no_longer_opens_nothing():
    """A person known to have lived in one area and to live in another now: all of their rows, or none."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE register_residence SET known = tstzrange(%s, %s), sole = false WHERE person_id = 1",
            [AT, clock.now()],
        )
        cursor.execute(
            "INSERT INTO register_residence (person_id, kind, division, division_now, valid, known, sole)"
            " VALUES (1, 'domicile', '990102001001', '990102001001', daterange(null, null), tstzrange(%s, null), false)",
            [clock.now()],
        )
    for area, due in (("990101", 0), ("990102", 2)):
        with as_web_role() as cursor, access.reading_for(account("officer", area)):
            access.raise_wall(cursor)
            cursor.execute("SELECT count(*) FROM register_residence WHERE person_id = 1")
            assert cursor.fetchone()[0] == due


def test_who_says_nothing_sees_nothing():
    with as_web_role() as cursor:
        for table in TABLES:
            assert seen(cursor, table) == set()


def test_areas_and_seals():
    assert seen_by(account("officer")) == {1, 2, 4, 5}
    assert seen_by(account("officer", "990101")) == {1, 4}
    assert seen_by(account("officer", "990102000000")) == {2}
    assert seen_by(account("supervisor", "990101")) == {1, 3, 4}
    assert seen_by(account("supervisor")) == {1, 2, 3, 4, 5}


@pytest.mark.parametrize(
    "role", ["steward", "planner", "auditor", "system_admin", "security_admin", "audit_admin", "machine"]
)
def test_other_roles_see_nobody(role):
    assert seen_by(account(role)) == set()


def test_a_resident_sees_the_own_household_but_no_sealed_member():
    assert seen_by(account("resident", person=4)) == {1, 4}
    with as_web_role() as cursor:
        assert seen(cursor) == set()


def test_a_sealed_resident_sees_the_own_record():
    assert seen_by(account("resident", person=3)) == {1, 3, 4}


def test_the_setting_ends_with_the_transaction():
    """A setting of the session would still hold for the next user of a pooled connection."""
    given = connection.get_connection_params()
    given.pop("cursor_factory", None)
    given.pop("context", None)
    with psycopg.connect(**given) as other:
        with other.transaction(), other.cursor() as cursor, access.reading_for(account("officer")):
            access.raise_wall(cursor)
            assert cursor.execute("SELECT current_setting('wanjia.area', true)").fetchone() == ("*",)
        assert other.execute("SELECT current_setting('wanjia.area', true)").fetchone() == ("",)


def test_an_empty_setting_means_nobody():
    with as_web_role() as cursor:
        cursor.execute(
            "SELECT set_config('wanjia.' || name, '', true) FROM unnest('{area,persons,sealed,household}'::text[]) t(name)"
        )
        assert seen(cursor) == set()


def test_the_settings_are_of_one_reader_only():
    first, second = account("officer", "990101"), account("officer", "990102")
    assert settings_for(first)["area"] == "990101"
    with access.reading_for(first), access.reading_for(second), as_web_role() as cursor:
        access.raise_wall(cursor)
        assert seen(cursor) == {2}


def test_the_wall_stands_when_the_first_wall_is_forgotten():
    """A page that asks no decision: the register's reads still show its reader nothing from outside."""
    reader = account("officer", "990102")
    with connection.cursor() as cursor, access.reading_for(reader):
        # of the session, not of a transaction: such a read commits its own (ADR 8)
        cursor.execute("SET ROLE wanjia_web")
        assert register.household_members(7, by="test", why="test") == []
        assert register.members_of(7) == []
        cursor.execute("RESET ROLE")


def test_web_writes_no_facts():
    with pytest.raises(ProgrammingError, match="row-level security"), as_web_role() as cursor:
        cursor.execute(
            "INSERT INTO register_personstate (person_id, valid, known, sole) VALUES (9, daterange(null, null), tstzrange(%s, null), true)",
            [AT],
        )


def test_web_cannot_read_the_vault():
    with pytest.raises(ProgrammingError, match="permission denied"), as_web_role() as cursor:
        cursor.execute("SELECT 1 FROM privacy_vaultentry")


def test_every_table_about_persons_has_its_wall_forced():
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT c.relname, c.relrowsecurity AND c.relforcerowsecurity FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid"
            " WHERE c.relname LIKE 'register\\_%%' AND c.relkind = 'r' AND a.attname = 'person_id' AND NOT a.attisdropped"
        )
        walls = dict(cursor.fetchall())
    # a redirect names two meaningless numbers, and is asked for before anything is decided
    walls.pop("register_personredirect", None)
    assert walls
    assert all(walls.values()), f"without a wall: {[name for name, stands in walls.items() if not stands]}"


def test_no_view_goes_around_the_wall():
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT c.relname FROM pg_class c WHERE c.relkind IN ('v', 'm') AND c.relnamespace = 'public'::regnamespace"
            " AND NOT coalesce(c.reloptions::text LIKE '%%security_invoker=true%%', false)"
        )
        assert cursor.fetchall() == []


def test_deciding_sees_through_the_wall():
    with as_web_role():
        subject = register.subject_of(3)
    assert subject == access.Subject(3, ("990101002001",), True)
    assert clock.now() > AT
