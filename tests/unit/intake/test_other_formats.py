"""Workbooks, JSON lines and Parquet as departments send them."""

import datetime
import io
import json
import zipfile

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import sqlalchemy as sa

from tests.unit.intake.sample import read, refusals, rows, source
from wanjia.intake.adapters import json_lines
from wanjia.intake.adapters.database import pull_rows
from wanjia.intake.adapters.workbook import check_zip
from wanjia.intake.errors import (
    DamagedFile,
    EmptyDelivery,
    ExpandsTooMuch,
    MissingColumns,
    SheetMissing,
    TruncatedFile,
    WrongFormat,
)

HEAD = ["编号", "姓名", "性别", "号码"]


def workbook(table: list[list], *, merge: str | None = None) -> bytes:
    book = openpyxl.Workbook()
    for row in table:
        book.active.append(row)
    if merge:
        book.active.merge_cells(merge)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def parquet(columns: dict) -> bytes:
    out = io.BytesIO()
    pq.write_table(pa.table(columns), out)
    return out.getvalue()


def test_workbook_with_merged_header_dates_and_totals():
    content = workbook(
        [
            ["登记", "人员", None, None],
            [None, *HEAD[1:]],
            ["1", "张三", datetime.date(1990, 5, 6), 7.0],
            [None] * 4,
            ["合计", 1],
        ],
        merge="B1:D1",
    )
    result = read(content, "xlsx", format={"header_rows": 2}, key=["姓名"])
    assert result.table.select(["row_no", "姓名", "性别", "号码"]).to_pylist() == [
        {"row_no": 3, "姓名": "张三", "性别": "1990-05-06", "号码": "7"}
    ]
    assert (result.report.footer_rows, result.report.blank_rows) == (1, 1)


def test_identity_number_stored_as_a_number_is_set_aside():
    result = read(workbook([HEAD, ["1", "张三", "男", 990106195001200801]]), "xlsx")
    assert [(s.row_no, s.column, s.reason) for s in result.spoiled] == [(2, "号码", "NUMBER_LOST_DIGITS")]


def test_formula_counts_by_its_value_and_formula_text_is_refused():
    content = workbook([HEAD, ["1", "张三", "男", "x"], ["2", "'=1+1", "女", "y"], ["3", "\t=1+1", "女", "y"]])
    result = read(content, "xlsx")
    assert refusals(result) == [(4, "FORMULA", "姓名")]


def test_missing_sheet():
    with pytest.raises(SheetMissing):
        read(workbook([HEAD, ["1", "a", "b", "c"]]), "xlsx", format={"sheet": "名册"})


def test_zip_bomb_is_found_while_unfolding_even_when_its_sizes_lie():
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/workbook.xml", b"0" * 80_000_000)
    with pytest.raises(ExpandsTooMuch):
        check_zip(out.getvalue())
    lying = out.getvalue().replace((80_000_000).to_bytes(4, "little"), (1_000).to_bytes(4, "little"))
    with pytest.raises((ExpandsTooMuch, DamagedFile)):
        check_zip(lying)


def test_html_named_xlsx_and_other_zips():
    with pytest.raises(WrongFormat):
        read(b"<html><table></table></html>", "xlsx")
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("word/document.xml", "x")
    with pytest.raises(WrongFormat):
        read(out.getvalue(), "xlsx")


def test_json_lines_with_types_aliases_and_bad_lines():
    lines = [
        json.dumps({"编号": 1, "姓名": "张三", "性别": True, "号码": 990106195001200801}, ensure_ascii=False),
        "not json",
        json.dumps({"编号": "2", "人员姓名": "李四", "号码": ""}, ensure_ascii=False),
        json.dumps({"编号": "3", "姓名": {"a": 1}}, ensure_ascii=False),
        "",
        json.dumps({"编号": "4", "姓名": "[王]"}, ensure_ascii=False),
    ]
    result = read("\n".join(lines) + "\n", "jsonl")
    assert rows(result) == [
        (1, "1", "张三", "true", "990106195001200801"),
        (3, "2", "李四", None, None),
        (6, "4", "[王]", None, None),
    ]
    assert refusals(result) == [(2, "NOT_JSON", None), (4, "NESTED_VALUE", "姓名")]
    assert result.report.blank_rows == 1


