"""Which column is which, which file is of which source, what is refused: decided without any file."""

import pytest

from wanjia.intake.rules import (
    REASONS,
    VALUE_REASONS,
    are_too_many_refused,
    find_header,
    is_footer,
    join_header_rows,
    match_header,
    movement_word,
    reason_sentence,
    shown,
    sources_for_file,
)

DECLARED = {"人员编号": [], "姓名": ["人员姓名"], "身份证号": ["公民身份号码"]}


def test_header_matches_by_name_alias_and_width():
    match = match_header(["人员编号", " 公民身份号码：", "人员 姓名", "备注"], DECLARED, ["人员编号"])
    assert match.positions == {"人员编号": 0, "身份证号": 1, "姓名": 2}
    assert set(match.aliases_used) == {"身份证号", "姓名"}
    assert match.unknown == ["备注"]
    assert not match.missing


def test_exact_name_wins_over_alias_and_two_aliases_are_doubled():
    assert match_header(["人员姓名", "姓名"], DECLARED, []).positions["姓名"] == 1
    assert not match_header(["人员姓名", "姓名"], DECLARED, []).doubled
    assert match_header(["姓名", "姓名"], DECLARED, []).doubled == ["姓名"]


def test_missing_column_says_what_was_probably_meant():
    match = match_header(["人员编码", "姓名"], DECLARED, ["人员编号"])
    assert match.missing == ["人员编号"]
    assert match.suggestions == {"人员编号": "人员编码"}


def test_header_below_titles_is_found():
    rows = [["某市户籍人口名册"], ["2026年5月", ""], ["人员编号", "姓名", "身份证号"], ["R1", "张三", "x"]]
    start, texts, match = find_header(rows, 1, DECLARED, ["人员编号"])
    assert (start, texts) == (2, ["人员编号", "姓名", "身份证号"])
    assert len(match.positions) == 3


def test_merged_header_rows_join_from_the_top():
    rows = [["基本情况", "", "联系"], ["姓名", "性别", ""]]
    assert join_header_rows(rows) == ["基本情况/姓名", "基本情况/性别", "联系"]
    assert join_header_rows(rows, [(0, 0, 0, 1), (0, 2, 1, 2)]) == ["基本情况/姓名", "基本情况/性别", "联系"]
    match = match_header(join_header_rows(rows), {"姓名": []}, [])
    assert match.positions == {"姓名": 0}
    assert not match.aliases_used


@pytest.mark.parametrize(
    "column",
    [
        "入住酒店",
        "行程轨迹",
        "GPS经度",
        "gps_lat",
        "基站编号",
        "车牌号",
        "航班号",
        "IMEI",
        "hotel_name",
        "经度",
        "网吧名称",
    ],
)
def test_movement_columns_are_known(column):
    assert movement_word(column)


@pytest.mark.parametrize(
    "column",
    [
        "姓名",
        "户籍地址",
        "是否入住养老机构",
        "迁入日期",
        "何地迁来",
        "经济状况",
        "birth_place",
        "latest_update",
        "plan",
        "参保地",
    ],
)
def test_ordinary_columns_are_not_taken_for_movement(column):
    assert movement_word(column) is None


def test_source_of_a_file_is_told_by_its_name_case_apart():
    patterns = {"police": ["police_register*.csv"], "death": ["death*.jsonl"]}
    assert sources_for_file("Police_Register_2026.CSV", patterns) == ["police"]
    assert sources_for_file("other.csv", patterns) == []


def test_footer_marks():
    assert is_footer(" 合 计：", ["合计"])
    assert not is_footer("合肥", ["合计"])
    assert not is_footer("anything", [])


def test_every_reason_speaks_both_languages_and_names_row_and_column():
    for code, reason in {**REASONS, **VALUE_REASONS}.items():
        assert reason.zh != reason.en
        assert "第 7 行" in reason_sentence(code, "姓名", 7, "zh-hans")
        assert reason_sentence(code, "姓名", 7, "en").startswith("Row 7: ")
    assert "姓名" in reason_sentence("REQUIRED_MISSING", "姓名", 3, "zh")


def test_shown_header_can_be_stored():
    assert shown("a\x00b\ud800" + "x" * 900).isprintable()
    assert len(shown("x" * 900)) == 200


def test_many_refused_rows_are_borne_until_they_are_most_of_very_many():
    assert not are_too_many_refused(90, 100)
    assert not are_too_many_refused(200_000, 1_000_000)
    assert are_too_many_refused(200_000, 300_000)
