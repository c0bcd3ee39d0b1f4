"""The order of rows is numpy's own stable one, whatever the numbers are."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wanjia.kernel.ordering import order_by


@pytest.mark.parametrize("most", [0, 3, 1 << 20, (1 << 62) - 1])
@pytest.mark.parametrize("least", [0, -2])
@given(data=st.data())
def test_it_is_the_stable_order(data, most, least):
    rows = data.draw(st.integers(0, 40))
    types = data.draw(st.lists(st.sampled_from([np.int64, np.int32, np.int8]), min_size=1, max_size=3))
    keys = []
    for kind in types:
        high = min(most, np.iinfo(kind).max)
        numbers = data.draw(st.lists(st.integers(least, high), min_size=rows, max_size=rows))
        keys.append(np.array(numbers, kind))
    before = [key.copy() for key in keys]
    assert np.array_equal(order_by(*keys), np.lexsort(keys[::-1]))
    assert all(np.array_equal(key, old) for key, old in zip(keys, before, strict=True)), "the keys are the caller's"


def test_numbers_without_sign_have_all_their_bits():
    keys = np.array([3, (1 << 64) - 1, 1 << 63, 3], np.uint64)
    assert order_by(keys).tolist() == [0, 3, 2, 1]
