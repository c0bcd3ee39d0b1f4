"""Days and moments, in every way departments write them."""

from typing import TYPE_CHECKING

import ibis
from ibis.expr.types import StringValue, Table

from wanjia.standards.bulk.words import known, narrow, translated
from wanjia.standards.rules.patterns import LATEST_YEAR, OLDEST_YEAR

if TYPE_CHECKING:
    from wanjia.standards.bulk import Step

WITHOUT_END = "9999-12-31"
_SEPARATED = "^([0-9]{4})[-/.年]([0-9]{1,2})[-/.月]([0-9]{1,2})[日号]?([ T].*)?$"
_COMPACT = "^[0-9]{8}$"
_MONTH = "^([0-9]{4})[-/.年]([0-9]{1,2})月?$"
_DAY_FIRST = "^([0-9]{1,2})[-/.]([0-9]{1,2})[-/.]([0-9]{4})$"
_COMPACT_MONTH = "^(18|19|20)[0-9]{2}(0[0-9]|1[0-2])$"
_YEAR = "^[0-9]{4}年?$"
# days since 1899-12-30, as spreadsheets count them: 1927 to 2064; four digits are a year
_SERIAL = "^([1-5][0-9]{4}|60000)([.]0+)?$"
_HAN = "[〇零○一二三四五六七八九十廿卅元]"
_HAN_YEAR = "〇零○一二三四五六七八九元", "0001234567891"


def date(table: Table, raw: str, step: "Step") -> Table:
    """A day of the calendar; `<key>__precision` says whether a day, only a month or only a year was given, `<key>__year` the year.

    Taken: 20240305, 2024-03-05, 2024/3/5, 2024.3.5, 2024年3月5日, 二〇二四年三月五日, a spreadsheet's day number, and a month or a year
    alone (the date is then null). Zeros for month or day mean that they are not known. Years 1850 to 2100.
    """
    key = step.part.key
    table = step.keep(table.mutate(__clean=known(narrow(table[raw]), step)))
    table = _parts(table, step)
    return _outputs(table, key, step.part.open_ended)


def moment(table: Table, raw: str, step: "Step") -> Table:
    """A day with or without a time, to the second; without one the moment is midnight and `<key>__precision` is day.

    Taken: every way of writing a day, followed by 8:15, 08:15:30, 8时15分, or written 202403050815[30].
    """
    key = step.part.key
    table = step.keep(table.mutate(__written=known(narrow(table[raw]), step)))
    written = table["__written"]
    is_compact = written.re_search("^[0-9]{12}([0-9]{2})?$")
    day_alone = written.re_replace("[ T]?[0-9]{1,2}[:时点][0-9]{1,2}.*$", "")
    table = table.mutate(
        __clean=ibis.ifelse(is_compact, written.substr(0, 8), day_alone),
        __hour=ibis.ifelse(is_compact, written.substr(8, 2), written.re_extract("([0-9]{1,2})[:时点]([0-9]{1,2})", 1)),
        __minute=ibis.ifelse(
            is_compact, written.substr(10, 2), written.re_extract("([0-9]{1,2})[:时点]([0-9]{1,2})", 2)
        ),
        __second=ibis.ifelse(
            is_compact, written.substr(12, 2), written.re_extract("[0-9][:时点][0-9]{1,2}[:分]([0-9]{1,2})", 1)
        ),
    )
    table = step.keep(table)
    table = step.keep(_outputs(_parts(table, step), key, step.part.open_ended))
    day = table[key].cast("string")
    has_time = table["__hour"] != ""
    time = ibis.ifelse(
        has_time,
        table["__hour"].lpad(2, "0") + ":" + table["__minute"].lpad(2, "0") + ":" + _or_zero(table["__second"]),
        "00:00:00",
    )
    at = (day + " " + time).try_cast("timestamp")
    table = table.mutate(__at=at, __has_time=has_time)
    is_wrong_time = table[key].notnull() & table["__at"].isnull()
    return table.mutate(
        **{
            key: table["__at"],
            f"{key}__precision": ibis.ifelse(
                table["__has_time"] & table["__at"].notnull(), "minute", table[f"{key}__precision"]
            ),
            f"{key}__reason": ibis.ifelse(is_wrong_time, "DATE_IMPOSSIBLE", table[f"{key}__reason"]),
        }
    )


def _or_zero(text: StringValue) -> StringValue:
    return ibis.ifelse(text == "", "00", text.lpad(2, "0"))


