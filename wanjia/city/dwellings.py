"""Dwellings and who lives in which: where each household lives, lived before, and is registered; and how addresses are written."""

from dataclasses import dataclass
from functools import cache
from typing import Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from wanjia.city import calendar, chance, places

AddressStyle = Literal["full", "city", "district", "road", "loose"]

COMPOUNDS = 6  # in a community
_ROADS = "滨江中山解放人民建设和平新华友谊长江民主胜利工农文化体育学府湖滨公园迎宾振兴永安兴业光明东风红旗青年劳动"
_COMPOUND_FIRST = "阳光金色翠湖锦绣东方幸福御景书香紫金碧水明珠丽景绿城春江学林星河雅居龙湖"
_COMPOUND_LAST = ("花园", "家园", "小区", "新村", "雅苑", "公寓", "名都", "华庭")


@dataclass
class Dwellings:
    """`community` … `door` describe dwellings; `home`, `before`, `domicile` say which one belongs to each household."""

    community: np.ndarray
    compound: np.ndarray  # 0..COMPOUNDS-1 in its community
    building: np.ndarray
    unit: np.ndarray
    room: np.ndarray
    home: np.ndarray
    before: np.ndarray  # the dwelling before the last move; `home` if none in the ten years
    moved_on: np.ndarray  # NO_DAY if none
    domicile: np.ndarray
    number: pa.Array  # 户号, the household's number in the register

    def lived_in(self, household: np.ndarray, on: np.ndarray) -> np.ndarray:
        """The dwelling of each household on a day."""
        moved = (self.moved_on[household] != calendar.NO_DAY) & (on < self.moved_on[household])
        return np.where(moved, self.before[household], self.home[household])


