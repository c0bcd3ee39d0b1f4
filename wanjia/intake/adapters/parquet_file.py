"""Parquet files: every declared column as text, dates in ISO form."""

import io
from typing import Any

import numpy
import pyarrow as pa
import pyarrow.compute as pc

from wanjia.intake.adapters.rows import (
    ReadingReport,
    ReadRows,
    accept_header,
    refuse_defective,
    text_table,
    without_blank_rows,
)
from wanjia.intake.declared import Source
from wanjia.intake.errors import DamagedFile, EmptyDelivery, ExpandsTooMuch, TooManyColumns
from wanjia.intake.rules import MAX_COLUMNS, MAX_EXPANDED_BYTES, MAX_ROWS, match_header


def read_parquet(raw: bytes, source: Source) -> ReadRows:
    """A Parquet delivery as text rows. Raises what `read_apart` and `accept_header` raise, `EmptyDelivery`, `ExpandsTooMuch`."""
    from wanjia.intake.adapters.sandbox import read_apart

    # the last four bytes and the first are the cheapest proof that the transfer was whole
    if not raw.endswith(b"PAR1"):
        raise DamagedFile(kind="parquet")
    noted, table = read_apart("parquet", raw, {"names": None})
    if noted.get("unfolds"):
        raise ExpandsTooMuch(expanded=noted["unfolds"], limit=MAX_EXPANDED_BYTES)
    if noted["columns"] > MAX_COLUMNS:
        raise TooManyColumns(count=noted["columns"], limit=MAX_COLUMNS)
    names = noted["names"]
    report = ReadingReport("parquet", header_row=0)
    match = match_header(names, source.columns(), source.required_columns())
    accept_header(match, names, source, report)
    if not table.num_rows:
        raise EmptyDelivery()
    columns = {name: table[f"c{position}"] for name, position in match.positions.items()}
    row_no = pa.array(numpy.arange(1, table.num_rows + 1, dtype=numpy.int64))
    text = without_blank_rows(text_table(row_no, columns, source), table, report)
    if not text.num_rows:
        raise EmptyDelivery()
    return refuse_defective(ReadRows(text, [], [], report))


def cells_of(raw: bytes, names: list[str] | None) -> tuple[dict[str, Any], pa.Table]:
    """All columns of a Parquet file as text columns c0, c1 … Runs in the sandbox; any exception means a damaged file.

    A file that says it would unfold beyond the limits is not read; `noted["unfolds"]` then says how far.
    """
    import pyarrow.parquet as pq

    with pq.ParquetFile(io.BytesIO(raw)) as file:
        meta = file.metadata
        noted: dict[str, Any] = {"columns": meta.num_columns, "names": [str(n) for n in file.schema_arrow.names]}
        unfolds = sum(meta.row_group(i).total_byte_size for i in range(meta.num_row_groups))
        # a run-length coded column of one value unfolds without showing in the byte size, hence the cells as well
        unfolds = max(unfolds, meta.num_rows * max(1, meta.num_columns))
        if unfolds > MAX_EXPANDED_BYTES or meta.num_rows > MAX_ROWS:
            return {**noted, "unfolds": unfolds}, pa.table({})
        if meta.num_columns > MAX_COLUMNS:
            return noted, pa.table({})
        table = file.read()
    table.validate(full=True)
    return noted, pa.table({f"c{i}": _text(column) for i, column in enumerate(table.columns)})


def _text(column: pa.ChunkedArray) -> pa.ChunkedArray:
    kind = column.type
    if pa.types.is_dictionary(kind):
        column = column.cast(kind.value_type)
        kind = kind.value_type
    if pa.types.is_timestamp(kind):
        text = pc.strftime(column, "%Y-%m-%d %H:%M:%S")
        return pc.replace_substring_regex(text, r" 00:00:00(\.0+)?$", "")
    if pa.types.is_nested(kind):
        return pa.chunked_array([pa.array([None if v is None else str(v) for v in column.to_pylist()], pa.string())])
    text = column.cast(pa.string())
    return pc.if_else(pc.equal(text, ""), pa.scalar(None, pa.string()), text)
