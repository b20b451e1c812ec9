import math

import numpy as np
import ot
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linear_sum_assignment
from scipy.stats import norm, wasserstein_distance, wasserstein_distance_nd

from lecture13.gan import densities, nets, transport

SHAPES = st.tuples(st.integers(1, 12), st.integers(1, 12), st.integers(1, 4), st.integers(0, 10**6))


def clouds(shape):
    """Two clouds of points, of different spread and place."""
    first, second, dimensions, seed = shape
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(first, dimensions, generator=generator, dtype=torch.float64)
    y = torch.randn(second, dimensions, generator=generator, dtype=torch.float64)
    return x, 2 * y + 1


def given_clouds(test):
    return settings(max_examples=25, deadline=None)(given(SHAPES.map(clouds))(test))


@given_clouds
def test_agrees_with_scipys_linear_program(pair):
    x, y = pair
    expected = wasserstein_distance_nd(x.numpy(), y.numpy())
    assert transport.wasserstein(x, y) == pytest.approx(expected, rel=1e-6, abs=1e-9)


@given_clouds
def test_plan_moves_all_mass_and_its_potential_proves_it_optimal(pair):
    x, y = pair
    plan = transport.plan(x, y)
    np.testing.assert_allclose(plan.mass.sum(1), 1 / len(x), atol=1e-12)
    np.testing.assert_allclose(plan.mass.sum(0), 1 / len(y), atol=1e-12)
    gap = plan.potential(x).mean() - plan.potential(y).mean()
    assert gap.item() == pytest.approx(plan.distance, rel=1e-8, abs=1e-9)
    assert plan.potential(y).mean().item() == pytest.approx(0, abs=1e-9)


@given_clouds
def test_potential_is_lipschitz(pair):
    x, y = pair
    points = torch.cat([x, y, torch.linspace(-4, 4, 20, dtype=torch.float64)[:, None].expand(-1, x.shape[1])])
    height = transport.plan(x, y).potential(points)
    slope = (height[:, None] - height).abs() - torch.cdist(points, points, compute_mode="donot_use_mm_for_euclid_dist")
    assert slope.max() <= 1e-9


@given_clouds
def test_is_symmetric_zero_on_itself_and_moves_with_a_translation(pair):
    x, y = pair
    distance = transport.wasserstein(x, y)
    assert transport.wasserstein(y, x) == pytest.approx(distance, rel=1e-9)
    assert transport.wasserstein(x, x.flip(0)) == pytest.approx(0, abs=1e-12)
    shift = torch.arange(1, x.shape[1] + 1).double()
    assert transport.wasserstein(x + shift, y + shift) == pytest.approx(distance, rel=1e-9)
    assert transport.wasserstein(x, x + shift) == pytest.approx(shift.norm().item(), rel=1e-9)
    assert transport.wasserstein(3 * x, 3 * y) == pytest.approx(3 * distance, rel=1e-9)


@given_clouds
def test_obeys_the_triangle_inequality(pair):
    x, y = pair
    between = torch.cat([x, -y])
    way_round = transport.wasserstein(x, between) + transport.wasserstein(between, y)
    assert transport.wasserstein(x, y) <= way_round + 1e-9


@given_clouds
def test_no_network_sees_more_than_its_lipschitz_constant_allows(pair):
    """Kantorovich and Rubinstein: the estimate of a K-Lipschitz critic, by K, is at most W₁."""
    x, y = pair
    torch.manual_seed(len(x))
    critic = nets.Critic(x.shape[1], (16, 16), torch.nn.ReLU).double()
    bound = transport.lipschitz_bound(critic)
    assert transport.estimate(critic, x, y, lipschitz=bound) <= transport.wasserstein(x, y) + 1e-12


def test_estimate_is_the_distance_for_the_best_critic_whatever_its_constant():
    x, y = clouds((40, 30, 2, 1))
    plan = transport.plan(x, y)
    assert transport.estimate(plan.potential, x, y) == pytest.approx(plan.distance)
    steep = transport.estimate(lambda points: 5 * plan.potential(points), x, y, lipschitz=5.0)
    assert steep == pytest.approx(plan.distance)


def test_matching_of_equal_samples_is_the_best_assignment():
    x, y = clouds((60, 60, 2, 3))
    plan = transport.plan(x, y)
    _, best = linear_sum_assignment(torch.cdist(x, y).numpy())
    assert plan.matching.tolist() == best.tolist()


def test_a_large_sample_is_nowhere_from_itself():
    x, _ = clouds((200, 1, 2, 5))
    assert transport.wasserstein(x, x.flip(0)) == pytest.approx(0, abs=1e-14)
    images = torch.rand(40, 3, 8, 8, generator=torch.Generator().manual_seed(0))
    assert transport.wasserstein(images, images.flip(0)) == pytest.approx(0, abs=1e-6)


