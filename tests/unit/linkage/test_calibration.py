"""Weights become probabilities that mean what they say, and thresholds follow from the error allowed."""

import numpy as np
import pytest

from wanjia.linkage.rules.calibration import (
    choose_thresholds,
    compete,
    fit_curve,
    model_curve,
    plain_probability,
)

NONE = np.zeros(2, np.int64)


def test_two_equal_candidates_of_which_one_can_be_true_are_even():
    left, right, weight = np.array([0, 0]), np.array([1, 2]), np.array([20.0, 20.0])
    contending = compete(left, right, weight, NONE, np.array([1, 1]))
    assert plain_probability(contending) == pytest.approx([0.5, 0.5])


def test_candidates_that_may_be_the_same_person_do_not_compete():
    left, right, weight = np.array([0, 0]), np.array([1, 2]), np.array([20.0, 20.0])
    assert compete(left, right, weight, NONE, NONE) == pytest.approx(weight)


def test_a_far_better_candidate_keeps_its_weight_and_takes_the_others():
    left, right, weight = np.array([0, 0]), np.array([1, 2]), np.array([25.0, 5.0])
    strong, weak = compete(left, right, weight, NONE, np.array([1, 1]))
    assert strong == pytest.approx(25 - np.log2(33))
    assert weak == pytest.approx(-20, abs=0.01)


def test_candidates_of_different_classes_do_not_compete():
    left, right, weight = np.array([0, 0]), np.array([1, 2]), np.array([20.0, 20.0])
    assert compete(left, right, weight, NONE, np.array([1, 2])) == pytest.approx(weight)


def test_curve_follows_the_judged_pairs_and_never_falls():
    rng = np.random.default_rng(7)
    weight = rng.uniform(-10, 10, 5000)
    truth = rng.random(5000) < plain_probability(weight - 3)
    curve = fit_curve(weight, truth)
    assert np.all(np.diff(curve.probabilities) >= 0)
    assert curve.at(np.array([3.0]))[0] == pytest.approx(0.5, abs=0.12)
    assert curve.at(np.array([-9.0]))[0] < 0.05
    assert curve.at(np.array([9.5]))[0] > 0.95


def test_curve_stays_level_between_the_ends_of_a_step():
    weight = np.r_[np.full(100, -5.0), np.full(100, 8.0), np.full(100, 30.0)]
    truth = np.r_[np.zeros(100, bool), np.ones(200, bool)]
    assert fit_curve(weight, truth).at(np.array([8.0]))[0] > 0.99


def test_threshold_allows_just_the_declared_error():
    weight = np.r_[np.full(1000, 10.0), np.full(100, 5.0)]
    truth = np.r_[np.ones(1000, bool), np.ones(95, bool), np.zeros(5, bool)]
    chosen = choose_thresholds(
        weight, truth, curve=fit_curve(weight, truth), false_links=0.01, least_probability=0.9, review_floor=0.1
    )
    assert chosen.link == 5.0
    assert chosen.estimated_false_links == pytest.approx(5 / 1100)
    strict = choose_thresholds(
        weight, truth, curve=fit_curve(weight, truth), false_links=0.001, least_probability=0.9, review_floor=0.1
    )
    assert strict.link == 10.0
    assert strict.review == 5.0


def test_no_single_link_may_hide_behind_a_good_average():
    weight = np.r_[np.full(10_000, 12.0), np.full(50, 2.0)]
    truth = np.r_[np.ones(10_000, bool), np.tile([True, False], 25)]
    chosen = choose_thresholds(
        weight, truth, curve=fit_curve(weight, truth), false_links=0.01, least_probability=0.9, review_floor=0.1
    )
    assert chosen.link == 12.0


def test_without_judged_pairs_the_model_is_believed():
    weight = np.array([10.0, 10.0, 0.0, -5.0])
    chosen = choose_thresholds(
        weight, None, curve=model_curve(), false_links=0.01, least_probability=0.9, review_floor=0.3
    )
    assert chosen.link == 10.0
    assert chosen.judged == 0
    assert -2 <= chosen.review <= 0


def test_no_pairs_no_links():
    empty = np.zeros(0)
    chosen = choose_thresholds(
        empty, None, curve=model_curve(), false_links=0.01, least_probability=0.9, review_floor=0.3
    )
    assert chosen.link > 50