def settle(household: np.ndarray, local: np.ndarray, collective: np.ndarray, seed: int) -> Dwellings:
    """A dwelling for every household, a former one for those who moved, another registered one for those who live elsewhere."""
    rng = chance.stream(seed, "dwellings")
    count = int(household.max()) + 1
    of_locals = np.zeros(count, dtype=bool)
    of_locals[household[local]] = True
    is_collective = np.zeros(count, dtype=bool)
    is_collective[household[collective]] = True
    moves = (rng.random(count) < np.where(of_locals, 0.22, 0.38)) & ~is_collective
    apart = of_locals & ~is_collective & (rng.random(count) < 0.16)
    own_paper = apart & ~(moves & (rng.random(count) < 0.6))
    total = count + int(moves.sum()) + int(own_paper.sum())
    shares = chance.cumulative(places.communities().weight)
    community = chance.pick(rng, shares, total)
    # a move or a paper address mostly stays in the same part of the city
    extra = np.arange(count, total)
    owner = np.r_[np.flatnonzero(moves), np.flatnonzero(own_paper)]
    near = rng.random(len(extra)) < 0.45
    shifted = np.clip(community[owner] + rng.integers(-4, 5, len(owner)), 0, len(places.communities().code) - 1)
    community[extra[near]] = shifted[near]
    slot = np.empty(total, dtype=np.int64)
    shuffled = rng.permutation(total)
    slot[shuffled] = chance.rank_within(community[shuffled].astype(np.int64))
    inner, compound = slot // COMPOUNDS, slot % COMPOUNDS
    shift = (community * 31 + compound * 17) % 9
    home = np.arange(count)
    before, domicile = home.copy(), home.copy()
    before[moves] = count + np.arange(int(moves.sum()))
    domicile[apart] = before[apart]
    domicile[own_paper] = count + int(moves.sum()) + np.arange(int(own_paper.sum()))
    moved_on = np.full(count, calendar.NO_DAY, dtype=np.int32)
    span = calendar.REFERENCE - calendar.WINDOW_START
    moved_on[moves] = calendar.WINDOW_START + np.floor(rng.random(int(moves.sum())) * span).astype(np.int32)
    codes = pa.array(places.communities().code).take(pa.array(community[domicile]))
    order = chance.rank_within(_town_numbers()[community[domicile]].astype(np.int64)) + 1
    number = pc.binary_join_element_wise(pc.utf8_slice_codeunits(codes, 0, 9), padded(order, 6), "")
    return Dwellings(
        community, compound.astype(np.int32), (1 + inner // 36 + shift).astype(np.int32), (1 + inner % 36 // 12).astype(np.int32),
        ((1 + inner % 12 // 2) * 100 + 1 + inner % 2).astype(np.int32), home, before, moved_on, domicile, number,
    )  # fmt: skip


def extended(
    homes: Dwellings, households: int, moving: np.ndarray, moved_on: np.ndarray, rng: np.random.Generator
) -> Dwellings:
    """The dwellings with homes for `households` new households (numbered after the others) and new homes for those `moving`."""
    known, count = len(homes.community), households + len(moving)
    community = chance.pick(rng, chance.cumulative(places.communities().weight), count)
    # buildings numbered from 60 on were not there before, so no two households share a door
    inner = chance.rank_within(community.astype(np.int64))
    new_homes = known + np.arange(households)
    home = np.r_[homes.home, new_homes]
    home[moving] = known + households + np.arange(len(moving))
    before = np.r_[homes.before, new_homes]
    before[moving] = homes.home[moving]
    days = np.r_[homes.moved_on, np.full(households, calendar.NO_DAY, dtype=np.int32)]
    days[moving] = moved_on
    towns = pc.utf8_slice_codeunits(pa.array(places.communities().code).take(pa.array(community[:households])), 0, 9)
    fresh = pc.binary_join_element_wise(towns, padded(900_000 + np.arange(households), 6), "")
    return Dwellings(
        np.r_[homes.community, community], np.r_[homes.compound, inner % COMPOUNDS].astype(np.int32),
        np.r_[homes.building, 60 + inner // COMPOUNDS // 36].astype(np.int32), np.r_[homes.unit, 1 + inner // COMPOUNDS % 36 // 12].astype(np.int32),
        np.r_[homes.room, (1 + inner // COMPOUNDS % 12 // 2) * 100 + 1 + inner // COMPOUNDS % 2].astype(np.int32),
        home, before, days, np.r_[homes.domicile, new_homes], pa.concat_arrays([_flat(homes.number), _flat(fresh)]),
    )  # fmt: skip


def _flat(column: pa.Array | pa.ChunkedArray) -> pa.Array:
    return column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column


def padded(values: np.ndarray, width: int) -> pa.Array:
    """Numbers as texts of fixed width with leading zeros."""
    return pc.utf8_lpad(pa.array(values).cast(pa.string()), width, "0")


@cache
def _town_numbers() -> np.ndarray:
    towns = places.communities().town
    order = {code: position for position, code in enumerate(dict.fromkeys(towns))}
    return np.array([order[code] for code in towns])


@cache
def _streets() -> tuple[list[str], list[str]]:
    """Road with number, and name, of every compound of every community (in that order)."""
    rng = chance.stream(99, "streets")
    roads = [_ROADS[i : i + 2] for i in range(0, len(_ROADS) - 1, 2)]
    firsts = [_COMPOUND_FIRST[i : i + 2] for i in range(0, len(_COMPOUND_FIRST) - 1, 2)]
    at, called = [], []
    for name in places.communities().name:
        own = [name[:2], *rng.permutation(roads)[:2]]
        for number in range(COMPOUNDS):
            road = own[number % 3] + str(rng.choice(["路", "路", "街", "大道"]))
            at.append(f"{road}{int(rng.integers(1, 400))}号")
            called.append(str(rng.choice(firsts)) + str(rng.choice(_COMPOUND_LAST)))
    return at, called


def community_codes(homes: Dwellings, dwelling: np.ndarray, on: np.ndarray | None = None) -> pa.Array:
    """The 12-digit code of each dwelling's community: today's, or with `on` the one in force that day."""
    table = places.communities()
    community = homes.community[dwelling]
    if on is None:
        return pa.array(table.code).take(pa.array(community))
    old = (table.changed_on[community] != calendar.NO_DAY) & (on < table.changed_on[community])
    return pa.array(table.code + table.former_code).take(pa.array(community + len(table.code) * old))


def district_codes(homes: Dwellings, dwelling: np.ndarray) -> pa.Array:
    """The 6-digit code of each dwelling's district."""
    return pa.array(places.communities().district).take(pa.array(homes.community[dwelling]))


def addresses(homes: Dwellings, dwelling: np.ndarray, style: AddressStyle, on: np.ndarray | None = None) -> pa.Array:
    """Addresses as texts. Styles: full with all levels; from the city down; from the district down, abbreviated; from the road
    down; loose, as people say it. With `on`, sub-districts have the names they had that day. Each dwelling is written once."""
    distinct, inverse = np.unique(dwelling * 2 + _is_old(homes, dwelling, on), return_inverse=True)
    return _spell(homes, distinct // 2, (distinct % 2).astype(bool), style).take(pa.array(inverse))


def _is_old(homes: Dwellings, dwelling: np.ndarray, on: np.ndarray | None) -> np.ndarray:
    if on is None:
        return np.zeros(len(dwelling), dtype=np.int64)
    changed = places.communities().changed_on[homes.community[dwelling]]
    return ((changed != calendar.NO_DAY) & (on < changed)).astype(np.int64)


def _spell(homes: Dwellings, dwelling: np.ndarray, old: np.ndarray, style: AddressStyle) -> pa.Array:
    table = places.communities()
    community = homes.community[dwelling]
    towns = [*table.town_name, *table.former_town_name]
    position = pa.array(community + len(table.code) * old)
    place = pa.array(community.astype(np.int64) * COMPOUNDS + homes.compound[dwelling])
    roads, compounds = _streets()
    building, unit, room = (
        pa.array(getattr(homes, name)[dwelling]).cast(pa.string()) for name in ("building", "unit", "room")
    )
    rural = pa.array(table.rural[community])
    short = [name.rstrip("区县") if len(name) > 2 else name for name in table.district_name]
    match style:
        case "full":
            head = [f"{places.PROVINCE_ZH}{places.CITY_ZH}{d}" for d in table.district_name] * 2
            head = [h + t + c for h, t, c in zip(head, towns, table.name * 2, strict=True)]
            tail = _join(pa.array(compounds).take(place), building, "号楼", unit, "单元", room, "室")
        case "city":
            head = [f"{places.CITY_ZH}{d}{t}" for d, t in zip(table.district_name * 2, towns, strict=True)]
            tail = _join(building, "幢", unit, "单元", room, "室")
        case "district":
            head = [f"{d}{t}" for d, t in zip(table.district_name * 2, towns, strict=True)]
            tail = _join(building, "-", unit, "-", room)
        case "road":
            head = table.district_name * 2
            tail = _join(building, "栋", unit, "单元", room)
        case "loose":
            head = [f"{d}{c}" for d, c in zip(short * 2, table.name * 2, strict=True)]
            tail = _join(building, "#", room)
            return _join(pa.array(head).take(position), pa.array(compounds).take(place), tail)
    village = _join(building, "组", unit, room, "号")
    named = [f"{h}{c}" for h, c in zip(head, table.name * 2, strict=True)] if style != "full" else head
    in_town = _join(pa.array(head).take(position), pa.array(roads).take(place), tail)
    in_village = _join(pa.array(named).take(position), village)
    return pc.if_else(rural, in_village, in_town)


def _join(*parts: pa.Array | str) -> pa.Array:
    return pc.binary_join_element_wise(*parts, "")
