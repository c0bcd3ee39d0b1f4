"""Addresses: as shown, and taken apart into division, road and number or community, building, unit and room."""

from typing import TYPE_CHECKING

import ibis
from ibis.expr.types import StringValue, Table

from wanjia.standards.bulk.words import is_missing, known, narrow, translated
from wanjia.standards.rules import patterns

if TYPE_CHECKING:
    from wanjia.standards.bulk import Step


def address(table: Table, raw: str, step: "Step") -> Table:
    """An address; levels may be missing or shortened.

    `__division`: the finest division it names (6, 9 or 12 digits); `__place`: road and number, or the community and what stands in it;
    `__building`, `__unit`, `__room`: their numbers; `__norm`: place, building, unit and room parted by |, for comparing.
    """
    key = step.part.key
    # most addresses are clean, and asking once is much cheaper than four replacements
    table = table.mutate(__unclean=ibis.ifelse(table[raw].re_search(patterns.UNCLEAN), table[raw], ibis.null("string")))
    table = _tidied(table, "__unclean")
    table = table.mutate(__plain=ibis.coalesce(table["__unclean"], table[raw]))
    table = step.keep(table.mutate(__plain=known(table["__plain"], step)).drop("__unclean"))
    none = ibis.null("string")
    has_text = table["__plain"].re_search("[0-9A-Za-z㐀-鿿]").fill_null(False)
    is_empty = ~has_text & ~is_missing(narrow(table[raw]), step)
    table = table.mutate(
        **{
            key: ibis.ifelse(has_text, table["__plain"], none),
            f"{key}__reason": ibis.cases((is_empty, "ADDRESS_EMPTY"), else_=none),
        },
    ).drop(raw, "__plain")
    table = _county(step.keep(_headed(table, key)), key, step)
    table = step.keep(_below(table, step))
    return _inside(table, key, step)


def _tidied(table: Table, column: str) -> Table:
    """That column in half width, without spaces and punctuation, simple characters for the words of addresses, one kind of dash."""
    table = table.mutate(**{column: narrow(table[column]).re_replace("[ ,，、;；。]+", "")})
    for old, new in ((patterns.TRADITIONAL, patterns.SIMPLE), (patterns.DASHES, patterns.HYPHENS)):
        table = table.mutate(**{column: translated(table[column], old, new, f"[{old}]")})
    return table


def _headed(table: Table, key: str) -> Table:
    """`table` with the beginning of the address in which divisions can stand: few addresses have one of their own."""
    table = table.mutate(__head=table[key].re_extract(patterns.HEAD, 1))
    # an address without any such character may still begin with short names
    return table.mutate(__head=ibis.ifelse(table["__head"] == "", table[key].substr(0, 12), table["__head"]))


def _county(table: Table, key: str, step: "Step") -> Table:
    """`table` with the county that the address begins with and what is left of the address."""
    shown = table[key]
    heads = step.keep(table.select("__head").filter(ibis._["__head"].notnull()).distinct())
    lengths = step.lookups.path_lengths
    none = ibis.null("string")
    if not lengths:
        return table.mutate(__county=none, __rest=shown).drop("__head")
    # the longest written path that the head begins with: one look-up per possible length
    tried = heads.mutate(length=ibis.array([ibis.literal(n, "int64") for n in lengths])).unnest("length")
    tried = tried.filter(tried.length <= tried["__head"].length())
    tried = tried.mutate(path=tried["__head"].substr(0, tried.length))
    paths = step.lookups.paths
    found = tried.join(paths, tried.path == paths.path).select("__head", "length", "code")
    best = step.keep(found.group_by("__head").agg(__county=found.code.argmax(found.length), __taken=found.length.max()))
    joined = table.left_join(best, table["__head"] == best["__head"])
    shown, taken = table[key], best["__taken"].fill_null(0)
    rest = shown.substr(taken, shown.length())
    return joined.select(*[table[c] for c in table.columns if c != "__head"], best["__county"], __rest=rest)