def test_weights_are_masses():
    x, y = torch.tensor([[0.0, 0.0], [1.0, 0.0]]), torch.tensor([[0.0, 3.0]])
    assert transport.wasserstein(x, y, x_weights=torch.tensor([2.0, 0.0])) == pytest.approx(3.0)
    weights, cost = torch.tensor([0.2, 0.8]), torch.cdist(x, y).double()
    expected = ot.emd2(weights.double().numpy(), np.ones(1), cost.numpy())
    assert transport.wasserstein(x, y, x_weights=weights) == pytest.approx(expected, rel=1e-6)
    line = torch.tensor([[0.0], [1.0], [5.0]])
    expected = wasserstein_distance([0, 1, 5], [0, 1, 5], [1, 2, 1], [1, 1, 1])
    assert transport.wasserstein(line, line, x_weights=torch.tensor([1.0, 2.0, 1.0])) == pytest.approx(expected)


def test_images_are_points_of_as_many_dimensions_as_pixels():
    generator = torch.Generator().manual_seed(0)
    x, y = torch.rand(20, 3, 8, 8, generator=generator), torch.rand(15, 3, 8, 8, generator=generator)
    cost = ot.dist(x.flatten(1).double().numpy(), y.flatten(1).double().numpy(), metric="euclidean")
    assert transport.wasserstein(x, y) == pytest.approx(ot.emd2([], [], cost), rel=1e-9)
    assert transport.wasserstein(x, x + 0.1) == pytest.approx(0.1 * math.sqrt(3 * 8 * 8), rel=1e-5)


@pytest.mark.parametrize(("mean", "std"), [(2.5, 1.0), (0.0, 2.0), (-1.0, 0.5)])
def test_densities_of_normals_have_their_closed_form(mean, std):
    """W₁ = E|μ + (σ − 1)Z|, because on the line the best map is monotone."""
    edges = torch.linspace(-15, 15, 3001, dtype=torch.float64)
    x = densities.centres(edges).numpy()
    p, q = torch.tensor(norm.pdf(x)), torch.tensor(norm.pdf(x, mean, std))
    folded = norm.expect(lambda z: abs(mean + (std - 1) * z), lb=-12, ub=12)
    assert transport.between_densities(p, q, edges) == pytest.approx(folded, rel=1e-4)


def test_densities_in_bins_of_unequal_width():
    edges = torch.tensor([0.0, 1.0, 3.0, 4.0])
    p, q = torch.tensor([1.0, 0.0, 0.0]), torch.tensor([0.0, 0.5, 0.0])
    assert transport.between_densities(p, q, edges) == pytest.approx(1.5)  # from 0.5 to 2


def test_lipschitz_bound_of_linear_maps_is_their_norm():
    layer = torch.nn.Linear(3, 2)
    sigma = np.linalg.norm(layer.weight.detach().numpy(), 2)
    assert transport.lipschitz_bound(layer) == pytest.approx(sigma, rel=1e-6)
    deep = torch.nn.Sequential(layer, torch.nn.ReLU(), torch.nn.Sequential(torch.nn.Linear(2, 1), torch.nn.Tanh()))
    last = np.linalg.norm(deep[2][0].weight.detach().numpy(), 2)
    assert transport.lipschitz_bound(deep) == pytest.approx(sigma * last, rel=1e-6)
    with pytest.raises(TypeError, match="1 is a BatchNorm1d"):
        transport.lipschitz_bound(torch.nn.Sequential(layer, torch.nn.BatchNorm1d(2)))


@pytest.mark.parametrize("measure", [transport.wasserstein, transport.plan])
@pytest.mark.parametrize(
    ("x", "y", "message"),
    [
        (torch.zeros(0, 2), torch.zeros(3, 2), r"x has the shape \(0, 2\)"),
        (torch.zeros(3), torch.zeros(3), r"x has the shape \(3,\); expected \(N, d\)"),
        (torch.zeros(3, 2), torch.zeros(3, 1), r"shape \(2,\), y of shape \(1,\)"),
        (torch.zeros(3, 1, 2, 2), torch.zeros(3, 4), r"shape \(1, 2, 2\), y of shape \(4,\)"),
        (torch.zeros(3, 2), torch.full((3, 2), math.nan), "y holds NaN"),
    ],
)
def test_samples_that_do_not_fit_are_refused(measure, x, y, message):
    with pytest.raises(ValueError, match=message):
        measure(x, y)


@pytest.mark.parametrize("weights", [torch.ones(2), torch.tensor([1.0, -1.0, 1.0]), torch.zeros(3)])
def test_weights_that_do_not_fit_are_refused(weights):
    for dimensions in (1, 2):
        with pytest.raises(ValueError, match=r"x_weights has .* expected"):
            transport.wasserstein(torch.rand(3, dimensions), torch.rand(3, dimensions), x_weights=weights)


def test_a_bad_grid_constant_or_sample_is_refused():
    p, edges = torch.ones(2), torch.tensor([0.0, 1.0, 2.0])
    with pytest.raises(ValueError, match="expected B, B and B"):
        transport.between_densities(p, p, edges[:2])
    with pytest.raises(ValueError, match="increase"):
        transport.between_densities(p, p, edges.flip(0))
    with pytest.raises(ValueError, match=r"q has values from -1 to 1"):
        transport.between_densities(p, torch.tensor([1.0, -1.0]), edges)
    with pytest.raises(ValueError, match="lipschitz=0"):
        transport.estimate(torch.sum, p, p, lipschitz=0)
    with pytest.raises(ValueError, match="0 real and 2 generated"):
        transport.estimate(torch.sum, p[:0], p)
