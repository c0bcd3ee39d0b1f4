"""Three months later: what departments send then leaves every person under the same id, save those that turn out to be one."""

import csv
import hashlib
import io
import json
import subprocess
import sys
from collections import defaultdict

import pyarrow.parquet as pq
import pytest

pytestmark = [pytest.mark.heavy, pytest.mark.timeout(600)]

FORWARDED = (
    "import json, sys; from wanjia.kernel.database import setup_django; setup_django(); from wanjia.register import api;"
    "print(json.dumps({one: api.forwarded(int(one)) for one in json.load(sys.stdin)}))"
)


@pytest.fixture
def city(tmp_path):
    """A city of this test's own: the second wave is added to it."""
    folder = tmp_path / "city"
    make(folder, "1")
    return folder


def make(folder, wave):
    made = subprocess.run(
        [sys.executable, "-m", "wanjia", "city", "make", "--residents", "4000", "--seed", "8", "--out", str(folder), "--wave", wave],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert made.returncode == 0, made.stderr


def linked(installation) -> dict[tuple[str, str, str], int]:
    """(source, record key, subject) → person id, of every record in the link band."""
    text = installation.wanjia("linkage", "export", "--format", "csv")
    return {
        (row["source"], row["record_key"], row["subject"]): int(row["person_id"])
        for row in csv.DictReader(io.StringIO(text))
        if row["band"] == "link"
    }


def id_founded_by(record: tuple[str, str, str]) -> int:
    """The id a person gets from its founding record, computed anew here."""
    return int.from_bytes(hashlib.sha256("|".join(record).encode()).digest()[:8]) >> 1


def forwarded(installation, ids) -> dict[int, int]:
    asked = subprocess.run(
        [sys.executable, "-c", FORWARDED], env=installation.environment, input=json.dumps(sorted(ids)),
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert asked.returncode == 0, asked.stderr[-2000:]
    return {int(former): now for former, now in json.loads(asked.stdout).items()}


def test_persons_keep_their_ids_and_merges_leave_a_redirect(installation, city):
    installation.run()
    before = linked(installation)
    founder = {id_founded_by(record): record for record in before}
    assert set(before.values()) <= set(founder), "every id comes from one of the records"

    make(city, "2")
    second = installation.run()
    assert not second["is_unchanged"]
    assert sum(d["accepted"] for d in second["deliveries"]) > 200
    after = linked(installation)
    assert set(before) <= set(after), "the second wave withdraws nothing"

    ids = set(before.values())
    stayed = {one for one in ids if after[founder[one]] == one}
    gone = ids - stayed
    assert len(gone) < 0.005 * len(ids), f"{len(gone)} of {len(ids)} ids are no person's any more"
    now = forwarded(installation, ids)
    assert {one for one in ids if now[one] == one} == stayed
    for one in gone:
        assert now[one] == after[founder[one]], "a former id leads to the person who holds its founding record"
    assert gone, "the second wave mends numbers and names, so some persons turn out to be one"

    # by the truth, those merged are one person indeed
    true = defaultdict(set)
    records = pq.read_table(city / "truth" / "records.parquet").to_pylist()
    owner = {(r["source"], r["record_key"], r.get("subject", "self")): r["person"] for r in records if "person" in r}
    for record, person in after.items():
        if record in owner:
            true[person].add(owner[record])
    assert owner
    fused = [one for one in gone if len(true[now[one]]) > 1]
    assert not fused
