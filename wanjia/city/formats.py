"""Exports put into the formats departments send: CSV in two encodings, XLSX with a merged header, JSON lines, Parquet, a database
table, and the bodies of HTTP pushes."""

import codecs
import hashlib
import io
import json
import re
import sqlite3
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

from wanjia.city.exports.writing import Export

PUSH_ROWS = 500  # records in one HTTP body
CHUNK_ROWS = 100_000


@dataclass(frozen=True)
class Delivery:
    """How one source is sent: path under the output folder, and the function that writes it. `headings` renames columns as this
    department's own export spells them (aliases in the source's declaration)."""

    path: str
    write: Callable[["Delivery", Export, Path], None]
    headings: dict[str, str] | None = None
    encoding: str = "utf-8"
    delimiter: str = ","
    totals: bool = False
    cut_rows: int = 0  # rows that break off in the middle, as a cancelled export leaves them
    title: str = ""
    groups: tuple[tuple[str, int], ...] = ()  # upper header row of the XLSX: text, columns it spans
    table: str = ""


def rows_as_sent(export: Export, headings: dict[str, str] | None = None) -> pa.Table:
    """The export's table in the order it is sent, with the rows that are sent twice."""
    names = [(headings or {}).get(name, name) for name in export.columns]
    table = pa.table(list(export.columns.values()), names=names)
    return table.take(pa.array(np.sort(np.r_[np.arange(len(export)), export.repeats])))


def write_csv(delivery: Delivery, export: Export, path: Path) -> None:
    """CSV or TSV in the department's encoding."""
    table = rows_as_sent(export, delivery.headings)
    encode = codecs.getincrementalencoder(delivery.encoding)().encode
    text = lambda names: delivery.delimiter.join(names) + "\n"  # noqa: E731 - one line, used three times
    with path.open("wb") as file:
        file.write(encode(text(table.column_names)))
        options = pyarrow.csv.WriteOptions(include_header=False, delimiter=delivery.delimiter, quoting_style="needed")
        for start in range(0, len(table), CHUNK_ROWS):
            buffer = pa.BufferOutputStream()
            pyarrow.csv.write_csv(table.slice(start, CHUNK_ROWS), buffer, options)
            chunk = buffer.getvalue().to_pybytes()
            file.write(
                chunk if delivery.encoding.startswith("utf-8") else chunk.decode("utf-8").encode(delivery.encoding)
            )
        for number in range(delivery.cut_rows):
            cells = [column[number].as_py() or "" for column in table.columns[: 4 + number]]
            file.write(text([f"{cells[0]}0", *cells[1:]]).encode(delivery.encoding))
        if delivery.totals:
            cells = ["合计", f"共{len(table)}人"] + [""] * (table.num_columns - 2)
            file.write(text(cells).encode(delivery.encoding))


def write_xlsx(delivery: Delivery, export: Export, path: Path) -> None:
    """A workbook with a title, a header of two rows whose upper cells are merged, and a totals row."""
    import openpyxl

    table = rows_as_sent(export, delivery.headings)
    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet("明细")
    width = table.num_columns
    sheet.append([delivery.title] + [None] * (width - 1))
    sheet.merged_cells.add(f"A1:{_letter(width)}1")
    upper: list[str | None] = []
    for text, span in delivery.groups:
        first = len(upper) + 1
        upper += [text] + [None] * (span - 1)
        if span > 1:
            sheet.merged_cells.add(f"{_letter(first)}2:{_letter(first + span - 1)}2")
    sheet.append(upper)
    sheet.append(table.column_names)
    for batch in table.to_batches(CHUNK_ROWS):
        for row in zip(*(column.to_pylist() for column in batch.columns), strict=True):
            sheet.append(row)
    if delivery.totals:
        sheet.append(["合计", f"{len(table)}人"] + [None] * (width - 2))
    buffer = io.BytesIO()
    book.save(buffer)
    _without_clock(buffer, path)


def _without_clock(book: io.BytesIO, path: Path) -> None:
    """Writes the workbook with a fixed time in its properties and members, so that the same city is the same bytes."""
    with zipfile.ZipFile(book) as source, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as target:
        for member in source.infolist():
            content = source.read(member)
            if member.filename == "docProps/core.xml":
                content = re.sub(rb">[0-9-]+T[0-9:]+Z<", b">2026-07-01T00:00:00Z<", content)
            target.writestr(zipfile.ZipInfo(member.filename, (2026, 7, 1, 0, 0, 0)), content, zipfile.ZIP_DEFLATED)


