"""Algorithm 1 of Wong & Kolter 2018, layer by layer, and interval bounds beside it.

A bound is kept as a centre and a radius: ``lower, upper = centre ∓ radius``. The centre is the network's value at the
middle of the inputs with each ReLU replaced by the middle ``d·(ẑ + h)`` of its band; one pass of the relaxed network
gives it for all units. The radius is what :mod:`.radii` computes.
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from lecture13.defenses.polytope import rounding
from lecture13.defenses.polytope.layers import Affine
from lecture13.defenses.polytope.radii import carry, radii
from lecture13.defenses.polytope.relaxation import Relaxation, relax

#: what bounds are computed by
METHODS = ("dual", "interval", "tighter", "mixed")


@dataclass(frozen=True)
class Interval:
    """Interval bounds of a ReLU's outputs, or of the inputs: ``centre ∓ radius``."""

    centre: Tensor
    radius: Tensor

    @property
    def size(self) -> Tensor:
        """The largest absolute value inside."""
        return self.centre.abs() + self.radius

    def through(self, affine: Affine, rounded: bool) -> tuple[Tensor, Tensor]:
        """``(lower, upper)`` of what comes out of ``affine``, widened by its rounding if ``rounded``."""
        centre, radius = affine.apply(self.centre), affine.spread(self.radius)
        if rounded:
            radius = radius + rounding.of_sums(affine, self.size)
        return centre - radius, centre + radius


class Analysis:
    """The bounds of a batch of images, after each affine map in turn.

    Args:
        affines: of the network.
        centre, radius: of the inputs, ``(N, *shape)``.
        method: one of :data:`METHODS`.
        rounded: widen the bounds by what rounding may do (:mod:`.rounding`).
        every: compute the radius of every unit; otherwise only of those that cheaper bounds cannot tell to be always
            on or always off, since nothing else is needed of these. The margins are the same.
    """

    def __init__(
        self, affines: list[Affine], centre: Tensor, radius: Tensor, *, method: str, rounded: bool, every: bool
    ):
        self.affines, self.method, self.rounded, self.every = affines, method, rounded, every
        if rounded:
            radius = radius + rounding.of_inputs(centre, radius)
            # of a sum over a row of deviations
            longest = max(math.prod(affine.taken) for affine in affines) + len(affines)
            self.factor = 1 + rounding.unit(longest, radius.dtype)
        else:
            self.factor = 1.0
        self.inputs = radius
        # of the last ReLU's outputs: the centre, a radius that is large enough, and interval bounds
        self.centre, self.radius, self.interval = centre, radius, Interval(centre, radius)
        self.relaxations: list[Relaxation] = []

    def hidden(self) -> list[tuple[Tensor, Tensor]]:
        """Go through all layers but the last; ``(lower, upper)`` before each ReLU."""
        return [self._before_relu(self.affines[:number]) for number in range(1, len(self.affines))]

    def logits(self) -> tuple[Tensor, Tensor]:
        """``(lower, upper)`` of the logits; after :meth:`hidden`."""
        affine = self.affines[-1]
        if self.method == "interval":
            return self.interval.through(affine, self.rounded)
        centre = affine.apply(self.centre)
        radius = self._radius(self.affines, torch.ones_like(centre, dtype=torch.bool)) + self._rounding(affine)
        return self._tighter(centre - radius, centre + radius, affine)

    def margins(self, labels: Tensor) -> Tensor:
        """``(N, K)``: lower bounds of ``z_label − z_k``, 0 at k = label; after :meth:`hidden`."""
        affine = self.affines[-1]
        classes = affine.given[0]
        others = torch.arange(classes - 1, device=labels.device).expand(len(labels), -1)
        others = others + (others >= labels[:, None])  # every class but the label
        each = affine.transpose(torch.eye(classes).to(self.centre))  # (K, *units): rows of W
        rows = each[labels][:, None] - each[others]  # c = e_label − e_k

        def label_and(other: Tensor, sign: int) -> Tensor:
            return other.gather(1, labels[:, None]) + sign * other.gather(1, others)

        found = []
        if self.method != "interval":
            radius = self.factor * carry(self.affines[:-1], self.relaxations, self.inputs, rows)
            lower = label_and(affine.apply(self.centre), -1) - radius
            found.append(lower - label_and(self._rounding(affine), 1) if self.rounded else lower)
        if self.method in ("interval", "tighter"):
            radius = (rows.abs() * self.interval.radius[:, None]).flatten(2).sum(2)
            lower = label_and(affine.apply(self.interval.centre), -1) - radius
            own = rounding.of_sums(affine, self.interval.size) if self.rounded else None
            found.append(lower if own is None else lower - label_and(own, 1))
        lower = torch.maximum(*found) if len(found) == 2 else found[0]
        return torch.zeros_like(lower[:, :1]).expand(-1, classes).scatter(1, others, lower)

    def _before_relu(self, affines: list[Affine]) -> tuple[Tensor, Tensor]:
        affine = affines[-1]
        if self.method == "interval":
            lower, upper = self.interval.through(affine, self.rounded)
        elif self.method == "mixed":
            lower, upper = self.interval.through(affine, self.rounded)
            centre = affine.apply(self.centre)
            # of the values around this centre, as far as they can be inside the interval
            radius = torch.maximum(upper - centre, centre - lower)
            self._relax(lower, upper, centre, radius, self._rounding(affine))
        else:
            centre = affine.apply(self.centre)
            with torch.no_grad():
                own = self._rounding(affine)
                radius = self.factor * affine.spread(self.radius) + own  # never below the true radius, and cheap
                lower, upper = self._tighter(centre - radius, centre + radius, affine)
                unsure = self._unsure(lower, upper)
            radius = torch.where(unsure, self._radius(affines, unsure) + own, radius)
            lower, upper = self._tighter(centre - radius, centre + radius, affine)
            self._relax(lower, upper, centre, radius, own)
        if self.method != "dual":
            low, high = lower.clamp(min=0), upper.clamp(min=0)
            self.interval = Interval((low + high) / 2, (high - low) / 2)
        return lower, upper

    def _unsure(self, lower: Tensor, upper: Tensor) -> Tensor:
        """Of which units more than these bounds is wanted."""
        if self.every:
            return torch.ones_like(lower, dtype=torch.bool)
        # interval bounds go on from those of a unit that is always on; nothing goes on from one that is always off
        return upper > 0 if self.method == "tighter" else (lower < 0) & (upper > 0)

    def _relax(self, lower: Tensor, upper: Tensor, centre: Tensor, radius: Tensor, own: Tensor | float) -> None:
        slope, half = relax(lower, upper)
        reach = half
        if self.rounded:
            reach = half + own + rounding.unit(6, half.dtype) * (centre.abs() + radius + half)
        self.relaxations.append(Relaxation(slope, half, reach))
        self.centre = slope * (centre + half)
        self.radius = (slope * (radius + reach)).detach()

    def _radius(self, affines: list[Affine], wanted: Tensor) -> Tensor:
        return self.factor * radii(affines, self.relaxations, self.inputs, wanted.flatten(1)).view(wanted.shape)

    def _rounding(self, affine: Affine) -> Tensor | float:
        return rounding.of_sums(affine, self.centre.abs() + self.radius) if self.rounded else 0.0

    def _tighter(self, lower: Tensor, upper: Tensor, affine: Affine) -> tuple[Tensor, Tensor]:
        """The tighter of these bounds and the interval bounds, if that is the method."""
        if self.method != "tighter":
            return lower, upper
        low, high = self.interval.through(affine, self.rounded)
        return torch.maximum(lower, low), torch.minimum(upper, high)
