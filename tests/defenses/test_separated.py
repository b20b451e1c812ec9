"""The toy: points as far apart as the paper wants them, and the net that it trains."""

import pytest
import torch

from lecture13.defenses.separated import fully_connected, separated_points


@pytest.mark.parametrize("seed", range(5))
def test_points_are_so_far_apart_that_their_squares_do_not_meet(seed):
    points, labels = separated_points(12, 0.16, seed=seed)
    assert points.shape == (12, 2) and points.min() >= 0 and points.max() <= 1
    apart = (points[:, None] - points[None]).abs() + 10 * torch.eye(12)[..., None]
    assert apart.sum(2).min() > 0.32  # ℓ1
    assert apart.amax(2).min() > 0.16  # ℓ∞, twice the paper's ε
    assert set(labels.tolist()) == {0, 1} and labels.dtype == torch.int64
    again, same = separated_points(12, 0.16, seed=seed)
    assert torch.equal(points, again) and torch.equal(labels, same)


def test_points_that_do_not_fit_are_said():
    with pytest.raises(ValueError, match=r"of 50 points fit, 0\.8 apart"):
        separated_points(50, 0.4)
    with pytest.raises(ValueError, match="count=0"):
        separated_points(0)
    with pytest.raises(ValueError, match=r"radius=-0\.1"):
        separated_points(3, -0.1)
    assert len(separated_points(1)[1]) == 1


def test_the_net_has_a_relu_between_its_layers_and_leaves_chance_alone():
    before = torch.get_rng_state()
    net = fully_connected(2, 5, 7, 3, seed=1)
    assert torch.equal(before, torch.get_rng_state())
    assert [type(layer).__name__ for layer in net] == ["Linear", "ReLU", "Linear", "ReLU", "Linear"]
    assert [tuple(layer.weight.shape) for layer in net[::2]] == [(5, 2), (7, 5), (3, 7)]
    assert torch.equal(net[0].weight, fully_connected(2, 5, 7, 3, seed=1)[0].weight)
    assert not torch.equal(net[0].weight, fully_connected(2, 5, 7, 3, seed=2)[0].weight)
    with pytest.raises(ValueError, match=r"widths=\(2,\)"):
        fully_connected(2)
