"""Pinyin as people type it."""

import time

import pytest

from wanjia.kernel import settings
from wanjia.standards import api as standards

READER = standards.load_profile(settings.PROJECT_ROOT / "declared" / "cn").reader


@pytest.mark.parametrize(
    ("typed", "plain"),
    [
        ("Wáng Wěi", "wang wei"),
        ("wang2wei3", "wang wei"),
        ("lǚ nǚ", "lv nv"),
        ("Lü", "lv"),
        ("lu:3", "lv"),
        ("Ou'yang", "ou yang"),
        ("lyy 1990", "lyy 1990"),
    ],
)
def test_tones_and_signs_go(typed, plain):
    assert standards.without_tones(typed) == plain


@pytest.mark.parametrize(
    ("typed", "ways"),
    [
        ("wangwei", {"wang wei"}),
        ("xian", {"xian", "xi an"}),
        ("wang xian", {"wang xian", "wang xi an"}),
        ("wangq", set()),
        ("", set()),
    ],
)
def test_letters_are_parted_into_syllables(typed, ways):
    found = standards.ways_to_part(typed, READER.syllables)
    assert ways <= set(found) if ways else not found


def test_letters_that_never_come_out_are_given_up_at_once():
    """Tried way by way, thirty xian and a q would outlast the office."""
    began = time.process_time()
    assert standards.ways_to_part("xian" * 30 + "q", READER.syllables) == []
    assert len(standards.ways_to_part("xian" * 30, READER.syllables)) == 24
    assert time.process_time() - began < 0.5
