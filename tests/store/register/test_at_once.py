"""Two officers at once, each with a connection of their own: no lost update, no number given out twice, a clear word to the second."""

import threading
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest
from django.core.management import call_command
from django.db import connection, connections

from tests.make import town as make
from tests.store.register.test_events import birth, move_in, move_out
from wanjia.kernel.database import ensure_server
from wanjia.privacy import api as privacy
from wanjia.register import api
from wanjia.register.api.settling import LOAD_LOCK
from wanjia.register.errors import CaseMovedOn, FormRefused, RegisterBusy

PURPOSE = {"purpose": "case"}
WHO = {"by": "test", "why": "test"}
NAME = "events_at_once"


@pytest.fixture(scope="module")
def town(django_db_setup, django_db_blocker):
    """A town in a database of its own, where transactions really end."""
    from wanjia.kernel.engine import get_engine

    with django_db_blocker.unblock():
        name = connection.settings_dict["NAME"]
        connections.close_all()
        with psycopg.connect(ensure_server(), autocommit=True) as server:
            server.execute(f"DROP DATABASE IF EXISTS {NAME} WITH (FORCE)")
            server.execute(f'CREATE DATABASE {NAME} TEMPLATE "{name}"')
            connection.settings_dict["NAME"] = NAME
            # where no other test asked for a database, there was none to copy
            call_command("migrate", verbosity=0)
            try:
                with get_engine("duckdb") as engine:
                    made = make.build(engine)
                    made.engine = engine
                    made.officers = {
                        name: make.officer(name, area, role)
                        for name, area, role in (
                            ("li", "990104", "officer"), ("wu", "990104", "officer"), ("sun", "990104", "supervisor"), ("zhou", "990105", "officer"),
                        )
                    }  # fmt: skip
                    yield made
            finally:
                connections.close_all()
                connection.settings_dict["NAME"] = name
                server.execute(f"DROP DATABASE {NAME} WITH (FORCE)")


def at_once(*acts):
    """Run the acts at one moment, each in a thread with its own connection: what each returned or raised."""
    ready = threading.Barrier(len(acts))

    def run(act):
        try:
            connection.ensure_connection()
            ready.wait(10)
            return act()
        except Exception as error:  # what was raised is what is asked about
            return error
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(acts)) as pool:
        return list(pool.map(run, acts))


def submitted(kind, form, officer):
    case = api.open_case(kind, form, officer=officer, **PURPOSE)
    return api.submit_case(case.id, version=case.version, officer=officer, **PURPOSE)


def register(case, officer):
    return lambda: api.move_case(case.id, "register", version=case.version, officer=officer, **PURPOSE)


def child_of(case, officer):
    return api.read_case(case.id, officer=officer, **PURPOSE).people["child"][0]


def test_two_officers_on_one_case(town):
    li, wu = town.officers["li"], town.officers["wu"]
    case = submitted("birth", birth(town, name="王一", birth_on="2026-09-01"), li)
    told = at_once(register(case, li), register(case, wu))
    assert sorted(type(one).__name__ for one in told) == ["Case", "CaseMovedOn"]
    [late] = [one for one in told if isinstance(one, CaseMovedOn)]
    assert "登记" in late.sentence("zh")
    assert api.read_case(case.id, officer=li, **PURPOSE).status == "registered"
    told = at_once(
        lambda: api.keep_draft(draft.id, {"values": {"name": "甲"}}, version=1, officer=li, **PURPOSE),
        lambda: api.keep_draft(draft.id, {"values": {"name": "乙"}}, version=1, officer=li, **PURPOSE),
    ) if (draft := api.open_case("birth", {}, officer=li, **PURPOSE)) else []  # fmt: skip
    assert sorted(type(one).__name__ for one in told) == ["Case", "CaseMovedOn"]


def test_two_numbers_from_one_sequence(town):
    officers = [town.officers["li"], town.officers["wu"]] * 3
    cases = [
        submitted("birth", birth(town, name=f"王双{one}", birth_on="2026-09-01"), officer)
        for one, officer in zip("甲乙丙丁戊己", officers, strict=True)
    ]
    told = at_once(*(register(case, officer) for case, officer in zip(cases, officers, strict=True)))
    assert [one for one in told if isinstance(one, Exception)] == []
    children = [child_of(case, officer) for case, officer in zip(cases, officers, strict=True)]
    numbers = [number for _, number in privacy.amended_values("GA01", children)]
    assert len(set(children)) == len(set(numbers)) == 6
    assert len({number[:14] for number in numbers}) == 1, "one sequence"


def test_one_person_is_moved_once(town):
    li, wu, zhou = (town.officers[name] for name in ("li", "wu", "zhou"))
    first, second = (submitted("move_out", move_out(town, "qiang"), officer) for officer in (li, wu))
    told = at_once(register(first, li), register(second, wu))
    assert sorted(type(one).__name__ for one in told) == ["Case", "FormRefused"]
    [late] = [one for one in told if isinstance(one, FormRefused)]
    assert [one.code for one in late.problems["mover"]] == ["REGISTER-C08"] or late.problems["mover"]
    into = [submitted("move_in", move_in(town, "C", "qiang", "10"), zhou) for _ in range(2)]
    told = at_once(*(register(case, zhou) for case in into))
    assert sorted(type(one).__name__ for one in told) == ["Case", "FormRefused"]


def test_a_load_and_an_event_wait_for_each_other(town, monkeypatch):
    monkeypatch.setattr("wanjia.register.api.settling.WAIT_SECONDS", 1)
    li = town.officers["li"]
    case = submitted("birth", birth(town, name="王三", birth_on="2026-09-01"), li)
    with psycopg.connect(ensure_server(), dbname=NAME) as loading:
        loading.execute("SELECT pg_advisory_xact_lock(%s)", [LOAD_LOCK])
        with pytest.raises(RegisterBusy):
            register(case, li)()
    told = at_once(register(case, li), lambda: make.run(town.engine, town))
    assert [one for one in told if isinstance(one, Exception)] == []
    before = api.digest(**WHO)
    assert api.rebuild(make.resolved(town.engine, town), expect_equal=True, **WHO)[:2] == (before, before)
