"""The fictional divisions of the city and their polygons, generated once into declared/cn/divisions/99.csv and 99.geojson.

Communities are the cells of a hexagonal grid whose shared corners are moved at random, so the tessellation covers without gaps
or overlaps whatever the moves; sub-districts, districts and the city are unions of whole cells. The place lies in the open
Pacific: a fictional city must not draw a boundary on anybody's land.
"""

import csv
import io
import json
from dataclasses import dataclass, field

import numpy as np

from wanjia.city import chance

PROVINCE, CITY = "990000", "990100"
CENTRE = (157.0, 24.0)  # longitude, latitude (WGS 84)
RADIUS = 0.022  # of a cell, degrees
HEADER = (
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
)
SOURCE = "fictional city"
BEGAN = "1949-10-01"

# district: code, names, since, then its present sub-districts: three digits, names
DISTRICTS: tuple[tuple[str, str, str, str, tuple[tuple[str, str, str], ...]], ...] = (
    (
        "990102",
        "临江区",
        "Linjiang District",
        BEGAN,
        (
            ("001", "江滨街道", "Jiangbin Sub-district"),
            ("002", "钟楼街道", "Zhonglou Sub-district"),
            ("003", "文庙街道", "Wenmiao Sub-district"),
            ("004", "南门街道", "Nanmen Sub-district"),
            ("005", "北塔街道", "Beita Sub-district"),
            ("006", "渡口街道", "Dukou Sub-district"),
            ("007", "书院街道", "Shuyuan Sub-district"),
            ("008", "长桥街道", "Changqiao Sub-district"),
        ),
    ),
    (
        "990103",
        "望湖区",
        "Wanghu District",
        BEGAN,
        (
            ("001", "湖心街道", "Huxin Sub-district"),
            ("002", "柳堤街道", "Liudi Sub-district"),
            ("004", "荷塘街道", "Hetang Sub-district"),
            ("005", "菱湖街道", "Linghu Sub-district"),
            ("006", "鹭洲街道", "Luzhou Sub-district"),
            ("007", "渔港街道", "Yugang Sub-district"),
            ("009", "白鹭东街道", "Bailu East Sub-district"),
            ("010", "白鹭西街道", "Bailu West Sub-district"),
        ),
    ),
    (
        "990104",
        "青枫区",
        "Qingfeng District",
        "1999-07-01",
        (
            ("001", "枫林街道", "Fenglin Sub-district"),
            ("002", "青山街道", "Qingshan Sub-district"),
            ("003", "红叶街道", "Hongye Sub-district"),
            ("004", "松岗街道", "Songgang Sub-district"),
            ("100", "云台镇", "Yuntai Town"),
            ("101", "石门镇", "Shimen Town"),
            ("102", "竹溪镇", "Zhuxi Town"),
            ("103", "茶亭镇", "Chating Town"),
        ),
    ),
    (
        "990105",
        "石桥区",
        "Shiqiao District",
        BEGAN,
        (
            ("001", "石桥街道", "Shiqiao Sub-district"),
            ("002", "东关街道", "Dongguan Sub-district"),
            ("003", "纺织街道", "Fangzhi Sub-district"),
            ("004", "机场路街道", "Jichanglu Sub-district"),
            ("007", "大学城街道", "Daxuecheng Sub-district"),
            ("008", "石渡街道", "Shidu Sub-district"),
            ("009", "科苑街道", "Keyuan Sub-district"),
            ("010", "花园街道", "Huayuan Sub-district"),
        ),
    ),
    (
        "990106",
        "东港区",
        "Donggang District",
        BEGAN,
        (
            ("001", "港湾街道", "Gangwan Sub-district"),
            ("002", "灯塔街道", "Dengta Sub-district"),
            ("003", "船厂街道", "Chuanchang Sub-district"),
            ("004", "海晏街道", "Haiyan Sub-district"),
            ("005", "保税街道", "Baoshui Sub-district"),
            ("100", "沙洲镇", "Shazhou Town"),
            ("101", "盐仓镇", "Yancang Town"),
            ("102", "芦荡镇", "Ludang Town"),
        ),
    ),
    (
        "990121",
        "云岭县",
        "Yunling County",
        BEGAN,
        (
            ("001", "城关街道", "Chengguan Sub-district"),
            ("002", "凤栖街道", "Fengqi Sub-district"),
            ("100", "柳溪镇", "Liuxi Town"),
            ("101", "龙泉镇", "Longquan Town"),
            ("102", "古窑镇", "Guyao Town"),
            ("103", "梅岭镇", "Meiling Town"),
            ("104", "双河镇", "Shuanghe Town"),
            ("105", "平湖镇", "Pinghu Town"),
        ),
    ),
)