def _parts(table: Table, step: "Step") -> Table:
    """`table` with the written year, month and day as text columns (null where not given), and whether it is a day number."""
    table = _in_digits(table, step)
    clean = table["__clean"]
    none = ibis.null("string")
    # what a day looks like is asked once; then each part is cut out by its shape
    shapes = {
        "compact": _COMPACT,
        "separated": _SEPARATED,
        "month": _MONTH,
        "compact month": _COMPACT_MONTH,
        "year": _YEAR,
    }
    if step.lookups.date_order != "ymd":
        shapes["day first"] = _DAY_FIRST
    table = table.mutate(
        __shape=ibis.cases(*((clean.re_search(pattern), shape) for shape, pattern in shapes.items()), else_=none),
        __serial=ibis.ifelse(
            clean.re_search(_SERIAL), clean.re_extract("^([0-9]+)", 1).try_cast("int64"), ibis.null("int64")
        ),
    )
    shape, clean = table["__shape"], table["__clean"]
    day_place, month_place = (1, 2) if step.lookups.date_order == "dmy" else (2, 1)
    table = table.mutate(
        __year=ibis.cases(
            (shape == "day first", clean.re_extract(_DAY_FIRST, 3)), (shape.notnull(), clean.substr(0, 4)), else_=none
        ),
        __month=ibis.cases(
            (shape.isin(["compact", "compact month"]), clean.substr(4, 2)),
            (shape.isin(["separated", "month"]), clean.re_extract("^.{5}([0-9]{1,2})", 1)),
            (shape == "day first", clean.re_extract(_DAY_FIRST, month_place)),
            else_=none,
        ),
        __day=ibis.cases(
            (shape == "compact", clean.substr(6, 2)),
            (shape == "separated", clean.re_extract(_SEPARATED, 3)),
            (shape == "day first", clean.re_extract(_DAY_FIRST, day_place)),
            else_=none,
        ),
    ).drop("__shape")
    month, day = table["__month"], table["__day"]
    return step.keep(
        table.mutate(
            __month=ibis.ifelse(month.isin(["00", "0"]), none, month.lpad(2, "0")),
            __day=ibis.ifelse(day.isin(["00", "0"]), none, day.lpad(2, "0")),
        )
    )


def _in_digits(table: Table, step: "Step") -> Table:
    """Dates written in characters as dates written in digits; the others unchanged."""
    clean = table["__clean"]
    is_han = (
        clean.re_search(f"^{_HAN}{{4}}年")
        | clean.re_search(f"年{_HAN}{{1,3}}月")
        | clean.re_search(f"月{_HAN}{{1,3}}[日号]")
    )
    none = ibis.null("string")
    table = table.mutate(
        __y=ibis.ifelse(is_han, translated(clean.re_extract("^([^年]+)年", 1), *_HAN_YEAR, _HAN), none),
        __m=ibis.ifelse(is_han, clean.re_extract("年([^月]+)月", 1), none),
        __d=ibis.ifelse(is_han, clean.re_extract("月([^日号]+)[日号]?", 1), none),
    )
    numerals = step.lookups.numerals
    for part in ("__m", "__d"):
        other = numerals.view()
        joined = table.left_join(other, table[part] == other.han)
        table = joined.select(
            *[table[c] for c in table.columns if c != part], **{part: ibis.coalesce(other.digits, table[part])}
        )
    written = table["__y"] + ibis.ifelse(
        table["__m"] == "", "", "-" + table["__m"] + ibis.ifelse(table["__d"] == "", "", "-" + table["__d"])
    )
    return step.keep(table.mutate(__clean=ibis.coalesce(written, table["__clean"])).drop("__y", "__m", "__d"))


def _outputs(table: Table, key: str, open_ended: bool) -> Table:
    none = ibis.null("string")
    year, month, day = table["__year"], table["__month"], table["__day"]
    counted = (ibis.date("1899-12-30") + table["__serial"].as_interval("D")).cast("timestamp").cast("date")
    written = (year + "-" + month + "-" + day).try_cast("date")
    value = ibis.coalesce(counted, written)
    is_endless = ibis.literal(False)
    if open_ended:
        is_endless = table["__clean"].isin(["长期", "长期有效", "永久", "99991231", WITHOUT_END]).fill_null(False)
        value = ibis.ifelse(is_endless, ibis.date(WITHOUT_END), value)
    table = table.mutate(__value=value, __endless=is_endless)
    value = table["__value"]
    number = ibis.coalesce(value.year().cast("int64"), table["__year"].try_cast("int64"))
    in_range = ((number >= OLDEST_YEAR) & (number <= LATEST_YEAR)) | table["__endless"]
    is_month = month.isnull() | month.try_cast("int64").between(1, 12)
    precision = ibis.cases(
        (~in_range, none),
        (value.notnull(), "day"),
        (year.isnull() | ~is_month, none),
        (month.isnull(), "year"),
        (day.isnull(), "month"),
        else_=none,
    )
    table = table.mutate(**{f"{key}__precision": precision, "__number": number})
    precision = table[f"{key}__precision"]
    return table.mutate(
        **{
            key: ibis.ifelse(precision == "day", table["__value"], ibis.null("date")),
            f"{key}__year": ibis.ifelse(precision.notnull(), table["__number"].cast("int32"), ibis.null("int32")),
            f"{key}__reason": ibis.cases(
                (table["__clean"].isnull() | precision.notnull(), none),
                (table["__year"].notnull() | table["__serial"].notnull(), "DATE_IMPOSSIBLE"),
                else_="DATE_MALFORMED",
            ),
        }
    )
