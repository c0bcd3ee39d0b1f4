"""JSON lines: one object a line, from a file, a push or a pull. DuckDB parses them; Python only looks at lines that fail.

This reading is local whatever engine does the rest: it is the file format's matter, like CSV's.
"""

import dataclasses
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import duckdb
import numpy
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv

from wanjia.intake.adapters.encoding import to_utf8
from wanjia.intake.adapters.rows import (
    ReadingReport,
    ReadRows,
    RefusedRow,
    accept_header,
    kept_cells,
    refuse_defective,
    text_table,
)
from wanjia.intake.declared import Source
from wanjia.intake.errors import DamagedFile, EmptyDelivery, TooManyColumns, TruncatedFile
from wanjia.intake.rules import MAX_COLUMNS, match_header

BLOCK_BYTES = 8 * 1024 * 1024
LINE_SEPARATOR = "\x1e"  # cannot stand in valid JSON, so a whole line is always one field
INVALID_SHARE = 0.5
SMALL_BYTES = 1024 * 1024
_of_thread = threading.local()


def read_json_lines(raw: bytes, source: Source, *, kind: str = "jsonl") -> ReadRows:
    """A JSON lines delivery (or one JSON array) as text rows.

    Raises `EmptyDelivery`, `DamagedFile` when most lines are not JSON, `TruncatedFile`, and the errors about columns.
    """
    utf8, encoding, _ = to_utf8(raw)
    if utf8.lstrip()[:1] == b"[":
        utf8 = _lines_of_array(utf8)
    report = ReadingReport(kind, encoding, list(source.format.encodings), header_row=0)
    lines = _lines(utf8)
    with _parser(len(utf8)) as con:
        con.register("lines", lines)
        con.execute(
            "CREATE TABLE parsed AS SELECT row_no, line, "
            "coalesce(CASE WHEN json_valid(line) THEN json_type(line) = 'OBJECT' END, false) AS is_object "
            "FROM lines WHERE trim(line) <> ''"
        )
        rows_in = con.execute("SELECT count(*) FROM parsed").fetchone()[0]
        report.blank_rows = lines.num_rows - rows_in
        if not rows_in:
            raise EmptyDelivery()
        broken = con.execute("SELECT row_no, line FROM parsed WHERE NOT is_object ORDER BY row_no").fetchall()
        if len(broken) > rows_in * INVALID_SHARE:
            raise DamagedFile(kind="JSON")
        if broken and broken[-1][0] == lines.num_rows and not utf8.endswith((b"\n", b"\r")):
            raise TruncatedFile(row=broken[-1][0])
        keys = [
            key
            for (key,) in con.execute(
                "SELECT DISTINCT unnest(json_keys(line)) AS key FROM parsed WHERE is_object ORDER BY key"
            ).fetchall()
        ]
        if len(keys) > MAX_COLUMNS:
            raise TooManyColumns(count=len(keys), limit=MAX_COLUMNS)
        match = match_header(keys, source.columns(), source.required_columns())
        # unlike a table's header, lines may each use another of a column's names; the first filled one counts
        accept_header(dataclasses.replace(match, doubled=[]), keys, source, report)
        taken = {name: [keys[place] for place in sorted(places)] for name, places in match.claims.items()}
        shape = json.dumps({key: "VARCHAR" for names in taken.values() for key in names}, ensure_ascii=False)
        con.execute(
            "CREATE TABLE held AS SELECT row_no, json_transform(line, ?) AS held FROM parsed WHERE is_object", [shape]
        )
        fields = ", ".join(
            f"coalesce({', '.join(f'held.{_quoted(key)}' for key in names)}) AS c{number}"
            for number, names in enumerate(taken.values())
        )
        table = con.sql(f"SELECT row_no, {fields} FROM held ORDER BY row_no").to_arrow_table()
    refused = [RefusedRow(row_no, None, "NOT_JSON", kept_cells([("0", line)])) for row_no, line in broken]
    columns = {name: _emptied(table[f"c{i}"]) for i, name in enumerate(taken)}
    read = ReadRows(text_table(table["row_no"].combine_chunks(), columns, source), refused, [], report)
    return refuse_defective(_refuse_nested(read))


@contextmanager
def _parser(size: int) -> Iterator[duckdb.DuckDBPyConnection]:
    """A parser for so many bytes. Small ones share one for each thread: starting it takes longer than reading a push."""
    if size > SMALL_BYTES:
        with _connect() as con:
            yield con
        return
    if not hasattr(_of_thread, "con"):
        _of_thread.con = _connect()
    try:
        yield _of_thread.con
    finally:
        for name in ("parsed", "held"):
            _of_thread.con.execute(f"DROP TABLE IF EXISTS {name}")
        _of_thread.con.unregister("lines")


def _connect() -> duckdb.DuckDBPyConnection:
    con = duckdb.connect(":memory:", config={"temp_directory": "", "threads": 2})
    con.execute("SET enable_progress_bar = false")
    return con


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _emptied(column: pa.ChunkedArray) -> pa.ChunkedArray:
    return pc.if_else(pc.equal(column, ""), pa.scalar(None, pa.string()), column)


def _lines(utf8: bytes) -> pa.Table:
    try:
        table = pacsv.read_csv(
            pa.py_buffer(utf8),
            read_options=pacsv.ReadOptions(column_names=["line"], block_size=BLOCK_BYTES),
            parse_options=pacsv.ParseOptions(delimiter=LINE_SEPARATOR, quote_char=False, ignore_empty_lines=False),
            convert_options=pacsv.ConvertOptions(column_types={"line": pa.string()}, check_utf8=False),
        )
    except pa.ArrowInvalid:
        lines = utf8.decode("utf-8").replace("\r\n", "\n").replace("\r", "\n").removesuffix("\n").split("\n")
        table = pa.table({"line": pa.array(lines, pa.string())})
    return table.append_column("row_no", pa.array(numpy.arange(1, table.num_rows + 1, dtype=numpy.int64)))


def _lines_of_array(utf8: bytes) -> bytes:
    """A JSON array as lines. Whatever a hostile array does to the parser (depth, huge numbers) is a damaged file."""
    try:
        items = json.loads(utf8)
        return "".join(json.dumps(item, ensure_ascii=False) + "\n" for item in items).encode("utf-8", "replace")
    except (ValueError, RecursionError):
        raise DamagedFile(kind="JSON") from None


def _refuse_nested(read: ReadRows) -> ReadRows:
    table = read.table
    found: dict[int, str] = {}
    for name in table.column_names[1:]:
        first = pc.utf8_slice_codeunits(table[name], 0, 1)
        suspects = pc.indices_nonzero(pc.fill_null(pc.is_in(first, pa.array(["{", "["])), False)).to_pylist()
        for position in suspects:
            if _is_nested(table[name][position].as_py()):
                found.setdefault(position, name)
    if not found:
        return read
    for row, position in zip(table.take(pa.array(sorted(found))).to_pylist(), sorted(found), strict=True):
        read.refused.append(RefusedRow(row.pop("row_no"), found[position], "NESTED_VALUE", kept_cells(row.items())))
    mask = numpy.ones(table.num_rows, dtype=bool)
    mask[sorted(found)] = False
    return ReadRows(
        table.filter(pa.array(mask)), sorted(read.refused, key=lambda r: r.row_no), read.spoiled, read.report
    )


def _is_nested(text: str) -> bool:
    try:
        return isinstance(json.loads(text), dict | list)
    except ValueError:
        return False
    except RecursionError:
        return True
