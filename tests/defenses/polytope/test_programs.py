"""dual ≤ LP ≤ MILP, and the MILP against brute force."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from lecture13 import attacks
from lecture13.defenses import polytope
from tests.defenses.polytope.nets import mlp, pixels

few = settings(deadline=None, max_examples=8)
TOLERANCE = 1e-5  # HiGHS allows itself 1e-6


def small_convnet(seed):
    torch.manual_seed(seed)
    layers = [nn.Conv2d(1, 2, 2), nn.ReLU(), nn.Conv2d(2, 2, 2), nn.ReLU(), nn.Flatten(), nn.Linear(8, 3)]
    return nn.Sequential(*layers).double()


@few
@given(st.integers(0, 10**6), st.floats(0.01, 0.5), st.booleans(), st.booleans())
def test_dual_below_lp_below_milp_below_attacks(seed, epsilon, conv, box):
    network = small_convnet(seed) if conv else mlp(seed, (4, 5, 4, 3), scale=2.0)
    generator = torch.Generator().manual_seed(seed)
    shape = (2, 1, 4, 4) if conv else (2, 4)
    images = torch.rand(shape, generator=generator, dtype=torch.float64)
    labels = torch.randint(0, 3, (2,), generator=generator)
    limits = (0.0, 1.0) if box else None
    dual, lp, milp = (
        method(network, images, labels, epsilon, box=limits)
        for method in (polytope.margins, polytope.lp_margins, polytope.milp_margins)
    )
    assert (dual <= lp + TOLERANCE).all() and (lp <= milp + TOLERANCE).all()
    found = attacks.pgd(network, images, labels, epsilon, bounds=limits, generator=generator)
    with torch.no_grad():
        logits = network(found)
    assert (milp <= logits.gather(1, labels[:, None]) - logits + TOLERANCE).all()
    every = [method(network, images, epsilon, box=limits) for method in
             (polytope.bounds, polytope.lp_bounds, polytope.milp_bounds)]  # fmt: skip
    for (low, high), (lp_low, lp_high), (least, most) in zip(*every, strict=True):
        assert (low <= lp_low + TOLERANCE).all() and (lp_low <= least + TOLERANCE).all()
        assert (least <= most + TOLERANCE).all()
        assert (most <= lp_high + TOLERANCE).all() and (lp_high <= high + TOLERANCE).all()
    # up to the second layer the relaxation loses nothing but the triangles: the first is exact
    torch.testing.assert_close(every[0][0], every[2][0], atol=TOLERANCE, rtol=0)


@few
@given(st.integers(0, 10**6), st.floats(0.05, 0.6))
def test_milp_is_what_a_fine_grid_finds(seed, epsilon):
    network = mlp(seed, (2, 6, 5, 3), scale=2.0)
    images, labels = pixels(network, 1, seed)
    axis = torch.linspace(-epsilon, epsilon, 301, dtype=torch.float64)
    with torch.no_grad():
        logits = network(images + torch.cartesian_prod(axis, axis))
    least = (logits[:, labels] - logits).amin(0)
    exact = polytope.milp_margins(network, images, labels, epsilon)[0]
    steepest = 1.0
    for layer in network[::2]:
        steepest *= float(layer.weight.detach().abs().sum(1).max())
    gap = 2 * steepest * epsilon / 300
    assert (exact <= least + TOLERANCE).all() and (exact >= least - gap - TOLERANCE).all()


def test_the_exact_value_is_monotone_in_epsilon():
    network = mlp(5, (3, 6, 6, 3), scale=2.0)
    images, labels = pixels(network, 1)
    values = torch.stack([polytope.milp_margins(network, images, labels, 0.1 * step)[0] for step in range(6)])
    assert (values.diff(dim=0) <= TOLERANCE).all() and (values.diff(dim=0) < -0.01).any()


def test_without_a_ball_all_three_are_the_logits():
    network = mlp(1)
    images, labels = pixels(network, 2)
    with torch.no_grad():
        logits = network(images)
    for found in (polytope.lp_bounds(network, images, 0.0)[-1], polytope.milp_bounds(network, images, 0.0)[-1]):
        for each in found:
            torch.testing.assert_close(each, logits, atol=TOLERANCE, rtol=0)
    expected = logits.gather(1, labels[:, None]) - logits
    torch.testing.assert_close(polytope.lp_margins(network, images, labels, 0.0), expected, atol=TOLERANCE, rtol=0)


def test_a_network_without_relus_and_one_for_each_epsilon():
    layer = nn.Linear(4, 3, dtype=torch.float64)
    images, labels = torch.rand(2, 4, dtype=torch.float64), torch.tensor([0, 2])
    epsilon = torch.tensor([0.1, 0.3], dtype=torch.float64)
    for found in (polytope.lp_margins, polytope.milp_margins):
        torch.testing.assert_close(
            found(layer, images, labels, epsilon), polytope.margins(layer, images, labels, epsilon), atol=1e-6, rtol=0
        )


def test_large_networks_and_bad_input_are_refused():
    with pytest.raises(ValueError, match=r"3010 units; expected at most 2000"):
        polytope.milp_bounds(nn.Sequential(nn.Linear(2, 3000), nn.ReLU(), nn.Linear(3000, 10)), torch.zeros(1, 2), 0.1)
    with pytest.raises(ValueError, match="label 4 is out of range"):
        polytope.lp_margins(mlp(0), torch.zeros(1, 6, dtype=torch.float64), torch.tensor([4]), 0.1)
