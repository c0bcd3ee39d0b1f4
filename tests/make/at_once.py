"""Acts at one moment: threads with connections of their own, in a town whose transactions really end."""

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import psycopg
from django.core.management import call_command
from django.db import connection, connections

from tests.make import town as make
from wanjia.kernel.database import ensure_server
from wanjia.register import api

PURPOSE = {"purpose": "case"}
WHO = {"by": "test", "why": "test"}
NAME = "events_at_once"


@contextmanager
def town_of_its_own():
    """A town in a database of its own, where transactions really end."""
    from wanjia.kernel.engine import get_engine

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
                made = make.build(engine, make.WITH_DOUBLES, make.PLACES_OF_DOUBLES, unnumbered=make.DOUBLES)
                made.engine = engine
                made.officers = {
                    name: make.officer(name, area, role)
                    for name, area, role in (
                        ("li", "990104", "officer"), ("wu", "990104", "officer"), ("sun", "990104", "supervisor"), ("zhou", "990105", "officer"),
                        ("gao", "99", "officer"), ("qian", "99", "supervisor"), ("shen", "99", "supervisor"),
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
