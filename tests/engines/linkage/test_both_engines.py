"""The same model gives the same links on DuckDB and on Spark, row for row."""

import pytest

from tests.make.people_frames import LINKAGE, TRUST, frame, keep_model, population, row, trained
from wanjia.kernel.lake import Lake
from wanjia.linkage.adapters.workspace import Workspace
from wanjia.linkage.api import state
from wanjia.linkage.api.linking import link


def linked(engine, folder, rows):
    lake = Lake.open(folder)
    keep_model(lake, Workspace(engine), trained())
    figures = link(engine, lake=lake, linkage=LINKAGE, trust=TRUST, assertions=engine.load("given_rows", frame(rows)))
    return lake, figures


def persons(lake):
    """Sets of record keys that are one person."""
    keys = {k["assertion_id"]: k["record_key"] for k in lake.read(state.KEYS).to_pylist()}
    found = {}
    for said in lake.read(state.LINKS).to_pylist():
        found.setdefault(said["person_id"], set()).add(keys[said["assertion_id"]])
    return sorted(map(sorted, found.values()))


def born(day):
    import datetime

    return datetime.date.fromisoformat(day)


ONE = {"name": "王小明", "sex": "1", "birth_on": born("1990-01-02"), "number": "0001", "home": "h1", "household": "f1"}


@pytest.mark.spark
def test_spark_says_what_duckdb_says(engine, spark_engine, tmp_path):
    rows = population(11, 60)
    here, figures = linked(engine, tmp_path / "duckdb", rows)
    there, _ = linked(spark_engine, tmp_path / "spark", rows)
    assert figures.bands["link"] > 50
    assert figures.review > 0
    assert figures.shared_numbers > 0
    assert any(r["method"] == "model" for r in here.read(state.LINKS).to_pylist())
    for name in (state.LINKS, state.REVIEW, state.NODES, state.EDGES):
        assert here.read(name).to_pylist() == there.read(name).to_pylist(), name


def test_one_number_one_person(engine, tmp_path):
    lake, _ = linked(engine, tmp_path, [row(1, **ONE), row(2, **ONE | {"source": "school"})])
    assert persons(lake) == [["k1", "k2"]]


def test_two_persons_under_one_number_are_never_fused_and_go_to_review(engine, tmp_path):
    other = ONE | {"name": "李娜", "sex": "2", "birth_on": born("1985-05-05"), "household": "f2", "home": "h2"}
    lake, figures = linked(engine, tmp_path, [row(1, **ONE), row(2, **other), row(3, **other | {"source": "school"})])
    assert persons(lake) == [["k1"], ["k2", "k3"]]
    assert figures.shared_numbers == 1
    assert [c["reason"] for c in lake.read(state.REVIEW).to_pylist()] == ["shared_number"]


def test_a_pair_that_waits_says_in_which_band_it_is(engine, tmp_path):
    lake, _ = linked(engine, tmp_path, population(11, 60))
    bands = {}
    for case in lake.read(state.REVIEW).to_pylist():
        bands.setdefault(case["reason"], set()).add(case["band"])
    assert bands["shared_number"] == {""}, "nothing was compared"
    assert bands.get("uncertain", {"review"}) == {"review"}
    assert set().union(*bands.values()) - {"", "review"} == {"link"}, bands


def test_two_persons_under_one_number_with_one_birth_date_are_not_fused_either(engine, tmp_path):
    lake, _ = linked(engine, tmp_path, [row(1, **ONE), row(2, **ONE | {"name": "叶国刚"})])
    assert persons(lake) == [["k1"], ["k2"]]


def test_one_persons_former_name_does_not_make_the_other_the_first(engine, tmp_path):
    other = ONE | {
        "name": "肖倩颖",
        "former_name__norm": "肖悦",
        "birth_on": born("1971-02-26"),
        "household": "f2",
        "home": "h2",
    }
    lake, _ = linked(engine, tmp_path, [row(1, **ONE), row(2, **other)])
    assert persons(lake) == [["k1"], ["k2"]]


