"""Identity numbers made and spoilt in bulk, against an independent library."""

import numpy as np
import pytest
from stdnum.cn import ric, uscc

from wanjia.city import calendar, chance, numbers
from wanjia.city.exports.insurance import credit_codes


@pytest.fixture(scope="module")
def made() -> np.ndarray:
    rng = chance.stream(1, "test")
    size = 500
    birth = rng.integers(calendar.day(1925, 1, 1), calendar.day(2026, 1, 1), size).astype(np.int32)
    return numbers.make(np.full(size, 330106), birth, rng.integers(1, 3, size))


def _texts(rows: np.ndarray) -> list[str]:
    return numbers.texts(rows).to_pylist()


def test_numbers_pass_an_independent_validator(made):
    # not ric.is_valid: it also asks whether the county existed at birth, but numbers carry the place of first registration
    assert all(ric.calc_check_digit(text) == text[-1] for text in _texts(made))
    assert all(ric.get_birth_date(text).strftime("%Y%m%d") == text[6:14] for text in _texts(made))


def test_numbers_say_sex_and_birth():
    rows = numbers.make(
        np.array([990102, 990102]), np.array([calendar.day(1987, 3, 5)] * 2, dtype=np.int32), np.array([1, 2])
    )
    man, woman = _texts(rows)
    assert man[:14] == woman[:14] == "99010219870305"
    assert int(man[16]) % 2 == 1
    assert int(woman[16]) % 2 == 0


def test_twins_get_neighbouring_numbers_that_differ():
    rows = numbers.make(
        np.array([990102] * 2), np.array([calendar.day(2019, 3, 5)] * 2, dtype=np.int32), np.array([2, 2])
    )
    first, second = (int(text[14:17]) for text in _texts(rows))
    assert second - first == 2


def test_a_later_series_shares_no_number_with_the_first():
    birth = np.full(60, calendar.day(1990, 5, 1), dtype=np.int32)
    args = (np.full(60, 990103), birth, np.full(60, 1))
    assert not set(_texts(numbers.make(*args))) & set(_texts(numbers.make(*args, first=120)))


def test_more_births_than_a_sequence_holds_are_refused():
    with pytest.raises(ValueError, match="sequence"):
        numbers.make(np.full(101, 990103), np.full(101, 7000, dtype=np.int32), np.full(101, 1))


@pytest.mark.parametrize("spoil", [numbers.transpose, numbers.miss_digit, numbers.wrong_check])
def test_spoilt_numbers_differ_and_fail_the_check(made, spoil):
    spoilt = spoil(made, chance.stream(2, "spoil"))
    assert (spoilt != made).any(axis=1).all()
    assert not (numbers.check_characters(spoilt) == spoilt[:, 17]).any()


def test_first_generation_numbers_have_15_digits(made):
    old = _texts(numbers.first_generation(made))
    whole = _texts(made)
    assert all(a == b[:6] + b[8:17] for a, b in zip(old, whole, strict=True))


def test_missing_numbers_are_null(made):
    missing = np.zeros(len(made), dtype=bool)
    missing[3] = True
    assert numbers.texts(made, missing).null_count == 1


def test_employers_codes_pass_an_independent_validator():
    codes = credit_codes(40, 1)
    assert all(uscc.is_valid(code) for code in codes)
    assert len(set(codes)) == 40
