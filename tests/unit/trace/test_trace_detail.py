"""What may stand in a trace entry."""

import pytest

from wanjia.trace.rules.detail import personal_key


@pytest.mark.parametrize(
    "detail",
    [
        {},
        {"rows": 3, "failed": False},
        {"source": "police_register"},
        {"counts": {"vault.added": 2}, "ids": [1, 2]},
        {"empty": None},
    ],
)
def test_counts_and_codes_may_stand(detail):
    assert personal_key(detail) is None


@pytest.mark.parametrize(
    "value", ["王伟", "99010119850607123X", "no 110105194912310 here", ["ok", "张三"], {"who": "李四"}]
)
def test_names_and_numbers_may_not(value):
    assert personal_key({"rows": 1, "who": value}) == "who"
