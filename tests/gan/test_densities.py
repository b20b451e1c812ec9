import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, stats
from torch import nn

from lecture13.gan import densities, nets

SEED = torch.Generator


def affine(weight, bias):
    G = nn.Linear(len(weight), len(weight)).double()
    G.weight.data, G.bias.data = torch.tensor(weight).double(), torch.tensor(bias).double()
    return G


class Function(nn.Module):
    def __init__(self, function):
        super().__init__()
        self.function = function

    def forward(self, z):
        return self.function(z)


def test_mixture_density_is_scipys():
    means, stds, weights = [[0.0, 1.0], [2.0, -1.0]], [0.5, 1.5], [0.3, 0.7]
    mixture = densities.Mixture(*(torch.tensor(part, dtype=torch.float64) for part in (means, stds, weights)))
    points = torch.randn(20, 3, 2, generator=SEED().manual_seed(0)).double() * 3
    expected = 0.3 * stats.multivariate_normal([0, 1], 0.25).pdf(points) + 0.7 * stats.multivariate_normal(
        [2, -1], 2.25
    ).pdf(points)
    np.testing.assert_allclose(mixture.log_prob(points).exp(), expected, rtol=1e-10)


def test_samples_follow_the_density():
    mixture = densities.line([-2.0, 1.5], [0.5, 0.7], [0.4, 0.6])
    samples = mixture.sample(4000, SEED().manual_seed(0))[:, 0].numpy()

    def cdf(x):
        return 0.4 * stats.norm.cdf(x, -2, 0.5) + 0.6 * stats.norm.cdf(x, 1.5, 0.7)

    assert stats.kstest(samples, cdf).pvalue > 0.01
    assert stats.kstest(samples + 0.1, cdf).pvalue < 0.01  # the test would see a tenth


def test_chance_comes_from_the_generator_alone():
    torch.manual_seed(0)
    before = torch.get_rng_state()
    first, second = (densities.ring().sample(9, SEED().manual_seed(3)) for _ in range(2))
    assert torch.equal(first, second)
    assert torch.equal(before, torch.get_rng_state())


def test_ring_and_grid_lie_where_they_should():
    ring, grid = densities.ring(8, radius=2.0, std=0.1), densities.grid(5, spacing=1.5)
    assert torch.allclose(ring.means.norm(dim=1), torch.tensor(2.0))
    assert torch.allclose((ring.means - ring.means.roll(1, 0)).norm(dim=1), torch.tensor(4 * math.sin(math.pi / 8)))
    assert grid.means.shape == (25, 2)
    assert torch.allclose(grid.means.mean(0), torch.zeros(2), atol=1e-6)
    assert torch.pdist(grid.means).min().item() == pytest.approx(1.5)
    points, area = densities.plane(4, 160)
    for mixture in (ring, densities.ring(3)):
        assert mixture.log_prob(points).exp().sum().item() * area == pytest.approx(1, abs=1e-3)


@pytest.mark.parametrize(
    ("means", "stds", "weights", "message"),
    [
        (torch.zeros(2), torch.ones(2), torch.ones(2) / 2, "shapes"),
        (torch.zeros(2, 1), torch.ones(3), torch.ones(3) / 3, "shapes"),
        (torch.zeros(2, 1), torch.tensor([1.0, 0.0]), torch.ones(2) / 2, "positive"),
        (torch.zeros(2, 1), torch.ones(2), torch.ones(2), "sum to 2"),
    ],
)
def test_bad_mixtures_say_what_is_wrong(means, stds, weights, message):
    with pytest.raises(ValueError, match=message):
        densities.Mixture(means, stds, weights)


def test_points_of_another_dimension_are_refused():
    with pytest.raises(ValueError, match=r"expected \(\.\.\., 2\)"):
        densities.ring().log_prob(torch.zeros(5, 3))


def test_best_critic_is_p_over_p_plus_q_and_none_is_better():
    p, q = torch.tensor([0.2, 0.5, 0.0, 0.3]), torch.tensor([0.6, 0.5, 0.4, 0.0])
    best = densities.optimal_critic(p.log(), q.log())
    assert torch.allclose(best, torch.tensor([0.25, 0.5, 0.0, 1.0]))
    for d in torch.linspace(0.01, 0.99, 33):  # the claim itself: D* maximises p log D + q log(1 − D)
        assert (p * d.log() + q * (1 - d).log() <= torch.xlogy(p, best) + torch.xlogy(q, 1 - best) + 1e-6).all()
    nowhere = torch.tensor(-math.inf)
    assert densities.optimal_critic(nowhere, nowhere).isnan()


@settings(deadline=None, max_examples=15)
@given(st.floats(-3, 3), st.floats(0.3, 2.0))
def test_divergence_is_scipys_adaptive_quadrature(mean, std):
    edges = densities.bins(-20, 20, 4000)
    x = densities.centres(edges)
    p, q = (densities.line([m], [s]).log_prob(x[:, None]).exp() for m, s in ((0.0, 1.0), (mean, std)))

    def integrand(t):
        a, b = stats.norm.pdf(t), stats.norm.pdf(t, mean, std)
        return 0.5 * (a * np.log(2 * a / (a + b)) + b * np.log(2 * b / (a + b))) if min(a, b) > 0 else 0.0

    exact = integrate.quad(integrand, -12, 12, points=[0, mean], limit=200)[0]
    assert densities.jensen_shannon(p, q, edges.diff()) == pytest.approx(exact, abs=2e-6)