@pytest.mark.parametrize(
    ("content", "is_regular"),
    [
        ('{"编号":"1","姓名":"张三"}\n{"编号":"2","人员姓名":"李四","号码":null}\n', True),
        # a key that comes later and looks like a moment; one that is empty everywhere; escapes; no line end at the end
        ('{"编号":"1","姓名":"a\\n\\"b"}\n{"编号":"2","性别":"2020-01-01","号码":null}\n{}\n{"编号":""}', True),
        ('{"编号":"1","姓名":"{}"}\n{"编号":"2","姓名":"[王]"}\n{"编号":"3","姓名":"{\\"a\\":1}"}\n', True),
        ('{"编号":"1"}{"编号":"2"}\n{"编号":\n"3"}\n{"编号":"4"}\n{"编号":"5"}\n{"编号":"6"}\n', False),
        ('{"编号":"1"}{"编号":"2"}\n\n{"编号":"4"}\n', False),
        ('{"编号":"1"}{"编号":"2"}\n{"编号":"4"}\n', False),
        ('{"编号":"1","姓名":"a"}\n{"编号":"2","姓名":7}\n', False),
        ('{"编号":"1","姓名":"a"}\n{"编号":"2","性别":true}\n', False),
        ('{"编号":"1","姓名":"a"}\n{"编号":"2","性别":{}}\n', False),
        ('{"编号":"1","姓名":"a"}\n{"编号":"2",}\n', False),
        ('{"编号":"1","姓名":"a"}\r\n{"编号":"2"}\r\n', False),
        ('{"编号":"1","姓名":"\\ud87e"}\n{"编号":"2","姓名":"\\u738b"}\n', False),
        ('{"编号":"1","":"a"}\n{"编号":"2"}\n', False),
        (' {"编号":"1"}\n{"编号":"2"}\n', False),
    ],
)
def test_lines_of_texts_alone_are_read_as_all_lines_are(content, is_regular, monkeypatch):
    assert (json_lines._regular(content.encode()) is not None) == is_regular
    fast = read(content, "jsonl")
    monkeypatch.setattr(json_lines, "_regular", lambda utf8: None)
    slow = read(content, "jsonl")
    assert fast.table.equals(slow.table)
    assert fast.table.schema == slow.table.schema
    assert fast.refused == slow.refused
    assert fast.report == slow.report


def test_json_array_is_read_as_lines():
    assert rows(read('[\n{"编号":"1","姓名":"a"},{"编号":"2"}]', "jsonl")) == [
        (1, "1", "a", None, None),
        (2, "2", None, None, None),
    ]


@pytest.mark.parametrize(
    ("content", "error"),
    [
        ('{"编号":"1"}\n{"编号":"2","姓', TruncatedFile),
        ("{\n{\n{\n", DamagedFile),
        ('{"姓名":"a"}\n', MissingColumns),
        ("[{" * 100_000, DamagedFile),
    ],
)
def test_json_refused_whole(content, error):
    with pytest.raises(error):
        read(content, "jsonl")


def test_parquet_types_become_text():
    content = parquet(
        {
            "编号": [1, 2],
            "姓名": ["张三", ""],
            "性别": [datetime.date(2019, 5, 20), None],
            "号码": pa.array(["a", "b"]).dictionary_encode(),
        }
    )
    assert rows(read(content, "parquet")) == [(1, "1", "张三", "2019-05-20", "a"), (2, "2", None, None, "b")]


@pytest.mark.parametrize("cut", [1, 100, -1])
def test_parquet_cut_short(cut):
    content = parquet({"编号": ["1"], "姓名": ["a"]})
    with pytest.raises((DamagedFile, WrongFormat)):
        read(content[:cut], "parquet")


def test_parquet_without_rows():
    with pytest.raises(EmptyDelivery):
        read(parquet({"编号": pa.array([], pa.string()), "姓名": pa.array([], pa.string())}), "parquet")


KINDS = {"编号": sa.String, "姓名": sa.String, "性别": sa.String, "号码": sa.Float}


@pytest.fixture
def pulled(tmp_path, monkeypatch):
    """(what is pulled from a department's database that holds such rows, the source)."""

    def of(held: list[dict]):
        url = f"sqlite:///{tmp_path / 'department.sqlite'}"
        monkeypatch.setenv("SAMPLE_URL", url)
        engine = sa.create_engine(url)
        table = sa.Table("people", sa.MetaData(), *(sa.Column(name, kind) for name, kind in KINDS.items()))
        table.metadata.create_all(engine)
        with engine.begin() as connection:
            for row in held:
                connection.execute(table.insert(), row)
        declared = source("table", format={"table": "people", "url_setting": "SAMPLE_URL"})
        return pull_rows(declared, None), declared

    return of


def test_pulled_rows_are_the_lines_that_json_writes(pulled):
    held = [
        {"编号": "1", "姓名": '张"三\\\n\x01\x7f\u2028𠮷', "性别": None, "号码": 12.5},
        {"编号": "2", "姓名": "100%s %", "性别": "", "号码": 7.0},
    ]
    found, _ = pulled(held)
    texts = [{name: row[name] if row[name] is None else str(row[name]) for name in KINDS} for row in held]
    assert found.rows == 2
    assert found.raw == "".join(json.dumps(text, ensure_ascii=False) + "\n" for text in texts).encode()
    assert found.texts is None


def test_the_texts_of_pulled_rows_are_what_reading_their_lines_gives(pulled):
    held = [
        {"编号": "1", "姓名": '张"三\\u738b\x7f\u2028𠮷', "性别": None, "号码": 12.5},
        {"编号": "2", "姓名": "100%s %", "性别": "", "号码": None},
        {"编号": None, "姓名": "=1+1", "性别": '{"a": 1}', "号码": None},
    ]
    found, declared = pulled(held)
    by_texts, by_lines = json_lines.read_texts(found.texts, declared), json_lines.read_json_lines(found.raw, declared)
    assert by_texts.table.equals(by_lines.table)
    assert by_texts.refused == by_lines.refused
    assert by_texts.report == by_lines.report


def test_a_pull_that_finds_nothing_has_no_texts(pulled):
    found, _ = pulled([])
    assert (found.raw, found.rows, found.texts) == (b"", 0, None)
