"""How much of a sample a shape covers: the antialiasing of every drawing here.

A sample is a square of side ``pitch`` around (x, y); a coverage is the share of it inside the shape, in [0, 1]: exact
for axis-parallel rectangles; elsewhere the sample is taken for a ramp of its own width across the edge, right to
first order in pitch. Coordinates x (n, 1, w) and y (n, h, 1) and parameters (n, 1, 1) broadcast; y points down; any
unit, the same for all of them.
"""

import torch
from torch import Tensor

Number = Tensor | float


def cover(distance: Tensor, pitch: Number) -> Tensor:
    """Coverage from the signed distance to a shape's edge (negative inside)."""
    return (0.5 - distance / pitch).clamp_(0, 1)


def interval(t: Tensor, low: Number, high: Number, pitch: Number) -> Tensor:
    """The share of [t − pitch/2, t + pitch/2] inside [low, high], exactly."""
    top = torch.minimum(t + pitch / 2, torch.as_tensor(high))
    return (top - torch.maximum(t - pitch / 2, torch.as_tensor(low))).clamp_(min=0) / pitch


def rectangle(x: Tensor, y: Tensor, left: Number, top: Number, right: Number, bottom: Number, pitch: Number) -> Tensor:
    """An axis-parallel rectangle, exactly."""
    return interval(x, left, right, pitch) * interval(y, top, bottom, pitch)


def ellipse_distance(
    x: Tensor, y: Tensor, centre_x: Number, centre_y: Number, radius_x: Number, radius_y: Number
) -> Tensor:
    """Signed distance to an ellipse, to first order at its edge (exact for a circle)."""
    u, v = (x - centre_x) / radius_x, (y - centre_y) / radius_y
    k = (u.square() + v.square()).sqrt()
    slope = ((u / radius_x).square() + (v / radius_y).square()).sqrt().clamp(min=1e-6)
    return (k - 1) * k.clamp(min=1e-3) / slope


def ellipse(
    x: Tensor, y: Tensor, centre_x: Number, centre_y: Number, radius_x: Number, radius_y: Number, pitch: Number
) -> Tensor:
    """A filled ellipse."""
    return cover(ellipse_distance(x, y, centre_x, centre_y, radius_x, radius_y), pitch)


def convex_distance(x: Tensor, y: Tensor, corners: list[tuple]) -> Tensor:
    """Signed distance (to the nearest edge's line) to a convex polygon; corners (x, y) clockwise on the screen."""
    distance = None
    for (x0, y0), (x1, y1) in zip(corners, corners[1:] + corners[:1], strict=True):
        dx, dy = torch.as_tensor(x1 - x0), torch.as_tensor(y1 - y0)
        length = (dx.square() + dy.square()).sqrt().clamp(min=1e-6)
        edge = (dy / length) * (x - x0) - (dx / length) * (y - y0)
        distance = edge if distance is None else torch.maximum(distance, edge)
    return distance


def convex(x: Tensor, y: Tensor, corners: list[tuple], pitch: Number) -> Tensor:
    """A filled convex polygon; corners clockwise on the screen."""
    return cover(convex_distance(x, y, corners), pitch)