def test_divergence_on_the_plane_factorises():
    """Two densities that differ along one axis only are as far apart as their marginals on it."""
    points, area = densities.plane(7, 200)
    p, q = (
        densities.Mixture(torch.tensor([[m, 0.0]]), torch.ones(1), torch.ones(1)).log_prob(points).exp()
        for m in (0.0, 1.5)
    )
    edges = densities.bins(-12, 12, 2000)
    x = densities.centres(edges)[:, None]
    line = [densities.line([m], [1.0]).log_prob(x).exp() for m in (0.0, 1.5)]
    assert densities.jensen_shannon(p, q, area) == pytest.approx(
        densities.jensen_shannon(*line, edges.diff()), abs=1e-5
    )


def test_divergence_of_equal_and_of_disjoint_densities():
    p, q = torch.tensor([2.0, 0.0, 0.0]), torch.tensor([0.0, 1.0, 1.0])
    assert densities.jensen_shannon(p, p, 0.5) == 0
    assert densities.jensen_shannon(p, q, 0.5) == pytest.approx(math.log(2))
    assert densities.game_value(0.0) == pytest.approx(-math.log(4))
    assert densities.game_value(math.log(2)) == pytest.approx(0)


def test_what_is_no_density_is_refused():
    good = torch.ones(4) / 4
    for bad in (good / 2, torch.tensor([0.75, 0.75, -0.25, -0.25]), torch.full((4,), math.nan)):
        with pytest.raises(ValueError, match="expected a density"):
            densities.jensen_shannon(good, bad, 1.0)


@settings(deadline=None, max_examples=25)
@given(st.lists(st.floats(-30, 30), min_size=6, max_size=6))
def test_no_critic_exceeds_the_best_one(logits):
    p, q = torch.tensor([[0.5, 0.2, 0.1, 0.1, 0.1, 0.0], [0.1, 0.1, 0.3, 0.1, 0.3, 0.1]], dtype=torch.float64)
    best = densities.game_value(densities.jensen_shannon(p, q, 1.0))
    assert densities.expected_value(torch.tensor(logits), p, q, 1.0) <= best + 1e-12
    ideal = densities.optimal_logit(p.log(), q.log()).clamp(-1e3, 1e3)
    assert densities.expected_value(ideal, p, q, 1.0) == pytest.approx(best, abs=1e-9)


@pytest.mark.parametrize(
    ("function", "cdf"),
    [
        (lambda z: -0.7 * z + 1.0, stats.norm(1.0, 0.7).cdf),
        (torch.exp, stats.lognorm(1.0).cdf),
        (torch.square, stats.chi2(1).cdf),  # two roots, and a pole at 0
        (lambda z: torch.zeros_like(z) + 0.25, lambda x: (np.asarray(x) > 0.25).astype(float)),  # collapsed to a point
    ],
    ids=["affine", "lognormal", "folded", "collapsed"],
)
def test_pushforward_is_the_closed_form_in_every_bin(function, cdf):
    edges = torch.linspace(-3, 9, 97).double() + 0.001
    density = densities.pushforward(Function(function), edges, knots=8193)
    np.testing.assert_allclose(density * edges.diff(), np.diff(cdf(edges.numpy())), atol=2e-5)


def test_pushforward_is_the_sum_over_roots():
    """p_g(x) = Σ p_z(z)/|G'(z)| over the three roots of a cubic."""
    density = densities.pushforward(Function(lambda z: z**3 - 2 * z), torch.tensor([0.299, 0.301]), knots=8193)
    roots = np.roots([1, 0, -2, -0.3]).real
    assert density.item() == pytest.approx(sum(stats.norm.pdf(z) / abs(3 * z**2 - 2) for z in roots), rel=1e-3)


def test_pushforward_of_a_net_is_a_histogram_of_its_samples_and_loses_nothing():
    torch.manual_seed(2)
    G = nets.mlp([1, 16, 16, 1], nn.ELU)
    with torch.no_grad():
        for layer in G[::2]:
            layer.weight *= 2
        z = torch.randn(200_000, 1, generator=SEED().manual_seed(0))
        samples = G(z)[:, 0].numpy()
    edges = densities.bins(float(samples.min()), float(samples.max()), 20)
    mass = densities.pushforward(G, edges) * edges.diff()
    assert mass.sum().item() == pytest.approx(1, abs=1e-9)
    counts = np.histogram(samples, edges.numpy())[0] / len(samples)
    np.testing.assert_allclose(mass, counts, atol=5e-3)


def test_bins_catch_what_lies_far_off():
    edges = densities.bins(-1, 1, 10, reach=50)
    assert len(edges) == 13
    mass = densities.pushforward(affine([[0.1]], [20.0]), edges) * edges.diff()
    assert mass[-1].item() == pytest.approx(1)


def test_affine_density_is_scipys():
    G = affine([[1.5, 0.4], [0.0, -0.8]], [0.5, -1.0])
    points = torch.randn(30, 2, generator=SEED().manual_seed(1)).double() * 2
    matrix = G.weight.detach().numpy()
    expected = stats.multivariate_normal([0.5, -1.0], matrix @ matrix.T).logpdf(points.numpy())
    np.testing.assert_allclose(densities.affine_log_prob(G, points).detach(), expected, rtol=1e-9)


def test_affine_generators_without_a_density_are_refused():
    with pytest.raises(ValueError, match="not invertible"):
        densities.affine_log_prob(affine([[1.0, 2.0], [2.0, 4.0]], [0.0, 0.0]), torch.zeros(1, 2))
    with pytest.raises(ValueError, match="2×3"):
        densities.affine_log_prob(nn.Linear(3, 2), torch.zeros(1, 2))
