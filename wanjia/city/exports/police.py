"""The police: the register of local people (baseline), and the registrations of floating people."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from wanjia.city import calendar, chance, dwellings, places
from wanjia.city.exports.writing import Clerk, Export, choose, finish, serial_keys, with_duplicates
from wanjia.city.faults import BIT
from wanjia.city.population import DEAD, ETHNICITIES, FOREIGNER, GONE, HMT, LIVING, City

ETHNICITY_NAMES = {
    1: "汉", 2: "蒙古", 3: "回", 4: "藏", 5: "维吾尔", 6: "苗", 7: "彝", 8: "壮", 9: "布依", 10: "朝鲜", 11: "满", 12: "侗", 15: "土家",
}  # fmt: skip
MARITAL_NAMES = {10: "未婚", 21: "已婚", 22: "再婚", 30: "丧偶", 40: "离婚"}


def ethnicity_text(codes: np.ndarray, suffix: str = "") -> pa.Array:
    """Ethnicity by name ("汉", or "汉族" with a suffix)."""
    table: list[str | None] = [None] * 100
    for code, _ in ETHNICITIES:
        table[code] = ETHNICITY_NAMES[code] + suffix
    return choose(table, codes)


def marital_text(codes: np.ndarray) -> pa.Array:
    """Marital status by name."""
    table: list[str | None] = [None] * 100
    for code, name in MARITAL_NAMES.items():
        table[code] = name
    return choose(table, codes)


def police_register(city: City) -> Export:
    """Everybody whose household was registered here in the ten years, with cancelled entries of the dead and those who moved away."""
    people, homes = city.people, city.dwellings
    who, again = with_duplicates(city, "police_register", np.flatnonzero(people.local))
    rng = chance.stream(city.seed, "rows", "police_register")
    size = len(who)
    state = people.state[who]
    household = people.household[who]
    since = calendar.WINDOW_START + np.floor(rng.random(size) * (city.today - calendar.WINDOW_START)).astype(np.int32)
    on = np.maximum(since, people.birth[who] + rng.integers(3, 30, size))
    # a death is entered within weeks; a very few of the latest are not yet
    entered = (state == DEAD) & (people.died[who] + 20 < city.today)
    on = np.where(state == DEAD, np.where(entered, people.died[who] + 15, people.died[who] - 40), on)
    on = np.where(state == GONE, people.left[who], on)
    on = np.minimum(np.maximum(on, people.arrived[who]), city.today).astype(np.int32)
    clerk = Clerk(city, "police_register", who, on)
    clerk.note("duplicate", again)
    domicile = homes.domicile[household]
    second = np.flatnonzero(again)
    domicile[second] = homes.before[household[second]]
    relation = np.where(again, 2, people.relation[who])
    cancelled = entered | (state == GONE)
    former = city.former_names.take(pa.array(who))
    knows_former = pc.if_else(pa.array(rng.random(size) < 0.6), former, pa.scalar(None, pa.string()))
    moved_in = np.where(people.arrived[who] > people.birth[who], people.arrived[who], calendar.NO_DAY)
    came = moved_in != calendar.NO_DAY
    origin = pa.array(people.origin[who].astype(str)).cast(pa.string())
    name = clerk.name()
    former_or_name_used = (clerk.mask & BIT["name_former"]) != 0
    columns = {
        "公民身份号码": clerk.number(),
        "姓名": name,
        "曾用名": pc.if_else(pa.array(former_or_name_used), pa.scalar(None, pa.string()), knows_former),
        "性别": clerk.sex("男", "女"),
        "民族": ethnicity_text(people.ethnicity[who]),
        "出生日期": clerk.birth("compact"),
        "户号": homes.number.take(pa.array(household)),
        "户别": choose(["家庭户", "集体户"], people.collective[who]),
        "与户主关系": dwellings.padded(relation, 2),
        "婚姻状况": marital_text(people.marital[who]),
        "户籍地区划": dwellings.community_codes(homes, domicile, on),
        "户籍地址": clerk.address(domicile, "full"),
        "户口状态": choose(["正常", "注销"], cancelled),
        "注销类别": choose([None, "死亡", "迁出"], np.where(entered, 1, np.where(state == GONE, 2, 0))),
        "注销日期": calendar.written(np.where(cancelled, on, calendar.NO_DAY), "compact"),
        "迁入日期": calendar.written(moved_in, "compact"),
        "何地迁来": pc.if_else(pa.array(came), origin, pa.scalar(None, pa.string())),
        "更新日期": calendar.written(on, "compact"),
    }
    return finish(
        city, "police_register", "人员编号", serial_keys(city, "R", size, 9), columns, {"self": clerk},
        birth="出生日期", names_=("姓名",), numbers_=("公民身份号码",),
    )  # fmt: skip


def residence_registration(city: City) -> Export:
    """Registrations of people from elsewhere: most of those here, many of those who left and did not sign off."""
    people, homes = city.people, city.dwellings
    rng = chance.stream(city.seed, "rows", "residence_registration")
    size = len(people)
    present = ~people.local & (people.state == LIVING) & (rng.random(size) < 0.93)
    gone = ~people.local & (people.state == GONE) & (rng.random(size) < 0.72)
    who, again = with_duplicates(city, "residence_registration", np.flatnonzero(present | gone))
    size = len(who)
    household = people.household[who]
    signed_off = (people.state[who] == GONE) & (rng.random(size) < 0.6)
    on = np.maximum(people.arrived[who] + rng.integers(0, 90, size), city.today - rng.integers(1, 900, size))
    on = np.where(people.state[who] == GONE, np.where(signed_off, people.left[who], people.arrived[who] + 3), on)
    on = np.minimum(np.maximum(on, people.birth[who] + 10), city.today).astype(np.int32)
    clerk = Clerk(city, "residence_registration", who, on)
    clerk.note("duplicate", again)
    lives = clerk.dwelling()
    kind = people.kind[who]
    county_codes, county_names = places.elsewhere()
    county = {int(code): position for position, code in enumerate(county_codes)}
    at = np.array([county.get(int(code), -1) for code in np.unique(people.origin[who])])
    at = at[np.unique(people.origin[who], return_inverse=True)[1]]
    village = pa.array([f"{name}{tail}" for name in county_names for tail in _VILLAGES])
    from_address = village.take(pa.array(np.maximum(at, 0) * len(_VILLAGES) + household % len(_VILLAGES)))
    abroad = pa.array(at < 0)
    has_permit = (people.age(city.today)[who] >= 16) & (rng.random(size) < 0.55) & (kind != FOREIGNER)
    serial = pc.binary_join_element_wise(
        dwellings.district_codes(homes, lives), dwellings.padded(rng.permutation(size) + 1, 12), ""
    )
    columns = {
        "身份证件号码": clerk.number(),
        "证件类型": choose(
            ["居民身份证", "港澳台居民居住证", "外国人永久居留身份证"],
            np.where(kind == HMT, 1, np.where(kind == FOREIGNER, 2, 0)),
        ),
        "姓名": clerk.name(),
        "性别": clerk.sex("1", "2"),
        "出生日期": clerk.birth("iso"),
        "民族": pc.if_else(
            pa.array(kind == FOREIGNER), pa.scalar(None, pa.string()), ethnicity_text(people.ethnicity[who], "族")
        ),
        "户籍地区划": pc.if_else(
            abroad, pa.scalar(None, pa.string()), pa.array(people.origin[who].astype(str)).cast(pa.string())
        ),
        "户籍地址": pc.if_else(abroad, pa.scalar(None, pa.string()), from_address),
        "现住地区划": dwellings.community_codes(homes, lives, on),
        "现住地址": clerk.address(lives, "district"),
        "居住证号": pc.if_else(pa.array(has_permit), serial, pa.scalar(None, pa.string())),
        "居住证有效期至": calendar.written(np.where(has_permit, on + 365, calendar.NO_DAY), "iso"),
        "登记状态": choose(["在住", "离开"], signed_off),
        "登记日期": calendar.written(on, "iso"),
    }
    return finish(
        city, "residence_registration", "登记编号", serial_keys(city, "JZ", size, 9), columns, {"self": clerk},
        birth="出生日期", names_=("姓名",), numbers_=("身份证件号码",),
    )  # fmt: skip


_VILLAGES = (
    "东风村三组",
    "和平社区12号",
    "王家湾村",
    "李庄村七组",
    "城关镇建设路8号",
    "新华村二组",
    "张家沟村",
    "桥头镇中街21号",
)
