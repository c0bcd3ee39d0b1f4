"""Values out of a list: code sets, divisions, yes and no."""

from typing import TYPE_CHECKING

import ibis
from ibis.expr.types import StringValue, Table

from wanjia.standards.bulk.words import is_missing, known, narrow
from wanjia.standards.rules import spelling_key

if TYPE_CHECKING:
    from wanjia.standards.bulk import Step

_YES = ("是", "有", "Y", "YES", "TRUE", "T", "1", "√", "享受", "已", "对")
_NO = ("否", "无", "N", "NO", "FALSE", "F", "0", "×", "X", "没有", "未", "不是", "未享受")


def code(table: Table, raw: str, step: "Step") -> Table:
    """A code: given as the code, a name of it in either language, a declared spelling, or the source's own spelling."""
    key = step.part.key
    table = table.mutate(__clean=narrow(table[raw]))
    spelt = table["__clean"].upper().re_replace("[ ]+", "")
    own = {spelling_key(written): spelling_key(meant) for written, meant in step.reading.codes.items()}
    if own:
        spelt = ibis.cases(*((spelt == written, meant) for written, meant in own.items()), else_=spelt)
    table = step.keep(table.mutate(__spelt=spelt))
    spellings = step.lookups.spellings
    of_set = spellings.filter(spellings.set == step.part.codes).select("spelling", "code")
    joined = table.left_join(of_set, table["__spelt"] == of_set.spelling)
    table = joined.select(*[table[c] for c in table.columns], __found=of_set.code)
    # a set may spell "none" itself; only what it does not know is asked whether it means "nothing known"
    is_unknown = table["__found"].isnull() & ~is_missing(table["__clean"], step)
    return table.mutate(
        **{key: table["__found"], f"{key}__reason": ibis.cases((is_unknown, "CODE_UNKNOWN"), else_=ibis.null("string"))}
    )


def boolean(table: Table, raw: str, step: "Step") -> Table:
    """Yes or no."""
    key = step.part.key
    table = table.mutate(__clean=narrow(table[raw]).upper())
    spelt = table["__clean"]
    value = ibis.cases((spelt.isin(_YES), True), (spelt.isin(_NO), False), else_=ibis.null("boolean"))
    is_unreadable = value.isnull() & ~is_missing(spelt, step)
    return table.mutate(
        **{key: value, f"{key}__reason": ibis.cases((is_unreadable, "BOOLEAN_UNREADABLE"), else_=ibis.null("string"))}
    )


def division(table: Table, raw: str, step: "Step") -> Table:
    """A division by its code of 6, 9 or 12 digits or its written path, as it was then (`<key>`) and today (`<key>__current`).

    Trailing zeros of longer codes are cut. Finer digits that the table does not hold are kept while the county they hang on is still
    there. An abolished division with several successors becomes the smallest present one that holds them all.
    """
    key = step.part.key
    table = table.mutate(__clean=known(narrow(table[raw]).replace(" ", ""), step))
    clean = table["__clean"]
    is_code = clean.re_search("^[0-9]+$")
    cut = ibis.cases(
        (clean.re_search("^[0-9]{6}0{6}$") | clean.re_search("^[0-9]{6}0{3}$"), clean.substr(0, 6)),
        (clean.re_search("^[0-9]{9}0{3}$"), clean.substr(0, 9)),
        (is_code, clean),
        else_=ibis.null("string"),
    )
    table = step.keep(table.mutate(__code=cut, __is_code=is_code))
    paths, divisions = step.lookups.paths, step.lookups.divisions
    joined = table.left_join(paths, table["__clean"] == paths.path)
    table = joined.select(*[table[c] for c in table.columns], __by_name=paths.code)
    table = step.keep(table.mutate(__code=ibis.coalesce(table["__code"], table["__by_name"])))
    table = _current(table, table["__code"], divisions, "exact")
    table = _current(table, table["__code"].substr(0, 9), divisions, "town")
    table = step.keep(_current(table, table["__code"].substr(0, 6), divisions, "county"))
    code, county = table["__code"], table["__county"]
    has_length = code.length().isin([6, 9, 12])
    reason = ibis.cases(
        (table["__clean"].isnull(), ibis.null("string")),
        (table["__is_code"] & ~has_length, "DIVISION_MALFORMED"),
        (county.isnull(), "DIVISION_UNKNOWN"),
        else_=ibis.null("string"),
    )
    table = table.mutate(**{f"{key}__reason": reason})
    is_good = table[f"{key}__reason"].isnull()
    town_stays = table["__town"] == code.substr(0, 9)
    current = ibis.cases(
        (table["__exact"].notnull(), table["__exact"]),
        (table["__town"].notnull(), ibis.ifelse(town_stays, code, table["__town"])),
        (county == code.substr(0, 6), code),
        else_=county,
    )
    none = ibis.null("string")
    return table.mutate(
        **{key: ibis.ifelse(is_good, code, none), f"{key}__current": ibis.ifelse(is_good, current, none)}
    )


def _current(table: Table, code: StringValue, divisions: Table, name: str) -> Table:
    """`table` with the present code of `code` as column `__<name>`, null if there never was such a code."""
    # a code that ended without any successor still is a code: it stands for itself
    of, today = f"__{name}_code", f"__{name}"
    known_codes = divisions.select(**{of: divisions.code, today: ibis.coalesce(divisions.current, divisions.code)})
    table = table.mutate(**{f"__{name}_asked": code})
    joined = table.left_join(known_codes, table[f"__{name}_asked"] == known_codes[of])
    return joined.select(*[table[c] for c in table.columns], known_codes[today])
