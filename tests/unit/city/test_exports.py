"""What departments send: formats, faults at their declared rates, and a truth whose keys are those of the rows."""

import csv
import hashlib
import json
import sqlite3
import tomllib
from pathlib import Path

import numpy as np
import openpyxl
import pyarrow.parquet as pq
import pytest

from wanjia.city import faults, population
from wanjia.city.exports import police
from wanjia.city.make import EXPORTS, make_city
from wanjia.kernel.settings import PROJECT_ROOT

DECLARED = PROJECT_ROOT / "declared" / "cn"


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("city")
    make_city(2000, 3, folder)
    return folder


@pytest.fixture(scope="module")
def records(out: Path) -> list[dict]:
    return pq.read_table(out / "truth" / "records.parquet").to_pylist()


def _csv(out: Path, source: str, encoding: str, delimiter: str = ",") -> list[dict[str, str]]:
    with (out / "inbox" / f"{source}_20260630.csv").open(encoding=encoding, newline="") as file:
        return list(csv.DictReader(file, delimiter=delimiter))


def _delivered(out: Path, source: str) -> list[dict]:
    """The rows of a source as a reader of its format sees them, by the declared format."""
    form = tomllib.loads((DECLARED / "sources" / f"{source}.toml").read_text(encoding="utf-8"))["format"]
    match form["kind"]:
        case "csv":
            return _csv(out, source, form["encodings"][0], form.get("delimiter", ","))
        case "jsonl":
            return [json.loads(line) for line in (out / "inbox" / f"{source}_20260630.jsonl").open(encoding="utf-8")]
        case "push":
            lines = [json.loads(line) for line in (out / "push" / f"{source}_20260630.jsonl").open(encoding="utf-8")]
            return [record for line in lines for record in line["body"]]
        case "parquet":
            return pq.read_table(out / "inbox" / f"{source}_20260630.parquet").to_pylist()
        case "table":
            with sqlite3.connect(out / "databases" / f"{source}.sqlite") as connection:
                connection.row_factory = sqlite3.Row
                return [dict(row) for row in connection.execute(f"SELECT * FROM {form['table']}")]
    sheet = openpyxl.load_workbook(out / "inbox" / f"{source}_20260630.xlsx", read_only=False).active
    lines = list(sheet.iter_rows(values_only=True))
    return [dict(zip(lines[2], line, strict=True)) for line in lines[3:]]


@pytest.mark.parametrize("source", list(EXPORTS))
def test_every_row_with_a_key_has_its_truth_and_the_other_way_round(out, records, source):
    declared = tomllib.loads((DECLARED / "sources" / f"{source}.toml").read_text(encoding="utf-8"))
    keys = {(row.get(declared["key"][0]) or "").strip() for row in _delivered(out, source)}
    known = {record["record_key"] for record in records if record["source"] == source}
    assert known <= keys
    # beyond the truth: rows without a key, the totals row, and the rows that broke off
    assert len(keys - known) <= 4
    assert "" in keys  # quarantine is never empty


@pytest.mark.parametrize("source", list(EXPORTS))
def test_every_declared_column_is_delivered_under_its_name_or_an_alias(out, source):
    declared = tomllib.loads((DECLARED / "sources" / f"{source}.toml").read_text(encoding="utf-8"))
    rows = [row for row in _delivered(out, source) if row.get(declared["key"][0]) != "合计"]
    delivered = {name for row in rows for name in row}
    for subject in declared["subjects"]:
        for name, column in subject["columns"].items():
            assert delivered & {name, *column.get("aliases", [])}, name
            if column.get("codes"):
                assert {row.get(name) for row in rows} - {None, ""} <= set(column["codes"]), name


def test_a_subject_of_a_key_is_one_person(records):
    seen = [(r["source"], r["record_key"], r["subject"]) for r in records]
    assert len(set(seen)) == len(seen)


def test_marriages_have_two_subjects(records):
    roles = {r["subject"] for r in records if r["source"] == "marriages"}
    assert roles == {"spouse_a", "spouse_b"}


def test_the_large_file_is_gb18030_and_ends_in_totals(out):
    rows = _csv(out, "medical_insurance", "gb18030")
    assert rows[-1]["个人编号"] == "合计"
    assert "公民身份证号" in rows[0]  # a header alias
    with pytest.raises(UnicodeDecodeError):
        (out / "inbox" / "medical_insurance_20260630.csv").read_text(encoding="utf-8")


def test_the_register_has_a_byte_order_mark(out):
    assert (out / "inbox" / "police_register_20260630.csv").read_bytes().startswith(b"\xef\xbb\xbf")