# A county that became a district: people born before have its number for life.
FORMER_COUNTY = ("990122", "青枫县", "Qingfeng County", BEGAN, "1999-07-01", "990104")


@dataclass(frozen=True)
class Change:
    """Sub-districts abolished on a day: (code, names) each, and the sub-districts that took their communities."""

    on: str
    former: tuple[tuple[str, str, str], ...]
    present: tuple[str, ...]


CHANGES = (
    Change("2021-07-01", (("990103003", "白鹭街道", "Bailu Sub-district"),), ("990103009", "990103010")),  # split
    Change(
        "2023-03-01",
        (("990105005", "石梁街道", "Shiliang Sub-district"), ("990105006", "东渡街道", "Dongdu Sub-district")),
        ("990105008",),
    ),  # merge
)

_FIRST = {
    "听": "Ting",
    "翠": "Cui",
    "锦": "Jin",
    "金": "Jin",
    "兰": "Lan",
    "梧": "Wu",
    "明": "Ming",
    "秋": "Qiu",
    "春": "Chun",
    "云": "Yun",
    "星": "Xing",
    "松": "Song",
    "杏": "Xing",
    "朝": "Zhao",
    "紫": "Zi",
    "银": "Yin",
    "新": "Xin",
    "和": "He",
    "康": "Kang",
    "永": "Yong",
    "福": "Fu",
    "安": "An",
    "宝": "Bao",
    "丰": "Feng",
}
_SECOND = {
    "涛": "tao",
    "竹": "zhu",
    "溪": "xi",
    "桂": "gui",
    "庭": "ting",
    "桐": "tong",
    "月": "yue",
    "枫": "feng",
    "晖": "hui",
    "麓": "lu",
    "海": "hai",
    "泉": "quan",
    "苑": "yuan",
    "阳": "yang",
    "薇": "wei",
    "杉": "shan",
    "园": "yuan",
    "平": "ping",
    "宁": "ning",
    "乐": "le",
    "善": "shan",
    "居": "ju",
    "石": "shi",
    "塘": "tang",
}


@dataclass
class Tessellation:
    """Cells of the city: `corners[c]` are corner numbers counter-clockwise, `points` their longitude and latitude."""

    corners: list[list[int]]
    points: np.ndarray
    centres: np.ndarray
    owners: dict[str, list[int]] = field(default_factory=dict)  # code → its cells


def tessellate(cells: int = 300) -> Tessellation:
    """A cover of an oval by exactly `cells` irregular hexagon-like cells."""
    rng = chance.stream(99, "areas")
    span = 30
    q, r = np.meshgrid(np.arange(-span, span + 1), np.arange(-span, span + 1))
    x = (np.sqrt(3.0) * (q + r / 2.0)).ravel()
    y = (1.5 * r).ravel()
    nearest = np.argsort((x / 1.25) ** 2 + y**2, kind="stable")[:cells]
    centres = np.stack([x[nearest], y[nearest]], axis=1)
    turns = np.deg2rad(30 + 60 * np.arange(6))
    found: dict[tuple[int, int], int] = {}
    points: list[tuple[float, float]] = []
    corners = []
    for cx, cy in centres:
        ring = []
        for px, py in zip(cx + np.cos(turns), cy + np.sin(turns), strict=True):
            key = (round(px * 1000), round(py * 1000))
            if key not in found:
                found[key] = len(points)
                points.append((px, py))
            ring.append(found[key])
        corners.append(ring)
    moved = np.array(points) + rng.uniform(-0.33, 0.33, size=(len(points), 2))
    return Tessellation(corners, np.array(CENTRE) + moved * RADIUS, centres)


def _bisect(cells: list[int], parts: int, centres: np.ndarray) -> list[list[int]]:
    """`cells` in `parts` compact groups of nearly equal size, by halving along the longer side."""
    if parts == 1:
        return [cells]
    spread = np.ptp(centres[cells], axis=0)
    axis = int(np.argmax(spread))
    ordered = sorted(cells, key=lambda c: (centres[c][axis], centres[c][1 - axis]))
    left = parts // 2
    cut = round(len(cells) * left / parts)
    return _bisect(ordered[:cut], left, centres) + _bisect(ordered[cut:], parts - left, centres)


