"""A department's database table, pulled by SQLAlchemy from where the last pull ended."""

import datetime
import decimal
import json
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy
import pyarrow as pa
import pyarrow.compute as pc

from wanjia.intake.declared import Source
from wanjia.intake.errors import MissingColumns, PullFailed, PullNotConfigured
from wanjia.intake.rules import MAX_ROWS, match_header, movement_word
from wanjia.kernel import settings

BATCH_ROWS = 2_000  # few enough to stay in the processor's cache
MAPPED_BYTES = 1024**3
FIRST_PRINTED = 0x20  # before it are the control characters
#: a text as JSON writes it, characters as they are
_quoted = json.encoder.encode_basestring
_TEXTS = {str, type(None)}


@dataclass(frozen=True)
class Pulled:
    """What one pull found: the rows as JSON lines, how many, how far the watermark has come, and the rows' texts: what reading the lines
    gives. None where the lines must be read to know that, because a text holds control characters."""

    raw: bytes
    rows: int
    watermark: str | None
    texts: pa.Table | None


def address_of(source: Source) -> str | None:
    """The SQLAlchemy URL this installation pulls `source` from, if one is set. A practice register pulls from its own home only."""
    url = os.environ.get(source.format.url_setting or "")
    if url and settings.is_practice() and not url.startswith(f"sqlite:///{settings.home()}/"):
        return None
    return url or None


def pull_rows(source: Source, watermark: str | None) -> Pulled:
    """Every row at or beyond `watermark`, in its order; all rows when there is none yet.

    "At" as well as "beyond": rows that share the last watermark may have been added since, and those already here count as exact
    repeats. Only declared columns leave the database. Raises `PullNotConfigured`, `PullFailed`, `MissingColumns`.
    """
    import sqlalchemy as sa

    url = address_of(source)
    if not url or not source.format.table:
        raise PullNotConfigured(source=source.code, setting=source.format.url_setting or "url_setting")
    schema, _, name = source.format.table.rpartition(".")
    try:
        engine = sa.create_engine(url)
        with engine.connect() as connection:
            if engine.dialect.name == "sqlite":
                # rows come in an index's order, each from another page: asking the system for every page costs as much as the rows
                connection.exec_driver_sql(f"PRAGMA mmap_size = {MAPPED_BYTES}")
            table = sa.Table(name, sa.MetaData(), schema=schema or None, autoload_with=connection)
            columns = _chosen(source, [column.name for column in table.columns])
            query = sa.select(*(table.c[theirs].label(ours) for ours, theirs in columns.items()))
            mark = source.format.watermark
            if mark:
                held = table.c[columns[mark]]
                query = query.order_by(held)
                if watermark is not None:
                    query = query.where(held >= _typed(watermark, held))
            pieces, told, rows = [], [], 0
            is_plain, last = True, watermark
            held_at = list(columns).index(mark) if mark else None
            found = connection.execution_options(stream_results=True, yield_per=BATCH_ROWS).execute(query)
            for part in found.partitions():
                texts = [_texts(column) for column in zip(*part, strict=True)]
                odd = [_odd_octets(cells) for cells in texts]
                is_plain = is_plain and all((octets >= FIRST_PRINTED).all() for octets in odd)
                pieces.append(_lines(columns, texts, odd))
                told.append(pa.record_batch(texts, names=list(columns)))
                rows += len(part)
                if held_at is not None:
                    last = next((_text(row[held_at]) for row in reversed(part) if row[held_at] is not None), last)
                if rows > MAX_ROWS:
                    raise PullFailed(source=source.code, reason=f"more than {MAX_ROWS} rows")
        engine.dispose()
    except (sa.exc.SQLAlchemyError, ImportError, ValueError) as wrong:
        # the class alone: a database's own message may quote values
        raise PullFailed(source=source.code, reason=type(wrong).__name__) from None
    return Pulled(b"".join(pieces), rows, last, pa.Table.from_batches(told) if rows and is_plain else None)


def _chosen(source: Source, delivered: list[str]) -> dict[str, str]:
    match = match_header(delivered, source.columns(), source.required_columns())
    missing = match.missing + [n for n in [source.format.watermark] if n and n not in match.positions]
    if missing or not match.positions:
        raise MissingColumns(source=source.code, missing=", ".join(missing), hint_zh="", hint_en="")
    # only what is declared is read, so an undeclared movement column never leaves the department; a declared one cannot exist
    return {name: delivered[position] for name, position in match.positions.items() if not movement_word(name)}


def _typed(watermark: str, column: Any) -> Any:
    """The kept watermark in the type of the column it is compared with."""
    try:
        kind = column.type.python_type
    except NotImplementedError:
        return watermark
    if kind in (int, float):
        return kind(watermark)
    if kind is decimal.Decimal:
        return decimal.Decimal(watermark)
    if kind is datetime.datetime:
        return datetime.datetime.fromisoformat(watermark)
    if kind is datetime.date:
        return datetime.date.fromisoformat(watermark)
    return watermark


def _texts(column: Sequence[Any]) -> pa.Array:
    """The cells of a column as texts."""
    texts = column if set(map(type, column)) <= _TEXTS else [None if cell is None else _text(cell) for cell in column]
    return pa.array(texts, pa.string())


def _odd_octets(cells: pa.Array) -> numpy.ndarray:
    """The octets of the cells that JSON does not write as they are."""
    octets = numpy.frombuffer(cells.buffers()[2] or b"", numpy.uint8)
    return octets[(octets < FIRST_PRINTED) | (octets == 0x22) | (octets == 0x5C)]


def _lines(names: Iterable[str], columns: list[pa.Array], odd: list[numpy.ndarray]) -> pa.Buffer:
    """The rows as the lines `json.dumps` would write. Column by column in Arrow: a piece of Python for each cell takes five times as long."""
    pieces: list[Any] = []
    before = "{"
    for name, cells, octets in zip(names, columns, odd, strict=True):
        quote = ""
        if octets.size:
            cells = pa.array(["null" if text is None else _quoted(text) for text in cells.to_pylist()], pa.string())
        elif cells.null_count:
            cells = pc.fill_null(pc.binary_join_element_wise('"', cells, '"', ""), "null")
        else:
            # the quotes that every cell has stand in what is written between the cells
            quote = '"'
        pieces += [f"{before}{_quoted(name)}: {quote}", cells]
        before = f"{quote}, "
    lines = pc.binary_join_element_wise(*pieces, f"{quote}}}\n", "")
    return lines.buffers()[2]


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime.datetime):
        return value.isoformat(" ")
    if isinstance(value, datetime.date | datetime.time):
        return value.isoformat()
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return str(value)
