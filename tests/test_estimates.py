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


def test_bootstrap_interval_is_close_to_the_normal_one_and_repeats():
    values = np.random.default_rng(1).normal(3, 2, 400)
    estimate = estimates.mean(values)
    half = 1.96 * values.std() / 20
    assert (estimate.low, estimate.high) == pytest.approx((values.mean() - half, values.mean() + half), abs=0.03)
    assert estimates.mean(values) == estimate
    assert estimates.mean(np.full(5, 0.25)) == estimates.Estimate(0.25, 0.25, 0.25)