def test_a_second_row_without_a_name_in_the_register_is_not_the_first(engine, tmp_path):
    nameless = ONE | {"name": None, "household": "f2", "home": "h2"}
    lake, _ = linked(engine, tmp_path, [row(1, **ONE), row(2, **nameless), row(3, **nameless | {"source": "school"})])
    assert persons(lake) == [["k1", "k3"], ["k2"]]


def test_who_changed_half_the_name_is_still_the_person(engine, tmp_path):
    renamed = ONE | {"name": "王芳华", "source": "insurance"}
    lake, _ = linked(engine, tmp_path, [row(1, **ONE), row(2, **renamed)])
    assert persons(lake) == [["k1", "k2"]]


def test_a_number_given_with_another_birth_and_name_is_not_its_bearers(engine, tmp_path):
    borrowed = ONE | {"name": "李娜", "sex": "2", "birth_on": born("1992-03-04"), "source": "insurance", "home": "h2"}
    own = borrowed | {"number": "0002", "source": "register", "household": "f1"}
    lake, _ = linked(engine, tmp_path, [row(1, **ONE), row(2, **borrowed), row(3, **own)])
    assert persons(lake) == [["k1"], ["k2", "k3"]]


def test_a_mistyped_number_does_not_hide_a_person(engine, tmp_path):
    mistyped = ONE | {"number": "0010", "number__state": "check_failed", "source": "school"}
    lake, _ = linked(engine, tmp_path, [row(1, **ONE), row(2, **mistyped)])
    assert persons(lake) == [["k1", "k2"]]


def test_twins_are_two(engine, tmp_path):
    twin = ONE | {"name": "王小芳", "number": None, "source": "school"}
    other_twin = ONE | {"name": "王芳", "number": None, "source": "school"}
    lake, _ = linked(engine, tmp_path, [row(1, **ONE), row(2, **other_twin)])
    assert persons(lake) == [["k1"], ["k2"]]
    both = [row(1, **ONE), row(2, **ONE | {"name": "王小芳", "number": "0002"}), row(3, **twin)]
    lake, _ = linked(engine, tmp_path / "both", both)
    assert persons(lake) == [["k1"], ["k2", "k3"]]


def test_a_newborn_without_name_or_number_is_found_through_the_mother(engine, tmp_path):
    mother = row(1, **ONE | {"name": "李芳", "sex": "2"})
    child = {"sex": "2", "birth_on": born("2018-07-07"), "mother_number": "0001", "source": "insurance"}
    registered = {"name": "王娜", "sex": "2", "birth_on": born("2018-07-07"), "number": "0009", "household": "f1"}
    lake, _ = linked(engine, tmp_path, [mother, row(2, **child), row(3, **registered)])
    assert persons(lake) == [["k1"], ["k2", "k3"]]


def test_an_id_stays_while_later_records_join(engine, tmp_path):
    first = row(1, **ONE | {"source": "school", "number": None})
    lake, _ = linked(engine, tmp_path / "a", [first])
    before = lake.read(state.LINKS).column("person_id").to_pylist()
    lake, _ = linked(engine, tmp_path / "b", [first, row(2, **ONE | {"delivery_id": 2})])
    assert lake.read(state.LINKS).column("person_id").to_pylist() == before * 2


def test_a_blocking_value_that_explodes_is_refused_and_told(engine, tmp_path):
    from dataclasses import replace

    from wanjia.linkage.bulk import pairs

    narrow = replace(LINKAGE, largest_block=3)
    rows = [row(i, **ONE | {"number": None, "source": "school", "home": f"h{i}"}) for i in range(1, 6)]
    linked(engine, tmp_path, rows)
    work = Workspace(engine)
    pairs.make_blocks(work, narrow, nodes="lk_nodes", keyed="lk_keyed")
    sizes = pairs.block_sizes(work, narrow, nodes="lk_nodes", keyed="lk_keyed")
    assert [n for _, n in sizes["name_birth"]] == [5]
    assert sizes["name_home"] == []
