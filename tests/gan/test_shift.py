import math

import numpy as np
import pytest
import torch
from scipy import integrate, stats
from scipy.special import expit

from lecture13.gan import objectives, shift


def expectation(function, delta):
    """E_{x ~ N(Δ, 1)} by adaptive quadrature."""
    return integrate.quad(lambda x: stats.norm.pdf(x, delta) * function(x), delta - 12, delta + 12, limit=200)[0]


@pytest.mark.parametrize("delta", [0.0, 0.7, 2.0, 5.0, 8.0])
def test_gradients_are_the_closed_forms(delta):
    def best(x):
        return expit(delta**2 / 2 - delta * x)

    minimax, other = (shift.gradient(o, delta) for o in (objectives.minimax, objectives.non_saturating))
    assert minimax == pytest.approx(delta * expectation(best, delta), rel=1e-5, abs=1e-9)
    assert other == pytest.approx(delta * expectation(lambda x: 1 - best(x), delta), rel=1e-5, abs=1e-9)


@pytest.mark.parametrize("delta", [0.5, 1.5, 4.0])
def test_minimax_gradient_is_the_slope_of_twice_the_divergence(delta):
    """The envelope theorem: at D*, the critic's own change with Δ does not count."""
    step = 1e-3
    slope = (shift.divergence(delta + step) - shift.divergence(delta - step)) / step
    assert shift.gradient(objectives.minimax, delta) == pytest.approx(slope, rel=1e-4)


def test_divergence_runs_from_zero_to_log_two():
    assert shift.divergence(0.0) == 0
    assert shift.divergence(12.0) == pytest.approx(math.log(2), abs=1e-6)
    assert np.all(np.diff([shift.divergence(delta) for delta in np.linspace(0, 6, 13)]) > 0)


def test_densities_and_critic():
    x = torch.linspace(-2, 4, 7).double()
    p, q = shift.densities(1.5, x)
    np.testing.assert_allclose(p, stats.norm.pdf(x.numpy()), rtol=1e-10)
    np.testing.assert_allclose(q, stats.norm.pdf(x.numpy(), 1.5), rtol=1e-10)
    np.testing.assert_allclose(shift.critic(1.5, x), p / (p + q), rtol=1e-10)
