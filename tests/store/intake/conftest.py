"""Deliveries of the declared profile, in a home of the test's own."""

import pytest

from tests.generative.intake.broken_files import good_rows, written


@pytest.fixture
def intake(home, db):
    """The door of intake over an empty lake."""
    from wanjia.intake import api

    return api


@pytest.fixture(scope="module")
def engine():
    """One engine for the module: planning statements costs more than the tests."""
    from wanjia.kernel.engine import get_engine

    with get_engine("duckdb") as duckdb_engine:
        yield duckdb_engine


@pytest.fixture
def inbox(tmp_path):
    """A folder for files, apart from the home."""
    folder = tmp_path / "inbox"
    folder.mkdir()
    return folder


@pytest.fixture
def deliver(inbox, intake, engine):
    """Write rows as a file of their source, receive it and standardise what waits; the delivery as it then stands."""
    from tests.generative.intake.broken_files import SOURCES

    def act(rows: list[dict], kind: str = "csv", name: str = "a"):
        path = inbox / f"{SOURCES[kind]}_{name}.{kind}"
        path.write_bytes(written(kind, rows))
        received = intake.receive_file(path, by="tester", why="test")
        intake.standardise_pending(engine, by="tester", why="test")
        return intake.delivery_named(received.delivery.id)

    return act


@pytest.fixture
def police_rows():
    """Rows of the police register with keys 1 … n."""
    import random

    def make(count: int, **changes: str) -> list[dict]:
        rows = good_rows("csv", random.Random(1), count)
        return [{**row, "人员编号": f"R{number}", **changes} for number, row in enumerate(rows, start=1)]

    return make
