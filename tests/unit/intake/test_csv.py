"""CSV as departments send it."""

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from tests.unit.intake.sample import read, refusals, rows
from wanjia.intake.adapters import csv_text, encoding
from wanjia.intake.errors import (
    DuplicateColumns,
    EmptyDelivery,
    EncodingUnreadable,
    IntakeError,
    MissingColumns,
    MovementRefused,
    TooManyColumns,
    TruncatedFile,
    WrongFormat,
)

PLAIN = "编号,姓名,性别,号码\n1,张三,男,x\n2,李四,女,y\n"
TAKEN = [(2, "1", "张三", "男", "x"), (3, "2", "李四", "女", "y")]


@pytest.mark.parametrize("name", ["utf-8-sig", "gb18030", "utf-16"])
@pytest.mark.parametrize("size", [1, 2, 3, 5, 1000])
def test_characters_may_lie_across_the_pieces_that_are_decoded(name, size, monkeypatch):
    monkeypatch.setattr(encoding, "PIECE_BYTES", size)
    text = "编号,姓名\n1,张𠮷é\n2,㐂\n"  # of two and of four bytes in GB18030, of two units in UTF-16
    assert encoding.to_utf8(text.encode(name)) == (text.encode(), name, False)
    if name != "utf-16":
        broken = text.encode(name) + b"\xff\n"
        assert encoding.to_utf8(broken) == ((text + "\ufffd\n").encode(), name, True)


