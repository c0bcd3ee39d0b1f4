"""Divisions are chosen by code, name, pinyin, first letters or English name, on a day; an oracle without any table agrees on every prefix."""

import unicodedata
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wanjia.kernel import settings as house
from wanjia.standards import api as standards

CN = house.PROJECT_ROOT / "declared" / "cn"
NOW = date(2026, 11, 1)


@pytest.fixture(scope="module")
def profile():
    return standards.load_profile(CN)


def codes(profile, typed, on=NOW, limit=10):
    return [one.division.code for one in profile.picker.find(typed, on, limit=limit)]


@pytest.mark.parametrize(
    ("typed", "first"),
    [
        ("990104", "990104"), ("青枫区", "990104"), ("qingfengqu", "990104"), ("Qingfeng District", "990104"), ("望川", "990100"),
        ("青枫区 云台", "990104100"), ("qingfeng yuntai", "990104100"), ("qf yt", "990104100"), ("青枫区云台镇", "990104100"),
        ("望川市青枫区云台镇", "990104100"), ("ＱＩＮＧＦＥＮＧＱＵ", "990104"), ("lanjiang province", "990000"), ("Běijīng", "110000"),
    ],
)  # fmt: skip
def test_what_is_typed_finds_it(profile, typed, first):
    assert codes(profile, typed)[0] == first


def test_whole_words_before_beginnings_and_large_before_small(profile):
    assert codes(profile, "qfq")[:2] == ["511603", "990104"], "both whole, in order of code"
    assert codes(profile, "990104", limit=3) == ["990104", "990104001", "990104002"]


@pytest.mark.parametrize("typed", ["", "   ", "!!!", "zzzzqq", "\u202e", "青枫区 zzzz", "九" * 60, "a" * 10_000])
def test_nothing_fits_nonsense(profile, typed):
    assert codes(profile, typed) == []


def test_a_division_of_another_day_says_what_stood_there(profile):
    (one,) = profile.picker.find("白鹭街道", NOW)
    assert (one.is_valid, [other.code for other in one.instead]) == (False, ["990103009", "990103010"])
    (then,) = profile.picker.find("白鹭街道", date(2020, 1, 1))
    assert then.is_valid
    (ahead,) = profile.picker.find("白鹭东街道", date(2020, 1, 1))
    assert [other.code for other in ahead.instead] == ["990103003"]


@given(st.data())
@settings(max_examples=60, deadline=None)
def test_every_beginning_of_a_name_finds_it_among_those_that_fit(data):
    profile = standards.load_profile(CN)
    rows = [one for one in profile.divisions if one.valid_to is None]
    one = data.draw(st.sampled_from(rows))
    name = data.draw(st.sampled_from([one.code, one.name_zh, one.name_en]))
    typed = name[: data.draw(st.integers(1, len(name)))]

    def plain(text):
        kept = (c for c in unicodedata.normalize("NFKD", text).casefold() if c.isalnum())
        return "".join(kept)

    if not plain(typed) or (" " in typed.strip()):
        return
    found = {pick.division.code for pick in profile.picker.find(typed, NOW, limit=100_000)}
    fitting = {
        r.code for r in rows if any(plain(key).startswith(plain(typed)) for key in (r.code, r.name_zh, r.name_en))
    }
    assert fitting <= found
    assert one.code in found


def test_a_path_may_leave_out_levels_and_endings(profile):
    for typed in ("望川青枫云台镇", "澜江省云台镇", "青枫云台"):
        assert codes(profile, typed) == ["990104100"], typed
    assert codes(profile, "望湖区云台镇") == []
