"""The 2-D toy of Wong & Kolter 2018: points in the unit square, so far apart that no two balls of ε meet."""

import itertools

import torch
from torch import Tensor, nn

from lecture13 import guard


def separated_points(count: int = 12, radius: float = 0.16, *, seed: int = 0) -> tuple[Tensor, Tensor]:
    """Points whose ℓ1 distances are all above ``2·radius``, with a class each, drawn by chance.

    Two such points lie more than ``radius`` apart in ℓ∞ too, so their squares of half a side ε = radius/2 do not meet:
    a classifier that is right on every whole square exists.

    Args:
        count: of the points.
        radius: the paper's r.
        seed: of the points and the classes; the first two are of both classes.

    Returns:
        Float ``(count, 2)`` in [0, 1], int64 ``(count,)`` of 0 and 1.

    Raises:
        ValueError: so many points as do not fit; a radius that is not positive.
    """
    count, radius = guard.check_count("count", count), guard.check_size("radius", radius)
    chance = torch.Generator().manual_seed(seed)
    points = torch.rand(1, 2, generator=chance)
    for _ in range(1000 * count):
        if len(points) == count:
            break
        point = torch.rand(1, 2, generator=chance)
        if float((points - point).abs().sum(1).min()) > 2 * radius:
            points = torch.cat([points, point])
    if len(points) < count:
        raise ValueError(
            f"only {len(points)} of {count} points fit, {2 * radius:g} apart; give fewer, or a smaller radius"
        )
    labels = torch.randint(0, 2, (count,), generator=chance)
    labels[:2] = torch.tensor([0, 1])[:count]
    return points, labels


def fully_connected(*widths: int, seed: int = 0) -> nn.Sequential:
    """A net of linear layers with ReLUs between them, such as the paper's 2-100-100-100-100-2, drawn from ``seed``."""
    if len(widths) < 2:
        raise ValueError(f"widths={widths}; expected inputs, hidden layers and outputs, such as 2, 100, 2")
    with torch.random.fork_rng([]):
        torch.manual_seed(seed)
        layers: list[nn.Module] = []
        for taken, given in itertools.pairwise(widths):
            layers += [nn.Linear(taken, given), nn.ReLU()]
    return nn.Sequential(*layers[:-1])