@pytest.mark.parametrize(
    "raw", [b"", b"a", "张𠮷".encode(), b"\xc0\x80", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", "张".encode()[:2], b"a\xff"]
)
def test_utf8_is_what_python_decodes(raw):
    assert encoding._is_utf8(raw) == (raw.decode("utf-8", "replace").encode() == raw)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
@pytest.mark.parametrize("ends", ["\n", "\r\n", "\r"])
def test_encodings_and_line_ends(encoding, ends):
    result = read(PLAIN.replace("\n", ends), encoding=encoding)
    assert rows(result) == TAKEN
    assert result.report.encoding == encoding


@pytest.mark.parametrize("delimiter", ["\t", ";", "|", "，"])
def test_another_delimiter_is_found_and_reported(delimiter):
    result = read(PLAIN.replace(",", delimiter))
    assert rows(result) == TAKEN
    assert result.report.delimiter == delimiter


def test_titles_aliases_unknown_columns_blank_and_totals_rows():
    text = "名册,,,,\n编号,人员姓名,性别,号码,备注\n1,张三,男,x,z\n,,,,\n2,李四,女,y,\n合计,2,,,\n"
    result = read(text)
    assert rows(result) == [(3, "1", "张三", "男", "x"), (5, "2", "李四", "女", "y")]
    report = result.report
    assert (report.header_row, report.blank_rows, report.footer_rows) == (2, 1, 1)
    assert report.aliases_used == {"姓名": "人员姓名"}
    assert report.unknown_columns == ["备注"]


def test_totals_row_with_too_few_fields():
    result = read(PLAIN + "合计,2\n")
    assert rows(result) == TAKEN
    assert not result.refused
    assert result.report.footer_rows == 1


def test_quoted_cells_keep_delimiters_and_line_breaks():
    result = read('编号,姓名,性别,号码\n1,"张,三","男""士",x\n2,"李\n四",女,y\n')
    assert rows(result) == [(2, "1", "张,三", '男"士', "x"), (3, "2", "李\n四", "女", "y")]


def test_a_lost_quote_costs_its_own_row_only():
    result = read('编号,姓名,性别,号码\n1,"张三,男,x\n2,李四,女,y\n3,王五,男,z\n')
    assert refusals(result) == [(2, "QUOTE_UNBALANCED", None)]
    assert [row[0] for row in rows(result)] == [3, 4]


def test_ragged_rows_are_refused_and_others_taken():
    result = read(PLAIN + "3,王五\n4,赵六,男,z,w,v\n5,钱七,女,q,,\n")
    assert refusals(result) == [(4, "FIELD_COUNT", None), (5, "FIELD_COUNT", None)]
    assert rows(result)[-1] == (6, "5", "钱七", "女", "q")
    assert result.rows_in == 5


@pytest.mark.parametrize(
    ("cell", "reason"),
    [
        ("张\x00三", "CONTROL_CHARACTER"),
        ("张\x1b三", "CONTROL_CHARACTER"),
        ("长" * 4001, "CELL_TOO_LONG"),
        ("=cmd|'/c calc'!A0", "FORMULA"),
        ("@SUM(1)", "FORMULA"),
        ("+A1", "FORMULA"),
    ],
)
def test_cells_that_cannot_be_values(cell, reason):
    result = read(PLAIN + f"3,{cell},男,z\n")
    assert refusals(result) == [(4, reason, "姓名")]
    assert rows(result) == TAKEN


@pytest.mark.parametrize("cell", ["-", "+86 123", "-5", "a=b", "长" * 4000])
def test_cells_that_only_look_bad(cell):
    assert not read(PLAIN + f"3,{cell},男,z\n").refused


def test_a_damaged_byte_costs_its_row():
    raw = (PLAIN * 1).encode() + "3,王".encode() + b"\xff" + ",男,z\n".encode()
    result = read(raw)
    assert refusals(result) == [(4, "UNDECODABLE", "姓名")]
    assert result.report.encoding == "utf-8"


def test_a_wrong_encoding_refuses_the_delivery():
    raw = "编号,姓名,性别,号码\n".encode() + b"".join(b"%d,\xff\xfe\xfa,m,x\n" % i for i in range(20))
    with pytest.raises(EncodingUnreadable):
        read(raw)


@pytest.mark.parametrize(
    ("content", "error"),
    [
        (b"", EmptyDelivery),
        (b"\n\n  \n", EmptyDelivery),
        ("编号,姓名,性别,号码\n".encode(), EmptyDelivery),
        ("姓名,性别,号码\n张三,男,x\n".encode(), MissingColumns),
        ("编号,姓名,姓名\n1,张三,李四\n".encode(), DuplicateColumns),
        ("编号,姓名,入住酒店\n1,张三,x\n".encode(), MovementRefused),
        (("编号," + ",".join(f"c{i}" for i in range(600)) + "\n1\n").encode(), TooManyColumns),
        ("编号,姓名,性别,号码\n1,张三,男,x\n2,李".encode(), TruncatedFile),
        (b"<html><table><tr><td>1</td></tr></table></html>", WrongFormat),
        (b"PK\x03\x04" + b"x" * 100, WrongFormat),
    ],
)
def test_deliveries_refused_whole(content, error):
    with pytest.raises(error) as caught:
        read(content)
    assert caught.value.sentence("zh") != caught.value.sentence("en")


def test_the_fast_and_the_slow_way_agree(monkeypatch):
    text = PLAIN + "".join(f"{i},名{i},,n{i}\n" for i in range(3, 400)) + '400,"a,b",x,y\n合计,400,,\n'
    fast = read(text)
    monkeypatch.setattr(csv_text, "_read_fast", lambda *_: None)
    slow = read(text)
    assert fast.table.equals(slow.table)
    assert fast.report == slow.report


LINES = st.lists(
    st.sampled_from(
        [
            "1,张三,男,x", '"2","李四","女","y"', "3,王五", "4,a,b,c,d", "5,a,b,c,,", ",,,", "", ",,,z", '6,"a,b",x,y', '7,"a', 'b",x,y',
            '8,5" 管,x,y', "合计,3,,", "合计,3", "9", " , , , ",
        ]
    ),
    min_size=1, max_size=12,
)  # fmt: skip


@hypothesis_settings(max_examples=300, deadline=None)
@given(LINES, st.booleans())
def test_the_two_ways_agree_on_irregular_files(lines, ends):
    text = "编号,姓名,性别,号码\n" + "\n".join(lines) + "\n" * ends

    def result():
        try:
            found = read(text)
        except IntakeError as error:
            return error.code, error.sentence("en")
        return found.table.to_pylist(), found.refused, found.spoiled, found.report

    as_it_is = result()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(csv_text, "_read_fast", lambda *_: None)
        assert result() == as_it_is
