"""The convex relaxation of a ReLU between its bounds (Wong & Kolter 2018, eq. 5)."""

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Relaxation:
    """``relu(ẑ) ∈ d·(ẑ + h) ± d·h`` for ẑ between the bounds: a band of slope d around the triangle.

    An unstable unit (l < 0 < u) has ``d = u/(u − l)`` and ``h = −l/2``: the band's lower edge is ``dẑ``, its upper edge
    ``d(ẑ − l)``. A unit that is always on has d = 1, one that is always off d = 0, both h = 0: nothing is lost there.
    """

    slope: Tensor  # d, (N, *units)
    half: Tensor  # h, (N, *units)
    #: h, and what rounding adds to it
    reach: Tensor

    @property
    def radius(self) -> Tensor:
        """By how much the output can differ from ``d·(ẑ + h)``."""
        return self.slope * self.reach

    def of(self, images: Tensor) -> "Relaxation":
        """For some of the images alone."""
        return Relaxation(self.slope[images], self.half[images], self.reach[images])


def relax(lower: Tensor, upper: Tensor) -> tuple[Tensor, Tensor]:
    """``d`` and ``h`` of ReLUs whose inputs lie between ``lower`` and ``upper``."""
    unstable = (lower < 0) & (upper > 0)
    span = torch.where(unstable, upper - lower, 1.0)
    slope = torch.where(unstable, upper / span, (lower >= 0).to(lower))
    return slope, torch.where(unstable, lower / -2, 0.0)
