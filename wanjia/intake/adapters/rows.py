"""What every reader returns, and the checks that are the same for every format.

A reader turns a delivery's bytes into text: `row_no` (1-based, as a person would count rows in the file) and every declared
column as a string, exactly as it came. What cannot be a row of text is refused with a reason and its raw cells.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy
import pyarrow as pa
import pyarrow.compute as pc

from wanjia.intake.declared import Source
from wanjia.intake.errors import DuplicateColumns, MissingColumns, MovementRefused, TooManyColumns
from wanjia.intake.rules import MAX_CELL_CHARACTERS, MAX_COLUMNS, HeaderMatch, is_footer, movement_word

CONTROL = "[\\x00-\\x08\\x0b\\x0c\\x0e-\\x1f\\x7f]"
FORMULA = r"^\s*(?:=|@[A-Za-z]|[+\-][A-Za-z(]|\t=)"
#: how a cell that `FORMULA` finds can begin
_BEGINS_FORMULA = numpy.isin(numpy.arange(256), list(b" \t\n\v\f\r=@+-"))
PIECE_OCTETS = 64 * 1024
KEPT_CHARACTERS = 1_000  # of one refused cell; the whole stays in the landing


@dataclass(frozen=True)
class RefusedRow:
    """One row that was not taken. `cells` are its raw cells by column name (or position when columns are unknown)."""

    row_no: int
    column: str | None
    reason: str
    cells: dict[str, str]


@dataclass(frozen=True)
class SpoiledValue:
    """One value that was set aside while its row was taken."""

    row_no: int
    column: str
    reason: str


@dataclass
class ReadingReport:
    """How the delivery was read: shown to the department so that it can mend its export."""

    kind: str
    encoding: str | None = None
    expected_encodings: list[str] = field(default_factory=list)
    delimiter: str | None = None
    header_row: int = 1
    aliases_used: dict[str, str] = field(default_factory=dict)
    unknown_columns: list[str] = field(default_factory=list)
    absent_columns: list[str] = field(default_factory=list)
    footer_rows: int = 0
    blank_rows: int = 0


@dataclass
class ReadRows:
    """A delivery as text. `table` has row_no and all declared columns; rows of `refused` are not in it."""

    table: pa.Table
    refused: list[RefusedRow]
    spoiled: list[SpoiledValue]
    report: ReadingReport

    @property
    def rows_in(self) -> int:
        """Records the delivery held; headers, blank rows and totals rows are none."""
        return self.table.num_rows + len(self.refused)


def accept_header(match: HeaderMatch, delivered: Sequence[str], source: Source, report: ReadingReport) -> None:
    """Let the header pass, or raise `TooManyColumns`, `MovementRefused`, `DuplicateColumns`, `MissingColumns`."""
    if len(delivered) > MAX_COLUMNS:
        raise TooManyColumns(count=len(delivered), limit=MAX_COLUMNS)
    declared = source.columns()
    for text in match.unknown:
        word = movement_word(text)
        if word and text not in declared:
            raise MovementRefused(column=word)
    if match.doubled:
        raise DuplicateColumns(column=match.doubled[0])
    missing = match.missing or ([] if match.positions else list(declared))
    if missing:
        hints = [f"{theirs} → {ours}" for ours, theirs in match.suggestions.items()]
        listed = ", ".join(hints)
        raise MissingColumns(
            source=source.code,
            missing=", ".join(missing),
            hint_zh=f"是否应为：{listed}？" if hints else "",
            hint_en=f"Was this meant: {listed}? " if hints else "",
        )
    report.aliases_used = match.aliases_used
    report.unknown_columns = match.unknown
    report.absent_columns = [name for name in declared if name not in match.positions]


def text_table(row_no: pa.Array, columns: dict[str, pa.Array | pa.ChunkedArray], source: Source) -> pa.Table:
    """The reader's table: row_no, then every declared column in declared order, absent ones as nulls."""
    length = len(row_no)
    arrays: dict[str, pa.Array | pa.ChunkedArray] = {"row_no": row_no}
    for name in source.columns():
        arrays[name] = columns[name] if name in columns else pa.nulls(length, pa.string())
    return pa.table(arrays)


def refuse_defective(read: ReadRows) -> ReadRows:
    """Move rows with a cell that cannot be a value (too long, control character, formula, damaged) to the refused.

    The checks run column by column over Arrow memory; a clean million rows cost a fraction of a second.
    """
    table = read.table
    defects: dict[int, tuple[str, str]] = {}
    for name in table.column_names[1:]:
        column = table[name]
        if column.null_count == len(column):
            continue
        for reason, found in _defects_of(column):
            for position in pc.indices_nonzero(pc.fill_null(found, False)).to_pylist():
                defects.setdefault(position, (name, reason))
    if not defects:
        return read
    positions = sorted(defects)
    rows = table.take(pa.array(positions)).to_pylist()
    for position, row in zip(positions, rows, strict=True):
        column, reason = defects[position]
        read.refused.append(RefusedRow(row.pop("row_no"), column, reason, kept_cells(row.items())))
    mask = numpy.ones(table.num_rows, dtype=bool)
    mask[positions] = False
    return ReadRows(
        table.filter(pa.array(mask)), sorted(read.refused, key=lambda r: r.row_no), read.spoiled, read.report
    )


