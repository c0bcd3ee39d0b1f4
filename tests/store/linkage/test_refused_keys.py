"""A value that too many records share is not compared, and becomes a finding of the source that says it."""

import datetime
from dataclasses import replace
from types import SimpleNamespace

import pytest

from tests.make.people_frames import LINKAGE, TRUST, frame, keep_model, row, trained
from wanjia.catalog import api as catalog
from wanjia.catalog.rules import due_on
from wanjia.kernel import settings
from wanjia.kernel.declared import load_folder
from wanjia.kernel.lake import Lake
from wanjia.linkage import api as linkage
from wanjia.linkage.adapters.workspace import Workspace
from wanjia.linkage.api.linking import link
from wanjia.register.declared import Check

SMALL = replace(LINKAGE, largest_block=5)
CHECKS = {"alike": SimpleNamespace(code="alike", rule="too_many_alike")}
UNKNOWN = datetime.date(1900, 1, 1)
NAMES = [f"{surname}{given}" for surname in "王李张刘陈杨" for given in "明芳伟娜军丽"]


def told(place, **said):
    """A record of an ordinary person, like no other."""
    born = datetime.date(1950, 1, 1) + datetime.timedelta(days=397 * place)
    return row(place, name=NAMES[place % 36], birth_on=born, sex="1", home=f"h{place}", **said)


def placeholder(place, source="insurance", delivery=2):
    return row(place, name="李强", birth_on=UNKNOWN, sex="1", home=f"h{place}", source=source, delivery_id=delivery)


@pytest.fixture
def run(engine, tmp_path):
    lake = Lake.open(tmp_path)
    keep_model(lake, Workspace(engine), trained(SMALL))

    def act(rows):
        done = link(engine, lake=lake, linkage=SMALL, trust=TRUST, assertions=engine.load("given_rows", frame(rows)))
        return done, linkage.findings(engine, lake=lake, checks=CHECKS)

    return act


def rows_of(engine, found):
    return sorted({(r["source"], r["element"]) for r in engine.arrow(found).to_pylist()})


REGISTER = [told(n) for n in range(1, 40)]


def test_a_placeholder_sent_after_training_is_refused_and_laid_to_its_source(engine, run):
    sound, found = run(REGISTER)
    assert (sound.refused_blocks, rows_of(engine, found)) == ({}, [])
    late = [placeholder(n) for n in range(100, 160)] + [placeholder(99, source="school", delivery=3)]
    done, found = run(REGISTER + late)
    assert done.refused_blocks == {"name_birth": 1}
    assert done.pairs < 61, "sixty-one alike are not compared each with each"
    assert rows_of(engine, found) == [("insurance", "birth_on")], (
        "births are the more various, so one birth date of many is the odder"
    )
    shown = [r["assertion_id"] >> 2 for r in engine.arrow(found).to_pylist()]
    assert shown == list(range(100, 120)), "twenty records to look at"
    mended, found = run(REGISTER + [told(n, source="insurance", delivery_id=2) for n in range(100, 160)])
    assert (mended.refused_blocks, rows_of(engine, found)) == ({}, [])


def test_what_training_refused_is_told_as_long_as_it_stands(engine, tmp_path):
    lake = Lake.open(tmp_path)
    taught = trained(SMALL)
    taught = replace(taught, model=replace(taught.model, stopped={"name_birth": ["李强|19000101"]}))
    keep_model(lake, Workspace(engine), taught)

    def run(count):
        rows = REGISTER + [placeholder(n) for n in range(100, 100 + count)]
        link(engine, lake=lake, linkage=SMALL, trust=TRUST, assertions=engine.load("given_rows", frame(rows)))
        return rows_of(engine, linkage.findings(engine, lake=lake, checks=CHECKS))

    assert run(6) == [("insurance", "birth_on")]
    assert run(5) == [], "five are not too many"


@pytest.mark.django_db
def test_the_finding_has_the_clock_of_its_declared_check(engine, run, tmp_path):
    run(REGISTER)
    run(REGISTER + [placeholder(n) for n in range(100, 160)])
    checks = load_folder(settings.PROJECT_ROOT / "declared" / "cn" / "checks", Check)
    days = {check.code: check.working_days for check in checks.values()}
    found = linkage.findings(engine, lake=Lake.open(tmp_path), checks=checks)
    catalog.file_findings(catalog.gather_findings(engine, found), working_days=days, by="t", why="t")
    [finding] = catalog.findings(source="insurance")
    assert (finding["kind"], finding["element"], finding["person_id"]) == ("too_many_alike", "birth_on", None)
    assert len(finding["assertion_ids"]) == 20
    assert finding["due_on"] == due_on(finding["opened_on"], checks["too_many_alike"].working_days)
    catalog.file_findings(catalog.gather_findings(engine, found.limit(0)), working_days=days, by="t", why="t")
    assert catalog.findings(source="insurance") == []


def test_a_profile_without_the_check_has_no_such_findings(engine, run, tmp_path):
    run(REGISTER)
    run(REGISTER + [placeholder(n) for n in range(100, 160)])
    assert engine.arrow(linkage.findings(engine, lake=Lake.open(tmp_path), checks={})).num_rows == 0
