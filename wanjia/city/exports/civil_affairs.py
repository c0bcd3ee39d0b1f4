"""Civil affairs: marriages (and divorces), and social assistance."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from wanjia.city import calendar, chance, dwellings
from wanjia.city.exports.writing import Clerk, Export, choose, finish, serial_keys, with_duplicates
from wanjia.city.faults import rates
from wanjia.city.population import DEAD, LIVING, City

ASSISTANCE = ("城乡低保", "特困供养", "低保边缘", "高龄津贴", "残疾人两项补贴", "孤儿保障")


def marriages(city: City) -> Export:
    """Marriages and divorces of the ten years at which at least one of the two was a local, and some of floating couples."""
    people = city.people
    rng = chance.stream(city.seed, "rows", "marriages")
    wives = np.flatnonzero((people.sex == 2) & (people.state == LIVING) & (people.married >= calendar.WINDOW_START))
    divorced = people.spouse[wives] < 0
    partner = np.where(divorced, people.former_spouse[wives], people.spouse[wives])
    counts = (partner >= 0) & (people.local[wives] | (rng.random(len(wives)) < 0.15))
    wives, partner, divorced = wives[counts], partner[counts], divorced[counts]
    order = rng.permutation(len(wives))
    wives, partner, divorced = wives[order], partner[order], divorced[order]
    size = len(wives)
    on = people.married[wives]
    husband = Clerk(city, "marriages", partner, on, role="spouse_a")
    wife = Clerk(city, "marriages", wives, on, role="spouse_b")
    year = calendar.parts(on)[0].astype(str)
    certificate = pc.binary_join_element_wise(
        choose(["J990100-", "L990100-"], divorced), pa.array(year).cast(pa.string()), pa.scalar("-"),
        dwellings.padded(np.arange(1, size + 1), 6), "",
    )  # fmt: skip
    columns = {
        "业务类型": choose(["结婚登记", "离婚登记"], divorced),
        "证件字号": certificate,
        "男方姓名": husband.name(),
        "男方身份证件号": husband.number(),
        "男方性别": choose(["男"], np.zeros(size)),
        "男方出生日期": husband.birth("chinese"),
        "男方民族": _ethnicity(people.ethnicity[partner]),
        "女方姓名": wife.name(),
        "女方身份证件号": wife.number(),
        "女方性别": choose(["女"], np.zeros(size)),
        "女方出生日期": wife.birth("chinese"),
        "女方民族": _ethnicity(people.ethnicity[wives]),
        "办理日期": calendar.written(on, "chinese"),
    }
    return finish(
        city, "marriages", "业务编号", serial_keys(city, "HY", size), columns, {"spouse_a": husband, "spouse_b": wife},
        birth="男方出生日期", names_=("男方姓名", "女方姓名"), numbers_=("男方身份证件号", "女方身份证件号"),
    )  # fmt: skip


def _ethnicity(codes: np.ndarray) -> pa.Array:
    from wanjia.city.exports.police import ethnicity_text

    return ethnicity_text(codes, "族")


def assistance(city: City) -> Export:
    """People on assistance: the poor, the very old, the disabled; a few of the dead are still on the list."""
    people, homes = city.people, city.dwellings
    rng = chance.stream(city.seed, "rows", "assistance")
    size = len(people)
    age = people.age(city.today)
    share = np.interp(age, (0, 18, 50, 64, 65, 79, 80), (0.012, 0.015, 0.03, 0.04, 0.06, 0.08, 0.45))
    receives = people.local & (people.state == LIVING) & (rng.random(size) < share)
    unreported = (people.state == DEAD) & (people.died > city.today - 1100)
    unreported &= rng.random(size) < rates("assistance")["dead_still_active"]
    who, again = with_duplicates(city, "assistance", np.flatnonzero(receives | unreported))
    size = len(who)
    age = age[who]
    on = city.today - rng.integers(1, 1100, size).astype(np.int32)
    dead = people.died[who] != calendar.NO_DAY
    on = np.maximum(on, people.birth[who] + 30)
    clerk = Clerk(city, "assistance", who, on)
    clerk.note("duplicate", again)
    clerk.note("dead_still_active", dead & (on > people.died[who]))
    kind = np.where(
        age >= 80,
        np.where(rng.random(size) < 0.8, 3, 0),
        chance.pick(rng, np.array([0.55, 0.68, 0.86, 0.86, 1.0]), size),
    )
    kind = np.where((age < 18) & (rng.random(size) < 0.1), 5, kind)
    amount = np.where(
        kind == 0, rng.integers(30, 110, size) * 10, np.where(kind == 1, rng.integers(90, 150, size) * 10, 0)
    )
    since = on - rng.integers(30, 1500, size)
    lives = clerk.dwelling()
    birth = clerk.birth("spoken")
    serial = rng.random(size) < 0.1
    month_only = (clerk.mask >> 16) & 1
    birth = pc.if_else(
        pa.array(serial & (month_only == 0) & np.asarray(birth.is_valid())),
        calendar.written(people.birth[who], "serial"),
        birth,
    )
    columns = {
        "姓名": clerk.name(),
        "身份证号": clerk.number(),
        "性别": clerk.sex("男", "女"),
        "出生年月": birth,
        "家庭住址": clerk.address(lives, "loose"),
        "所属社区": dwellings.community_codes(homes, lives, on),
        "救助类别": choose(list(ASSISTANCE), kind),
        "月保障金": pc.if_else(pa.array(amount > 0), pa.array(amount).cast(pa.string()), pa.scalar(None, pa.string())),
        "起始日期": calendar.written(since, "iso"),
        "填报日期": calendar.written(on, "iso"),
    }
    return finish(
        city, "assistance", "登记编号", serial_keys(city, "JZ99", size, 7), columns, {"self": clerk},
        birth="出生年月", names_=("姓名",), numbers_=("身份证号",),
    )  # fmt: skip
