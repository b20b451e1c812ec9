"""The balls ‖x' − x‖ ≤ ε that a perturbation stays in, each cut by the box of valid images."""

import torch
from torch import Tensor

from lecture13.guard import Bounds


class Linf:
    """No value changes by more than ε: ``{x': |x'_i − x_i| ≤ ε}``, cut by the box."""

    def __init__(self, centres: Tensor, epsilon: float, bounds: Bounds):
        self.lower, self.upper = centres - epsilon, centres + epsilon
        if bounds is not None:
            self.lower.clamp_(*bounds)
            self.upper.clamp_(*bounds)

    def project(self, points: Tensor) -> Tensor:
        """The nearest point of the ball to each of ``points``, in place."""
        return torch.clamp(points, self.lower, self.upper, out=points)

    @staticmethod
    def direction(gradient: Tensor) -> Tensor:
        """The unit step that raises a linear function most: ``sign(g)``. In place."""
        return gradient.sign_()

    @staticmethod
    def draw(centres: Tensor, epsilon: float, generator: torch.Generator) -> Tensor:
        """One uniformly drawn point of the uncut ball around each centre."""
        return _uniform(centres, generator).mul_(2).sub_(1).mul_(epsilon).to(centres).add_(centres)


class L2:
    """The change has Euclidean length at most ε: ``{x': ‖x' − x‖₂ ≤ ε}``, cut by the box.

    The ball comes first, the box second: cutting moves a point towards the centre in every coordinate, so it stays in
    the ball. (The result is a point of both, not always the nearest one.)
    """

    def __init__(self, centres: Tensor, epsilon: float, bounds: Bounds):
        self.centres, self.epsilon, self.bounds = centres, epsilon, bounds

    def project(self, points: Tensor) -> Tensor:
        """``points`` moved into the ball and the box, in place."""
        change = points.sub_(self.centres)
        change.mul_((self.epsilon / _length(change)).clamp_(max=1.0).to(change))
        points = change.add_(self.centres)
        return points if self.bounds is None else points.clamp_(*self.bounds)

    @staticmethod
    def direction(gradient: Tensor) -> Tensor:
        """The unit step that raises a linear function most: ``g/‖g‖₂``, 0 where g = 0. In place."""
        # first by the largest entry: squares of small half-precision values would vanish
        largest = gradient.flatten(1).abs().amax(1).view(-1, *[1] * (gradient.ndim - 1))
        gradient.div_(largest.clamp_(min=torch.finfo(gradient.dtype).tiny))
        return gradient.div_(_length(gradient).to(gradient))

    @staticmethod
    def draw(centres: Tensor, epsilon: float, generator: torch.Generator) -> Tensor:
        """One uniformly drawn point of the uncut ball around each centre: a direction, and ε·u^(1/d) for its length."""
        size, device = centres[:1].numel(), generator.device
        change = torch.randn(centres.shape, generator=generator, device=device)
        radius = torch.rand(len(centres), generator=generator, device=device).pow_(1 / size).mul_(epsilon)
        change.mul_(radius.view(-1, *[1] * (centres.ndim - 1)) / _length(change))
        return change.to(centres).add_(centres)


#: The balls by the name of their norm.
BALLS = {"linf": Linf, "l2": L2}


def _uniform(like: Tensor, generator: torch.Generator) -> Tensor:
    """Uniform numbers in [0, 1) in the shape of ``like``, drawn where the generator lives, in float32."""
    return torch.rand(like.shape, generator=generator, device=generator.device)


def _length(change: Tensor) -> Tensor:
    """‖·‖₂ of each example, ``(N, 1, …)``, in float32 at least, never 0."""
    exact = change if change.dtype == torch.float64 else change.float()
    length = torch.linalg.vector_norm(exact.flatten(1), dim=1).clamp_(min=torch.finfo(exact.dtype).tiny)
    return length.view(-1, *[1] * (change.ndim - 1))
