"""CSV: fast through Arrow when the file is regular, row by row when it is not. Both ways give the same rows.

The fast way refuses to guess: one lost quote or one damaged byte sends the file the slow way, which says exactly which row is wrong
and keeps the others.
"""

import csv
import io
import itertools
import sys
from collections.abc import Iterator

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
    drop_footers,
    holds_octet,
    kept_cells,
    refuse_defective,
    text_table,
)
from wanjia.intake.declared import Source
from wanjia.intake.errors import EmptyDelivery, TooManyColumns, TruncatedFile
from wanjia.intake.rules import HEADER_SEARCH_ROWS, MAX_COLUMNS, MAX_QUOTED_LINES, HeaderMatch, find_header, is_footer

# our own limits on cells apply; the csv module's would end a delivery with its own exception instead of refusing one row
csv.field_size_limit(sys.maxsize)

DELIMITERS = (",", "\t", ";", "|", "，")
HEAD_BYTES = 1_000_000
FOOTER_SEARCH_ROWS = 20
BLOCK_BYTES = 8 * 1024 * 1024
MAX_RAGGED = 1_000  # rows of another width that are set aside one by one


def read_csv(raw: bytes, source: Source) -> ReadRows:
    """A CSV delivery as text rows. Raises the errors of `accept_header`, `EncodingUnreadable`, `EmptyDelivery`, `TruncatedFile`."""
    utf8, encoding, damaged = to_utf8(raw)
    report = ReadingReport("csv", encoding, list(source.format.encodings))
    delimiter, start, width, match, data_at, delivered = _find_header(utf8, source)
    report.delimiter, report.header_row = delimiter, start + source.format.header_rows
    accept_header(match, delivered, source, report)
    first_row = report.header_row + 1
    read = None if damaged else _read_fast(utf8, data_at, delimiter, width, match, source, report, first_row)
    if read is None:
        read = _read_slow(utf8, data_at, delimiter, width, match, source, report, first_row)
    if read.rows_in == 0:
        raise EmptyDelivery()
    return refuse_defective(read)


def inspect_csv(raw: bytes, source: Source) -> None:
    """Check the header alone, as `read_csv` would. Raises the same errors about columns and encoding."""
    utf8, _, _ = to_utf8(_whole_lines(raw[:HEAD_BYTES]))
    _, _, _, match, _, delivered = _find_header(utf8, source)
    accept_header(match, delivered, source, ReadingReport("csv"))


def _whole_lines(head: bytes) -> bytes:
    end = head.rfind(b"\n")
    return head[: end + 1] if end > 0 else head


def _find_header(utf8: bytes, source: Source) -> tuple[str, int, int, HeaderMatch, int, list[str]]:
    """(delimiter, header start, fields per row, match, byte offset of the first record, header texts)."""
    head = utf8[:HEAD_BYTES].decode("utf-8", "ignore")
    if not head.strip():
        raise EmptyDelivery()
    wanted, required = source.columns(), source.required_columns()
    best: tuple[str, int, list[str], HeaderMatch] | None = None
    for delimiter in dict.fromkeys([source.format.delimiter, *DELIMITERS]):
        rows = [row for row, _ in itertools.islice(_records(head, delimiter), HEADER_SEARCH_ROWS + 5)]
        if max((len(row) for row in rows), default=0) > MAX_COLUMNS * 4:
            raise TooManyColumns(count=max(len(row) for row in rows), limit=MAX_COLUMNS)
        start, texts, match = find_header(rows, source.format.header_rows, wanted, required)
        if best is None or len(match.positions) > len(best[3].positions):
            best = (delimiter, start, texts, match)
        if not match.missing and match.positions:
            break
    delimiter, start, texts, match = best
    data_at = 0
    last_header_row = start + source.format.header_rows
    for number, (row, consumed) in enumerate(_records(head, delimiter), start=1):
        data_at += consumed
        if number == last_header_row:
            width = len(row)
            break
    else:
        width = len(texts)
    return delimiter, start, width, match, data_at, texts


def _records(text: str, delimiter: str) -> Iterator[tuple[list[str], int]]:
    """Records of a text with the UTF-8 bytes each took, its line ends included."""
    consumed = 0

    def lines() -> Iterator[str]:
        nonlocal consumed
        for line in io.StringIO(text, newline=""):
            consumed += len(line.encode("utf-8"))
            yield line

    reader = csv.reader(lines(), delimiter=delimiter)
    while True:
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error:
            row = []
        yield row, consumed
        consumed = 0


