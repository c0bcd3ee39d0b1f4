"""Links do not depend on the way: whole or piece by piece, with or without what came and went, in a batch or pushed."""

import random

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.make.people_frames import LINKAGE, TRUST, frame, keep_model, population, trained
from wanjia.kernel.engine import get_engine
from wanjia.kernel.lake import Lake
from wanjia.linkage.adapters.workspace import Workspace
from wanjia.linkage.api import state
from wanjia.linkage.api.linking import link
from wanjia.linkage.api.resident import Resident

SLOW = settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture
def linked(engine, tmp_path):
    """Link a list of rows in a lake of its own; the same name goes on with the same lake."""
    number = iter(range(10**6))
    lakes = {}

    def run(rows, name=None, decided=None):
        if name not in lakes:
            lakes[name] = Lake.open(tmp_path / f"lake{next(number)}")
            keep_model(lakes[name], Workspace(engine), trained())
        lake = lakes[name] if name is not None else lakes.pop(name)
        given_rows = engine.load("given_rows", frame(rows))
        link(engine, lake=lake, linkage=LINKAGE, trust=TRUST, assertions=given_rows, decided=decided)
        return lake

    return run


def told(lake):
    return lake.read(state.LINKS).to_pylist(), lake.read(state.REVIEW).to_pylist()


@SLOW
@given(seed=st.integers(0, 10**6), persons=st.integers(2, 25))
def test_order_of_rows_means_nothing(linked, seed, persons):
    rows = population(seed, persons)
    shuffled = random.Random(seed).sample(rows, len(rows))
    assert told(linked(rows)) == told(linked(shuffled))


@SLOW
@given(seed=st.integers(0, 10**6), persons=st.integers(2, 25), share=st.floats(0.3, 0.95))
def test_piece_by_piece_is_the_whole(linked, seed, persons, share):
    rows = population(seed, persons)
    first = rows[: max(1, int(len(rows) * share))]
    linked(first, name=(seed, persons, share))
    assert told(linked(rows, name=(seed, persons, share))) == told(linked(rows))


@SLOW
@given(seed=st.integers(0, 10**6), persons=st.integers(2, 25), share=st.floats(0.3, 0.95))
def test_what_was_withdrawn_never_came(linked, seed, persons, share):
    rows = population(seed, persons)
    kept = rows[: max(1, int(len(rows) * share))]
    linked(rows, name=("w", seed, persons, share))
    assert told(linked(kept, name=("w", seed, persons, share))) == told(linked(kept))


@pytest.mark.heavy
@SLOW
@given(seed=st.integers(0, 10**6), persons=st.integers(2, 25), share=st.floats(0.3, 0.95))
@example(seed=10054, persons=14, share=0.5)  # two persons under one number, of whom a later push reached only one
def test_pushed_rows_are_linked_as_a_batch_would(linked, seed, persons, share):
    rows = population(seed, persons)
    cut = max(1, int(len(rows) * share))
    lake = linked(rows[:cut])
    # an engine of its own, told as the worker tells its own that only small work follows
    with get_engine("duckdb") as lane:
        resident = Resident.open(
            lane, lake=lake, linkage=LINKAGE, trust=TRUST, assertions=lane.load("given_rows", frame(rows[:cut]))
        )
        lane.small_from_now_on()
        for start in range(cut, len(rows), 3):
            resident.link_few(frame(rows[start : start + 3]))
        pushed = resident.links()
    whole = linked(rows).read(state.LINKS)
    assert pushed.select(whole.column_names).to_pylist() == whole.to_pylist()


