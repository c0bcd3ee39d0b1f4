"""Dossiers are put together whole, in whatever pieces they are asked for."""

import pyarrow as pa
import pytest

from tests.make import assertions as make
from tests.make import profile
from wanjia.register import rules
from wanjia.register.api import assembling, resolving
from wanjia.register.api.assembling import in_words, put_together
from wanjia.register.api.resolving import resolve


def test_a_choice_that_many_share_is_written_once_and_in_order_of_persons():
    room = rules.ORDINAL_ROOM
    some = rules.packed_name([(0, "GA02", "p"), (2, "home.y", "r")])
    other, average = rules.packed_name([(1, "ZJ01", "a")]), rules.packed_name([(1, "ZJ01", rules.AVERAGED)])
    asked = {"person_id": [3, 1, 2, 4], some: [1 + 4 * room, 1 + 4 * room, 0, 2], other: [None, 2, None, None]}
    choices = in_words(pa.table({**asked, average: pa.array([None, "7", None, None], pa.string())}))
    wanted = ["GA02=0p\x1fZJ01=1a:7\x1fhome.y=3r", "", "GA02=0p\x1fhome.y=3r", "GA02=1p"]
    assert choices.to_pylist() == [{"person_id": n, "chosen": c} for n, c in enumerate(wanted, start=1)]
    assert len(choices["chosen"].combine_chunks().dictionary) == 4


def test_choices_among_more_elements_than_a_number_holds_are_told_apart(monkeypatch):
    columns = {rules.packed_name([(n, f"E{n}", "r")]): [1 + (k >> n) % 2 for k in range(64)] for n in range(6)}
    asked = pa.table({"person_id": range(64), **columns})
    wanted = in_words(asked).to_pylist()
    assert len({one["chosen"] for one in wanted}) == 64
    monkeypatch.setattr(assembling, "LARGEST_KIND", 7)
    assert in_words(asked).to_pylist() == wanted


def test_dossiers_in_pieces_are_those_of_all_together(engine, monkeypatch):
    frame, links = make.population(60, seed=7)
    args = {"sources": profile.sources(), "elements": profile.elements()}
    by_source = {source: engine.load(f"a_{source}", rows) for source, rows in make.by_source(frame).items()}
    found = resolve(engine, by_source, engine.load("l", links), **args)
    whole = pa.concat_tables(found.dossiers()).sort_by("person_id").to_pylist()
    monkeypatch.setattr(resolving, "PERSONS_IN_A_PIECE", 7)
    assert pa.concat_tables(found.dossiers()).to_pylist() == whole


@pytest.mark.parametrize("at_once", [1, 2, 3])
def test_lines_that_belong_to_nobody_are_refused(monkeypatch, at_once):
    monkeypatch.setattr(assembling, "PERSONS_AT_ONCE", at_once)
    lines = pa.table(
        {"person_id": [2, 1, 2], "ordinal": [1, 0, 0], "line": ["|c", "|a", "|b"], "locator": [",9", "|7", "|8"]}
    )
    choices = pa.table({"person_id": [1, 2], "chosen": pa.array(["x", "y"]).dictionary_encode()})
    both = put_together(choices, lines)
    assert pa.concat_tables(both).to_pylist() == [
        {"person_id": 1, "dossier": "x|a|7"},
        {"person_id": 2, "dossier": "y|b|c|8,9"},
    ]
    with pytest.raises(ValueError, match="choices"):
        put_together(choices.slice(1), lines)
