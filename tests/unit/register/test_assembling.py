"""Dossiers are put together whole, in whatever pieces they are asked for."""

import pyarrow as pa
import pytest

from tests.make import assertions as make
from tests.make import profile
from wanjia.register.api import assembling, resolving
from wanjia.register.api.assembling import in_order, put_together
from wanjia.register.api.resolving import resolve


def test_a_choice_that_many_share_is_kept_once_and_in_order_of_persons():
    choices = in_order(pa.table({"person_id": [3, 1, 2], "chosen": ["x", "y", "x"]}))
    assert choices.to_pylist() == [{"person_id": n, "chosen": c} for n, c in ((1, "y"), (2, "x"), (3, "x"))]
    assert len(choices["chosen"].combine_chunks().dictionary) == 2
    assert in_order(choices.slice(1)).to_pylist() == choices.slice(1).to_pylist()


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
    both = put_together(pa.table({"person_id": [2, 1], "chosen": ["y", "x"]}), lines)
    assert pa.concat_tables(both).to_pylist() == [
        {"person_id": 1, "dossier": "x|a|7"},
        {"person_id": 2, "dossier": "y|b|c|8,9"},
    ]
    with pytest.raises(ValueError, match="choices"):
        put_together(pa.table({"person_id": [1], "chosen": ["x"]}), lines)
