"""Names of people: as shown, as compared, as sounded, and their surname and given name."""

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING

import ibis
from ibis.expr.types import StringValue, Table

from wanjia.standards.bulk.words import is_missing, known, narrow, translated
from wanjia.standards.rules.patterns import DOTS, HAN, LATIN

if TYPE_CHECKING:
    from wanjia.standards.bulk import Step

_SHORT = 4  # characters; nearly all names
_JOINTS = "[·. '’-]"


def name(table: Table, raw: str, step: "Step") -> Table:
    """A name in its script. In Han script: `<key>` for showing, `__norm` for comparing (no spaces and dots, variants folded, small
    Latin letters), `__pinyin` (toneless syllables), `__surname` and `__given` (compound surnames known; none for names with a dot)."""
    return _latin(table, raw, step) if step.part.script == "latin" else _han(table, raw, step)


def _han(table: Table, raw: str, step: "Step") -> Table:
    key = step.part.key
    # nearly all names are nothing but characters: they are shown as they are written
    is_plain = table[raw].re_search(f"^[{HAN}]+\\z") & ~is_missing(table[raw], step)
    table = table.mutate(__is_plain=is_plain)
    # few names hold what is replaced: looking first is much cheaper than a replacement
    narrowed = _replaced(narrow(table[raw]), "[(（][^)）]*[)）]$", "")
    table = table.mutate(__narrow=ibis.ifelse(table["__is_plain"], table[raw], narrowed)).drop(raw)
    is_plain, written = table["__is_plain"], table["__narrow"]
    table = step.keep(
        table.mutate(
            __clean=ibis.ifelse(is_plain, written, known(written, step)),
            __han=ibis.ifelse(is_plain, True, written.re_search(f"[{HAN}]")),
        )
    )
    is_plain, clean = table["__is_plain"], table["__clean"]
    # a dot of any kind, full stops included, joins the parts of one name; characters are written without spaces
    joined = translated(clean, DOTS + ".", "·" * (len(DOTS) + 1), f"[{DOTS}.]").replace(" ", "")
    table = table.mutate(__joined=ibis.ifelse(is_plain, clean, joined))
    ends = "^·+|·+$|-+$"
    shown = ibis.ifelse(table["__han"], _replaced(table["__joined"], ends, ""), clean.re_replace("[ ]+", " "))
    table = table.mutate(__shown=ibis.ifelse(is_plain, clean, shown))
    shown = table["__shown"]
    has_letter = shown.re_search(f"[{HAN}{LATIN}]")
    is_lost = shown.re_search("[?�□*\ue000-\uf8ff]")
    none = ibis.null("string")
    reason = ibis.cases(
        # written, but with nothing in it: the profile's words for "nothing known" excepted, a dash is not a name
        (clean.isnull(), ibis.ifelse(table["__narrow"].re_search("^[-./]+$"), "NAME_EMPTY", none)),
        (is_lost, "NAME_CHARACTER_LOST"),
        (~has_letter, "NAME_EMPTY"),
        (shown.re_search(f"[^{HAN}{LATIN}· .'’-]"), "NAME_MALFORMED"),
        else_=none,
    )
    table = table.mutate(
        **{
            key: ibis.ifelse(is_plain, shown, ibis.ifelse(has_letter | is_lost, shown, none)),
            f"{key}__reason": ibis.ifelse(is_plain, none, reason),
        }
    ).drop("__is_plain", "__narrow", "__clean", "__joined", "__shown")
    table = step.keep(_folded(step.keep(table), key, step))
    table = table.mutate(**{f"{key}__norm": _replaced(table["__simple"].lower(), _JOINTS, "")})
    return _sounded(_split(table, step), step)


def _any_of(words: Iterable[str]) -> str:
    """A pattern of any of the words: it costs as much as one of them, where an engine compares a list's words one by one."""
    return "|".join(re.escape(word) for word in words)


def _replaced(text: StringValue, pattern: str, new: str) -> StringValue:
    """`text` with what fits the pattern replaced, where anything does."""
    return ibis.ifelse(text.re_search(pattern), text.re_replace(pattern, new), text)


def _folded(table: Table, key: str, step: "Step") -> Table:
    """`table` with `__simple`, the name in simple and usual characters.

    The few names that need it are found by looking their characters up: translating every name against thousands of characters
    takes minutes on one engine, and a pattern of thousands of characters overflows the other's stack.
    """
    variants, folded = step.lookups.variants
    if not variants:
        return table.mutate(__simple=table[key])
    letters = table.filter(table["__han"]).select(__named=table[key])
    letters = letters.mutate(letter=letters["__named"].split("")).unnest("letter")
    characters = step.lookups.variant_characters
    hits = step.keep(letters.join(characters, letters.letter == characters.character).select("__named").distinct())
    joined = table.left_join(hits, table[key] == hits["__named"])
    simple = ibis.ifelse(hits["__named"].notnull(), table[key].translate(variants, folded), table[key])
    return joined.select(*[table[c] for c in table.columns], __simple=simple)


