"""DuckDB told that only small work follows: cheaper planning, the same rows."""

import pyarrow as pa
import pytest

from wanjia.kernel.engine import LENT_ROWS, get_engine


@pytest.fixture
def engine():
    with get_engine("duckdb") as opened:
        opened.small_from_now_on()
        yield opened


def people(*names: str) -> pa.Table:
    return pa.table({"id": pa.array(range(len(names)), pa.int64()), "name": list(names)})


def sees_through(engine) -> bool:
    """Whether it plans with care: only an optimizer sees that nothing can be found."""
    plan = engine.execute("EXPLAIN SELECT name FROM people WHERE 1 = 0").fetchall()
    return "Empty Result" in str(plan)


def test_a_statement_kept_reads_what_its_tables_hold_by_now(engine):
    for names in (["b", "a"], ["c"], []):
        engine.put("people", people(*names))
        engine.save_compiled("upper_people", "SELECT id, upper(name) AS name FROM people")
        assert engine.fetch("SELECT name FROM upper_people ORDER BY name")["name"].to_pylist() == sorted(
            name.upper() for name in names
        )


def test_a_statement_kept_fits_tables_that_have_got_other_columns(engine):
    engine.put("people", people("a"))
    assert engine.fetch("SELECT * FROM people").column_names == ["id", "name"]
    engine.put("people", people("a").append_column("age", pa.array([7])))
    assert engine.fetch("SELECT * FROM people").to_pylist() == [{"id": 0, "name": "a", "age": 7}]


def test_the_order_asked_for_is_kept(engine):
    engine.put("people", people(*(f"{number * 7919 % 5000:04}" for number in range(5000))))
    for _ in range(2):
        found = engine.fetch("SELECT name FROM people ORDER BY name DESC")["name"].to_pylist()
        assert found == sorted(found, reverse=True)
        assert len(found) == 5000


def test_one_name_is_a_table_made_here_or_one_lent_whichever_came_last(engine):
    engine.save_compiled("people", "SELECT 1 AS id, 'made' AS name")
    engine.put("people", people("lent"))
    assert engine.fetch("SELECT name FROM people").to_pylist() == [{"name": "lent"}]
    engine.save_compiled("people", "SELECT 2 AS id, 'made again' AS name")
    assert engine.fetch("SELECT name FROM people").to_pylist() == [{"name": "made again"}]
    engine.put("people", people("lent"))
    assert engine.save("people", engine.con.table("people").filter(False)).count().execute() == 0
    engine.put("people", people("lent"))
    engine.drop("people")
    assert "people" not in engine._names()


def test_a_lent_table_of_many_pieces_is_read_whole_again_and_again():
    many = people(*map(str, range(2 * LENT_ROWS + 1)))
    with get_engine("duckdb") as whole:
        whole.put("people", many, lent=True)
        table = whole.con.table("people")
        for _ in range(2):
            assert whole.arrow(table.aggregate(n=table.count(), last=table.id.max())).to_pylist() == [
                {"n": many.num_rows, "last": many.num_rows - 1}
            ]
        whole.drop("people")
        assert "people" not in whole._names()


def test_plain_planning_ends_with_its_block(engine):
    engine.put("people", people("a", "b"))
    joined = "SELECT x.id FROM people x JOIN people y ON x.id = y.id WHERE y.name = 'b'"
    with engine.among_few():
        inside = engine.fetch(joined).to_pylist()
        assert not sees_through(engine)
    assert inside == engine.fetch(joined).to_pylist() == [{"id": 1}]
    with pytest.raises(ZeroDivisionError), engine.among_few():
        raise ZeroDivisionError
    assert sees_through(engine)


def test_work_that_is_not_small_is_planned_with_all_care():
    with get_engine("duckdb") as whole, whole.among_few():
        whole.put("people", people("a"))
        assert sees_through(whole)
