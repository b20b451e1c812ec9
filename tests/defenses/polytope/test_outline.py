"""Outlines contain what they must, in the order exact, LP, Algorithm 1; SciPy's hull of samples is the oracle."""

import numpy as np
import pytest
import torch
from scipy.spatial import ConvexHull, Delaunay
from torch import nn

from lecture13.defenses import polytope
from tests.defenses.polytope.nets import mlp


def inside(corners, points, slack=1e-6):
    """Whether every point lies in the convex polygon, widened a little around its middle."""
    middle = corners.mean(0)
    return bool((Delaunay(middle + (1 + slack) * (corners - middle)).find_simplex(points) >= 0).all())


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_each_outline_contains_the_one_before_and_all_outputs(seed):
    network = mlp(seed, (2, 7, 6, 2), scale=2.0)
    image = torch.full((1, 2), 0.3, dtype=torch.float64)
    found = {method: polytope.outline(network, image, 0.4, method=method).numpy() for method in ("exact", "lp", "dual")}
    assert inside(found["lp"], found["exact"]) and inside(found["dual"], found["lp"])
    axis = torch.linspace(-0.4, 0.4, 150, dtype=torch.float64)
    with torch.no_grad():
        outputs = network(image + torch.cartesian_prod(axis, axis)).numpy()
    assert inside(found["exact"], outputs)
    # with many directions, the hull itself but for the corners that they cut off
    close = polytope.outline(network, image, 0.4, method="exact", directions=96).numpy()
    assert ConvexHull(close).volume == pytest.approx(ConvexHull(outputs).volume, rel=0.03)


def test_an_affine_net_gives_its_own_parallelogram():
    network = nn.Sequential(nn.Linear(2, 2)).double()
    with torch.no_grad():
        network[0].weight.copy_(torch.tensor([[1.0, 1.0], [1.0, -1.0]]))
        network[0].bias.copy_(torch.tensor([1.0, 2.0]))
    for method in ("exact", "lp", "dual"):
        corners = polytope.outline(network, torch.zeros(1, 2, dtype=torch.float64), 0.5, method=method, directions=8)
        hull = np.unique(corners.numpy().round(4) + 0.0, axis=0)
        np.testing.assert_allclose(hull, [[0, 2], [1, 1], [1, 3], [2, 2]], atol=1e-3)


def test_bad_input():
    network, image = mlp(0, (2, 4, 2)), torch.zeros(1, 2, dtype=torch.float64)
    for options, message in (
        ({"method": "crown"}, "unknown method 'crown'"),
        ({"directions": 7}, "directions=7"),
        ({"directions": 2}, "directions=2"),
    ):
        with pytest.raises(ValueError, match=message):
            polytope.outline(network, image, 0.1, **options)
    with pytest.raises(ValueError, match="epsilon=0"):
        polytope.outline(network, image, 0.0)
    with pytest.raises(ValueError, match="holds 2 inputs"):
        polytope.outline(network, image.expand(2, -1), 0.1)
    with pytest.raises(ValueError, match="expected two outputs"):
        polytope.outline(mlp(0, (2, 4, 3)), image, 0.1)
