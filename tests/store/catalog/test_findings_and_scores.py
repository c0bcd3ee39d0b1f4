"""Runs, findings with their clocks, scorecards."""

from datetime import UTC, date, datetime

import pyarrow as pa
import pytest

from wanjia.catalog import api
from wanjia.catalog.errors import NoRunYet, RunUnknown
from wanjia.kernel import clock

pytestmark = pytest.mark.django_db

WHO = {"by": "t", "why": "t"}
MONDAY = datetime(2026, 11, 16, 8, tzinfo=UTC)
FRIDAY = datetime(2026, 11, 20, 8, tzinfo=UTC)
SCHEMA = pa.schema(
    [("kind", pa.string()), ("source", pa.string()), ("element", pa.string()), ("person_id", pa.int64()), ("other_person_id", pa.int64()),
     ("household_id", pa.int64()), ("assertion_id", pa.int64())]
)  # fmt: skip


def found(engine, *rows):
    names = SCHEMA.names
    return engine.load(
        "found", pa.Table.from_pylist([dict(zip(names, row, strict=True)) for row in rows], schema=SCHEMA)
    )


ONE = ("sex_against_number", "school_rolls", "sex", 1, None, None, 100)
TWO = ("several_heads", "police_register", "relation_to_head", 2, None, 77, None)


def test_a_finding_is_due_in_ten_working_days_and_keeps_its_clock(engine):
    with clock.stopped_at(MONDAY):
        assert api.file_findings(api.gather_findings(engine, found(engine, ONE, TWO)), **WHO) == {
            "opened": 2,
            "closed": 0,
            "kept": 0,
        }
    with clock.stopped_at(FRIDAY):
        assert api.file_findings(api.gather_findings(engine, found(engine, ONE, TWO)), **WHO) == {
            "opened": 0,
            "closed": 0,
            "kept": 2,
        }
    assert {f["due_on"] for f in api.findings()} == {date(2026, 11, 30)}


def test_what_is_gone_is_closed_and_may_open_again(engine):
    with clock.stopped_at(MONDAY):
        api.file_findings(api.gather_findings(engine, found(engine, ONE, TWO)), **WHO)
    with clock.stopped_at(FRIDAY):
        assert api.file_findings(api.gather_findings(engine, found(engine, TWO)), **WHO) == {
            "opened": 0,
            "closed": 1,
            "kept": 1,
        }
        assert [f["closed_on"] for f in api.findings(status="closed")] == [date(2026, 11, 20)]
        assert api.file_findings(api.gather_findings(engine, found(engine, ONE, TWO)), **WHO)["opened"] == 1
    assert api.findings(kind="sex_against_number")[0]["due_on"] == date(2026, 12, 4)


def test_the_records_of_one_finding_are_gathered(engine):
    api.file_findings(api.gather_findings(engine, found(engine, ONE, (*ONE[:-1], 101))), **WHO)
    [finding] = api.findings(source="school_rolls")
    assert finding["assertion_ids"] == [100, 101]


def test_findings_about_others_stay_in_the_fast_lane(engine):
    api.file_findings(api.gather_findings(engine, found(engine, ONE, TWO)), **WHO)
    assert api.file_findings(api.gather_findings(engine, found(engine)), only_persons=[1], **WHO)["closed"] == 1
    assert [f["kind"] for f in api.findings()] == ["several_heads"]


def test_the_summary_counts_what_is_overdue(engine):
    with clock.stopped_at(MONDAY):
        api.file_findings(api.gather_findings(engine, found(engine, ONE)), **WHO)
    with clock.stopped_at(datetime(2026, 12, 1, tzinfo=UTC)):
        [line] = api.findings_summary()
    assert (line["open"], line["overdue"], line["next_due_on"]) == (1, 1, None)


def test_a_run_has_stages_and_ends_once():
    run = api.open_run(engine="duckdb", **WHO)
    api.record_stage(run, "link", started_at=MONDAY, finished_at=FRIDAY, rows_in=5, rows_out=4)
    api.record_stage(run, "link", started_at=MONDAY, finished_at=FRIDAY, rows_in=5, rows_out=5)
    api.close_run(run, outcome={"persons": 3}, **WHO)
    latest = api.latest_run()
    assert (latest["id"], latest["outcome"], [s["rows_out"] for s in latest["stages"]]) == (run, {"persons": 3}, [5])
    with pytest.raises(RunUnknown):
        api.close_run(run, **WHO)
    with pytest.raises(RunUnknown):
        api.record_stage(run, "load", started_at=MONDAY, finished_at=FRIDAY)


def test_a_run_left_open_by_a_kill_is_closed_as_failed():
    api.open_run(engine="duckdb", **WHO)
    api.open_run(engine="duckdb", **WHO)
    assert api.latest_run() is None
    assert api.latest_run(finished=False)["state"] == "open"


def test_a_scorecard_is_worst_first_with_numerators(engine):
    run = api.open_run(engine="duckdb", **WHO)
    assertions = engine.load(
        "a", pa.table({"assertion_id": pa.array([100, 101], pa.int64()), "source": ["school_rolls"] * 2})
    )
    issues = engine.load(
        "i", pa.table({"assertion_id": pa.array([101], pa.int64()), "element": ["sex"], "reason": ["X"]})
    )
    agreement = [
        {
            "source": "school_rolls",
            "subject": "self",
            "element": "sex",
            "rows": 2,
            "known": 2,
            "given": 1,
            "shared": 1,
            "differs": 1,
            "stale": 0,
        },
        {
            "source": "school_rolls",
            "subject": "self",
            "element": "name",
            "rows": 2,
            "known": 2,
            "given": 0,
            "shared": 0,
            "differs": 0,
            "stale": 0,
        },
    ]
    api.score(
        run, engine, assertions=assertions, agreement=agreement, value_issues=issues, findings=found(engine, ONE),
        rows_by_source={"school_rolls": (2, 3)}, **WHO,
    )  # fmt: skip
    cells = [(c["element"], c["dimension"], c["good"], c["counted"]) for c in api.scorecard()]
    assert cells == [
        ("sex", "accuracy", 0, 1), ("sex", "consistency", 0, 1), ("sex", "completeness", 1, 2), ("sex", "conformity", 1, 2),
        ("", "accessibility", 2, 3), ("sex", "timeliness", 1, 1),
    ]  # fmt: skip


def test_no_scorecard_before_the_first_run():
    with pytest.raises(NoRunYet):
        api.scorecard()
