"""Names of people: as shown, as compared, as sounded, and their surname and given name."""

from typing import TYPE_CHECKING

import ibis
from ibis.expr.types import Table

from wanjia.standards.bulk.words import known, narrow, translated
from wanjia.standards.rules.patterns import DOTS, HAN, LATIN

if TYPE_CHECKING:
    from wanjia.standards.bulk import Step

_SHORT = 4  # characters; nearly all names


def name(table: Table, raw: str, step: "Step") -> Table:
    """A name in its script. In Han script: `<key>` for showing, `__norm` for comparing (no spaces and dots, variants folded, small
    Latin letters), `__pinyin` (toneless syllables), `__surname` and `__given` (compound surnames known; none for names with a dot)."""
    return _latin(table, raw, step) if step.part.script == "latin" else _han(table, raw, step)


def _han(table: Table, raw: str, step: "Step") -> Table:
    key = step.part.key
    table = table.mutate(__narrow=narrow(table[raw]).re_replace("[(（][^)）]*[)）]$", ""))
    table = step.keep(
        table.mutate(__clean=known(table["__narrow"], step), __han=table["__narrow"].re_search(f"[{HAN}]"))
    )
    clean = table["__clean"]
    shown = ibis.ifelse(
        table["__han"],
        # a dot of any kind, full stops included, joins the parts of one name; characters are written without spaces
        translated(clean, DOTS + ".", "·" * (len(DOTS) + 1), f"[{DOTS}.]")
        .re_replace("[ ]+", "")
        .re_replace("^·+|·+$|-+$", ""),
        clean.re_replace("[ ]+", " "),
    )
    table = table.mutate(__shown=shown)
    shown = table["__shown"]
    has_letter = shown.re_search(f"[{HAN}{LATIN}]")
    is_lost = shown.re_search("[?�□*\ue000-\uf8ff]")
    none = ibis.null("string")
    table = table.mutate(
        **{
            key: ibis.ifelse(has_letter | is_lost, shown, none),
            f"{key}__reason": ibis.cases(
                # written, but with nothing in it: the profile's words for "nothing known" excepted, a dash is not a name
                (clean.isnull(), ibis.ifelse(table["__narrow"].re_search("^[-./]+$"), "NAME_EMPTY", none)),
                (is_lost, "NAME_CHARACTER_LOST"),
                (~has_letter, "NAME_EMPTY"),
                (shown.re_search(f"[^{HAN}{LATIN}· .'’-]"), "NAME_MALFORMED"),
                else_=none,
            ),
        }
    )
    table = step.keep(_folded(step.keep(table), key, step))
    table = table.mutate(**{f"{key}__norm": table["__simple"].lower().re_replace("[·. '’-]", "")})
    return _sounded(_split(table, step), step)


def _folded(table: Table, key: str, step: "Step") -> Table:
    """`table` with `__simple`, the name in simple and usual characters.

    The few names that need it are found by looking their characters up: translating every name against thousands of characters
    takes minutes on one engine, and a pattern of thousands of characters overflows the other's stack.
    """
    variants, folded = step.lookups.variants
    if not variants:
        return table.mutate(__simple=table[key])
    letters = table.filter(table["__han"]).select(__named=table[key]).distinct()
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
    is_compound = simple.substr(0, 2).isin(compound) & (length >= 3) if compound else ibis.literal(False)
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
    """`table` with the toneless reading: one look-up per character, surnames read as surnames are."""
    key = step.part.key
    surname, norm = table[f"{key}__surname"], table[f"{key}__norm"]
    heads = step.lookups.homophone_heads
    if heads:
        table = table.mutate(__head=surname.cases(*heads, else_=ibis.null("string")))
        head, norm, surname = table["__head"], table[f"{key}__norm"], table[f"{key}__surname"]
        spoken_so = ibis.ifelse(head.isnull(), norm, head + norm.substr(surname.length(), norm.length()))
        table = step.keep(table.mutate(__spoken=spoken_so).drop("__head"))
    else:
        table = table.mutate(__spoken=norm)
    spoken = step.keep(table.filter(table["__han"]).select("__spoken").distinct())
    length = spoken["__spoken"].length()
    short, long = spoken.filter(length <= _SHORT), spoken.filter(length > _SHORT)
    sounds = step.keep(ibis.union(_sounds_of_short(short, step), _sounds_of_long(long, step)))
    joined = table.left_join(sounds, table["__spoken"] == sounds["__spoken"])
    return joined.select(
        *[table[c] for c in table.columns],
        **{
            f"{key}__pinyin": ibis.ifelse(
                table["__han"], sounds["__sounds"], table[key].lower().re_replace("[.'’-]", "")
            )
        },
    )


def _sounds_of_short(spoken: Table, step: "Step") -> Table:
    """__spoken, __sounds of names of at most `_SHORT` characters: one look-up for each place."""
    table = spoken.mutate(__sounds=ibis.literal(""))
    for place in range(_SHORT):
        readings = step.lookups.readings.view()
        letter = f"__letter_{place}"
        table = table.mutate(**{letter: table["__spoken"].substr(place, 1)})
        joined = table.left_join(readings, table[letter] == readings.character)
        syllable = ibis.coalesce(readings.syllable, table[letter])
        table = joined.select("__spoken", __sounds=table["__sounds"] + " " + syllable)
    return table.mutate(__sounds=table["__sounds"].strip())


def _sounds_of_long(spoken: Table, step: "Step") -> Table:
    """__spoken, __sounds of longer names, by taking them apart."""
    letters = step.keep(spoken.mutate(letter=spoken["__spoken"].split("")).unnest("letter", offset="place"))
    letters = letters.filter(letters.letter != "")
    readings = step.lookups.readings
    read = letters.left_join(readings, letters.letter == readings.character).select(
        letters["__spoken"], letters.place, syllable=ibis.coalesce(readings.syllable, letters.letter)
    )
    # gathered behind their places, sorted, and the places taken away: not every engine can order what it concatenates
    placed = read.place.cast("string").lpad(3, "0") + read.syllable
    return read.group_by("__spoken").agg(__sounds=placed.collect().sort().join(" ").re_replace("[0-9]{3}", ""))


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