def outline(cells: list[int], grid: Tessellation) -> list[list[tuple[float, float]]]:
    """The rings around a union of cells: borders that two of the cells share cancel out."""
    borders = {}
    for cell in cells:
        ring = grid.corners[cell]
        for start, end in zip(ring, ring[1:] + ring[:1], strict=True):
            borders[start, end] = True
    outer = {start: end for start, end in borders if (end, start) not in borders}
    rings = []
    while outer:
        start = next(iter(outer))
        ring, at = [start], outer.pop(start)
        while at != start:
            ring.append(at)
            at = outer.pop(at)
        rings.append([(round(float(grid.points[p][0]), 6), round(float(grid.points[p][1]), 6)) for p in [*ring, start]])
    return rings


def draw_areas() -> tuple[str, str]:
    """The texts of 99.csv and 99.geojson."""
    grid = tessellate()
    rows: list[tuple[str, ...]] = []

    def add(
        code: str, zh: str, en: str, level: str, parent: str, since: str, until: str = "", successors: str = ""
    ) -> None:
        rows.append((code, zh, en, level, parent, since, until, "day", successors, SOURCE))

    everything = list(range(len(grid.corners)))
    grid.owners[CITY] = everything
    add(PROVINCE, "澜江省", "Lanjiang Province", "province", "", BEGAN)
    add(CITY, "望川市", "Wangchuan City", "city", PROVINCE, BEGAN)
    code, zh, en, since, until, successor = FORMER_COUNTY
    add(code, zh, en, "county", CITY, since, until, successor)
    change_of = {present: change for change in CHANGES for present in change.present}
    names = _community_names()
    former_count = {former[0]: 0 for change in CHANGES for former in change.former}
    for (district, zh, en, since, towns), cells in zip(
        DISTRICTS, _bisect(everything, len(DISTRICTS), grid.centres), strict=True
    ):
        add(district, zh, en, "county", CITY, since)
        grid.owners[district] = cells
        for (suffix, town_zh, town_en), town_cells in zip(towns, _bisect(cells, len(towns), grid.centres), strict=True):
            town = district + suffix
            grid.owners[town] = town_cells
            change = change_of.get(town)
            born = change.on if change else since
            add(town, town_zh, town_en, "town", district, born)
            for number, cell in enumerate(town_cells):
                rural = suffix >= "100" and number > 0
                place_zh, place_en = next(names)
                code = town + (f"{200 + number:03d}" if rural else f"{number + 1:03d}")
                labels = (f"{place_zh}{'村' if rural else '社区'}", f"{place_en} {'Village' if rural else 'Community'}")
                add(code, *labels, "village", town, born)
                grid.owners[code] = [cell]
                if change:
                    former = change.former[number * len(change.former) // len(town_cells)][0]
                    former_count[former] += 1
                    add(f"{former}{former_count[former]:03d}", *labels, "village", former, BEGAN, change.on, code)
                    grid.owners.setdefault(former, []).append(cell)
    for change in CHANGES:
        for former, zh, en in change.former:
            add(former, zh, en, "town", former[:6], BEGAN, change.on, "|".join(change.present))
    order = {"province": 0, "city": 1, "county": 2, "town": 3, "village": 4}
    rows.sort(key=lambda row: (order[row[3]], row[0], row[5]))
    return _as_csv(rows), _as_geojson(rows, grid)


def _community_names():
    """Distinct place names, in an order that does not put all of one first character together."""
    pairs = [(a, b) for a in _FIRST for b in _SECOND]
    rng = chance.stream(99, "community names")
    for position in rng.permutation(len(pairs)):
        first, second = pairs[position]
        yield first + second, _FIRST[first] + _SECOND[second]


def _as_csv(rows: list[tuple[str, ...]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(HEADER)
    writer.writerows(rows)
    return text.getvalue()


def _as_geojson(rows: list[tuple[str, ...]], grid: Tessellation) -> str:
    features = []
    for row in rows:
        line = dict(zip(HEADER, row, strict=True))
        cells = grid.owners.get(line["code"])
        if cells is None:
            continue
        rings = outline(cells, grid)
        shape = (
            {"type": "Polygon", "coordinates": rings}
            if len(rings) == 1
            else {"type": "MultiPolygon", "coordinates": [[ring] for ring in rings]}
        )
        kept = ("code", "name_zh", "name_en", "level", "parent", "valid_from", "valid_to")
        features.append({"type": "Feature", "properties": {k: line[k] for k in kept}, "geometry": shape})
    lines = ",\n".join(json.dumps(feature, ensure_ascii=False, separators=(",", ":")) for feature in features)
    return f'{{"type":"FeatureCollection","features":[\n{lines}\n]}}\n'
