import math

import numpy as np
import pytest

from lecture13 import estimates


def test_wilson_interval_as_in_its_closed_form():
    estimate = estimates.share(7, 40)
    z, p, n = 1.959963984540054, 7 / 40, 40
    centre = (p + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    assert (estimate.low, estimate.high) == pytest.approx((centre - half, centre + half))
    assert estimates.share(0, 40).high > 0.05  # none of 40 is no proof of never


def test_what_is_left_of_a_share_is_the_share_of_the_others():
    left, others = estimates.share(7, 40).complement, estimates.share(33, 40)
    assert (left.value, left.low, left.high) == pytest.approx((others.value, others.low, others.high))
    assert math.isnan(estimates.share(0, 0).complement.value)


def test_bootstrap_interval_is_close_to_the_normal_one_and_repeats():
    values = np.random.default_rng(1).normal(3, 2, 400)
    estimate = estimates.mean(values)
    half = 1.96 * values.std() / 20
    assert (estimate.low, estimate.high) == pytest.approx((values.mean() - half, values.mean() + half), abs=0.03)
    assert estimates.mean(values) == estimate
    assert estimates.mean(np.full(5, 0.25)) == estimates.Estimate(0.25, 0.25, 0.25)


def test_balanced_accuracy_is_the_mean_of_two_shares_with_their_joint_error():
    found = estimates.balanced(80, 100, 540, 600)
    assert found.value == pytest.approx((0.8 + 0.9) / 2)
    half = 1.96 * 0.5 * math.sqrt(0.8 * 0.2 / 100 + 0.9 * 0.1 / 600)
    assert (found.low, found.high) == pytest.approx((found.value - half, found.value + half), abs=0.01)
    assert estimates.balanced(80, 100, 540, 600) == found
    assert math.isnan(estimates.balanced(0, 0, 5, 5).value) and math.isnan(estimates.balanced(5, 5, 0, 0).value)
