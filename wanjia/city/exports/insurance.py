"""Social security (pension and work) and medical insurance: the largest lists after the register, and the slowest to forget."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from wanjia.city import calendar, chance, dwellings
from wanjia.city.exports.writing import Clerk, Export, choose, finish, serial_keys, with_duplicates
from wanjia.city.faults import rates
from wanjia.city.population import DEAD, LIVING, City

_CREDIT_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_EMPLOYER_FIRST = ("望川", "临江", "澜江", "青枫", "东港", "云岭", "鑫源", "宏达", "华瑞", "恒通", "中联", "天合")
_EMPLOYER_LAST = ("纺织有限公司", "机械有限公司", "物流有限公司", "商贸有限公司", "电子科技有限公司", "建筑工程有限公司", "食品有限公司",
                  "物业服务有限公司", "中心医院", "第一中学", "餐饮管理有限公司", "造船有限公司")  # fmt: skip


def credit_codes(count: int, seed: int) -> list[str]:
    """Unified social credit codes (GB 32100-2015) of `count` fictional companies of the city, with right check characters."""
    rng = chance.stream(seed, "employers")
    codes = []
    for number in range(count):
        district = ("990102", "990103", "990104", "990105", "990106", "990121")[int(rng.integers(6))]
        body = f"91{district}MA{number:06d}"
        values = [_CREDIT_ALPHABET.index(c) for c in body[8:16]]
        check = (11 - sum(v * w for v, w in zip(values, (3, 7, 9, 10, 5, 8, 4, 2), strict=True)) % 11) % 11
        body += "X" if check == 10 else str(check)
        total = sum(_CREDIT_ALPHABET.index(c) * pow(3, i, 31) for i, c in enumerate(body))
        codes.append(body + _CREDIT_ALPHABET[(31 - total % 31) % 31])
    return codes


def social_insurance(city: City) -> Export:
    """Adults insured for their pension, working or not; accounts opened long ago keep old names, numbers and addresses."""
    people = city.people
    rng = chance.stream(city.seed, "rows", "social_insurance")
    size, age = len(people), people.age(city.today)
    here = (people.state == LIVING) & (age >= 16)
    of_locals = np.interp(age, (16, 18, 22, 30, 60), (0.05, 0.3, 0.75, 0.9, 0.93))
    chances = np.where(people.local, of_locals, np.interp(age, (17, 20, 59, 61), (0, 0.74, 0.74, 0.1)))
    insured = here & (rng.random(size) < chances)
    unreported = (people.state == DEAD) & (rng.random(size) < rates("social_insurance")["dead_still_active"])
    unreported &= calendar.years_between(people.birth, np.maximum(people.died, people.birth)) >= 30
    who, again = with_duplicates(city, "social_insurance", np.flatnonzero(insured | unreported))
    size, age = len(who), age[who]
    on = city.today - np.floor(rng.random(size) ** 1.6 * 2500).astype(np.int32) - 1
    on = np.maximum(on, people.arrived[who])
    clerk = Clerk(city, "social_insurance", who, on)
    clerk.note("duplicate", again)
    clerk.note("dead_still_active", people.died[who] != calendar.NO_DAY)
    retired = age >= np.where(people.sex[who] == 1, 60, 55)
    works = ~retired & (rng.random(size) < np.where(people.local[who], 0.62, 0.9))
    firms = max(3, len(people) // 60)
    codes = pa.array(credit_codes(firms, city.seed))
    # a few firms employ many: the r-th has a share of about 1/(r+20)
    firm = chance.pick(rng, chance.cumulative(1.0 / (np.arange(firms) + 20.0)), size)
    called = [
        f"{_EMPLOYER_FIRST[n % 12]}{_EMPLOYER_FIRST[n // 12 % 12]}{_EMPLOYER_LAST[n // 144 % 12]}" for n in range(firms)
    ]
    none = pa.scalar(None, pa.string())
    employed = pa.array(works)
    lives = clerk.dwelling()
    columns = {
        "citizen_no": clerk.number(),
        "full_name": clerk.name(),
        "sex": clerk.sex("1", "2"),
        "birth_date": clerk.birth("iso"),
        "insurance_kind": choose(["职工养老", "居民养老"], ~works & (rng.random(size) < 0.6)),
        "employer_code": pc.if_else(employed, codes.take(pa.array(firm)), none),
        "employer_name": pc.if_else(employed, choose(called, firm), none),
        "work_state": choose(["未就业", "在职", "退休"], np.where(retired, 2, works)),
        "pension_state": choose(["否", "是"], retired),
        "address": clerk.address(lives, "road"),
        "updated_on": calendar.written(on, "iso"),
    }
    return finish(
        city, "social_insurance", "insured_no", serial_keys(city, "9901", size, 10), columns, {"self": clerk},
        birth="birth_date", names_=("full_name",), numbers_=("citizen_no",),
    )  # fmt: skip


def medical_insurance(city: City) -> Export:
    """Nearly everybody; a third of the children without a number, and many of the dead."""
    people = city.people
    rng = chance.stream(city.seed, "rows", "medical_insurance")
    size = len(people)
    share = rates("medical_insurance")
    insured = (people.state == LIVING) & (rng.random(size) < np.where(people.local, 0.96, 0.82))
    unreported = (people.state == DEAD) & (rng.random(size) < share["dead_still_active"])
    who, again = with_duplicates(city, "medical_insurance", np.flatnonzero(insured | unreported))
    size, age = len(who), people.age(city.today)[who]
    on = city.today - np.floor(rng.random(size) ** 1.5 * 3000).astype(np.int32) - 1
    on = np.minimum(np.maximum(np.maximum(on, people.birth[who] + 30), people.arrived[who]), city.today).astype(
        np.int32
    )
    clerk = Clerk(city, "medical_insurance", who, on)
    clerk.note("duplicate", again)
    clerk.note("dead_still_active", people.died[who] != calendar.NO_DAY)
    missing = rng.random(size) < np.where(age < 14, share["child_number_missing"], share["number_missing"])
    lives = clerk.dwelling()
    worker = (age >= 18) & (rng.random(size) < 0.42)
    columns = {
        "证件号": clerk.number(missing),
        "姓名": clerk.name(),
        "性别": clerk.sex("1", "2"),
        "出生年月日": clerk.birth("compact"),
        "险种": choose(["居民医保", "职工医保"], worker),
        "参保地": dwellings.district_codes(city.dwellings, lives),
        "联系地址": clerk.address(lives, "district"),
        "医疗救助": choose(["0", "1"], rng.random(size) < 0.02),
        "更新时间": calendar.written(on, "compact"),
    }
    return finish(
        city, "medical_insurance", "个人编号", serial_keys(city, "YB", size, 9), columns, {"self": clerk},
        birth="出生年月日", names_=("姓名",), numbers_=("证件号",),
    )  # fmt: skip
