"""What is certain enough to be decided together: declared, and never on one field."""

import pytest

from wanjia.kernel import settings
from wanjia.kernel.declared import DeclarationErrors, load_file
from wanjia.linkage.api.together import is_certain
from wanjia.linkage.declared import Certain, Linkage, ReviewRules

CN = settings.PROJECT_ROOT / "declared" / "cn"
SAME = Certain("k", None, "same", ["uncertain"], agree=["name", "birth"], least=0.9)
APART = Certain("k", None, "different", ["contradiction"], differ=["name"], most_likely=0.5)
ALIKE = {"name": (6, 14.0), "birth": (4, 13.0), "sex": (1, 1.0), "number": (-1, 0.0)}


@pytest.mark.parametrize(
    ("rule", "probability", "reason", "said", "expected"),
    [
        (SAME, 0.95, "uncertain", ALIKE, True),
        (SAME, 0.89, "uncertain", ALIKE, False),
        (SAME, 0.95, "shared_number", ALIKE, False),
        (SAME, 0.95, "uncertain", ALIKE | {"birth": (-1, 0.0)}, False),
        (SAME, 0.95, "uncertain", ALIKE | {"birth": (0, -8.0)}, False),
        (SAME, 0.95, "uncertain", ALIKE | {"sex": (0, -5.0)}, False),
        (SAME, 0.95, "uncertain", ALIKE | {"address": (0, -0.5)}, True),
        (SAME, 0.95, "uncertain", {}, False),
        (APART, 0.4, "contradiction", ALIKE | {"name": (0, -9.0)}, True),
        (APART, 0.6, "contradiction", ALIKE | {"name": (0, -9.0)}, False),
        (APART, 0.4, "contradiction", ALIKE, False),
        (APART, 0.4, "contradiction", {}, False),
    ],
)
def test_what_is_certain(rule, probability, reason, said, expected):
    assert is_certain(rule, probability, reason, said) is expected


def test_the_shipped_rules_name_what_is_compared():
    features = {f.key for f in load_file(CN / "linkage.toml", Linkage).features if f.is_compared}
    for rule in load_file(CN / "review.toml", ReviewRules).certain:
        assert {*rule.agree, *rule.differ} <= features, rule.key


@pytest.mark.parametrize(
    "wrong",
    [
        'verdict = "same"\nagree = ["name"]',
        'verdict = "same"\nagree = ["name", "birth"]\ndiffer = ["sex"]',
        'verdict = "different"\nagree = ["name"]',
    ],
)
def test_one_field_makes_nothing_certain(tmp_path, wrong):
    text = 'code = "review"\n[[certain]]\nkey = "k"\nname = { zh = "规则", en = "rule" }\nreasons = ["uncertain"]\n'
    (tmp_path / "review.toml").write_text(text + wrong)
    with pytest.raises(DeclarationErrors):
        load_file(tmp_path / "review.toml", ReviewRules)
