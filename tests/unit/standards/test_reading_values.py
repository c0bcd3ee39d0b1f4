"""How written values become standard ones: numbers against independent libraries, names, addresses, days."""

import datetime

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from wanjia.kernel import settings
from wanjia.standards import api as standards

PROFILE = standards.load_profile(settings.PROJECT_ROOT / "declared" / "cn")


@pytest.fixture(scope="module")
def duckdb_engine():
    from wanjia.kernel.engine import get_engine

    with get_engine("duckdb") as one:
        yield one


@pytest.fixture
def read(duckdb_engine):
    def rows(key, *texts, codes=None):
        part = PROFILE.part(key)
        reading = standards.Reading(part, codes or {})
        found = standards.standardise(pa.array(texts, pa.string()), reading, duckdb_engine, PROFILE).to_pylist()
        return [{name.removeprefix(f"{key}__"): value for name, value in row.items()} for row in found]

    return rows


def states(rows):
    return [row["state"] for row in rows]


# ---- identity numbers ----


def test_published_samples_are_sound(read):
    rows = read(
        "citizen_number",
        "11010519491231002X",
        "932682198501010017",
        "911124198108030024",
        "810000199408230021",
        "830000199201300022",
    )
    assert states(rows) == ["sound"] * 5


def test_a_code_abolished_long_ago_is_a_good_prefix(read):
    assert states(read("citizen_number", "432221197001011235")) == ["sound"]


def test_fifteen_digits_become_eighteen_and_the_oldest_keep_their_century(read):
    converted = read("citizen_number", "110105491231002", "110105901231998")
    assert [row["citizen_number"] for row in converted] == ["11010519491231002X", converted[1]["citizen_number"]]
    assert converted[1]["citizen_number"][6:10] == "1890"
    assert states(converted) == ["sound15", "sound15"]


def test_what_is_wrong_with_a_number_is_said(read):
    texts = (
        "110105194912310021",
        "11010519490231002X",
        "000000194912310021",
        "1101051949123100",
        "USA110012345678",
        "XXX110012345678",
    )
    rows = read("citizen_number", *texts)
    assert [row["reason"] for row in rows] == [
        "ID_CHECK_DIGIT", "ID_DATE_IMPOSSIBLE", "ID_PREFIX_UNKNOWN", "ID_MALFORMED", None, "ID_PREFIX_UNKNOWN",
    ]  # fmt: skip
    assert states(rows) == ["check_failed", "malformed", "malformed", "malformed", "sound15", "malformed"]
    assert rows[0]["citizen_number"] == "110105194912310021"


@pytest.mark.parametrize("text", ["", " ", "无", "NULL", "--", None])
def test_nothing_known_is_null_without_a_reason(read, text):
    assert read("citizen_number", text) == [{"citizen_number": None, "state": None, "reason": None}]


@hypothesis_settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["110105", "320102", "440106", "510104", "432221", "110103"]),
            st.dates(datetime.date(1900, 1, 1), datetime.date(2019, 12, 31)),
            st.integers(0, 999),
            st.sampled_from("0123456789X"),
        ),
        min_size=200,
        max_size=200,
    )
)
def test_check_characters_agree_with_stdnum(read, parts):
    from stdnum.iso7064 import mod_11_2

    numbers = [f"{place}{born:%Y%m%d}{order:03d}{check}" for place, born, order, check in parts]
    expected = ["sound" if mod_11_2.is_valid(number) else "check_failed" for number in numbers]
    assert states(read("citizen_number", *numbers)) == expected


def test_numbers_made_by_id_validator_are_sound(read):
    validator = pytest.importorskip("id_validator.validator")
    made = [validator.fake_id(True, None, None, None) for _ in range(200)]
    assert states(read("citizen_number", *made)) == ["sound"] * 200


def test_organisation_codes_agree_with_stdnum_and_may_begin_with_a_letter(read):
    from stdnum.cn import uscc

    body = "9111000080210043"
    made = [body + c for c in "3B"]
    codes = [code + uscc.calc_check_digit(code) for code in (made[0][:17], "91110000600037341")]
    assert [row["employer"] for row in read("employer", *codes)] == codes
    assert read("employer", "N2330110MA00000003")[0]["reason"] in (None, "ORGANISATION_CHECK_DIGIT")
    assert read("employer", "91110000802100433C")[0]["reason"] == "ORGANISATION_CHECK_DIGIT"


# ---- names ----


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("张　三", ("张三", "张三", "zhang san", "张", "三")),
        ("單雄信", ("單雄信", "单雄信", "shan xiong xin", "单", "雄信")),
        ("欧阳修", ("欧阳修", "欧阳修", "ou yang xiu", "欧阳", "修")),
        ("尉迟恭", ("尉迟恭", "尉迟恭", "yu chi gong", "尉迟", "恭")),
        ("曾𠅤", ("曾𠅤", "曾𠅤", None, "曾", "𠅤")),
        ("买买提.艾力", ("买买提·艾力", "买买提艾力", "mai mai ti ai li", None, "买买提")),
        ("买买提 • 艾力", ("买买提·艾力", "买买提艾力", "mai mai ti ai li", None, "买买提")),
        ("Ｊｏｈｎ  Smith", ("John Smith", "johnsmith", "john smith", None, None)),
        ("王芳（曾用名王方）", ("王芳", "王芳", "wang fang", "王", "芳")),
    ],
)
def test_names(read, written, expected):
    row = read("name", written)[0]
    shown, norm, pinyin, surname, given_name = expected
    assert (row["name"], row["norm"], row["surname"], row["given"]) == (shown, norm, surname, given_name)
    assert pinyin is None or row["pinyin"] == pinyin
    assert row["reason"] is None


