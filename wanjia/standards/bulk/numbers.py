"""Numbers that carry their own proof: citizen numbers, organisation codes, and other numbers of documents.

Own code, because libraries reject numbers that exist (residents of Hong Kong, Macao and Taiwan, foreign permanent residents, organisations
whose code begins with a letter); the libraries are the tests' oracles. GB 11643-1999, GB 32100-2015: evidence in standards-facts 1.1.
"""

from typing import TYPE_CHECKING

import ibis
from ibis.expr.types import BooleanValue, IntegerValue, StringValue, Table

from wanjia.standards.bulk.words import known, narrow
from wanjia.standards.rules.patterns import (
    BORN_BEFORE_1900,
    CHECK_CHARACTERS,
    LATEST_YEAR,
    OLDEST_YEAR,
    PLAIN_NUMBER,
    WEIGHTS,
)

if TYPE_CHECKING:
    from wanjia.standards.bulk import Step

# one day, month and year of the date in seventeen digits, as a number
_DAY, _MONTH, _YEAR = 10**3, 10**5, 10**7
_ORGANISATION_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"


def _remainder_coefficients() -> list[int]:
    """For k = 1 … 17 the factor of (n mod 10^k) in the MOD 11-2 sum of the 17-digit number n.

    The digit at place k from the right is (n mod 10^k − n mod 10^(k−1)) / 10^(k−1), and dividing by 10 is multiplying by −1 modulo 11.
    So the whole sum needs seventeen remainders of one integer and no text operations, which are ten times slower.
    """
    signed = [WEIGHTS[17 - k] * (-1) ** (k - 1) for k in range(1, 18)] + [0]
    return [(signed[k - 1] - signed[k]) % 11 for k in range(1, 18)]


def with_check_character(table: Table, seventeen: str) -> Table:
    """`table` with `__check`, the MOD 11-2 check character of the seventeen digits in that column; null where they are not digits."""
    table = table.mutate(__digits=table[seventeen].try_cast("int64"))
    n = table["__digits"]
    total: IntegerValue = ibis.literal(0, "int64")
    for k, factor in enumerate(_remainder_coefficients(), start=1):
        if factor:
            total = total + (n % 10**k) * factor
    table = table.mutate(__place=total % 11)
    return table.mutate(__check=ibis.literal(CHECK_CHARACTERS).substr(table["__place"], 1)).drop("__digits", "__place")


def identity_number(table: Table, raw: str, step: "Step") -> Table:
    """A citizen number by the scheme "cn", or plain digits of a fixed length by the scheme "digits".

    `<key>__state`: sound (the check character proves it), sound15 (a 15-character number, which has none; 15 digits are written as the
    18 they became), check_failed, malformed. Only sound numbers may be a master key; the others keep what was written.
    """
    return _digits(table, raw, step) if step.part.scheme == "digits" else _citizen_number(table, raw, step)


def cleaned(text: StringValue) -> StringValue:
    """A number without the spaces, dashes and quotes that people and spreadsheets put into it, in half-width capitals."""
    return ibis.ifelse(text.re_search(PLAIN_NUMBER), text, _tidied(text))


def _tidied(text: StringValue) -> StringValue:
    return narrow(text).upper().re_replace("[ '\"`.,·—–_-]", "")


def _with_born(table: Table, seventeen: str) -> Table:
    """`table` with `__is_born`: whether the seventeen digits in that column hold a day of the calendar that somebody may be born on.

    In whole numbers, which cost a fifth of putting a date's text together and reading it.
    """
    table = table.mutate(__digits=table[seventeen].try_cast("int64"))
    n = table["__digits"]
    table = table.mutate(
        __day=n % _MONTH - n % _DAY, __month=n % _YEAR - n % _MONTH, __year=n % (_YEAR * 10_000) - n % _YEAR
    ).drop("__digits")
    day, month, year = table["__day"], table["__month"], table["__year"]
    is_leap = (year % (4 * _YEAR) == 0) & ((year % (100 * _YEAR) != 0) | (year % (400 * _YEAR) == 0))
    last = ibis.cases(
        (month == 2 * _MONTH, ibis.ifelse(is_leap, 29, 28)),
        (month.isin([4 * _MONTH, 6 * _MONTH, 9 * _MONTH, 11 * _MONTH]), 30),
        else_=31,
    )
    is_born = (
        year.between(OLDEST_YEAR * _YEAR, LATEST_YEAR * _YEAR)
        & month.between(_MONTH, 12 * _MONTH)
        & (day >= _DAY)
        & (day <= last * _DAY)
    )
    return table.mutate(__is_born=is_born.fill_null(False)).drop("__day", "__month", "__year")


