"""Clusters hold together without chains, and every bar holds."""

import numpy as np
import pytest

from wanjia.linkage.rules import closing
from wanjia.linkage.rules.closing import NodeFacts, Pairs, close, components


def facts(count, number=None, clash=None, uniq=None):
    zero = np.zeros(count, np.int64)
    return NodeFacts(*(zero if v is None else np.array(v, np.int64) for v in (number, clash, uniq)))


def pairs(listed, accepted=None, contradicts=None):
    listed = sorted(listed)
    left, right, weight = (np.array(v) for v in zip(*listed, strict=True))
    weight = weight.astype(float)
    yes = weight > 3 if accepted is None else np.array(accepted)
    bars = np.zeros(len(listed), bool) if contradicts is None else np.array([p[:2] in contradicts for p in listed])
    return Pairs(left, right, weight, weight, yes, bars)


def unscored(one, two):
    """Pairs no rule produced: clearly unlike."""
    return np.full(len(one), -20.0), np.zeros(len(one), bool)


def alike(one, two):
    return np.full(len(one), 10.0), np.zeros(len(one), bool)


def test_components_are_the_connected_sets():
    label = components(7, np.array([5, 1, 2]), np.array([6, 2, 3]))
    assert label.tolist() == [0, 1, 1, 1, 4, 5, 5]


def test_components_of_a_long_chain():
    n = 1000
    assert set(components(n, np.arange(n - 1), np.arange(1, n)).tolist()) == {0}


def test_two_records_join():
    assert close(facts(2), pairs([(0, 1, 10)]), unscored).label.tolist() == [0, 0]


def test_two_sound_numbers_never_join_and_it_is_said():
    closed = close(facts(2, number=[1, 2]), pairs([(0, 1, 30)]), unscored)
    assert closed.label.tolist() == [0, 1]
    assert closed.refused == [(0, closing.TWO_NUMBERS)]


def test_a_record_between_two_numbers_goes_to_the_better():
    closed = close(facts(3, number=[1, 2, 0]), pairs([(0, 2, 12), (1, 2, 9)]), unscored)
    assert closed.label.tolist() == [0, 1, 0]
    assert closed.refused == [(1, closing.TWO_NUMBERS)]


def test_persons_told_apart_under_one_number_stay_apart():
    closed = close(facts(2, clash=[4, 4]), pairs([(0, 1, 30)]), unscored)
    assert closed.label.tolist() == [0, 1]
    assert closed.refused[0][1] == closing.SHARED_NUMBER


def test_one_record_of_a_source_that_holds_nobody_twice():
    closed = close(facts(3, uniq=[1, 1, 2]), pairs([(0, 1, 20), (0, 2, 15), (1, 2, 14)]), unscored)
    assert closed.label.tolist() == [0, 1, 0]
    assert {why for _, why in closed.refused} == {closing.TWO_BASELINE}


def test_a_chain_of_unlike_ends_is_cut():
    closed = close(facts(3), pairs([(0, 1, 10), (1, 2, 8)]), unscored)
    assert closed.label.tolist() == [0, 0, 2]
    assert closed.refused == [(1, closing.UNLIKE)]


def test_a_chain_whose_ends_are_alike_holds():
    assert close(facts(3), pairs([(0, 1, 10), (1, 2, 8)]), alike).label.tolist() == [0, 0, 0]


def test_a_contradiction_inside_a_cluster_splits_it():
    listed = [(0, 1, 10), (0, 2, 12), (1, 2, 9)]
    closed = close(facts(3), pairs(listed, contradicts={(1, 2)}), unscored)
    assert closed.label.tolist() == [0, 1, 0]


def test_a_star_round_a_numbered_person_needs_no_walk():
    closed = close(facts(4, number=[7, 0, 0, 0]), pairs([(0, 1, 9), (0, 2, 9), (0, 3, 9)]), unscored)
    assert closed.label.tolist() == [0, 0, 0, 0]
    assert closed.walked == 0


def test_pairs_below_the_threshold_join_nothing():
    assert close(facts(2), pairs([(0, 1, 1)]), unscored).label.tolist() == [0, 1]


@pytest.mark.parametrize("count", [0, 3])
def test_nothing_to_close(count):
    none = np.zeros(0, np.int64)
    empty = Pairs(none, none, none.astype(float), none.astype(float), none.astype(bool), none.astype(bool))
    assert close(facts(count), empty, unscored).label.tolist() == list(range(count))
