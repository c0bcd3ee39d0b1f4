"""Defective cells are found by their octets first: wherever they stand, and however the column is cut."""

import pyarrow as pa
import pytest

from wanjia.intake.adapters import rows


@pytest.mark.parametrize(
    ("cell", "reason"),
    [("a\x01", "CONTROL_CHARACTER"), ("a\x7f", "CONTROL_CHARACTER"), ("李\ufffd", "UNDECODABLE"), ("  =1+1", "FORMULA"), ("+a", "FORMULA")],
)  # fmt: skip
@pytest.mark.parametrize("at", [0, 1, 6])
def test_a_defect_is_found_in_any_place_of_a_column_in_pieces(monkeypatch, cell, reason, at):
    monkeypatch.setattr(rows, "PIECE_OCTETS", 4)
    cells: list[str | None] = ["王", None, "", "２-1 a+b=c", "x\ty", "ok", "z"]
    cells[at] = cell
    # slices of longer arrays, and an empty one
    chunks = [pa.array(["=0", *cells[:4], "\x02"]).slice(1, 4), pa.array([], pa.string()), pa.array(cells[4:])]
    found = dict(rows._defects_of(pa.chunked_array(chunks)))
    assert [place for place, hit in enumerate(found[reason].to_pylist()) if hit] == [at]
    assert not any(any(hits.to_pylist()) for other, hits in found.items() if other != reason)


def test_clean_cells_are_not_asked_further():
    assert not list(rows._defects_of(pa.chunked_array([pa.array(["王芳", None, "", "2024-01-01"])])))
