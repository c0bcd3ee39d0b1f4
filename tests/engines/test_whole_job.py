"""A city of 5,000 through the whole job, once on DuckDB and once on Spark: everything either of them keeps is the same, row for row.

Each engine receives, standardises, teaches its own model, links, resolves, loads and scores in a home of its own, by the command
line. What is compared is what the job leaves behind: the sealed files of the lake and the rows of the database, vault included.
"""

import json

import pytest

from tests.make.installation import Installation, make_city
from wanjia.kernel.lake import Lake

pytestmark = [pytest.mark.spark, pytest.mark.timeout(1500)]

RESIDENTS = 5000
#: tables and the columns that say something; left out are serial numbers, moments of the run and sealed bytes
TABLES = {
    "intake_delivery": "source, status, rows_in, accepted, quarantined, repeats",
    "intake_quarantinedrow": 'delivery_id, row_no, "column", reason',
    "linkage_link": "assertion_id, person_id, probability, band, method, evidence, weight, model",
    "linkage_reviewcase": "assertion_l, assertion_r, person_l, person_r, probability, reason, evidence, model",
    "register_person": "id",
    "register_household": "id",
    "register_personstate": "person_id, sex, birth_on, died_on, registration_state, marital_status, marital_since, valid",
    "register_membership": "person_id, kind, household_id, is_head, relation, valid",
    "register_residence": "person_id, kind, division, division_now, valid",
    "register_relation": "person_id, kind, other_id, valid",
    "register_populationcell": "basis, division, sex, age, people",
    "catalog_finding": "kind, source, element, person_id, other_person_id, household_id, assertion_ids, due_on - opened_on",
    "catalog_score": "source, element, dimension, good, counted",
}
READ_TABLES = f"""
import json
from wanjia.kernel.database import setup_django
setup_django()
from django.db import connection
from wanjia.privacy import api as privacy
told = {{}}
with connection.cursor() as cursor:
    for table, columns in {TABLES!r}.items():
        cursor.execute(f"SELECT ROW({{columns}})::text FROM {{table}} ORDER BY 1")
        told[table] = [row[0] for row in cursor.fetchall()]
told["dossiers"] = sorted([person, content.decode()] for person, content in privacy.contents())
print(json.dumps(told))
"""


@pytest.fixture(scope="module")
def homes(tmp_path_factory) -> dict[str, Installation]:
    """Engine → an installation in which the whole job has run on it."""
    city = make_city(tmp_path_factory.mktemp("city"), residents=RESIDENTS)
    found = {}
    for engine in ("duckdb", "spark"):
        folder = tmp_path_factory.mktemp(engine)
        found[engine] = Installation(folder / "home", city, folder / "tmp")
        report = found[engine].run(engine=engine)
        assert report["linkage"]["trained"]
        assert sum(delivery["rows_in"] for delivery in report["deliveries"]) > 2 * RESIDENTS
    return found


def lakes(homes) -> tuple[Lake, Lake]:
    return Lake.open(homes["duckdb"].home), Lake.open(homes["spark"].home)


def rows_of(lake: Lake, name: str) -> list[str]:
    """The rows of a lake file as text, columns by name: the order of rows in a file is no part of it."""
    return sorted(str(sorted(row.items())) for row in lake.read(name).to_pylist())


def differing(one: list, other: list, most: int = 3) -> list:
    """The first rows that only one side has."""
    return [sorted(map(str, set(map(str, one)) ^ set(map(str, other))))[:most], len(one), len(other)]


def test_both_keep_the_same_files(homes):
    here, there = lakes(homes)
    names = [name for name in here.names() if not name.startswith("landing/")]
    assert names == [name for name in there.names() if not name.startswith("landing/")]
    for kind in ("assertions/", "value_issues/", "heads/", "linkage/"):
        assert any(name.startswith(kind) for name in names), f"no {kind} to compare"


@pytest.mark.parametrize("kind", ["assertions", "value_issues", "heads"])
def test_standardising_is_equal(homes, kind):
    here, there = lakes(homes)
    for name in here.names(f"{kind}/"):
        one, other = here.read(name), there.read(name)
        assert one.schema.equals(other.schema), f"{name}: {one.schema} / {other.schema}"
        one, other = rows_of(here, name), rows_of(there, name)
        assert one == other, f"{name}: {differing(one, other)}"


def test_both_were_taught_the_same_model(homes):
    here, there = lakes(homes)
    one, other = json.loads(here.read_bytes("linkage/model")), json.loads(there.read_bytes("linkage/model"))
    assert one["taught_by"] == "hidden numbers"
    assert one == other
    for name in here.names("linkage/terms/"):
        assert rows_of(here, name) == rows_of(there, name), name


@pytest.mark.parametrize("name", ["nodes", "edges", "review", "keys", "links"])
def test_linking_is_equal(homes, name):
    here, there = lakes(homes)
    one, other = rows_of(here, f"linkage/{name}"), rows_of(there, f"linkage/{name}")
    assert len(one) > 0
    assert one == other, differing(one, other)


def test_the_database_holds_the_same_rows(homes):
    one, other = (homes[engine].told(READ_TABLES) for engine in ("duckdb", "spark"))
    for table in (*TABLES, "dossiers"):
        assert one[table], f"{table} has no rows to compare"
        assert one[table] == other[table], f"{table}: {differing(one[table], other[table])}"


def test_the_digests_are_equal(homes):
    assert homes["duckdb"].digest() == homes["spark"].digest()
