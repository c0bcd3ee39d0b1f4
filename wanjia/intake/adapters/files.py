"""Which format a delivered file really has, and its reading. The content decides; the name is only compared with it."""

from collections.abc import Callable
from pathlib import PurePath

from wanjia.intake.adapters.csv_text import inspect_csv, read_csv
from wanjia.intake.adapters.json_lines import read_json_lines
from wanjia.intake.adapters.parquet_file import read_parquet
from wanjia.intake.adapters.rows import ReadRows
from wanjia.intake.adapters.workbook import check_zip, read_xlsx
from wanjia.intake.declared import Source
from wanjia.intake.errors import DeliveryTooLarge, EmptyDelivery, WrongFormat
from wanjia.intake.rules import MAX_FILE_BYTES

SUFFIXES = {
    ".csv": "csv",
    ".txt": "csv",
    ".tsv": "csv",
    ".xlsx": "xlsx",
    ".xlsm": "xlsx",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "jsonl",
    ".parquet": "parquet",
}
_FOREIGN = (
    (b"%PDF", "PDF"),
    (b"\xd0\xcf\x11\xe0", "an old .xls or a password-protected workbook"),
    (b"\x1f\x8b", "gzip"),
    (b"7z\xbc\xaf", "7z"),
    (b"Rar!", "RAR"),
    (b"BZh", "bzip2"),
    (b"\x28\xb5\x2f\xfd", "zstd"),
    (b"\x89PNG", "a picture"),
    (b"\xff\xd8\xff", "a picture"),
    (b"SQLite format 3", "an SQLite database"),
)  # fmt: skip
_MARKUP = (b"<!doctype", b"<html", b"<?xml", b"<table", b"<script", b"<head", b"<body", b"<style", b"<meta")
_READERS: dict[str, Callable[[bytes, Source], ReadRows]] = {
    "csv": read_csv, "xlsx": read_xlsx, "jsonl": read_json_lines, "parquet": read_parquet,
}  # fmt: skip


def found_format(raw: bytes) -> str:
    """What the bytes are: "csv", "xlsx", "jsonl", "parquet", "HTML", "zip", or another foreign format's name."""
    if raw.startswith(b"PAR1"):
        return "parquet"
    if raw.startswith(b"PK\x03\x04") or raw.startswith(b"PK\x05\x06"):
        return "xlsx"
    for mark, name in _FOREIGN:
        if raw.startswith(mark):
            return name
    start = raw[:4096].lstrip(b"\xef\xbb\xbf \t\r\n\xff\xfe\x00").lower()
    if start.startswith(_MARKUP):
        return "HTML or XML"
    if start[:1] == b"{" or start[:2] in (b"[{", b"[ ", b"[\n", b"[\r"):
        return "jsonl"
    return "csv"


def check_envelope(raw: bytes, suffix: str, source: Source) -> str:
    """The format to read the delivery as, after cheap checks of size, name against content, bombs, and a CSV's header.

    Raises `EmptyDelivery`, `DeliveryTooLarge`, `WrongFormat`, `DamagedFile`, `ExpandsTooMuch`, and the errors about columns.
    """
    # a long file's first bytes are enough to know that it is not blank
    if not raw[:65536].strip(b"\x00 \t\r\n\xef\xbb\xbf") and not raw.strip(b"\x00 \t\r\n\xef\xbb\xbf"):
        raise EmptyDelivery()
    if len(raw) > MAX_FILE_BYTES:
        raise DeliveryTooLarge(size=len(raw), limit=MAX_FILE_BYTES)
    declared = source.format.kind if source.format.kind in _READERS else "jsonl"
    expected = SUFFIXES.get(suffix.lower(), declared)
    found = found_format(raw)
    if found != expected:
        raise WrongFormat(expected=expected, found="plain text" if found == "csv" else found)
    if found == "xlsx" and "xl/workbook.xml" not in check_zip(raw):
        raise WrongFormat(expected=expected, found="a zip that is no workbook")
    if found == "csv":
        inspect_csv(raw, source)
    return found


def read_delivery(raw: bytes, kind: str, source: Source) -> ReadRows:
    """The delivery's rows as text. Raises the errors of the format's reader."""
    return _READERS[kind](raw, source)


def suffix_of(name: str) -> str:
    """The suffix of a file's name, as a word of a format ("" when it has none)."""
    return PurePath(name).suffix.lower()
