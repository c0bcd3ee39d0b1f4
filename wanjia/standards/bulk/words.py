"""Cleaning of any text, and the types text and integer."""

from typing import TYPE_CHECKING

import ibis
from ibis.expr.types import BooleanValue, StringValue, Table

from wanjia.standards.rules.patterns import INVISIBLE, NARROW, WIDE

if TYPE_CHECKING:
    from wanjia.standards.bulk import Step

_IS_WIDE = f"[！-～　\u00a0\u2002\u2003\u2009\u202f\t\r\n{INVISIBLE}]|^[ \v\f]|[ \v\f]$"


def translated(text: StringValue, old: str, new: str, pattern: str) -> StringValue:
    """`text` with the characters of `old` replaced by those of `new` in place (missing ones vanish), where `pattern` finds any.

    The engines build the translation anew for every row; asking first keeps that to the few rows that need it.
    """
    return ibis.ifelse(text.re_search(pattern), text.translate(old, new), text)


def narrow(text: StringValue) -> StringValue:
    """Half-width, ordinary spaces, no invisible characters, no space at the ends."""
    # one question for both, because most texts are clean, and trimming them costs as much as the rest
    return ibis.ifelse(text.re_search(_IS_WIDE), text.translate(WIDE + INVISIBLE, NARROW).strip(), text)


def is_missing(text: StringValue, step: "Step") -> BooleanValue:
    """Whether the text is one of the profile's words for "nothing known"; by a pattern, which costs a third of looking it up in a list."""
    return text.re_search(step.lookups.missing_pattern)


def known(text: StringValue, step: "Step") -> StringValue:
    """The text, or null where it says that nothing is known."""
    return ibis.ifelse(is_missing(text, step), ibis.null("string"), text)


def text(table: Table, raw: str, step: "Step") -> Table:
    """Any text: cleaned, inner spaces single; against the element's pattern, if it has one."""
    key = step.part.key
    table = table.mutate(__clean=narrow(table[raw]))
    table = table.mutate(__clean=known(table["__clean"].re_replace(" +", " "), step))
    fits = table["__clean"].re_search(step.part.pattern) if step.part.pattern else ibis.literal(True)
    return table.mutate(
        **{
            key: ibis.ifelse(fits, table["__clean"], ibis.null("string")),
            f"{key}__reason": ibis.cases(
                (table["__clean"].notnull() & ~fits, "NUMBER_PATTERN"), else_=ibis.null("string")
            ),
        }
    )


def integer(table: Table, raw: str, step: "Step") -> Table:
    """A whole number between the element's minimum and maximum; thousands commas and a trailing .0 are taken."""
    key = step.part.key
    table = table.mutate(__clean=known(narrow(table[raw]), step))
    plain = table["__clean"].replace(",", "").re_replace("[.]0+$", "")
    table = table.mutate(
        __number=ibis.ifelse(plain.re_search("^[+-]?[0-9]{1,15}$"), plain.try_cast("int64"), ibis.null("int64"))
    )
    number = table["__number"]
    outside = ibis.literal(False)
    if step.part.minimum is not None:
        outside = outside | (number < step.part.minimum)
    if step.part.maximum is not None:
        outside = outside | (number > step.part.maximum)
    return table.mutate(
        **{
            key: ibis.ifelse(outside, ibis.null("int64"), number),
            f"{key}__reason": ibis.cases(
                (table["__clean"].isnull(), ibis.null("string")),
                (number.isnull(), "INTEGER_MALFORMED"),
                (outside, "INTEGER_OUT_OF_RANGE"),
                else_=ibis.null("string"),
            ),
        }
    )
