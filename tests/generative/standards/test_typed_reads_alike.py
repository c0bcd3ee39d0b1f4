"""What is typed is read as the engine reads a column: any difference would make somebody who is there unfindable."""

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from wanjia.kernel import settings
from wanjia.standards import api as standards

PROFILE = standards.load_profile(settings.PROJECT_ROOT / "declared" / "cn")
READER = PROFILE.reader
SLOW = hypothesis_settings(
    max_examples=6, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
NAME_LETTERS = "王李张單单解欧阳尉迟曾𠅤〇买买提艾力伟偉娜芳· •.?*□（）()－-ＡbJohnö 　\u200bǘ"
NUMBERS = "0123456789xXＸ１２ -USA"
ADDRESS_PIECES = [
    "澜江省", "望川市", "临江区", "江苏", "南京市", "玄武区", "北京市", "街道", "江滨街道", "镇", "兰杉村", "社区", "村委会", "办事处",
        "中山路", "大道",
        "88号", "８８號", "3栋", "三號樓", "十二幢", "三十栋", "二十一号楼", "2单元", "十单元", "501室", "3-2-501", "12-3", "#", "B座", "A12",
    "5组", " ",
    "，", "。", "—", "里1", "a",
]  # fmt: skip


@pytest.fixture(scope="module")
def many():
    """many(element, texts) → the engine's rows."""
    from wanjia.kernel.engine import get_engine

    with get_engine("duckdb") as engine:

        def rows(key, texts):
            reading = standards.Reading(PROFILE.part(key))
            found = standards.standardise(pa.array(texts, pa.string()), reading, engine, PROFILE).to_pylist()
            standards.forget_texts(engine)
            return found

        yield rows


names = st.text(st.sampled_from(NAME_LETTERS), max_size=7)
numbers = st.one_of(
    st.text(st.sampled_from(NUMBERS), max_size=19),
    st.builds(
        lambda y, m, d, n, c: f"110105{y}{m:02d}{d:02d}{n:03d}{c}",
        st.integers(1840, 2110), st.integers(0, 13), st.integers(0, 32), st.integers(0, 999), st.sampled_from("0123456789X"),
    ),
    st.builds(lambda d, n: f"110105{d:06d}{n:03d}", st.integers(0, 991231), st.integers(0, 999)),
)  # fmt: skip
addresses = st.lists(st.sampled_from(ADDRESS_PIECES), max_size=8).map("".join)


@SLOW
@given(texts=st.lists(names, min_size=80, max_size=120))
def test_names(many, texts):
    for text, row in zip(texts, many("name", texts), strict=True):
        typed = READER.name(text)
        said = (typed.shown, typed.norm, typed.pinyin, typed.surname, typed.given) if typed else (None,) * 5
        due = tuple(row[f"name{part}"] for part in ("", "__norm", "__pinyin", "__surname", "__given"))
        assert typed is None if due[0] is None else said == due, repr(text)


@SLOW
@given(texts=st.lists(numbers, min_size=80, max_size=120))
def test_numbers(many, texts):
    for text, row in zip(texts, many("citizen_number", texts), strict=True):
        typed = READER.number(text)
        due = (row["citizen_number"], row["citizen_number__state"])
        assert (due == (None, None)) if typed is None else (typed.number, typed.state) == due, repr(text)


@SLOW
@given(texts=st.lists(addresses, min_size=80, max_size=120))
def test_addresses(many, texts):
    parts = ("", "__norm", "__division", "__place", "__building", "__unit", "__room")
    for text, row in zip(texts, many("residence_address", texts), strict=True):
        typed = READER.address(text)
        due = tuple(row[f"residence_address{part}"] for part in parts)
        if due[0] is None:
            assert typed is None, repr(text)
            continue
        said = (typed.shown, typed.norm, typed.division, typed.place, typed.building, typed.unit, typed.room)
        assert tuple(value or None for value in said) == tuple(value or None for value in due), repr(text)
