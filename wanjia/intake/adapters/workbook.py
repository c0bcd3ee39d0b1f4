"""XLSX workbooks: values (never formulas), merged header rows, totals rows, numbers as a spreadsheet keeps them."""

import datetime
import io
import zipfile
import zlib
from typing import Any

import pyarrow as pa

from wanjia.intake.adapters.rows import (
    ReadingReport,
    ReadRows,
    SpoiledValue,
    accept_header,
    drop_footers,
    refuse_defective,
    text_table,
    without_blank_rows,
)
from wanjia.intake.declared import Source
from wanjia.intake.errors import DamagedFile, EmptyDelivery, ExpandsTooMuch, TooManyColumns
from wanjia.intake.rules import (
    EXPANSION_FREE_BYTES,
    HEADER_SEARCH_ROWS,
    MAX_COLUMNS,
    MAX_EXPANDED_BYTES,
    MAX_EXPANSION_RATIO,
    find_header,
    join_header_rows,
    match_header,
)

FOOTER_SEARCH_ROWS = 20
EXACT_DIGITS = 15  # a spreadsheet's number holds fifteen digits; an identity number stored as one has lost the rest
PIECE_BYTES = 1024 * 1024


def check_zip(raw: bytes) -> list[str]:
    """The names inside a zip, after unfolding every entry piece by piece against the limits.

    The sizes a zip declares are not believed: they are what a bomb lies about. Raises `DamagedFile`, `ExpandsTooMuch`.
    """
    allowed = min(MAX_EXPANDED_BYTES, max(EXPANSION_FREE_BYTES, len(raw) * MAX_EXPANSION_RATIO))
    total = 0
    try:
        with zipfile.ZipFile(io.BytesIO(raw)) as archive:
            entries = archive.infolist()
            if sum(entry.file_size for entry in entries) > allowed:
                raise ExpandsTooMuch(expanded=sum(entry.file_size for entry in entries), limit=allowed)
            for entry in entries:
                if entry.is_dir():
                    continue
                with archive.open(entry) as content:
                    while piece := content.read(PIECE_BYTES):
                        total += len(piece)
                        if total > allowed:
                            raise ExpandsTooMuch(expanded=total, limit=allowed)
            return [entry.filename for entry in entries]
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError, NotImplementedError, ValueError):
        raise DamagedFile(kind="xlsx") from None


def read_xlsx(raw: bytes, source: Source) -> ReadRows:
    """A workbook's sheet as text rows. Raises what `check_zip`, `read_apart` and `accept_header` raise, and `EmptyDelivery`."""
    from wanjia.intake.adapters.sandbox import read_apart

    check_zip(raw)
    noted, cells = read_apart("xlsx", raw, {"sheet": source.format.sheet})
    report = ReadingReport("xlsx")
    if not cells.num_rows or not cells.num_columns:
        raise EmptyDelivery()
    if cells.num_columns > MAX_COLUMNS:
        raise TooManyColumns(count=cells.num_columns, limit=MAX_COLUMNS)
    head = [[cell or "" for cell in row.values()] for row in cells.slice(0, HEADER_SEARCH_ROWS + 5).to_pylist()]
    wanted, required = source.columns(), source.required_columns()
    start, _, _ = find_header(head, source.format.header_rows, wanted, required)
    end = start + source.format.header_rows
    merges = [
        (top - start, left, bottom - start, right)
        for top, left, bottom, right in noted["merges"]
        if top >= start and bottom < end
    ]
    texts = join_header_rows(head[start:end], merges)
    match = match_header(texts, wanted, required)
    report.header_row = end
    accept_header(match, texts, source, report)
    body = cells.slice(end)
    row_no = pa.array(range(end + 1, end + 1 + body.num_rows), pa.int64())
    table = text_table(row_no, {name: body[f"c{p}"] for name, p in match.positions.items()}, source)
    filled = [any(value is not None for value in row.values()) for row in _tail(body)]
    blank_end = next((n for n, is_filled in enumerate(reversed(filled)) if is_filled), len(filled))
    table, body = table.slice(0, table.num_rows - blank_end), body.slice(0, body.num_rows - blank_end)
    firsts = [next((v for v in row.values() if v is not None), None) for row in _tail(body)]
    table = drop_footers(table, source, report, firsts)
    table = without_blank_rows(table, body.slice(0, table.num_rows), report)
    if not table.num_rows:
        raise EmptyDelivery()
    names = {position: name for name, position in match.positions.items()}
    spoiled = [
        SpoiledValue(row + 1, names[column], "NUMBER_LOST_DIGITS")
        for row, column in noted["lost_digits"]
        if column in names and row >= end
    ]
    return refuse_defective(ReadRows(table, [], spoiled, report))


def _tail(table: pa.Table) -> list[dict[str, Any]]:
    return table.slice(max(0, table.num_rows - FOOTER_SEARCH_ROWS)).to_pylist()


def cells_of(raw: bytes, sheet: str | None) -> tuple[dict[str, Any], pa.Table]:
    """All cells of one sheet as text columns c0, c1 …; noted: merged ranges, and cells whose number lost digits (0-based).

    Runs in the sandbox. Raises LookupError when the named sheet is missing; anything else means a damaged file.
    """
    from python_calamine import CalamineWorkbook

    book = CalamineWorkbook.from_filelike(io.BytesIO(raw))
    if sheet is not None and sheet not in book.sheet_names:
        raise LookupError(sheet)
    chosen = [sheet] if sheet is not None else book.sheet_names
    page = None
    for name in chosen:
        page = book.get_sheet_by_name(name)
        if page.height:
            break
    if page is None or not page.height:
        return {"merges": [], "lost_digits": []}, pa.table({})
    rows = page.to_python(skip_empty_area=False)
    lost: list[tuple[int, int]] = []
    columns = []
    for column, values in enumerate(zip(*rows, strict=True)):
        texts = []
        for row, value in enumerate(values):
            if type(value) is str:
                texts.append(value or None)
            else:
                if type(value) in (int, float) and abs(value) >= 10**EXACT_DIGITS:
                    lost.append((row, column))
                texts.append(_text(value))
        columns.append(pa.array(texts, pa.string()))
    merges = [[a[0], a[1], b[0], b[1]] for a, b in (page.merged_cell_ranges or [])]
    return {"merges": merges, "lost_digits": lost}, pa.table({f"c{i}": c for i, c in enumerate(columns)})


def _text(value: Any) -> str | None:
    if value is None:
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else repr(value)
    if isinstance(value, datetime.datetime):
        midnight = (value.hour, value.minute, value.second) == (0, 0, 0)
        return value.date().isoformat() if midnight else value.isoformat(" ", "seconds")
    if isinstance(value, datetime.date | datetime.time):
        return value.isoformat()
    return str(value)