def _below(table: Table, step: "Step") -> Table:
    """`table` with the finest division, the community's name, and what is left after town and community."""
    table = step.keep(table.mutate(__town_name=table["__rest"].re_extract(patterns.TOWN, 1)))
    table = step.keep(
        _without(table, "__town_name").mutate(__village_name=lambda t: t["__rest"].re_extract(patterns.VILLAGE, 1))
    )
    table = _without(table, "__village_name")
    places = step.lookups.places
    towns, villages = places.view(), places.view()
    joined = table.left_join(towns, [table["__county"] == towns.parent, table["__town_name"] == towns.name])
    table = joined.select(*[table[c] for c in table.columns if c != "__town_name"], __town=towns.code)
    joined = table.left_join(villages, [table["__town"] == villages.parent, table["__village_name"] == villages.name])
    division = ibis.coalesce(villages.code, table["__town"], table["__county"])
    return joined.select(*[table[c] for c in table.columns if c not in ("__town", "__county")], __division=division)


def _without(table: Table, taken: str) -> Table:
    """`table` with what `taken` holds, and the office that may follow it, cut from the head of the rest."""
    rest, name = table["__rest"], table[taken]
    after = rest.substr(name.length(), rest.length())
    return table.mutate(__rest=ibis.ifelse(name == "", rest, after.re_replace(patterns.OFFICE, "")))


def _inside(table: Table, key: str, step: "Step") -> Table:
    """`table` with the address's place, building, unit and room."""
    table = step.keep(table.mutate(__road=table["__rest"].re_extract(patterns.PLACE, 1)))
    rest, road = table["__rest"], table["__road"]
    tail = rest.substr(road.length(), rest.length())
    table = table.mutate(__tail=tail)
    tail = table["__tail"]
    # patterns stand in branches: few addresses are dashed, and only those are asked further
    is_dashed = ibis.ifelse(tail.contains("-"), tail.re_search(patterns.DASHED), False)
    table = step.keep(table.mutate(__is_dashed=is_dashed).drop("__rest"))
    tail, is_dashed = table["__tail"], table["__is_dashed"]
    none = ibis.null("string")
    first, second = tail.re_extract(patterns.DASHED, 1), tail.re_extract(patterns.DASHED, 2)
    building = ibis.ifelse(is_dashed, ibis.ifelse(first != "", first, second), tail.re_extract(patterns.BUILDING, 1))
    unit = ibis.ifelse(is_dashed, ibis.ifelse(first != "", second, ""), tail.re_extract(patterns.UNIT, 1))
    room = ibis.ifelse(is_dashed, tail.re_extract(patterns.DASHED, 3), tail.re_extract(patterns.ROOM, 1))
    road, village = table["__road"], table["__village_name"]
    # villages have no roads: "group 3, number 12" means nothing without the village's name
    place = ibis.ifelse(road.re_search(patterns.HAS_ROAD), road, village + road).lower()
    table = step.keep(table.mutate(__place=place, __building=building, __unit=unit, __room=room.upper()))
    table = table.mutate(__building=_counted(table["__building"]), __unit=_counted(table["__unit"]))
    table = step.keep(table.drop("__tail", "__road", "__village_name"))
    is_there = table[key].notnull()

    def or_null(text: StringValue) -> StringValue:
        return ibis.ifelse(is_there & (text != ""), text, none)

    place, building, unit, room = table["__place"], table["__building"], table["__unit"], table["__room"]
    return table.mutate(
        **{
            f"{key}__division": table["__division"],
            f"{key}__place": or_null(place),
            f"{key}__building": or_null(building),
            f"{key}__unit": or_null(unit),
            f"{key}__room": or_null(room),
            f"{key}__norm": ibis.ifelse(is_there, place + "|" + building + "|" + unit + "|" + room, none),
        }
    )


def _counted(text: StringValue) -> StringValue:
    """A building's or unit's number in digits: 三 is 3, 十 is 10, 十二 is 12; letters in capitals."""
    digits = text.translate(patterns.DIGIT_HAN, patterns.DIGITS)
    in_characters = ibis.cases(
        (digits == "十", "10"),
        (digits.re_search("^十[0-9]$"), digits.replace("十", "1")),
        (digits.re_search("^[0-9]十$"), digits.replace("十", "0")),
        (digits.re_search("^[0-9]十[0-9]$"), digits.replace("十", "")),
        else_=digits,
    )
    return ibis.ifelse(text.re_search(f"[{patterns.DIGIT_HAN}十]"), in_characters, text).upper()