def _read_fast(
    utf8: bytes,
    data_at: int,
    delimiter: str,
    width: int,
    match: HeaderMatch,
    source: Source,
    report: ReadingReport,
    first_row: int,
) -> ReadRows | None:
    """The records through Arrow's CSV reader, or None when anything about them is irregular."""
    if data_at >= len(utf8) or len(delimiter.encode()) != 1:
        return None
    names = [f"c{i}" for i in range(width)]
    wanted = {names[position]: name for name, position in match.positions.items() if position < width}
    body = pa.py_buffer(utf8).slice(data_at)
    ragged: list[pacsv.InvalidRow] = []
    try:
        table = _arrow_rows(body, delimiter, names, wanted)
    except pa.ArrowInvalid:
        # a second time, slower, because only rows read one after the other have numbers
        try:
            table = _arrow_rows(body, delimiter, names, wanted, ragged)
        except pa.ArrowInvalid:
            return None
    if len(ragged) > MAX_RAGGED or any("\n" in row.text for row in ragged):
        return None
    if b'"' in utf8 and any(holds_octet(column, ord("\n")) for column in table.columns):
        return None
    if not table.num_rows or _tail_needs_care(table) or _has_blank(table):
        return None
    row_no = numpy.arange(first_row, first_row + table.num_rows + len(ragged), dtype=numpy.int64)
    row_no = numpy.delete(row_no, [row.number - 1 for row in ragged])
    read = text_table(pa.array(row_no), {name: table[held] for held, name in wanted.items()}, source)
    tail = table.slice(max(0, table.num_rows - FOOTER_SEARCH_ROWS)).column(names[0]).to_pylist()
    if not ragged:
        return ReadRows(drop_footers(read, source, report, tail), [], [], report)
    refused = _ragged_rows(ragged, delimiter, width, match, first_row)
    if refused is None or any(is_footer(cell, source.format.skip_footer) for cell in tail if cell):
        return None
    refused = _without_footers([(int(row_no[-1]), [])], refused, source, report)
    if not utf8.endswith(b"\n") and refused and refused[-1].row_no > row_no[-1]:
        raise TruncatedFile(row=refused[-1].row_no)
    return ReadRows(read, refused, [], report)


def _arrow_rows(
    body: pa.Buffer, delimiter: str, names: list[str], wanted: dict[str, str], ragged: list | None = None
) -> pa.Table:
    """The records as text. Without `ragged` a row of another width raises `ArrowInvalid`; with it, such rows are put there."""

    def aside(row: pacsv.InvalidRow) -> str:
        ragged.append(row)
        return "skip" if len(ragged) <= MAX_RAGGED else "error"

    return pacsv.read_csv(
        pa.BufferReader(body),
        read_options=pacsv.ReadOptions(column_names=names, block_size=BLOCK_BYTES, use_threads=ragged is None),
        parse_options=pacsv.ParseOptions(
            delimiter=delimiter,
            newlines_in_values=True,
            ignore_empty_lines=False,
            invalid_row_handler=None if ragged is None else aside,
        ),
        convert_options=pacsv.ConvertOptions(
            column_types=dict.fromkeys(names, pa.string()),
            include_columns=list(dict.fromkeys([names[0], *wanted])),
            strings_can_be_null=True,
            quoted_strings_can_be_null=True,
            null_values=[""],
            check_utf8=False,
        ),
    )


def _ragged_rows(
    ragged: list[pacsv.InvalidRow], delimiter: str, width: int, match: HeaderMatch, first_row: int
) -> list[RefusedRow] | None:
    """Rows of another width, refused; None when one of them is a row after all (a lost quote, empty fields at its end)."""
    refused = []
    names = {position: name for name, position in match.positions.items()}
    for row in ragged:
        cells, _ = _one_record([row.text], 0, delimiter, width)
        if cells is None or not any(cell.strip() for cell in cells):
            return None
        while len(cells) > width and not cells[-1].strip():
            cells.pop()
        if len(cells) == width:
            return None
        refused.append(_of_other_width(first_row + row.number - 1, cells, names, width))
    return refused


def _of_other_width(row_no: int, cells: list[str], names: dict[int, str], width: int) -> RefusedRow:
    named = ((names.get(place, str(place)), cell) for place, cell in enumerate(cells[: width + 10]))
    return RefusedRow(row_no, None, "FIELD_COUNT", kept_cells(named))


