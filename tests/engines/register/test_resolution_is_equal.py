"""Resolving gives the same state, dossiers, checks and counts on DuckDB and on Spark, row for row."""

from datetime import date

import pytest

from tests.make import assertions as make
from tests.make import profile
from wanjia.register.bulk.population import population

pytestmark = pytest.mark.spark


def outcome(engine, assertions, links):
    from wanjia.kernel import settings
    from wanjia.kernel.declared import load_folder
    from wanjia.register.api.resolving import FACTS, resolve
    from wanjia.register.declared import Check

    found = resolve(
        engine,
        {s: engine.load(f"equal_{s}", rows) for s, rows in make.by_source(assertions).items()},
        engine.load("equal_links", links),
        sources=profile.sources(),
        elements=profile.elements(ethnicity="vote"),
    )
    rows = {fact.frame: found.fact_rows(fact).to_pylist() for fact in FACTS}
    rows["dossiers"] = [row for piece in found.dossiers() for row in piece.to_pylist()]
    rows["searchable"] = found.searchable().to_pylist()
    rows["agreement"] = found.agreement()
    rows["findings"] = engine.arrow(found.findings(load_folder(settings.profile_dir() / "checks", Check))).to_pylist()
    rows["population"] = engine.arrow(population(found.states, found.residences, date(2025, 2, 28))).to_pylist()
    return {name: sorted(map(str, listed)) for name, listed in rows.items()}


def test_both_engines_agree(engine, spark_engine):
    assertions, links = make.population(300)
    one, other = outcome(engine, assertions, links), outcome(spark_engine, assertions, links)
    assert one.keys() == other.keys()
    for name, rows in one.items():
        assert rows, f"{name} has no rows to compare"
        assert rows == other[name], name