def _citizen_number(table: Table, raw: str, step: "Step") -> Table:
    key = step.part.key
    # nearly every number is written plainly, and then nothing else need be asked
    table = table.mutate(__is_plain=table[raw].re_search(PLAIN_NUMBER))
    table = table.mutate(__number=ibis.ifelse(table["__is_plain"], table[raw], known(_tidied(table[raw]), step)))
    number = table["__number"]
    is_18 = ibis.ifelse(table["__is_plain"], True, number.re_search(PLAIN_NUMBER))
    table = step.keep(table.mutate(__is_18=is_18).drop(raw, "__is_plain"))
    number, is_18 = table["__number"], table["__is_18"]
    is_15 = number.re_search("^[0-9]{15}$")
    is_old_foreign = ibis.ifelse(is_18, False, number.re_search("^[A-Z]{3}[0-9]{12}$"))
    century = ibis.ifelse(number.substr(12, 3).re_search(BORN_BEFORE_1900), "18", "19")
    table = table.mutate(
        __seventeen=ibis.cases(
            (is_18, number.substr(0, 17)),
            (is_15, number.substr(0, 6) + century + number.substr(6, 9)),
            else_=ibis.null("string"),
        ),
        __old_foreign=is_old_foreign,
        __length=number.length(),
    )
    prefixes = step.lookups.prefixes
    head = ibis.ifelse(table["__old_foreign"], table["__number"].substr(0, 3), table["__seventeen"].substr(0, 6))
    table = table.mutate(__head=head)
    joined = table.left_join(prefixes, table["__head"] == prefixes.prefix)
    table = joined.select(*[table[c] for c in table.columns], __has_prefix=prefixes.prefix.notnull())
    table = step.keep(with_check_character(_with_born(table, "__seventeen"), "__seventeen"))
    number, seventeen = table["__number"], table["__seventeen"]
    is_old_and_known = table["__old_foreign"] & table["__has_prefix"]
    none = ibis.null("string")
    reason = ibis.cases(
        (number.isnull() | is_old_and_known, none),
        (table["__old_foreign"], "ID_PREFIX_UNKNOWN"),
        (seventeen.isnull(), "ID_MALFORMED"),
        (~table["__is_born"], "ID_DATE_IMPOSSIBLE"),
        (~table["__has_prefix"], "ID_PREFIX_UNKNOWN"),
        ((table["__length"] == 18) & (number.substr(17, 1) != table["__check"]), "ID_CHECK_DIGIT"),
        else_=none,
    )
    table = table.mutate(**{f"{key}__reason": reason})
    why = table[f"{key}__reason"]
    is_converted = why.isnull() & seventeen.notnull() & (table["__length"] == 15)
    return table.mutate(
        **{
            key: ibis.ifelse(is_converted, seventeen + table["__check"], number),
            f"{key}__state": ibis.cases(
                (number.isnull(), none),
                (why == "ID_CHECK_DIGIT", "check_failed"),
                (why.notnull(), "malformed"),
                (table["__length"] == 15, "sound15"),
                else_="sound",
            ),
        }
    )


def _digits(table: Table, raw: str, step: "Step") -> Table:
    key = step.part.key
    table = table.mutate(__number=known(cleaned(table[raw]), step))
    number = table["__number"]
    shape = f"^[0-9]{{{step.part.length}}}$" if step.part.length else "^[0-9]+$"
    fits = number.re_search(shape)
    return table.mutate(
        **{
            key: number,
            f"{key}__state": ibis.cases((number.isnull(), ibis.null("string")), (fits, "sound"), else_="malformed"),
            f"{key}__reason": ibis.cases((number.notnull() & ~fits, "ID_MALFORMED"), else_=ibis.null("string")),
        }
    )


def document_number(table: Table, raw: str, step: "Step") -> Table:
    """A number given by an office: capitals, half-width, no spaces; against the element's pattern or scheme, if it has one.

    The scheme "disability" is an identity number with a sound check character, then category 1 to 7 and grade 1 to 4.
    """
    key = step.part.key
    table = table.mutate(__number=narrow(table[raw]).upper().replace(" ", ""))
    table = table.mutate(__number=known(table["__number"], step))
    wrong: BooleanValue = ibis.literal(False)
    reason = "NUMBER_PATTERN"
    if step.part.scheme == "disability":
        table = with_check_character(table.mutate(__seventeen=table["__number"].substr(0, 17)), "__seventeen")
    number = table["__number"]
    if step.part.scheme == "disability":
        has_shape = number.re_search("^[0-9]{17}[0-9X][1-7][1-4]$")
        proves = table["__check"] == number.substr(17, 1)
        wrong, reason = ~(has_shape & proves.fill_null(False)), "DISABILITY_NUMBER"
    elif step.part.pattern:
        wrong = ~number.re_search(step.part.pattern)
    return table.mutate(
        **{
            key: ibis.ifelse(wrong, ibis.null("string"), number),
            f"{key}__reason": ibis.cases((number.notnull() & wrong, reason), else_=ibis.null("string")),
        }
    )


def organisation(table: Table, raw: str, step: "Step") -> Table:
    """A unified social credit code with its check character, or an organisation's name where the source keeps names.

    Eighteen capitals and digits are taken for a code; any first character of the alphabet is good (rural collectives have N).
    """
    key = step.part.key
    table = step.keep(table.mutate(__given=known(narrow(table[raw]).re_replace(" +", " "), step)))
    table = table.mutate(__code=table["__given"].upper().replace(" ", ""))
    code = table["__code"]
    table = table.mutate(__is_code=code.re_search("^[0-9A-Z]{18}$"))
    total: IntegerValue = ibis.literal(0, "int64")
    alphabet = ibis.literal(_ORGANISATION_ALPHABET)
    for place in range(17):
        total = total + alphabet.find(code.substr(place, 1)).cast("int64") * (3**place % 31)
    table = table.mutate(__place=(31 - total % 31) % 31)
    code, check = table["__code"], alphabet.substr(table["__place"], 1)
    has_shape = code.re_search(f"^[{_ORGANISATION_ALPHABET}]{{2}}[0-9]{{6}}[{_ORGANISATION_ALPHABET}]{{10}}$")
    table = step.keep(table.mutate(__is_sound=has_shape & (check == code.substr(17, 1))))
    fails = table["__is_code"] & ~table["__is_sound"]
    return table.mutate(
        **{
            key: ibis.cases(
                (fails, ibis.null("string")), (table["__is_code"], table["__code"]), else_=table["__given"]
            ),
            f"{key}__reason": ibis.cases((fails, "ORGANISATION_CHECK_DIGIT"), else_=ibis.null("string")),
        }
    )
