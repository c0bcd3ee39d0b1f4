"""The kinds of features: which columns of an assertion they read, and the levels two values can agree on, best first.

Levels are SQL conditions over `<column>_l` and `<column>_r`, in the words both engines share. Text in scripts that take more than one
byte a character is compared character by character with `substr`: the engines' own distance functions differ there (DuckDB
counts bytes), and a link must not depend on the engine.
"""

from collections.abc import Callable
from dataclasses import dataclass

from wanjia.linkage.declared import Feature, Linkage

Words = dict[str, str]

#: so many last characters name an estate ("绿城小区")
ENDING = 4


@dataclass(frozen=True)
class Level:
    """One way two values can agree, and how to say it."""

    sql: str
    en: str
    zh: str
    is_exact: bool = False
    is_same: bool = False  # as good as equal: a former name, the same dwelling written another way
    disagrees: bool = False  # better than nothing, but a contradiction all the same: siblings share a surname


def column(term: str) -> str:
    """The node column of a term like "birth.year"."""
    key, _, part = term.partition(".")
    return f"f_{key}__{part}" if part else f"f_{key}"


def assertion_columns(feature: Feature, available: set[str]) -> dict[str, str]:
    """Column → SQL over an assertion, for one feature; elements that no source delivers become NULL."""
    present = [e for e in feature.elements if e in available or f"{e}__norm" in available]
    return _READERS[feature.kind](feature, present, available)


def levels(feature: Feature, words: Words) -> list[Level]:
    """The levels of agreement of a feature, best first, without the null and the "else" level."""
    c = column(feature.key)
    return _LEVELS[feature.kind](c, feature, words)


def is_missing(feature: Feature) -> str:
    """SQL that is true when two nodes cannot be compared by the feature."""
    c = column(feature.key)
    if feature.kind == "address" and feature.other:
        others = " AND ".join(f"({column(k)}_l IS NULL OR {column(k)}_r IS NULL)" for k in feature.other)
        return f"({c}_l IS NULL OR {c}_r IS NULL) AND {others}"
    if feature.kind == "date":
        return f"{c}__year_l IS NULL OR {c}__year_r IS NULL"
    return f"{c}_l IS NULL OR {c}_r IS NULL"


def best_value(feature: Feature) -> str:
    """SQL over a node: the value whose equality is the best level."""
    c = column(feature.key)
    # two spellings of one dwelling are one value
    return f"coalesce({c}__place || '/' || {c}__building || '/' || {c}__room, {c})" if feature.kind == "address" else c


def main_columns(linkage: Linkage) -> list[str]:
    """Every feature's plain column, in the declared order."""
    return [column(f.key) for f in linkage.features]


def _first(parts: list[str]) -> str:
    if not parts:
        return "CAST(NULL AS STRING)"
    return parts[0] if len(parts) == 1 else f"coalesce({', '.join(parts)})"


def _chosen(present: list[str], tests: list[str], values: Callable[[str], str]) -> str:
    """The value belonging to the first element that is filled: parts of two elements must never mix."""
    if not present:
        return "CAST(NULL AS STRING)"
    cases = " ".join(f"WHEN {test} IS NOT NULL THEN {values(e)}" for e, test in zip(present, tests, strict=True))
    return f"CASE {cases} END"


def _plain(element: str, available: set[str]) -> str:
    return f"{element}__norm" if f"{element}__norm" in available else element


def _derived(suffix: str, available: set[str]) -> Callable[[str], str]:
    def value(element: str) -> str:
        name = f"{element}__{suffix}"
        return f"CAST({name} AS STRING)" if name in available else "CAST(NULL AS STRING)"

    return value


def _blank_is_null(sql: str) -> str:
    return f"nullif(trim(CAST({sql} AS STRING)), '')"


def _no_placeholder(value: str, endings: list[str]) -> str:
    is_one = " OR ".join(f"{value} LIKE '%{ending}'" for ending in endings)
    return f"CASE WHEN NOT ({is_one}) THEN {value} END"


def _read_person_name(feature: Feature, present: list[str], available: set[str]) -> dict[str, str]:
    c = column(feature.key)
    tests = [_plain(e, available) for e in present]
    if feature.placeholders:
        tests = [_no_placeholder(t, feature.placeholders) for t in tests]
    others = [_plain(e, available) for e in feature.other if _plain(e, available) in available]
    return {
        c: _blank_is_null(_first(tests)),
        **{
            f"{c}__{part}": _chosen(present, tests, _derived(part, available))
            for part in ("pinyin", "surname", "given")
        },
        f"{c}__other": _blank_is_null(_first(others)),
    }