def _letter(column: int) -> str:
    return chr(ord("A") + column - 1)


def write_json_lines(delivery: Delivery, export: Export, path: Path) -> None:
    """One JSON object a line; empty cells are left out."""
    with path.open("w", encoding=delivery.encoding) as file:
        for record in _records(rows_as_sent(export, delivery.headings)):
            file.write(json.dumps(record, ensure_ascii=False) + "\n")


def write_push(delivery: Delivery, export: Export, path: Path) -> None:
    """One HTTP request a line: its Idempotency-Key and its body, an array of records."""
    with path.open("w", encoding="utf-8") as file:
        records = _records(rows_as_sent(export, delivery.headings))
        for start in range(0, len(records), PUSH_ROWS):
            body = records[start : start + PUSH_ROWS]
            key = hashlib.sha256(json.dumps(body, ensure_ascii=False).encode()).hexdigest()[:32]
            line = {"source": export.source, "idempotency_key": key, "body": body}
            file.write(json.dumps(line, ensure_ascii=False) + "\n")


def _records(table: pa.Table) -> list[dict[str, str]]:
    return [{name: value for name, value in row.items() if value is not None} for row in table.to_pylist()]


def write_parquet(delivery: Delivery, export: Export, path: Path) -> None:
    """Parquet, all columns as texts."""
    pyarrow.parquet.write_table(rows_as_sent(export, delivery.headings), path, compression="zstd")


def write_database(delivery: Delivery, export: Export, path: Path) -> None:
    """A table of a SQLite file; later waves update rows by their key and add others. No write-ahead log: one file is all."""
    table = rows_as_sent(export, delivery.headings)
    names = table.column_names
    connection = sqlite3.connect(path)
    try:
        connection.execute("PRAGMA journal_mode=DELETE")
        connection.execute("PRAGMA synchronous=OFF")  # a generated file; made anew if the machine stops
        columns = ", ".join(f'"{name}" TEXT' for name in names)
        connection.execute(f'CREATE TABLE IF NOT EXISTS "{delivery.table}" ({columns})')
        connection.execute(f'CREATE INDEX IF NOT EXISTS by_key ON "{delivery.table}" ("{names[0]}")')
        connection.execute(f'CREATE INDEX IF NOT EXISTS by_update ON "{delivery.table}" ("{names[-1]}")')
        marks = ", ".join("?" * len(names))
        keys = [(key,) for key in table.column(0).to_pylist() if key]
        connection.executemany(
            f'DELETE FROM "{delivery.table}" WHERE "{names[0]}" = ?', keys if _holds_rows(connection, delivery) else []
        )
        for batch in table.to_batches(CHUNK_ROWS):
            rows = zip(*(column.to_pylist() for column in batch.columns), strict=True)
            connection.executemany(f'INSERT INTO "{delivery.table}" VALUES ({marks})', rows)
        connection.commit()
    finally:
        connection.close()


def _holds_rows(connection: sqlite3.Connection, delivery: Delivery) -> bool:
    return connection.execute(f'SELECT 1 FROM "{delivery.table}" LIMIT 1').fetchone() is not None


DELIVERIES: dict[str, Delivery] = {
    "police_register": Delivery("inbox/police_register_{day}.csv", write_csv, encoding="utf-8-sig"),
    "residence_registration": Delivery(
        "inbox/residence_registration_{day}.csv",
        write_csv,
        headings={"身份证件号码": "证件号码", "现住地址": "居住地址"},
        encoding="gb18030",
        cut_rows=2,
    ),
    "birth_certificates": Delivery("inbox/birth_certificates_{day}.jsonl", write_json_lines),
    "death_certificates": Delivery("push/death_certificates_{day}.jsonl", write_push),
    "marriages": Delivery("inbox/marriages_{day}.parquet", write_parquet),
    "assistance": Delivery(
        "inbox/assistance_{day}.xlsx",
        write_xlsx,
        title="望川市社会救助对象花名册",
        groups=(("登记编号", 1), ("对象信息", 4), ("住址信息", 2), ("救助信息", 3), ("填报", 1)),
        totals=True,
    ),
    "social_insurance": Delivery("databases/social_insurance.sqlite", write_database, table="insured_person"),
    "school_rolls": Delivery("inbox/school_rolls_{day}.csv", write_csv, encoding="utf-8-sig", delimiter="\t"),
    "medical_insurance": Delivery(
        "inbox/medical_insurance_{day}.csv",
        write_csv,
        headings={"证件号": "公民身份证号", "出生年月日": "出生日期"},
        encoding="gb18030",
        totals=True,
    ),
}
