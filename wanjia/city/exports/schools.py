"""Education: the rolls of the schools."""

import numpy as np
import pyarrow as pa

from wanjia.city import calendar, chance, places
from wanjia.city.exports.writing import Clerk, Export, choose, finish, serial_keys, with_duplicates
from wanjia.city.population import LIVING, City

GRADES = ("小学一年级", "小学二年级", "小学三年级", "小学四年级", "小学五年级", "小学六年级", "初中一年级", "初中二年级", "初中三年级",
          "高中一年级", "高中二年级", "高中三年级")  # fmt: skip


def school_rolls(city: City) -> Export:
    """Pupils of six to seventeen; a third have no number on the roll, and some stand on the roll of the school they left."""
    people, homes = city.people, city.dwellings
    rng = chance.stream(city.seed, "rows", "school_rolls")
    size, age = len(people), people.age(city.today)
    goes = (people.state == LIVING) & (age >= 6) & (age <= 17)
    goes &= rng.random(size) < np.where(people.local, np.where(age < 15, 0.985, 0.9), np.where(age < 15, 0.75, 0.5))
    who, again = with_duplicates(city, "school_rolls", np.flatnonzero(goes))
    size, age = len(who), age[who]
    years_ago = np.minimum(rng.integers(0, 4, size), np.maximum(age - 6, 0))
    on = np.array([calendar.day(2025 - back, 9, 10) for back in range(4)], dtype=np.int32)[years_ago]
    on = on + rng.integers(0, 200, size).astype(np.int32)
    clerk = Clerk(city, "school_rolls", who, on)
    clerk.note("duplicate", again)
    lives = clerk.dwelling()
    table = places.communities()
    towns = list(dict.fromkeys(table.town))
    town_names = dict(zip(table.town, table.town_name, strict=True))
    short = [town_names[town].removesuffix("街道").removesuffix("镇") for town in towns]
    at = np.array([towns.index(town) for town in table.town])[homes.community[lives]]
    level = np.where(age < 12, 0, np.where(age < 15, 1, 2))
    school = [f"{name}{kind}" for name in short for kind in ("小学", "初级中学", "高级中学")]
    columns = {
        "姓名": clerk.name(),
        "性别": clerk.sex("男", "女"),
        "出生日期": clerk.birth("slash"),
        "身份证件号": clerk.number(),
        "学校名称": choose(school, at * 3 + level),
        "年级": choose(list(GRADES), np.clip(age - 6, 0, len(GRADES) - 1)),
        "家庭住址": clerk.address(lives, "loose"),
        "学籍更新日期": calendar.written(on, "slash"),
    }
    keys = pa.array(serial_keys(city, "G99", size, 9))
    return finish(
        city, "school_rolls", "学籍号", keys, columns, {"self": clerk},
        birth="出生日期", names_=("姓名",), numbers_=("身份证件号",),
    )  # fmt: skip
