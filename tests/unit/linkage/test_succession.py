"""A person's id outlives later deliveries, and after a merge it is known whom the id stands for."""

import datetime

import pyarrow as pa
import pytest

from tests.make.people_frames import LINKAGE, TRUST, frame, keep_model, row, trained
from wanjia.kernel.lake import Lake
from wanjia.linkage.adapters.workspace import Workspace
from wanjia.linkage.api import state
from wanjia.linkage.api.linking import link
from wanjia.linkage.api.succession import successors

BORN = datetime.date(1980, 3, 4)
ALIKE = {"name": "李明芳", "birth_on": BORN, "sex": "2", "home": "h1", "household": "f1"}


@pytest.fixture
def linked(engine, tmp_path):
    """linked(rows, first) → person of each record key; `first` says in which delivery a re-sent record first came."""
    lake = Lake.open(tmp_path)
    keep_model(lake, Workspace(engine), trained())

    def run(rows, first=None):
        rows = [*rows, row(8, number="0008", name="王伟", sex="1", birth_on=datetime.date(1955, 1, 1))]
        table = frame(rows)
        arrived = [(first or {}).get(r["record_key"], r["delivery_id"]) for r in rows]
        table = table.append_column("first_delivery_id", pa.array(arrived, pa.int32()))
        link(engine, lake=lake, linkage=LINKAGE, trust=TRUST, assertions=engine.load("given_rows", table))
        keys = {r["assertion_id"]: r["record_key"] for r in lake.read(state.KEYS).to_pylist()}
        return {keys[r["assertion_id"]]: r["person_id"] for r in lake.read(state.LINKS).to_pylist()}

    run.lake = lake
    return run


def test_a_record_sent_again_keeps_its_person(linked):
    before = linked([row(1, number="0001", **ALIKE), row(2, source="school", number="0001", delivery_id=2, **ALIKE)])
    assert before["k1"] == before["k2"]
    again = row(9, number="0001", delivery_id=3, **(ALIKE | {"name": "李明"})) | {"record_key": "k1"}
    after = linked([again, row(2, source="school", number="0001", delivery_id=2, **ALIKE)], first={"k1": 1})
    assert after == before, "its newest wording came last, but the record itself came first"


def test_a_merged_person_stands_for_the_other(linked, engine):
    one, two = row(1, number="0001", **ALIKE), row(2, source="school", number="0002", delivery_id=2, **ALIKE)
    before = linked([one, two])
    assert before["k1"] != before["k2"], "two sound numbers are two persons"
    mended = row(3, source="school", number="0001", delivery_id=3, **ALIKE) | {"record_key": "k2"}
    after = linked([one, mended], first={"k2": 2})
    assert {after["k1"], after["k2"]} == {before["k1"]}
    gone = [before["k2"], 12345]
    assert successors(engine, lake=linked.lake, former_ids=gone) == {before["k2"]: before["k1"]}, (
        "an id whose record is nowhere stands for nobody"
    )
    assert linked([one, two]) == before, "what was merged by mistake comes apart again under the same ids"
    assert successors(engine, lake=linked.lake, former_ids=[12345]) == {}
