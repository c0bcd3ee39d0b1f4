"""Refused blocking keys and former ids: the same on DuckDB and on Spark."""

from dataclasses import replace
from datetime import date

import pyarrow as pa
import pytest

from tests.make.people_frames import LINKAGE, TRUST, frame, keep_model, row, trained
from wanjia.kernel.lake import Lake
from wanjia.linkage.adapters.workspace import Workspace
from wanjia.linkage.api import state
from wanjia.linkage.api.linking import link
from wanjia.linkage.api.succession import successors

SMALL = replace(LINKAGE, largest_block=5)
PERSON = {"name": "李明芳", "birth_on": date(1980, 3, 4), "sex": "2", "home": "h1"}


def seen(engine, folder):
    """(figures, refused records, successors of everybody who was) after a first run, a merge and a flood of placeholders."""
    lake = Lake.open(folder)
    keep_model(lake, Workspace(engine), trained(SMALL))

    def run(rows):
        first = pa.array([1 if r["record_key"] == "k1" else 2 for r in rows], pa.int32())
        said = engine.load("given_rows", frame(rows).append_column("first_delivery_id", first))
        return link(engine, lake=lake, linkage=SMALL, trust=TRUST, assertions=said)

    one, two = row(1, number="0001", **PERSON), row(2, source="school", number="0002", delivery_id=2, **PERSON)
    run([one, two])
    before = lake.read(state.LINKS)["person_id"].to_pylist()
    mended = row(3, source="school", number="0001", delivery_id=3, **PERSON) | {"record_key": "k2"}
    alike = {"name": "李强", "birth_on": date(1900, 1, 1), "sex": "1", "source": "insurance", "delivery_id": 4}
    flood = [row(n, home=f"h{n}", **alike) for n in range(100, 130)]
    figures = run([one, mended, *flood])
    former = successors(engine, lake=lake, former_ids=before)
    return figures.refused_blocks, lake.read(state.REFUSED).to_pylist(), former


@pytest.mark.spark
def test_spark_refuses_and_forwards_as_duckdb_does(engine, spark_engine, tmp_path):
    here, there = seen(engine, tmp_path / "duckdb"), seen(spark_engine, tmp_path / "spark")
    refused, records, former = here
    assert refused == {"name_birth": 1}
    assert len(records) == 20
    assert len(former) == 1
    assert there == here
