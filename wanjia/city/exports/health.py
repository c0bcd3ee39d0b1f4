"""Health: birth certificates and death certificates."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from wanjia.city import calendar, chance, numbers
from wanjia.city.exports.writing import Clerk, Export, choose, finish, serial_keys, with_duplicates
from wanjia.city.faults import rates
from wanjia.city.population import DEAD, City

# ICD-10 codes by their usual share of deaths (a short list of common causes)
CAUSES = (("I64", 18), ("I21.9", 16), ("I25.1", 10), ("C34.9", 11), ("C16.9", 5), ("C22.9", 6), ("J44.9", 9), ("I10", 4), ("E11.9", 4),
          ("R54", 7), ("V89.2", 2), ("W19", 3), ("X59", 2), ("J18.9", 3))  # fmt: skip


def birth_certificates(city: City) -> Export:
    """Births in the city in the ten years; most children here were born here. The child has a mother's number, hardly its own."""
    people = city.people
    rng = chance.stream(city.seed, "rows", "birth_certificates")
    born = (people.birth >= calendar.WINDOW_START) & (people.mother >= 0) & (people.state <= DEAD)
    here = np.where(
        people.local,
        (people.arrived == calendar.NO_DAY) & (rng.random(len(people)) < 0.96),
        rng.random(len(people)) < 0.4,
    )
    who, again = with_duplicates(city, "birth_certificates", np.flatnonzero(born & here))
    who = who[~again]  # a certificate's number is unique; duplicates are re-issues, which the form does not keep
    size = len(who)
    on = np.minimum(people.birth[who] + rng.integers(1, 20, size), city.today).astype(np.int32)
    clerk = Clerk(city, "birth_certificates", who, on)
    share = rates("birth_certificates")
    mother, father = people.mother[who], people.father[who]
    mothers_number = numbers.texts(city.numbers[mother], rng.random(size) < share["mother_number_missing"])
    no_father = (father < 0) | (rng.random(size) < share["father_number_missing"])
    fathers_number = numbers.texts(city.numbers[np.maximum(father, 0)], no_father)
    none = pa.scalar(None, pa.string())
    clock = choose([f" {minute // 60:02d}:{minute % 60:02d}" for minute in range(1440)], rng.integers(0, 1440, size))
    birth = clerk.birth("iso")
    lives = clerk.dwelling()
    columns = {
        "新生儿姓名": clerk.name(provisional=True),
        "性别": clerk.sex("1", "2"),
        "出生日期": birth,
        "出生时间": pc.binary_join_element_wise(birth, clock, ""),
        "新生儿身份号码": clerk.number(),
        "母亲姓名": city.names.take(pa.array(mother)),
        "母亲身份证号": mothers_number,
        "父亲姓名": pc.if_else(pa.array(father < 0), none, city.names.take(pa.array(np.maximum(father, 0)))),
        "父亲身份证号": fathers_number,
        "家庭住址": clerk.address(lives, "city"),
        "签发日期": calendar.written(on, "iso"),
    }
    keys = serial_keys(city, "Z99", size, 7)
    return finish(
        city, "birth_certificates", "出生医学证明编号", keys, columns, {"child": clerk},
        birth="出生日期", names_=("新生儿姓名",), numbers_=("新生儿身份号码",),
    )  # fmt: skip


def death_certificates(city: City) -> Export:
    """Certificates of nearly all deaths of locals in the ten years."""
    people, homes = city.people, city.dwellings
    rng = chance.stream(city.seed, "rows", "death_certificates")
    dead = np.flatnonzero((people.state == DEAD) & (rng.random(len(people)) < 0.97))
    who, _ = with_duplicates(city, "death_certificates", dead)
    size = len(who)
    on = np.minimum(people.died[who] + rng.integers(0, 6, size), city.today).astype(np.int32)
    clerk = Clerk(city, "death_certificates", who, on)
    repeated = np.flatnonzero(chance.rank_within(who.astype(np.int64)) > 0)
    clerk.note("duplicate", repeated)
    cause = chance.pick(rng, chance.cumulative(np.array([weight for _, weight in CAUSES], dtype=float)), size)
    columns = {
        "姓名": clerk.name(),
        "性别": clerk.sex("M", "F"),
        "身份证件号码": clerk.number(),
        "出生日期": clerk.birth("slash"),
        "死亡日期": calendar.written(people.died[who], "slash"),
        "死因编码": choose([code for code, _ in CAUSES], cause),
        "户籍地址": clerk.address(homes.domicile[people.household[who]], "city"),
        "填报日期": calendar.written(on, "slash"),
    }
    keys = serial_keys(city, "SW", size)
    return finish(
        city, "death_certificates", "死亡证明编号", keys, columns, {"self": clerk},
        birth="出生日期", names_=("姓名",), numbers_=("身份证件号码",),
    )  # fmt: skip
