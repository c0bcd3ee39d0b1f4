"""What stands in memory after every push is what stands in the tables of a whole run."""

from datetime import date, timedelta

import pyarrow as pa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from wanjia.intake import bulk
from wanjia.intake.api.standing import Standing

SOURCE = "hospital"
DAY = date(2026, 7, 1)
#: deliveries of rows (key, subject, day)
ROWS = st.lists(st.tuples(st.integers(0, 4), st.sampled_from(["self", "child"]), st.integers(0, 3)), max_size=6)
DELIVERIES = st.lists(ROWS, min_size=1, max_size=6)
SCHEMA = pa.schema(
    {
        "assertion_id": pa.int64(), "source": pa.string(), "delivery_id": pa.int32(), "row_no": pa.int32(), "record_key": pa.string(),
        "subject": pa.string(), "as_of": pa.date32(), "said": pa.string(),
    }
)  # fmt: skip


def delivery(number: int, rows: list[tuple[int, str, int]]) -> pa.Table:
    return pa.Table.from_pylist(
        [
            {"assertion_id": (number << 32) + 4 * place, "source": SOURCE, "delivery_id": number, "row_no": place, "record_key": f"k{key}",
             "subject": subject, "as_of": DAY + timedelta(day), "said": f"{number}/{place}"}
            for place, (key, subject, day) in enumerate(rows)
        ],
        schema=SCHEMA,
    )  # fmt: skip


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40, deadline=None)
@given(deliveries=DELIVERIES, known=st.integers(0, 3))
def test_the_newest_of_each_record_stands_whichever_came_first(engine, deliveries, known):
    tables = [delivery(number, rows) for number, rows in enumerate(deliveries, start=1)]
    whole = pa.concat_tables(tables)
    heads = engine.load("heads", whole)
    gone = set(engine.arrow(bulk.superseded(heads))["assertion_id"].to_pylist())
    expected = {row["assertion_id"]: row["said"] for row in whole.to_pylist() if row["assertion_id"] not in gone}
    first: dict[tuple, int] = {}
    for row in whole.to_pylist():
        first.setdefault((row["record_key"], row["subject"]), row["delivery_id"])

    standing = Standing({}, [SOURCE])
    stand: set[int] = set()
    for table in tables:
        taken, left = standing.take(SOURCE, table)
        assert set(left) <= stand
        stand = stand - set(left) | set(taken["assertion_id"].to_pylist())
    found = standing.of(stand)
    assert {row["assertion_id"]: row["said"] for row in found.to_pylist()} == expected
    assert all(row["first_delivery_id"] == first[row["record_key"], row["subject"]] for row in found.to_pylist())


def test_all_sources_come_in_one_table_of_one_shape():
    one = delivery(1, [(0, "self", 0)])
    other = one.rename_columns([*one.column_names[:-1], "else"]).set_column(1, "source", pa.array(["school"]))
    other = other.set_column(0, "assertion_id", pa.array([7], pa.int64()))
    standing = Standing({SOURCE: one.append_column("first_delivery_id", one["delivery_id"])}, [SOURCE])
    before = standing.schema
    standing.expect(other)
    assert set(standing.schema.names) - set(before.names) == {"else"}
    standing.take("school", other)
    found = standing.of([7, (1 << 32)])
    assert found.schema == standing.schema
    assert [(row["said"], row["else"]) for row in found.to_pylist()] == [(None, "1/0"), ("1/0", None)]
