"""Divisions are changed while somebody registers an event in one of them."""

from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest
from django.db import connection, connections

from tests.make.at_once import NAME, PURPOSE, WHO, child_of, register, submitted, town_of_its_own
from tests.store.register.test_events import birth
from wanjia.kernel.database import ensure_server
from wanjia.register import api
from wanjia.register.api.settling import LOAD_LOCK
from wanjia.register.errors import RegisterBusy


@pytest.fixture(scope="module")
def town(django_db_setup, django_db_blocker):
    with django_db_blocker.unblock(), town_of_its_own() as made:
        yield made


def waits_for_the_register():
    """Whether somebody stands before the lock of loads."""
    with psycopg.connect(ensure_server(), dbname=NAME) as looking:
        found = looking.execute(
            "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objid = %s AND NOT granted", [LOAD_LOCK]
        )
        return found.fetchone()[0] > 0


@pytest.fixture(scope="module")
def changes_folder(tmp_path_factory):
    return tmp_path_factory.mktemp("changes") / "divisions"


@pytest.fixture
def changed(changes_folder, monkeypatch):
    """Changes of divisions are published where these tests alone read them."""
    from wanjia.standards import api as standards

    monkeypatch.setattr(standards, "changes_folder", lambda: changes_folder)


@pytest.mark.parametrize("first", ["change", "event"])
def test_a_change_of_divisions_during_an_event_in_one_of_them(town, changed, monkeypatch, first):
    """A community gets another code while a birth is registered there, whichever comes first: nobody is left with a code that nothing follows."""
    import time
    from datetime import date

    from tests.make.divisions import change_text
    from wanjia.register.api import redrawing

    before, new = {"change": ("990104100001", "990104100051"), "event": ("990104100051", "990104100052")}[first]
    li = town.officers["li"]
    case = submitted("birth", birth(town, name="王先" if first == "change" else "王后", birth_on="2026-09-03"), li)
    text = change_text(
        f"2026-10-{first}", "rename", date(2026, 10, 1 if first == "change" else 15), [(before, new)], {new: "新社区"}
    )
    code = api.order_change(text, **WHO)
    published, meanwhile = redrawing.publish, []

    def carry_out():
        return api.carry_out(code, **WHO)

    def until_the_other_waits():
        for _ in range(2_000):
            if waits_for_the_register():
                return
            time.sleep(0.005)
        raise AssertionError("the other does not wait")

    if first == "change":
        # committed, and not yet published: the moment at which an event would still read the codes of before
        def publish():
            meanwhile.append(started.submit(alone, register(case, li)))
            until_the_other_waits()
            return published()

        monkeypatch.setattr(redrawing, "publish", publish)
        with ThreadPoolExecutor(1) as started:
            moved_rows = carry_out()
            done = meanwhile[0].result()
    else:
        commit = registering_commit()

        def slow_commit(*given, **named):
            meanwhile.append(started.submit(alone, carry_out))
            until_the_other_waits()
            return commit(*given, **named)

        monkeypatch.setattr("wanjia.register.api.registering.commit", slow_commit)
        with ThreadPoolExecutor(1) as started:
            done = register(case, li)()
            moved_rows = meanwhile[0].result()
    assert moved_rows["residences"] > 0
    assert getattr(done, "status", done) == "registered"
    child = child_of(done, li)
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM register_residence WHERE division_now = %s AND upper_inf(known)", [before])
        assert cursor.fetchone()[0] == 0
        cursor.execute("SELECT division_now FROM register_residence WHERE person_id = %s AND upper_inf(known)", [child])
        assert {row[0] for row in cursor.fetchall()} == {new}
    assert api.read_case(case.id, officer=li, **PURPOSE).status == "registered"


def registering_commit():
    from wanjia.register.api import registering

    return registering.commit


def alone(act):
    try:
        return act()
    except Exception as error:
        return error
    finally:
        connections.close_all()


def test_who_registers_while_divisions_are_changed_for_long_is_told_so(town, changed, monkeypatch):
    """The second is told to try again and nothing is lost; what holds a case does not stand in the way of the change that hands cases over."""
    from datetime import date

    from tests.make.divisions import change_text
    from wanjia.register.api import redrawing

    monkeypatch.setattr("wanjia.register.api.settling.WAIT_SECONDS", 1)
    li = town.officers["li"]
    case = submitted("birth", birth(town, name="王久", birth_on="2026-09-04"), li)
    text = change_text(
        "2026-10-long", "rename", date(2026, 10, 1), [("990104100201", "990104100251")], {"990104100251": "新社区"}
    )
    code = api.order_change(text, **WHO)
    handed, meanwhile = redrawing._hand_over, []

    def hand_over(*given):
        with ThreadPoolExecutor(1) as started:
            meanwhile.append(started.submit(alone, register(case, li)).result())
        return handed(*given)

    monkeypatch.setattr(redrawing, "_hand_over", hand_over)
    api.carry_out(code, **WHO)
    [told] = meanwhile
    assert isinstance(told, RegisterBusy)
    assert "区划" in told.sentence("zh")
    assert register(case, li)().status == "registered"