def _split(table: Table, step: "Step") -> Table:
    """`table` with surname and given name, of the folded form."""
    key, simple = step.part.key, table["__simple"]
    compound = [surname for surname, _ in step.lookups.surnames if len(surname) > 1]
    has_dot = simple.contains("·")
    length = simple.length()
    is_compound = simple.re_search(f"^(?:{_any_of(compound)})") & (length >= 3) if compound else ibis.literal(False)
    is_plain = table["__han"] & ~has_dot & (length >= 2)
    none = ibis.null("string")
    return table.mutate(
        **{
            f"{key}__surname": ibis.cases(
                (~is_plain, none), (is_compound, simple.substr(0, 2)), else_=simple.substr(0, 1)
            ),
            f"{key}__given": ibis.cases(
                (table["__han"] & has_dot, simple.re_extract("^([^·]+)", 1)),
                (~is_plain, none),
                (is_compound, simple.substr(2, length)),
                else_=simple.substr(1, length),
            ),
        }
    )


def _sounded(table: Table, step: "Step") -> Table:
    """`table` with the toneless reading: one look-up per character, surnames read as surnames are.

    A short name's first character is read apart: what follows it is shared by many families, and read once for all of them.
    """
    key = step.part.key
    table = table.mutate(__spoken=_spoken(table[f"{key}__surname"], table[f"{key}__norm"], step)).drop("__simple")
    spoken = table["__spoken"]
    is_short = spoken.length() <= _SHORT
    table = step.keep(
        table.mutate(
            __first=ibis.ifelse(is_short, spoken.substr(0, 1), ""),
            __rest=ibis.ifelse(is_short, spoken.substr(1, _SHORT), spoken),
        ).drop("__spoken")
    )
    rests = step.keep(table.filter(table["__han"]).select("__rest").distinct())
    length = rests["__rest"].length()
    short, long = rests.filter(length < _SHORT), rests.filter(length >= _SHORT)
    sounds = step.keep(ibis.union(_sounds_of_short(short, step), _sounds_of_long(long, step)))
    firsts = step.lookups.readings
    joined = table.left_join(sounds, table["__rest"] == sounds["__rest"])
    table = joined.select(*[table[c] for c in table.columns if c != "__rest"], __sounds=sounds["__sounds"])
    joined = table.left_join(firsts, table["__first"] == firsts.character)
    first, sounds = ibis.coalesce(firsts.syllable, table["__first"]), table["__sounds"]
    read = first + " " + sounds
    # trimming costs more than the rest, and nearly every name has both parts
    read = ibis.ifelse((first > " ") & (sounds != ""), read, read.strip())
    return joined.select(
        *[table[c] for c in table.columns if c not in ("__first", "__sounds")],
        **{f"{key}__pinyin": ibis.ifelse(table["__han"], read, table[key].lower().re_replace("[.'’-]", ""))},
    )


def _spoken(surname: StringValue, norm: StringValue, step: "Step") -> StringValue:
    """The name, its surname written with a character that is usually read as the surname is."""
    heads = step.lookups.homophone_heads
    if not heads:
        return norm
    told = f"^(?:{_any_of(written for written, _ in heads)})$"
    head = surname.cases(*heads, else_=ibis.null("string"))
    # nearly no name is told by any of them
    return ibis.ifelse(surname.re_search(told), head + norm.substr(surname.length(), norm.length()), norm)


def _sounds_of_short(rests: Table, step: "Step") -> Table:
    """__rest, __sounds of what is shorter than `_SHORT` characters: one look-up for each place."""
    table = rests.mutate(__sounds=ibis.literal(""))
    for place in range(_SHORT - 1):
        readings = step.lookups.readings.view()
        letter = f"__letter_{place}"
        table = table.mutate(**{letter: table["__rest"].substr(place, 1)})
        joined = table.left_join(readings, table[letter] == readings.character)
        syllable = ibis.coalesce(readings.syllable, table[letter])
        table = joined.select("__rest", __sounds=table["__sounds"] + " " + syllable)
    return table.mutate(__sounds=table["__sounds"].strip())


def _sounds_of_long(rests: Table, step: "Step") -> Table:
    """__rest, __sounds of longer names, by taking them apart."""
    letters = step.keep(rests.mutate(letter=rests["__rest"].split("")).unnest("letter", offset="place"))
    letters = letters.filter(letters.letter != "")
    readings = step.lookups.readings
    read = letters.left_join(readings, letters.letter == readings.character).select(
        letters["__rest"], letters.place, syllable=ibis.coalesce(readings.syllable, letters.letter)
    )
    # gathered behind their places, sorted, and the places taken away: not every engine can order what it concatenates
    placed = read.place.cast("string").lpad(3, "0") + read.syllable
    return read.group_by("__rest").agg(__sounds=placed.collect().sort().join(" ").re_replace("[0-9]{3}", ""))


def _latin(table: Table, raw: str, step: "Step") -> Table:
    key = step.part.key
    table = table.mutate(__clean=known(narrow(table[raw]).re_replace("[ ]+", " "), step))
    clean = table["__clean"]
    has_letter = clean.re_search(f"[{LATIN}]")
    none = ibis.null("string")
    return table.mutate(
        **{
            key: ibis.ifelse(has_letter, clean, none),
            f"{key}__norm": ibis.ifelse(has_letter, clean.lower().re_replace("[. '’-]", ""), none),
            f"{key}__reason": ibis.cases(
                (clean.isnull(), none),
                (~has_letter, "NAME_EMPTY"),
                (clean.re_search("[0-9?*�]"), "NAME_MALFORMED"),
                else_=none,
            ),
        }
    )
