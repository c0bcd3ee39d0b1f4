"""What kin tell of a node that says nothing itself."""

import duckdb

from wanjia.linkage.bulk.nodes import kin_sql
from wanjia.linkage.declared import Feature

NODES = [
    # node_id, num, household, mother, father
    (1, "M", "of the mother", None, None),
    (2, "F", "of the father", None, None),
    (3, None, None, "M", "F"),
    (4, None, None, None, "F"),
    (5, None, "own", "M", "F"),
    (6, None, None, "nobody's", "F"),
    (7, None, None, "nobody's", None),
]


def test_an_empty_value_becomes_the_mothers_and_else_the_fathers():
    household = Feature(key="household", kind="code", elements=["household_number"], via=["mother", "father"])
    with duckdb.connect() as engine:
        engine.execute(
            "CREATE TABLE nodes (node_id BIGINT, num VARCHAR, f_household VARCHAR, f_mother VARCHAR, f_father VARCHAR)"
        )
        engine.executemany("INSERT INTO nodes VALUES (?, ?, ?, ?, ?)", NODES)
        told = dict(engine.execute(kin_sql(household, bare="nodes", everyone="nodes")).fetchall())
    assert told == {3: "of the mother", 4: "of the father", 6: "of the father"}
