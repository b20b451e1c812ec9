"""Two parallel lines: Example 1 of Arjovsky et al. 2017, the smallest game that the Jensen–Shannon divergence loses.

The data are (0, U), U uniform on [0, 1]; the generator has one parameter and draws (θ, U). Each lies on a line in the
plane, so neither has a density there, and for θ ≠ 0 they are disjoint.
"""

import math

import torch
from torch import Tensor, nn


class Line(nn.Module):
    """G_θ(z) = (θ, z): z (N, 1) → (N, 2), with θ the only parameter."""

    def __init__(self, theta: float):
        super().__init__()
        self.theta = nn.Parameter(torch.tensor(float(theta)))

    def forward(self, z: Tensor) -> Tensor:
        """Points (N, 2) of the generator's line."""
        return torch.cat([self.theta.expand(len(z), 1), z], dim=1)


def prior(count: int, generator: torch.Generator | None = None) -> Tensor:
    """z ~ U[0, 1], (count, 1)."""
    return torch.rand(count, 1, generator=generator)


def data(number: int, count: int, generator: torch.Generator | None = None) -> tuple[Tensor]:
    """Fresh points (0, U) of the data's line, (count, 2), as a :data:`~lecture13.gan.samplers.Sampler` gives them."""
    z = prior(count, generator)
    return (torch.cat([torch.zeros_like(z), z], dim=1),)


def wasserstein(theta: float) -> float:
    """W₁ = |θ|: all mass moves straight across."""
    return abs(theta)


def jensen_shannon(theta: float) -> float:
    """JSD in nats: 0 at θ = 0, and log 2 at every other θ, near or far. (KL is +∞ there, total variation 1.)"""
    return math.log(2.0) if theta else 0.0