def test_the_workbook_has_a_merged_header_and_totals(out):
    sheet = openpyxl.load_workbook(out / "inbox" / "assistance_20260630.xlsx").active
    merged = {str(area) for area in sheet.merged_cells.ranges}
    assert {"A1:K1", "B2:E2"} <= merged
    assert sheet.cell(sheet.max_row, 1).value == "合计"


def test_pushes_have_a_key_each_and_at_most_500_records(out):
    lines = [json.loads(line) for line in (out / "push" / "death_certificates_20260630.jsonl").open(encoding="utf-8")]
    assert all(0 < len(line["body"]) <= 500 for line in lines)
    assert len({line["idempotency_key"] for line in lines}) == len(lines)


def test_the_same_city_is_the_same_bytes(out, tmp_path):
    make_city(2000, 3, tmp_path)

    def digests(folder: Path) -> dict[str, str]:
        return {str(p.relative_to(folder)): hashlib.sha256(p.read_bytes()).hexdigest() for p in folder.rglob("*.*")}

    assert digests(tmp_path) == digests(out)


def test_the_second_wave_adds_deliveries_and_the_truth_of_both(out, records, tmp_path):
    make_city(2000, 3, tmp_path)
    make_city(2000, 3, tmp_path, wave=2)
    assert (tmp_path / "inbox" / "medical_insurance_20260930.csv").exists()
    both = {
        (r["source"], r["record_key"], r["subject"]): r["person"]
        for r in pq.read_table(tmp_path / "truth" / "records.parquet").to_pylist()
    }
    for record in records:
        assert both[record["source"], record["record_key"], record["subject"]] == record["person"]
    assert len(both) > len(records)
    with sqlite3.connect(tmp_path / "databases" / "social_insurance.sqlite") as connection:
        keys = [
            key
            for (key,) in connection.execute(
                "SELECT insured_no FROM insured_person WHERE updated_on > '2026-06-30' AND insured_no <> ''"
            )
        ]
        latest = connection.execute(
            "SELECT count(*) - count(DISTINCT insured_no) FROM insured_person WHERE updated_on > '2026-06-30'"
        ).fetchone()
    assert keys
    assert latest[0] <= 4  # a changed row replaced the one before it; only exact repeats and broken keys are double


def test_too_small_a_city_is_refused(tmp_path):
    with pytest.raises(ValueError, match="200"):
        make_city(100, 1, tmp_path)


@pytest.mark.parametrize("source", faults.SOURCES)
def test_every_source_has_rates_between_nought_and_one(source):
    assert all(0 <= rate <= 1 for rate in faults.rates(source).values())


def test_faults_come_at_their_declared_rates():
    city = population.build(20_000, 5)
    export = EXPORTS["medical_insurance"](city)
    mask, declared = export.faults["self"], faults.rates("medical_insurance")
    for fault in (
        "name_homophone",
        "name_look_alike",
        "number_transposed",
        "number_digit_off",
        "sex_wrong",
        "address_missing",
        "birth_missing",
    ):
        expected = declared[fault] * len(mask)
        got = int(np.count_nonzero(mask & faults.BIT[fault]))
        assert abs(got - expected) < 4.5 * np.sqrt(expected) + 0.06 * expected + 1, fault
    children = city.people.age()[export.person["self"]] < 14
    missing = (mask[children] & faults.BIT["number_missing"]) != 0
    assert missing.mean() == pytest.approx(declared["child_number_missing"], abs=0.03)


def test_a_row_without_faults_tells_the_truth():
    city = population.build(2000, 5)
    export = police.police_register(city)
    clean = np.flatnonzero((export.faults["self"] == 0) & np.asarray(export.keys.is_valid()))
    rows = clean[:300]
    names = [export.columns["姓名"][int(row)].as_py() for row in rows]
    births = [export.columns["出生日期"][int(row)].as_py() for row in rows]
    numbers = [export.columns["公民身份号码"][int(row)].as_py() for row in rows]
    assert names == [city.names[int(p)].as_py() for p in export.person["self"][rows]]
    assert all(number[6:14] == birth for number, birth in zip(numbers, births, strict=True))


def test_fault_lists_name_every_bit_of_the_mask():
    masks = np.array([0, faults.BIT["twin"], faults.BIT["name_former"] | faults.BIT["number_missing"]], dtype=np.uint32)
    assert faults.as_lists(masks).to_pylist() == [[], ["twin"], ["number_missing", "name_former"]]


def test_an_empty_cell_has_no_other_fault(records):
    for field in ("number", "name", "birth", "address"):
        for record in records:
            if f"{field}_missing" in record["faults"]:
                assert [fault for fault in record["faults"] if fault.startswith(f"{field}_")] == [f"{field}_missing"]