def _read_text(feature: Feature, present: list[str], available: set[str]) -> dict[str, str]:
    return {column(feature.key): f"lower({_blank_is_null(_first([_plain(e, available) for e in present]))})"}


def _read_code(feature: Feature, present: list[str], available: set[str]) -> dict[str, str]:
    return {column(feature.key): _blank_is_null(_first(present))}


def _read_number(feature: Feature, present: list[str], available: set[str]) -> dict[str, str]:
    return {column(feature.key): f"upper({_blank_is_null(_first(present))})"}


def _read_date(feature: Feature, present: list[str], available: set[str]) -> dict[str, str]:
    c = column(feature.key)
    day = [f"replace(CAST({e} AS STRING), '-', '')" for e in present]
    year = [f"CAST({e}__year AS STRING)" for e in present if f"{e}__year" in available]
    whole = f"nullif(substr({_first(day)}, 1, 8), '')"
    return {c: whole, f"{c}__year": f"coalesce({_first(year)}, substr({whole}, 1, 4))"}


def _read_address(feature: Feature, present: list[str], available: set[str]) -> dict[str, str]:
    c = column(feature.key)
    tests = [_plain(e, available) for e in present]
    return {
        c: _blank_is_null(_first(tests)),
        **{
            f"{c}__{part}": _blank_is_null(_chosen(present, tests, _derived(part, available)))
            for part in ("division", "place", "building", "room")
        },
    }


def _read_division(feature: Feature, present: list[str], available: set[str]) -> dict[str, str]:
    # compared as valid today: the same place must not differ because it was renamed or merged
    codes = [f"coalesce({e}__current, {e})" if f"{e}__current" in available else e for e in present]
    return {column(feature.key): _blank_is_null(_first(codes))}


_READERS = {
    "person_name": _read_person_name,
    "text": _read_text,
    "code": _read_code,
    "number": _read_number,
    "date": _read_date,
    "address": _read_address,
    "division": _read_division,
}


def _equal(c: str) -> str:
    return f"{c}_l = {c}_r"


def _one_character_off(c: str) -> str:
    places = " + ".join(
        f"CASE WHEN substr({c}_l, {i}, 1) = substr({c}_r, {i}, 1) THEN 1 ELSE 0 END" for i in range(1, 7)
    )
    # beyond the end both sides are empty and agree, so six places serve every length up to six
    return f"length({c}_l) = length({c}_r) AND length({c}_l) BETWEEN 3 AND 6 AND ({places}) = 5"


def _swapped_day_and_month(c: str) -> str:
    return (
        f"substr({c}_l, 1, 4) = substr({c}_r, 1, 4) AND substr({c}_l, 5, 2) = substr({c}_r, 7, 2)"
        f" AND substr({c}_l, 7, 2) = substr({c}_r, 5, 2)"
    )


def _within(edits: int, one: str, other: str, words: Words) -> str:
    """SQL: are the two texts at most so many edits apart (a swap of neighbours is one)?"""
    # a swap is two edits of Levenshtein's, who is counted four times as fast: by him most pairs are found too far apart
    near = f"{words['damerau']}({one}, {other}) <= {edits}"
    return f"CASE WHEN levenshtein({one}, {other}) > {2 * edits} THEN FALSE ELSE {near} END"


def _person_name_levels(c: str, feature: Feature, words: Words) -> list[Level]:
    near_spelling = _within(2, f"{c}__pinyin_l", f"{c}__pinyin_r", words)
    return [
        Level(_equal(c), "the same name", "姓名相同", is_exact=True),
        Level(
            f"{c}_l = {c}__other_r OR {c}__other_l = {c}_r OR {c}__other_l = {c}__other_r",
            "one is the other's former name",
            "与曾用名相同",
            is_same=True,
        ),
        Level(_equal(f"{c}__pinyin"), "names that sound the same", "姓名同音"),
        Level(
            f"({_one_character_off(c)}) OR (length({c}_l) > 6 AND length({c}_r) > 6 AND {near_spelling})",
            "one character differs",
            "姓名仅一字之差",
        ),
        Level(
            f"{c}__given_l = {c}__given_r AND length({c}__given_l) >= 2",
            "the same given name, another surname",
            "名相同、姓不同",
        ),
        Level(_equal(f"{c}__surname"), "the same surname only", "仅姓氏相同", disagrees=True),
    ]