def test_lost_characters_and_digits_are_remarked_and_the_name_kept(read):
    rows = read("name", "王?", "李□明", "张3", "-·-")
    assert [r["reason"] for r in rows] == ["NAME_CHARACTER_LOST", "NAME_CHARACTER_LOST", "NAME_MALFORMED", "NAME_EMPTY"]
    assert [r["name"] for r in rows] == ["王?", "李□明", "张3", None]


# ---- addresses ----


@pytest.mark.parametrize(
    ("written", "division", "place", "building", "unit", "room"),
    [
        ("江苏省南京市玄武区中山路８８号３栋２单元５０１室", "320102", "中山路88号", "3", "2", "501"),
        ("江苏南京玄武区中山路88號3#2單元501", "320102", "中山路88号", "3", "2", "501"),
        ("南京市玄武区中山路88号三幢二单元501室", "320102", "中山路88号", "3", "2", "501"),
        ("中山路88号3-2-501", None, "中山路88号", "3", "2", "501"),
        ("北京市朝阳区建国路1号", "110105", "建国路1号", None, None, None),
        ("望川市临江区江滨街道沿江路3号12栋", "990102001", "沿江路3号", "12", None, None),
        ("澜江省望川市", "990100", None, None, None, None),
        ("沿江路3号", None, "沿江路3号", None, None, None),
        ("吉林省吉林市船营区解放路5号", "220204", "解放路5号", None, None, None),
        ("湖北省荆州市沙市区北京路9号", "421002", "北京路9号", None, None, None),
    ],
)
def test_addresses(read, written, division, place, building, unit, room):
    row = read("domicile_address", written)[0]
    assert (row["division"], row["place"], row["building"], row["unit"], row["room"]) == (
        division,
        place,
        building,
        unit,
        room,
    )


def test_two_ways_of_writing_one_address_compare_equal(read):
    rows = read(
        "domicile_address", "江苏省南京市玄武区中山路88号3栋2单元501室", "南京市玄武区中山路８８号３＃２单元５０１"
    )
    assert rows[0]["norm"] == rows[1]["norm"] == "中山路88号|3|2|501"


# ---- days ----


@pytest.mark.parametrize(
    ("written", "day", "precision", "year", "reason"),
    [
        ("20240305", "2024-03-05", "day", 2024, None),
        ("2024-3-5", "2024-03-05", "day", 2024, None),
        ("2024/03/05 00:00:00", "2024-03-05", "day", 2024, None),
        ("2024年3月5日", "2024-03-05", "day", 2024, None),
        ("二〇二四年三月五日", "2024-03-05", "day", 2024, None),
        ("一九八五年十二月三十一日", "1985-12-31", "day", 1985, None),
        ("45356", "2024-03-05", "day", 2024, None),
        ("45356.0", "2024-03-05", "day", 2024, None),
        ("1985", None, "year", 1985, None),
        ("1985年", None, "year", 1985, None),
        ("1985.7", None, "month", 1985, None),
        ("198507", None, "month", 1985, None),
        ("19850700", None, "month", 1985, None),
        ("1985-00-00", None, "year", 1985, None),
        ("20230229", None, None, None, "DATE_IMPOSSIBLE"),
        ("2023-13-01", None, None, None, "DATE_IMPOSSIBLE"),
        ("0985-01-01", None, None, None, "DATE_IMPOSSIBLE"),
        ("昨天", None, None, None, "DATE_MALFORMED"),
        ("05/03/2024", None, None, None, "DATE_MALFORMED"),
    ],
)
def test_days(read, written, day, precision, year, reason):
    row = read("birth_on", written)[0]
    assert (row["birth_on"], row["precision"], row["year"], row["reason"]) == (
        None if day is None else datetime.date.fromisoformat(day), precision, year, reason,
    )  # fmt: skip


@hypothesis_settings(max_examples=5, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.dates(datetime.date(1850, 1, 1), datetime.date(2100, 12, 31)), min_size=100, max_size=100))
def test_every_day_survives_every_way_of_writing_it(read, days):
    for way in ("{:%Y%m%d}", "{:%Y-%m-%d}", "{0.year}年{0.month}月{0.day}日", "{0.year}/{0.month}/{0.day}"):
        assert [row["birth_on"] for row in read("birth_on", *map(way.format, days))] == days


# ---- codes and divisions ----


def test_a_source_may_declare_its_own_spellings(read):
    rows = read("sex", "Mann", "Frau", "男", codes={"Mann": "1", "Frau": "2"})
    assert [row["sex"] for row in rows] == ["1", "2", "1"]


def test_divisions_by_code_and_by_name(read):
    rows = read("native_place", "432221", "320102000000", "江苏省南京市玄武区", "990103003001", "99010300", "990103999")
    assert [(r["native_place"], r["current"], r["reason"]) for r in rows] == [
        ("432221", "430621", None), ("320102", "320102", None), ("320102", "320102", None),
        ("990103003001", "990103009001", None), (None, None, "DIVISION_MALFORMED"), ("990103999", "990103999", None),
    ]  # fmt: skip


def test_a_second_batch_runs_the_same_statements_on_other_rows(read):
    assert read("sex", "男")[0]["sex"] == "1"
    assert [row["sex"] for row in read("sex", "女", "男")] == ["2", "1"]
