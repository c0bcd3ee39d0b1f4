"""The few expressions that both engines know under different names, or that are used all over."""

from functools import cache

import ibis
import ibis.expr.datatypes as dt
from ibis.expr.types import Column, Table, Value

from wanjia.kernel.engine import Engine

EPOCH = (1970, 1, 1)


@cache
def _largest_by(kind: str, value_type: dt.DataType) -> ibis.Value:
    # the plain argmax of Ibis becomes an ordered aggregate on DuckDB, which takes twice as long
    name = {"duckdb": "arg_max_null", "spark": "max_by"}[kind]

    def largest(value, key): ...

    largest.__name__ = name
    return ibis.udf.agg.builtin(largest, name=name, signature=((value_type, dt.int64), value_type))


def value_at_largest(engine: Engine, value: Column, key: Column) -> Value:
    """The value in the row whose `key` (int64) is largest; rows without a key do not count, null values do."""
    return _largest_by(engine.kind, value.type().copy(nullable=True))(value, key)


@ibis.udf.scalar.builtin(name="conv", signature=(("string", "int64", "int64"), "string"))
def _converted(text, base_from, base_to): ...


def number_of_hex(engine: Engine, digits: Value) -> Value:
    """The number (int64) written in up to 15 hexadecimal digits."""
    if engine.kind == "duckdb":
        return (ibis.literal("0x") + digits).cast("int64")
    return _converted(digits, 16, 10).cast("int64")


def day_number(day: Column) -> Column:
    """Days since 1970-01-01 (int64; null for null)."""
    # through 32 bits: Spark counts days in 32 bits while Ibis takes them for 64
    return day.delta(ibis.date(*EPOCH), unit="day").cast("int32").cast("int64")


def column_or_null(table: Table, name: str, kind: str) -> Value:
    """The table's column, or nulls of that kind where the sources have no such column."""
    return table[name].cast(kind) if name in table.columns else ibis.null(kind)


def day_of(table: Table, name: str) -> Value:
    """A date from a date or date-and-time column; null where the table has none."""
    return column_or_null(table, name, "date")


def as_text(table: Table, column: str) -> Value:
    """A value as a dossier keeps it: dates as YYYY-MM-DD, or the year alone where only that is known."""
    text = table[column].cast("string")
    year = f"{column}__year"
    return ibis.coalesce(text, table[year].cast("string")) if year in table.columns else text


def day_before(day: Value) -> Value:
    """The day before; the double cast is for DuckDB, where a date less an interval is a moment."""
    return (day - ibis.interval(days=1)).cast("timestamp").cast("date")
