"""The declared cross-checks."""

from pathlib import Path

import pytest

from wanjia.kernel.declared import DeclarationErrors, load_folder
from wanjia.register.bulk.checks import RULES
from wanjia.register.declared import FOUND_BY_LINKAGE, Check

CHECKS = Path(__file__).resolve().parents[3] / "declared" / "cn" / "checks"


def test_every_declared_check_loads_and_every_rule_is_declared():
    checks = load_folder(CHECKS, Check)
    assert {check.rule for check in checks.values()} == {*RULES, *FOUND_BY_LINKAGE}


def test_mistakes_are_all_reported(tmp_path):
    folder = tmp_path / "checks"
    folder.mkdir()
    (folder / "wrong.toml").write_text(
        'code = "wrong"\nrule = "parent_too_young"\nname = { zh = "一", en = "a" }\nmeaning = { zh = "一", en = "a" }\n'
        "elements = []\nworking_days = 0\n"
    )
    with pytest.raises(DeclarationErrors) as caught:
        load_folder(folder, Check)
    assert {mistake.key for mistake in caught.value.mistakes} == {"elements", "limit", "working_days"}