def _defects_of(column: pa.ChunkedArray) -> Iterable[tuple[str, pa.ChunkedArray]]:
    # a pattern over every cell takes ten times as long as looking at the octets whether any cell can fit it at all
    chunks = [_Octets.of(chunk) for chunk in column.chunks if len(chunk)]
    if any(chunk.longest > MAX_CELL_CHARACTERS for chunk in chunks):
        yield "CELL_TOO_LONG", pc.greater(pc.utf8_length(column), MAX_CELL_CHARACTERS)
    if any(chunk.has_control for chunk in chunks):
        yield "CONTROL_CHARACTER", pc.match_substring_regex(column, CONTROL)
    if any(chunk.has_damage for chunk in chunks):
        yield "UNDECODABLE", pc.match_substring(column, "\ufffd")
    if any(chunk.may_begin_formula for chunk in chunks):
        yield "FORMULA", pc.match_substring_regex(column, FORMULA)


@dataclass(frozen=True)
class _Octets:
    """What the octets of some cells tell: where one of these is false (or `longest` small), no cell has the defect; else one may."""

    longest: int
    has_control: bool
    has_damage: bool
    may_begin_formula: bool

    @classmethod
    def of(cls, cells: pa.StringArray) -> "_Octets":
        at, octets = _octets_of(cells)
        lengths = numpy.diff(at)
        firsts = octets[at[:-1][lengths > 0]]
        has_control = has_damage = False
        # piece by piece, because what is compared with fresh memory waits for the memory
        for start in range(int(at[0]), len(octets), PIECE_OCTETS):
            piece = octets[start : start + PIECE_OCTETS]
            has_control = has_control or bool(((piece < 0x20) | (piece == 0x7F)).any())
            # U+FFFD begins with it, and so do the full-width forms
            has_damage = has_damage or bool((piece == 0xEF).any())
        return cls(int(lengths.max()), has_control, has_damage, bool(_BEGINS_FORMULA[firsts].any()))


def _octets_of(cells: pa.StringArray) -> tuple[numpy.ndarray, numpy.ndarray]:
    """(where each cell begins, and the last ends; the octets up to there)."""
    _, places, held = cells.buffers()
    at = numpy.frombuffer(places, numpy.int32)[cells.offset : cells.offset + len(cells) + 1]
    return at, numpy.frombuffer(held or b"", numpy.uint8)[: at[-1]]


def holds_octet(column: pa.ChunkedArray, octet: int) -> bool:
    """Does any cell hold the octet? Looking for a text in every cell takes ten times as long."""
    for chunk in column.chunks:
        if len(chunk):
            at, octets = _octets_of(chunk)
            for start in range(int(at[0]), len(octets), PIECE_OCTETS):
                if (octets[start : start + PIECE_OCTETS] == octet).any():
                    return True
    return False


def without_blank_rows(table: pa.Table, body: pa.Table, report: ReadingReport) -> pa.Table:
    """Leave out rows of `table` for which `body`, the same rows with all delivered columns, holds nothing: they are no records."""
    filled = None
    for column in body.columns:
        valid = pc.is_valid(column)
        filled = valid if filled is None else pc.or_(filled, valid)
    kept = table.filter(filled)
    report.blank_rows += table.num_rows - kept.num_rows
    return kept


def kept_cells(cells: Iterable[tuple[str, str | None]]) -> dict[str, str]:
    """Raw cells as quarantine keeps them: filled ones only, each cut to what a person can read."""
    return {str(name): str(value)[:KEPT_CHARACTERS] for name, value in cells if value not in (None, "")}


def drop_footers(table: pa.Table, source: Source, report: ReadingReport, first_cells: Sequence[str | None]) -> pa.Table:
    """Leave out totals rows at the end: rows whose first filled cell starts with one of the declared marks.

    `first_cells` are the first filled cells of the table's last rows, in order; only a run that reaches the end counts, so a
    person who happens to be called like a mark in the middle of the file stays.
    """
    dropped = 0
    for cell in reversed(first_cells):
        if cell is None or not is_footer(cell, source.format.skip_footer):
            break
        dropped += 1
    report.footer_rows += dropped
    return table.slice(0, table.num_rows - dropped)
