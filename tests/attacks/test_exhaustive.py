"""The exhaustive search against distances known in closed form: half-planes, a polyhedron, discs."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from lecture13.attacks.exhaustive import nearest_crossing
from tests.attacks.small import linear, predict


@settings(deadline=None, max_examples=15)
@given(st.integers(0, 10**6), st.sampled_from([2, 3, 6]))
def test_affine_classifiers_have_the_distance_to_the_nearest_face(seed, classes):
    model = linear(classes, 2, seed)
    points = torch.rand(20, 2, generator=torch.Generator().manual_seed(seed), dtype=torch.float64) - 0.5
    weight, bias = model[1].weight.detach(), model[1].bias.detach()
    scores = points @ weight.T + bias
    own = scores.argmax(1)
    gaps = scores.gather(1, own[:, None]) - scores
    distances = gaps / (weight[own][:, None] - weight).norm(dim=2)
    distances[torch.arange(20), own] = torch.inf
    expected = distances.amin(1)
    near = expected < 1.0  # others have theirs outside the square
    found = nearest_crossing(model, points[near], extent=1.5, resolution=301)
    torch.testing.assert_close((found - points[near]).norm(dim=1), expected[near], rtol=1e-2, atol=2e-4)
    assert ((found - points[near]).norm(dim=1) >= expected[near] - 1e-9).all()
    assert (predict(model, found) != own[near]).all()


def test_discs_from_inside_and_outside():
    def model(points):  # class 1 inside a disc of radius 0.5
        inside = 0.5 - points.norm(dim=1, keepdim=True)
        return torch.cat([-inside, inside], 1)

    points = torch.tensor([[0.1, 0.0], [0.0, -0.4], [0.6, 0.6], [0.0, 0.9]], dtype=torch.float64)
    found = nearest_crossing(model, points, extent=1.6)
    expected = (points.norm(dim=1) - 0.5).abs()
    torch.testing.assert_close((found - points).norm(dim=1), expected, rtol=1e-3, atol=1e-5)
    torch.testing.assert_close(found, 0.5 * points / points.norm(dim=1, keepdim=True), rtol=0, atol=0.04)


def test_a_finer_grid_is_never_much_worse_and_ends_at_the_closed_form():
    model, point = linear(2, 2, 3), torch.zeros(1, 2, dtype=torch.float64)
    weight, bias = model[1].weight.detach(), model[1].bias.detach()
    expected = float((bias[0] - bias[1]).abs() / (weight[0] - weight[1]).norm())
    errors = [
        float(nearest_crossing(model, point, extent=2 * expected, resolution=r, neighbours=1).norm()) - expected
        for r in (11, 101, 1001)
    ]
    assert errors[2] < 1e-4 * expected
    for error, resolution in zip(errors, (11, 101, 1001), strict=True):
        assert -1e-9 <= error <= 2**0.5 * 4 * expected / (resolution - 1)


def test_no_points():
    assert nearest_crossing(linear(3, 2), torch.zeros(0, 2), extent=1.0).shape == (0, 2)


@pytest.mark.parametrize(
    ("points", "options", "message"),
    [
        (torch.zeros(2, 3), {"extent": 1.0}, r"shape \(2, 3\); expected \(N, 2\)"),
        (torch.full((1, 2), 2.0), {"extent": 1.0}, "outside bounds"),
        (torch.zeros(1, 2), {"extent": 0.0}, "extent=0"),
        (torch.zeros(1, 2), {"extent": 1.0, "resolution": 1}, "resolution=1"),
        (torch.zeros(1, 2), {"extent": 1.0, "neighbours": 0}, "neighbours=0"),
        (torch.zeros(1, 2), {"extent": 0.1}, "fills the square"),
        (torch.tensor([[-0.9, 0.0]]), {"extent": 1.0}, r"0\.1 from the side of the square"),
    ],
)
def test_bad_input_is_named(points, options, message):
    def model(points):  # class 1 right of 0.5
        return torch.stack([0.5 - points[:, 0], points[:, 0] - 0.5], 1)

    with pytest.raises(ValueError, match=message):
        nearest_crossing(model, points, **options)
