"""Every declared element's own examples, and every spelling of every code set, run on DuckDB."""

import pyarrow as pa
import pytest

from wanjia.kernel import settings
from wanjia.standards import api as standards

PROFILE = standards.load_profile(settings.PROJECT_ROOT / "declared" / "cn")


@pytest.fixture(scope="module")
def duckdb_engine():
    from wanjia.kernel.engine import get_engine

    with get_engine("duckdb") as one:
        yield one


def shown(value):
    return None if value is None else str(value).lower() if isinstance(value, bool) else str(value)


def standard_rows(engine, part, texts, codes=None):
    reading = standards.Reading(part, codes or {})
    return standards.standardise(pa.array(texts, pa.string()), reading, engine, PROFILE).to_pylist()


def examples():
    for element in PROFILE.elements.values():
        for part in element.columns:
            of_part = [e for e in element.examples if (e.part or element.columns[0].key) == part.key]
            yield pytest.param(part, of_part, id=part.key)


@pytest.mark.parametrize(("part", "listed"), list(examples()))
def test_an_element_keeps_its_own_examples(duckdb_engine, part, listed):
    assert listed, f"{part.key} has no example"
    rows = standard_rows(duckdb_engine, part, [e.given for e in listed])
    for example, row in zip(listed, rows, strict=True):
        reason = row[f"{part.key}__reason"]
        if example.refuse:
            assert reason == example.refuse, example
            assert reason in standards.REASONS
        else:
            assert (shown(row[part.key]), reason) == (example.expect, None), example


def test_every_code_set_is_read_from_its_codes_and_names(duckdb_engine):
    for key in PROFILE.code_sets:
        expected = PROFILE.spellings(key)
        part = standards.ElementPart("value", "value", PROFILE.code_sets[key].name, "code", codes=key)
        rows = standard_rows(duckdb_engine, part, list(expected))
        wrong = {t: r["value"] for (t, code), r in zip(expected.items(), rows, strict=True) if r["value"] != code}
        assert not wrong, f"{key}: {wrong}"
        assert {row.code for row in PROFILE.code_sets[key].codes} <= set(expected.values())


def test_there_are_81_elements_in_the_order_of_their_codes():
    assert len(PROFILE.elements) == 81
    assert len({e.code for e in PROFILE.elements.values()}) == 81
    assert PROFILE.elements["religion"].default_on is False
    assert "religion" not in PROFILE.active_elements
