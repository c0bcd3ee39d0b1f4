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
    return _put_together(step.keep(_parted(table, key, step)), key, step)


def _parted(table: Table, key: str, step: "Step") -> Table:
    """`table` with `__front` and `__tail`, the address in two where building, unit and room can be taken off (`__is_parted`).

    A street's number has a hundred flats, and a flat's number a thousand streets: each half is understood once.
    """
    shown = table[key]
    table = table.mutate(__tail=shown.re_extract(patterns.TAIL, 0))
    is_parted = ibis.literal(False) if step.lookups.paths_hold_ascii else table["__tail"].re_search(patterns.APART)
    table = table.mutate(__is_parted=is_parted)
    shown, tail = table[key], table["__tail"]
    front = ibis.ifelse(table["__is_parted"], shown.substr(0, shown.length() - tail.length()), shown)
    return table.mutate(__front=front, __tail=ibis.ifelse(table["__is_parted"], tail, ""))


def _put_together(table: Table, key: str, step: "Step") -> Table:
    """`table` with what its fronts and tails mean."""
    written = table.filter(table[key].notnull())
    fronts = _fronts(written.select("__front", "__is_parted").distinct(), step)
    joined = table.left_join(fronts, [table["__front"] == fronts.front, table["__is_parted"] == fronts.is_parted])
    kept = [table[c] for c in table.columns if c not in ("__front", "__tail", "__is_parted")]
    # what was not taken off before is what stands behind the place
    tail = ibis.ifelse(table["__is_parted"], table["__tail"], fronts.behind)
    table = step.keep(joined.select(*kept, fronts.division, fronts.place, __tail=tail))
    tails = step.keep(_tails(table.filter(table[key].notnull()).select("__tail").distinct()))
    joined = table.left_join(tails, table["__tail"] == tails.tail)
    kept = [table[c] for c in table.columns if c != "__tail"]
    table = joined.select(*kept, tails.building, tails.unit, tails.room)
    place, building, unit, room = table["place"], table["building"], table["unit"], table["room"]
    return table.mutate(
        **{
            f"{key}__division": table["division"],
            f"{key}__place": place.nullif(""),
            f"{key}__building": building.nullif(""),
            f"{key}__unit": unit.nullif(""),
            f"{key}__room": room.nullif(""),
            f"{key}__norm": place + "|" + building + "|" + unit + "|" + room,
        }
    )


def _tidied(table: Table, column: str) -> Table:
    """That column in half width, without spaces and punctuation, simple characters for the words of addresses, one kind of dash."""
    table = table.mutate(**{column: narrow(table[column]).re_replace("[ ,，、;；。]+", "")})
    for old, new in ((patterns.TRADITIONAL, patterns.SIMPLE), (patterns.DASHES, patterns.HYPHENS)):
        table = table.mutate(**{column: translated(table[column], old, new, f"[{old}]")})
    return table


def _fronts(fronts: Table, step: "Step") -> Table:
    """front, is_parted, division, place, and behind: what follows the place, of a front from which nothing was taken off."""
    table = _county(step.keep(_headed(fronts)), step)
    table = step.keep(_below(table, step))
    behind = ibis.ifelse(table["__is_parted"], "", table["__rest"].re_extract(patterns.TAIL, 0))
    table = table.mutate(__behind=behind)
    rest, behind, village = table["__rest"], table["__behind"], table["__village_name"]
    table = table.mutate(__road=rest.substr(0, rest.length() - behind.length()))
    road = table["__road"]
    # villages have no roads: "group 3, number 12" means nothing without the village's name
    place = ibis.ifelse(road.re_search(patterns.HAS_ROAD), road, village + road).lower()
    return step.keep(
        table.select(front="__front", is_parted="__is_parted", division="__division", place=place, behind="__behind")
    )


def _headed(table: Table) -> Table:
    """`table` with the beginning of the front in which divisions can stand: few fronts have one of their own."""
    table = table.mutate(__head=table["__front"].re_extract(patterns.HEAD, 0))
    # an address without any such character may still begin with short names
    return table.mutate(__head=ibis.ifelse(table["__head"] == "", table["__front"].substr(0, 12), table["__head"]))


def _county(table: Table, step: "Step") -> Table:
    """`table` with the county that the front begins with and what is left of it."""
    shown = table["__front"]
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
    shown, taken = table["__front"], best["__taken"].fill_null(0)
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


def _tails(tails: Table) -> Table:
    """tail, building, unit, room ("" where it names none)."""
    tail = tails["__tail"]
    # patterns stand in branches: few addresses are dashed, and only those are asked further
    is_dashed = ibis.ifelse(tail.contains("-"), tail.re_search(patterns.DASHED), False)
    tails = tails.mutate(__is_dashed=is_dashed)
    tail, is_dashed = tails["__tail"], tails["__is_dashed"]
    first, second = tail.re_extract(patterns.DASHED, 1), tail.re_extract(patterns.DASHED, 2)
    building = ibis.ifelse(is_dashed, ibis.ifelse(first != "", first, second), tail.re_extract(patterns.BUILDING, 1))
    unit = ibis.ifelse(is_dashed, ibis.ifelse(first != "", second, ""), tail.re_extract(patterns.UNIT, 1))
    room = ibis.ifelse(is_dashed, tail.re_extract(patterns.DASHED, 3), tail.re_extract(patterns.ROOM, 1))
    tails = tails.select("__tail", building=building, unit=unit, room=room.upper())
    return tails.select("room", tail="__tail", building=_counted(tails["building"]), unit=_counted(tails["unit"]))


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
