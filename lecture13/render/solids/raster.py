"""The rasteriser: which triangle is seen at each pixel, and where on it. A z-buffer, for many images at once.

Everything is a long list, and every list is made from the one before without a loop::

    triangles  →  rows that they cross  →  samples in those rows  →  the nearest sample at each pixel

On the screen, the barycentric coordinates e₁, e₂, e₃ of a triangle are affine in (x, y), and so is 1/z. In space they
are (eᵢ/zᵢ) / (1/z): that is what makes a texture lie right in perspective (Heckbert & Moreton 1991).
"""

from dataclasses import dataclass

import torch
from torch import Tensor

EDGE = 2e-5  # pixels that a triangle reaches beyond its edge, so that rounding leaves no cracks between neighbours
THINNEST = 1e-4  # twice the area, in pixels, below which a triangle is seen from its edge and not drawn


@dataclass(frozen=True)
class Hits:
    """What is seen: P samples, each the nearest one of its pixel."""

    #: int64 (P,): image · S² + row · S + column.
    pixel: Tensor
    #: int64 (P,): which triangle.
    triangle: Tensor
    #: (P, 3): the point's barycentric coordinates in space, ≥ 0 but for rounding, of sum 1.
    weights: Tensor
    #: (P,): its depth z.
    depth: Tensor


def rasterise(corners: Tensor, image: Tensor, count: int, size: int) -> Hits:
    """The nearest triangle at each pixel's centre, for ``count`` images of ``size`` × ``size`` pixels.

    Args:
        corners: floating (T, 3, 3): x to the right, y down, z > 0 away from the eye, which is at 0; in the frame is
            what has |x/z| ≤ 1 and |y/z| ≤ 1.
        image: int64 (T,): which image each triangle is in, 0 … count − 1.
        count, size: of the images.

    Raises:
        ValueError: a corner that is not in front of the eye.
    """
    depth = corners[..., 2]
    if len(corners) and not float(depth.min()) > 0:
        raise ValueError(f"a corner has depth z={float(depth.min()):g}; expected z > 0: the eye must be outside")
    screen = (corners[..., :2] / depth[..., None] + 1) * (size / 2) - 0.5  # in pixels, whole at their centres
    edges, origin, area = _edge_functions(screen)
    top = (screen[..., 1].amin(1) - EDGE).ceil().clamp(0, size).long()
    bottom = (screen[..., 1].amax(1) + EDGE).floor().clamp(-1, size - 1).long()
    rows = (bottom - top + 1).clamp(min=0) * (area.abs() > THINNEST)

    # The rows that each triangle crosses, and the part of each row that is inside all three of its edges.
    number, turn = _expand(rows)
    y = top[number] + turn
    a, b, c = edges[number].unbind(2)
    at_zero = b * (y - origin[number, 1])[:, None] + c  # e at the origin's x in this row
    crossing = -at_zero / a
    left = torch.where(a > 0, crossing, -torch.inf).amax(1) + origin[number, 0]
    right = torch.where(a < 0, crossing, torch.inf).amin(1) + origin[number, 0]
    beside = ((a == 0) & (at_zero < 0)).any(1)  # a level edge with this row on its outer side
    start = (left - EDGE).ceil().clamp(0, size).long()
    stop = (right + EDGE).floor().clamp(-1, size - 1).long()
    width = (stop - start + 1).clamp(min=0) * ~beside

    # The samples of those parts; at each pixel the greatest 1/z stays.
    inverse = 1 / depth
    slope = (edges[..., 0] * inverse).sum(1)
    level = (at_zero * inverse[number]).sum(1)
    span, turn = _expand(width)
    x = start[span] + turn
    nearness = slope[number[span]] * (x - origin[number[span], 0]) + level[span]
    place = (image[number] * size + y) * size
    nearest = _largest(nearness, place[span] + x, count * size * size)

    # Only for what is seen: the coordinates in space.
    span, x, nearness = span[nearest], x[nearest], nearness[nearest]
    triangle = number[span]
    shares = edges[triangle, :, 0] * (x - origin[triangle, 0])[:, None] + at_zero[span]
    weights = shares * inverse[triangle]
    return Hits(place[span] + x, triangle, weights / weights.sum(1, keepdim=True), 1 / nearness)


def _edge_functions(screen: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """(T, 3, 3) coefficients a, b, c of eᵢ = a(x − x₀) + b(y − y₀) + c, the origins (T, 2), and twice the areas (T,).

    The origin is the triangle's own first corner: far away from it float32 would lose the small differences.
    """
    origin = screen[:, 0]
    local = screen - origin[:, None]
    x, y = local.unbind(2)
    area = x[:, 1] * y[:, 2] - x[:, 2] * y[:, 1]
    second, third = [1, 2, 0], [2, 0, 1]
    a = y[:, second] - y[:, third]
    b = x[:, third] - x[:, second]
    c = x[:, second] * y[:, third] - x[:, third] * y[:, second]
    safe = torch.where(area == 0, torch.ones_like(area), area)
    return torch.stack([a, b, c], 2) / safe[:, None, None], origin, area


def _expand(counts: Tensor) -> tuple[Tensor, Tensor]:
    """For each i, ``counts[i]`` entries: which i, and the how-manieth, both int64 (Σ counts,)."""
    which = torch.arange(len(counts), device=counts.device).repeat_interleave(counts)
    before = counts.cumsum(0) - counts
    return which, torch.arange(len(which), device=counts.device) - before[which]


def _largest(values: Tensor, place: Tensor, places: int) -> Tensor:
    """For each place that occurs, in order: the index of its largest value; of equals, the last.

    The bits of a positive float grow with it, so (bits, index) as one integer is compared in one go.
    """
    index = torch.arange(len(values), device=values.device)
    keys = values.float().view(torch.int32).long() << 32 | index
    best = torch.full((places,), -1, dtype=torch.int64, device=values.device)
    best.scatter_reduce_(0, place, keys, "amax")
    return best[best >= 0] & 0xFFFFFFFF
