"""The same written values become the same rows on DuckDB and on Spark."""

import pyarrow as pa
import pytest

from wanjia.kernel import settings
from wanjia.standards import api as standards

pytestmark = pytest.mark.spark
PROFILE = standards.load_profile(settings.PROJECT_ROOT / "declared" / "cn")
MORE = {
    "citizen_number": [
        "110105194912310021",
        "USA110012345678",
        "1101 0519 4912 31002x",
        "110105901231998",
        "",
        None,
        "无",
    ],
    "name": [
        "單雄信",
        "尉迟恭",
        "曾𠅤",
        "买买提 • 艾力",
        "王?",
        "Ｊｏｈｎ  Smith",
        "-·-",
        "冯芙",
        "卢支女",
        " av Geoff\v\t",
    ],
    "domicile_address": [
        "江苏南京玄武区中山路88號3#2單元501",
        "中山路88号3-2-501",
        "湖北省荆州市沙市区北京路9号",
        "望川市临江区江滨街道3组12号",
    ],
    "birth_on": ["二〇二四年三月五日", "45356.0", "1985.7", "20230229", "0985-01-01", "昨天", "1985-00-00"],
    "died_at": ["202403050815", "2024-03-05 25:00", "2024年3月5日8时15分"],
    "domicile_division": ["432221", "江苏省南京市玄武区", "990103003001", "99010300", "990103999"],
    "employer": ["91110000802100433B", "N2330110MA00000003", "第一 中学"],
    "homes_owned": ["1,000", "2.0", "1e3"],
    "medical_aid": ["是", "无", "×"],
}


def test_every_element_reads_alike(spark_engine):
    from wanjia.kernel.engine import get_engine

    wanted = ["citizen_number", "name", "sex", "relation_to_head", "birth_on", "domicile_division", "domicile_address"]
    wanted += ["household_number", "medical_aid", "employer", "died_at", "homes_owned", "disability_certificate"]
    parts = [PROFILE.part(key) for key in wanted]
    texts = {p.key: [e.given for e in PROFILE.element(p.element).examples] + MORE.get(p.key, []) for p in parts}

    def rows(part, engine):
        written = pa.array(texts[part.key], pa.string())
        return standards.standardise(written, standards.Reading(part), engine, PROFILE).to_pylist()

    with get_engine("duckdb") as duckdb_engine:
        different = [
            (text, key, value, other[key])
            for part in parts
            for text, row, other in zip(
                texts[part.key], rows(part, duckdb_engine), rows(part, spark_engine), strict=True
            )
            for key, value in row.items()
            if value != other[key]
        ]
    assert not different
