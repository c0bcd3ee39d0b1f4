"""A person is erased by the command, the certificate verifies, the log still checks, and nothing brings the person back."""

import json
import subprocess
import sys

import pytest

from tests.store.jobs.test_rotation_under_load import KEEPER

pytestmark = pytest.mark.heavy


def test_a_person_is_erased_and_everybody_else_is_as_before(installation, tmp_path):
    installation.run()
    subprocess.run([sys.executable, "-c", KEEPER], env=installation.environment, check=True)
    exported = installation.wanjia("linkage", "export", "--format", "ndjson").splitlines()
    persons = sorted({json.loads(line)["person_id"] for line in exported})
    person = persons[len(persons) // 2]
    told = json.loads(
        installation.wanjia(
            "keys", "erase", str(person), "--basis", "decision 7", "--landings", "--by", "keeper", "--format", "json"
        )
    )
    document = tmp_path / "certificate.json"
    document.write_text(installation.wanjia("keys", "certificate", told["certificate"], "--format", "json"))
    installation.wanjia("keys", "certificate", "--verify", str(document))
    content = json.loads(document.read_text())["content"]
    counts = {one["what"]: one["count"] for one in content["destroyed"]}
    assert min(counts["records"], counts["dossiers"], counts["facts"], counts["landings"]) >= 1
    assert content["proofs"]["self_check_findings"] == 0
    document.write_text(document.read_text().replace("decision 7", "decision 8"))
    installation.wanjia("keys", "certificate", "--verify", str(document), ends=(1,))

    installation.wanjia("register", "show", str(person), "--open", ends=(1, 2))
    installation.wanjia("trace", "self-check")
    installation.wanjia("register", "rebuild", "--check")
    again = installation.wanjia("linkage", "export", "--format", "ndjson").splitlines()
    assert person not in {json.loads(line)["person_id"] for line in again}
    assert len(again) == len(exported) - counts["records"]