def _has_blank(table: pa.Table) -> bool:
    """Is there a row that holds nothing but spaces?"""
    rows = table
    for place in range(table.num_columns):
        rows = rows.filter(pc.equal(pc.fill_null(pc.utf8_trim_whitespace(rows.column(place)), ""), ""))
        if not rows.num_rows:
            return False
    return True


def _tail_needs_care(table: pa.Table) -> bool:
    """Are there rows whose first cell is empty near the end (blank rows, or totals that start in a later column)?"""
    tail = table.slice(max(0, table.num_rows - FOOTER_SEARCH_ROWS)).column(0)
    return tail.null_count > 0


def _read_slow(
    utf8: bytes,
    data_at: int,
    delimiter: str,
    width: int,
    match: HeaderMatch,
    source: Source,
    report: ReadingReport,
    first_row: int,
) -> ReadRows:
    kept: list[tuple[int, list[str]]] = []
    refused: list[RefusedRow] = []
    names = {position: name for name, position in match.positions.items()}
    lines = io.StringIO(utf8[data_at:].decode("utf-8"), newline=None).readlines()
    ends_cleanly = not lines or lines[-1].endswith("\n")
    at, row_no = 0, first_row
    while at < len(lines):
        cells, used = _one_record(lines, at, delimiter, width)
        at += used
        if cells is None:
            refused.append(
                RefusedRow(row_no, None, "QUOTE_UNBALANCED", kept_cells([("0", lines[at - 1].rstrip("\n"))]))
            )
        elif not any(cell.strip() for cell in cells):
            report.blank_rows += 1
        else:
            while len(cells) > width and not cells[-1].strip():
                cells.pop()  # spreadsheets end rows with empty fields; they hold nothing
            if len(cells) == width:
                kept.append((row_no, cells))
            else:
                refused.append(_of_other_width(row_no, cells, names, width))
        row_no += 1
    refused = _without_footers(kept, refused, source, report)
    last_kept = kept[-1][0] if kept else 0
    if not ends_cleanly and refused and refused[-1].row_no > last_kept:
        raise TruncatedFile(row=refused[-1].row_no)
    columns = {
        name: pa.array([cells[position] or None for _, cells in kept], pa.string())
        for name, position in match.positions.items()
    }
    table = text_table(pa.array([row for row, _ in kept], pa.int64()), columns, source)
    return ReadRows(table, refused, [], report)


def _one_record(lines: list[str], at: int, delimiter: str, width: int) -> tuple[list[str] | None, int]:
    """The record that starts at line `at` and the lines it takes; None for its cells when a quote is never closed."""
    line = lines[at].rstrip("\n")
    if '"' not in line:
        return line.split(delimiter), 1
    for taken in range(1, min(MAX_QUOTED_LINES, len(lines) - at) + 1):
        try:
            rows = list(
                csv.reader(
                    [*lines[at : at + taken - 1], lines[at + taken - 1].rstrip("\n")], delimiter=delimiter, strict=True
                )
            )
        except csv.Error:
            continue
        if len(rows) == 1 and (taken == 1 or len(rows[0]) == width):
            return rows[0], taken
        break
    try:
        loose = next(csv.reader([line], delimiter=delimiter))
    except (csv.Error, StopIteration):
        return None, 1
    # a quote inside an unquoted cell (5" pipe) is text when the fields still come out right
    return (
        (loose, 1)
        if len(loose) == width and not any(cell.startswith('"') for cell in loose) and not _opens_quote(line, delimiter)
        else (None, 1)
    )


def _opens_quote(line: str, delimiter: str) -> bool:
    """Does some cell of the line open with a quote? Then the line alone cannot be trusted."""
    return line.startswith('"') or f'{delimiter}"' in line


def _without_footers(
    kept: list[tuple[int, list[str]]], refused: list[RefusedRow], source: Source, report: ReadingReport
) -> list[RefusedRow]:
    """Take totals rows off the end, whether they had all fields (out of `kept`, in place) or too few (out of the refused)."""
    marks = source.format.skip_footer
    while kept or refused:
        from_kept = bool(kept) and (not refused or kept[-1][0] > refused[-1].row_no)
        cells = kept[-1][1] if from_kept else list(refused[-1].cells.values())
        first = next((cell for cell in cells if cell.strip()), "")
        if not is_footer(first, marks):
            break
        report.footer_rows += 1
        if from_kept:
            kept.pop()
        else:
            refused.pop()
    return refused
