"""JSON lines: one object a line, from a file, a push or a pull. Arrow reads lines that hold nothing but texts; DuckDB parses all others, and
Python only looks at lines that fail. Both ways give the same rows.

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
import pyarrow.json as pajson

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
    regular = _regular(utf8)
    if regular is not None:
        return read_texts(regular, source, kind=kind, encoding=encoding)
    report = ReadingReport(kind, encoding, list(source.format.encodings), header_row=0)
    return _read(*_parsed(utf8, source, report), source, report)


def read_texts(told: pa.Table, source: Source, *, kind: str = "jsonl", encoding: str = "utf-8") -> ReadRows:
    """The same of lines that hold nothing but texts, as a table of their keys. Raises the errors about columns."""
    report = ReadingReport(kind, encoding, list(source.format.encodings), header_row=0)
    taken = _taken_keys(sorted(told.column_names), source, report)
    row_no = pa.array(numpy.arange(1, told.num_rows + 1, dtype=numpy.int64))
    columns = {
        name: told[keys[0]] if len(keys) == 1 else pc.coalesce(*(told[key] for key in keys))
        for name, keys in taken.items()
    }
    return _read(row_no, columns, [], source, report)


def _read(
    row_no: pa.Array,
    columns: dict[str, pa.ChunkedArray],
    refused: list[RefusedRow],
    source: Source,
    report: ReadingReport,
) -> ReadRows:
    emptied = {name: _emptied(column) for name, column in columns.items()}
    return refuse_defective(_refuse_nested(ReadRows(text_table(row_no, emptied, source), refused, [], report)))


def _taken_keys(keys: list[str], source: Source, report: ReadingReport) -> dict[str, list[str]]:
    """Declared column → the keys under which the lines tell it, the one that counts first. Raises the errors about columns."""
    if len(keys) > MAX_COLUMNS:
        raise TooManyColumns(count=len(keys), limit=MAX_COLUMNS)
    match = match_header(keys, source.columns(), source.required_columns())
    # unlike a table's header, lines may each use another of a column's names; the first filled one counts
    accept_header(dataclasses.replace(match, doubled=[]), keys, source, report)
    return {name: [keys[place] for place in sorted(places)] for name, places in match.claims.items()}


def _regular(utf8: bytes) -> pa.Table | None:
    """The lines as a table of their keys, all of them texts, or None when anything about them is irregular.

    Every line must be one object: begin and end as one does, and be one row. Escaped code points are left to the parser that says which line
    has half a character.
    """
    lines = utf8.count(b"\n") + (not utf8.endswith(b"\n"))
    begun = utf8.count(b"\n{") + utf8.startswith(b"{")
    if begun != lines or utf8.count(b"}\n") + utf8.endswith(b"}") != lines or b"\\u" in utf8:
        return None
    try:
        first = json.loads(utf8[: utf8.find(b"\n") + 1] or utf8)
        table = _arrow_rows(utf8, list(first))
        if any(not pa.types.is_string(kind) for kind in table.schema.types):
            # a key that the first line does not have: what looks like a moment is a text as well
            table = _arrow_rows(utf8, table.column_names)
    except (ValueError, RecursionError):
        return None
    is_whole = table.num_rows == lines and all(pa.types.is_string(kind) for kind in table.schema.types)
    return table if is_whole and table.num_columns and "" not in table.column_names else None


def _arrow_rows(utf8: bytes, keys: list[str]) -> pa.Table:
    return pajson.read_json(
        pa.BufferReader(utf8),
        read_options=pajson.ReadOptions(block_size=BLOCK_BYTES),
        parse_options=pajson.ParseOptions(
            explicit_schema=pa.schema([(key, pa.string()) for key in keys]), unexpected_field_behavior="infer"
        ),
    )


def _parsed(
    utf8: bytes, source: Source, report: ReadingReport
) -> tuple[pa.Array, dict[str, pa.ChunkedArray], list[RefusedRow]]:
    """(row numbers, declared columns, refused lines) of any lines at all."""
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
        taken = _taken_keys(keys, source, report)
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
    return table["row_no"].combine_chunks(), {name: table[f"c{i}"] for i, name in enumerate(taken)}, refused


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
    is_empty = pc.equal(column, "")
    return pc.if_else(is_empty, pa.scalar(None, pa.string()), column) if pc.any(is_empty).as_py() else column


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
        is_suspect = pc.or_(pc.starts_with(table[name], "{"), pc.starts_with(table[name], "["))
        suspects = pc.indices_nonzero(pc.fill_null(is_suspect, False)).to_pylist()
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