@SLOW
@given(seed=st.integers(0, 10**6), persons=st.integers(2, 40))
def test_no_person_has_two_sound_numbers_or_two_baseline_records_by_likeness(engine, linked, seed, persons):
    rows = population(seed, persons)
    lake = linked(rows)
    by_id = {r["assertion_id"]: r for r in rows}
    nodes = dict(engine.raw.sql("SELECT assertion_id, node_id FROM lk_members").fetchall())
    numbers, baseline = {}, {}
    own = dict(engine.raw.sql("SELECT node_id, num FROM lk_nodes").fetchall())
    for found in lake.read(state.LINKS).to_pylist():
        person, assertion = found["person_id"], found["assertion_id"]
        if own[nodes[assertion]]:
            numbers.setdefault(person, set()).add(own[nodes[assertion]])
        if by_id[assertion]["source"] == "register":
            baseline.setdefault(person, set()).add(nodes[assertion])
    assert all(len(n) == 1 for n in numbers.values())
    assert all(len(n) == 1 for n in baseline.values())


def decisions(review, verdicts):
    rows = [
        {"record_l": pair["record_l"], "record_r": pair["record_r"], "is_same": is_same, "number": number}
        for number, (pair, is_same) in enumerate(zip(review, verdicts, strict=False))
    ]
    return pa.Table.from_pylist(rows, schema=state.nothing_decided().schema)


@settings(SLOW, max_examples=3)
@example(seed=3, persons=40, chance=5)
@given(seed=st.integers(0, 10**6), persons=st.integers(8, 40), chance=st.integers(0, 2**20))
def test_what_officers_decided_holds_in_every_later_run(engine, linked, seed, persons, chance):
    rows, pick = population(seed, persons), random.Random(chance)
    _, review = told(linked(rows))
    # one decision a record: several may leave no way to keep all of them
    seen, asked = set(), []
    for pair in review:
        if not seen & {pair["l"], pair["r"]}:
            asked.append(pair)
            seen |= {pair["l"], pair["r"]}
    assert asked or (seed, persons) != (3, 40), "the example is about something"
    given_by = decisions(asked, [pick.random() < 0.5 for _ in asked])
    # the same records, stated anew by later deliveries, and in another order
    later = [{**row, "assertion_id": row["assertion_id"] + (9 << 40)} for row in rows]
    again = linked(pick.sample(later, len(later)), name=(seed, persons, chance), decided=given_by)
    links, review = told(again)
    held = {link["assertion_id"]: link for link in links}
    own = dict(
        engine.raw.sql("SELECT m.assertion_id, n.num FROM lk_members m JOIN lk_nodes n USING (node_id)").fetchall()
    )
    for pair, is_same in zip(asked, given_by["is_same"].to_pylist(), strict=True):
        one, other = (held[pair[side] + (9 << 40)] for side in ("l", "r"))
        numbers = {own[one["assertion_id"]], own[other["assertion_id"]]} - {None}
        if is_same and len(numbers) < 2:
            assert one["person_id"] == other["person_id"], pair
        if not is_same:
            assert one["person_id"] != other["person_id"], pair
        assert {one["assertion_id"], other["assertion_id"]} not in [{p["l"], p["r"]} for p in review]
    resident = Resident.open(
        engine, lake=again, linkage=LINKAGE, trust=TRUST, assertions=engine.load("given_rows", frame(later))
    )
    found = resident.links_of(sorted({link["person_id"] for link in links})).to_pylist()
    assert {f["assertion_id"]: (f["person_id"], f["band"]) for f in found} == {
        a: (h["person_id"], h["band"]) for a, h in held.items()
    }


def test_a_lone_record_found_to_be_another_is_a_person_of_its_own(linked):
    for seed in range(40):
        rows = population(seed, 40)
        links, review = told(linked(rows))
        waiting = [link["assertion_id"] for link in links if link["band"] == "review"]
        if waiting:
            break
    pairs = [pair for pair in review if {pair["l"], pair["r"]} & set(waiting)]
    links, review = told(linked(rows, decided=decisions(pairs, [False] * len(pairs))))
    bands = {link["assertion_id"]: link["band"] for link in links}
    left = {side for pair in review for side in (pair["l"], pair["r"])}
    assert {bands[one] for one in waiting if one not in left} <= {"link"}
    links, _ = told(linked(rows, decided=decisions(pairs[:1], [True])))
    methods = {link["assertion_id"]: link["method"] for link in links}
    assert "officer" in {methods[pairs[0]["l"]], methods[pairs[0]["r"]]}
