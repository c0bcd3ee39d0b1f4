"""Names: frequencies, cohorts, and the ways they are miswritten."""

import numpy as np
import pytest

from wanjia.city import calendar, chance, names


@pytest.fixture
def rng() -> np.random.Generator:
    return chance.stream(5, "names test")


def test_five_surnames_make_up_three_tenths_as_in_the_register(rng):
    table, _ = names.surname_table()
    drawn = np.array(table, dtype=object)[names.draw_surnames(rng, 40_000)]
    top = np.isin(drawn, ["王", "李", "张", "刘", "陈"]).mean()
    assert top == pytest.approx(0.306, abs=0.015)
    assert (drawn == "于").mean() == pytest.approx(0.0049, abs=0.0015)
    assert any(len(name) == 2 for name in drawn)  # compound surnames


def test_given_names_follow_the_cohort(rng):
    _table, position = names.characters()
    size = 4000
    women = np.full(size, 2)

    def share(character: str, year: int) -> float:
        first, second = names.draw_given(rng, np.full(size, calendar.day(year, 6, 1), dtype=np.int32), women)
        return float(((first == position[character]) | (second == position[character])).mean())

    assert share("秀", 1955) > 5 * share("秀", 2015)
    assert share("梓", 2015) > 5 * share("梓", 1955)


def test_a_homophone_keeps_the_surname_and_the_sound(rng):
    for _ in range(50):
        changed = names.as_homophone("王建伟", rng)
        assert changed[0] == "王"
        place = next(i for i in range(3) if changed[i] != "王建伟"[i])
        assert changed[place] in names.sounding_alike()["王建伟"[place]]


def test_a_look_alike_is_in_the_list_both_ways(rng):
    assert names.as_look_alike("末", rng) == "未"
    assert names.as_look_alike("未", rng) == "末"
    assert names.as_look_alike("囍", rng) == "囍"


def test_a_variant_is_the_other_legal_spelling(rng):
    assert names.as_variant("肖红", rng) == "萧红"


def test_names_of_parts_have_the_middle_dot():
    parts = names.NameParts(np.array([0, 0]), np.array([1, 2]), np.array([3, -1]), np.array([names.UYGHUR, names.HAN]))
    uyghur, han = names.spelled(parts, np.array([1, 2])).to_pylist()
    assert "·" in uyghur
    assert len(han) == 2