def _text_levels(c: str, feature: Feature, words: Words) -> list[Level]:
    alike = words["alike"]
    found = [Level(_equal(c), "the same", "相同", is_exact=True)]
    for key in feature.other:
        other = column(key)
        found.append(Level(f"{c}_l = {other}_r AND {other}_l = {c}_r", f"swapped with {key}", f"与 {key} 互换"))
    found += [
        Level(_within(1, f"{c}_l", f"{c}_r", words), "one letter differs", "仅一字母之差"),
        Level(
            f"{_within(2, f'{c}_l', f'{c}_r', words)} OR {alike.format(f'{c}_l', f'{c}_r', 0.9)}",
            "spelt alike",
            "拼写相近",
        ),
        Level(
            f"{alike.format(f'{c}_l', f'{c}_r', 0.8)}"
            # no LIKE: what a source wrote is no pattern, and engines read a backslash in one differently
            f" OR (length({c}_l) >= 4 AND instr({c}_r, {c}_l) > 0)"
            f" OR (length({c}_r) >= 4 AND instr({c}_l, {c}_r) > 0)",
            "somewhat alike",
            "部分相似",
        ),
    ]
    return found


def _code_levels(c: str, feature: Feature, words: Words) -> list[Level]:
    return [Level(_equal(c), "the same", "相同", is_exact=True)]


def _number_levels(c: str, feature: Feature, words: Words) -> list[Level]:
    return [
        Level(_equal(c), "the same number", "号码相同", is_exact=True),
        Level(
            _within(1, f"{c}_l", f"{c}_r", words), "one digit differs or two are swapped", "仅一位不同或相邻两位互换"
        ),
        Level(_within(2, f"{c}_l", f"{c}_r", words), "two digits differ", "两位不同"),
    ]


def _date_levels(c: str, feature: Feature, words: Words) -> list[Level]:
    return [
        Level(_equal(c), "the same day", "日期相同", is_exact=True),
        Level(
            f"({_swapped_day_and_month(c)}) OR {_within(1, f'{c}_l', f'{c}_r', words)}",
            "one digit differs, or day and month are swapped",
            "仅一位不同或日月互换",
        ),
        Level(_within(2, f"{c}_l", f"{c}_r", words), "two digits differ", "两位不同"),
        Level(_equal(f"{c}__year"), "the same year", "年份相同", disagrees=True),
    ]


def _address_levels(c: str, feature: Feature, words: Words) -> list[Level]:
    place, other_place = f"{c}__place_l", f"{c}__place_r"
    # one writes the road, another the estate, a third both: one name within the other, or the same ending, is the same place
    kin_place = (
        f"({_equal(f'{c}__place')} OR instr({place}, {other_place}) > 0 OR instr({other_place}, {place}) > 0"
        f" OR (right({place}, {ENDING}) = right({other_place}, {ENDING}) AND length({place}) > {ENDING}"
        f" AND length({other_place}) > {ENDING}))"
    )
    same_building = f"{kin_place} AND {_equal(f'{c}__building')}"
    # one household is one home: as features of their own the two would count the same evidence twice
    household = "".join(f" OR {_equal(column(key))}" for key in feature.other)
    return [
        Level(
            f"{_equal(c)} OR ({same_building} AND {_equal(f'{c}__room')}){household}",
            "the same dwelling or household",
            "同一住所或同一户",
            is_same=True,
        ),
        Level(same_building, "the same building", "同一楼栋"),
        Level(kin_place, "the same place", "同一小区或路段"),
        Level(
            f"substr({c}__division_l, 1, 6) = substr({c}__division_r, 1, 6)",
            "the same county",
            "同一区县",
        ),
    ]


def _division_levels(c: str, feature: Feature, words: Words) -> list[Level]:
    return [
        Level(_equal(c), "the same division", "区划相同", is_exact=True),
        Level(f"substr({c}_l, 1, 6) = substr({c}_r, 1, 6)", "the same county", "同一区县"),
        Level(f"substr({c}_l, 1, 4) = substr({c}_r, 1, 4)", "the same city", "同一地市"),
    ]


_LEVELS = {
    "person_name": _person_name_levels,
    "text": _text_levels,
    "code": _code_levels,
    "number": _number_levels,
    "date": _date_levels,
    "address": _address_levels,
    "division": _division_levels,
}


def key_part(term: str, linkage: Linkage, of: str = "") -> str:
    """SQL over a node for one term of a blocking key; NULL where the node cannot be found by it."""
    key, _, part = term.partition(".")
    c = f"{of}{column(key)}"
    cuts = {
        ("text", "first3"): f"substr({c}, 1, 3)",
        ("number", "first4"): f"substr({c}, 1, 4)",
        ("date", "month_day"): f"substr({c}, 5, 4)",
        ("division", "county"): f"substr({c}, 1, 6)",
        ("address", "unit"): f"{c}__place || '/' || {c}__building || '/' || {c}__room",
        ("address", "door"): f"{c}__building || '/' || {c}__room",
    }
    return cuts.get((linkage.feature(key).kind, part), f"{of}{column(term)}")
