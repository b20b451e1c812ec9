"""The parts that solids are put together from: tubes. Each is a grid of points, and paint for its own piece of texture.

A tube runs along a line of stations; around each runs a ring of points. Ellipsoids, barrels, wings, flippers and boxes
are tubes that end in a point; a ring (a cup's handle) is a tube that meets itself. So every part is closed.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

#: Colours (…, 3) in [0, 1] of the points with coordinates around and along the tube (…) in [0, 1], and position (…, 3).
Paint = Callable[[Tensor, Tensor, Tensor], Tensor]


@dataclass(frozen=True)
class Part:
    """A closed tube."""

    #: (R, M, 3): R rings of M points. The first and the last are points, M times the same, unless ``meets``.
    points: Tensor
    paint: Paint
    #: Whether the last ring is joined to the first.
    meets: bool = False
    #: How much more texture it gets than its area alone would give it.
    detail: float = 1.0

    def turned(self, *, x: float = 0.0, y: float = 0.0, z: float = 0.0) -> "Part":
        """Turned about the axes through the origin: x first, then y, then z; degrees, anticlockwise seen from ahead."""
        turn = torch.eye(3)
        for axis, degrees in ((0, x), (1, y), (2, z)):
            c, s = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
            step = torch.eye(3)
            i, j = [(1, 2), (2, 0), (0, 1)][axis]
            step[i, i], step[i, j], step[j, i], step[j, j] = c, -s, s, c
            turn = step @ turn
        return replace(self, points=self.points @ turn.T)

    def moved(self, x: float = 0.0, y: float = 0.0, z: float = 0.0) -> "Part":
        """Moved by so much."""
        return replace(self, points=self.points + torch.tensor([x, y, z]))

    def mirrored(self) -> "Part":
        """Its mirror image across the plane z = 0, still with its outside outside."""
        return replace(self, points=self.points.flip(1) * torch.tensor([1.0, 1.0, -1.0]))


#: (along, (across 1, across 2) of the middle, (half size 1, half size 2)) of a ring.
Station = tuple[float, tuple[float, float], tuple[float, float]]


def tube(
    axis: str,
    stations: Sequence[Station],
    paint: Paint,
    *,
    around: int = 12,
    rows: int | None = None,
    power: float = 2.0,
    detail: float = 1.0,
) -> Part:
    """A tube along an axis, through rings of any half sizes, closed by flat ends where the last rings are not points.

    Args:
        axis: ``"x"``, ``"y"`` or ``"z"``: where it runs; the other two, in cyclic order (y, z for x), are across.
        stations: the rings, in order along the axis (flat steps may stand at one place).
        paint: see :data:`Paint`; ``around`` is 0 on the first axis across, and grows towards the second.
        around: points of a ring.
        rows: rings, on a smooth curve through the stations; None: the stations themselves, with straight lines between.
        power: of the rings' shape |y/a|ᵖ + |z/b|ᵖ = 1: 2 an ellipse, more a box with round edges.
        detail: see :class:`Part`.
    """
    table = torch.tensor([(t, *middle, *half) for t, middle, half in stations], dtype=torch.float32)
    if rows is not None:
        table = _smooth(table, rows)
    angle = torch.arange(around) * (2 * math.pi / around)
    ring = torch.stack([angle.cos(), angle.sin()], 1)
    ring = ring.sign() * ring.abs() ** (2 / power)
    ring = torch.where(ring.abs() < 1e-4, torch.zeros_like(ring), ring)
    across = table[:, None, 1:3] + ring * table[:, None, 3:5]
    points = torch.cat([table[:, None, :1].expand(-1, around, 1), across], 2)
    caps = [end[None, None, :3].expand(1, around, 3) for end in (table[0], table[-1])]
    open_ends = [bool((end[3:] > 0).any()) for end in (table[0], table[-1])]
    points = torch.cat([*caps[:1] * open_ends[0], points, *caps[1:] * open_ends[1]])
    shift = "xyz".index(axis)
    points = points[..., [(0 - shift) % 3, (1 - shift) % 3, (2 - shift) % 3]]  # cyclic, so the outside stays outside
    return Part(points, paint, detail=detail)


def ellipsoid(
    middle: tuple[float, float, float],
    half: tuple[float, float, float],
    paint: Paint,
    *,
    axis: str = "y",
    around: int = 16,
    rows: int = 9,
    detail: float = 1.0,
) -> Part:
    """An ellipsoid with its poles on an axis."""
    shift = "xyz".index(axis)
    a, b, c = (half[(shift + i) % 3] for i in range(3))
    angles = [math.pi * i / (rows - 1) for i in range(rows)]
    stations = [(-a * math.cos(t), (0.0, 0.0), (b * math.sin(t), c * math.sin(t))) for t in angles]
    stations[0], stations[-1] = (-a, (0.0, 0.0), (0.0, 0.0)), (a, (0.0, 0.0), (0.0, 0.0))
    return tube(axis, stations, paint, around=around, detail=detail).moved(*middle)


def ring(major: float, minor: float, paint: Paint, *, around: int = 8, rows: int = 16, detail: float = 1.0) -> Part:
    """A torus about the z axis: its middle line of radius ``major``, its thickness 2 · ``minor``."""
    t = (torch.arange(rows) * (2 * math.pi / rows))[:, None]
    a = (torch.arange(around) * (2 * math.pi / around))[None]
    far = major + minor * a.cos()
    points = torch.stack([far * t.cos(), far * t.sin(), -minor * a.sin().expand(rows, -1)], 2)
    return Part(points, paint, meets=True, detail=detail)


def box(
    low: tuple[float, float, float], high: tuple[float, float, float], paint: Paint, *, detail: float = 1.0
) -> Part:
    """A box with sharp edges."""
    low, high = torch.tensor([low, high], dtype=torch.float32)
    corner = torch.tensor([[1.0, 1.0], [0.0, 1.0], [0.0, 0.0], [1.0, 0.0]])  # of y and z, anticlockwise from ahead
    across = torch.lerp(low[1:], high[1:], corner)
    middle = ((low + high) / 2)[1:].expand(4, 2)
    rings = [(low[0], middle), (low[0], across), (high[0], across), (high[0], middle)]
    return Part(torch.stack([torch.cat([x.expand(4, 1), yz], 1) for x, yz in rings]), paint, detail=detail)


def _smooth(table: Tensor, rows: int) -> Tensor:
    """``rows`` rings on a monotone cubic through the stations (Fritsch & Carlson 1980), which never overshoots."""
    from scipy.interpolate import PchipInterpolator

    steps = table.diff(dim=0).norm(dim=1).clamp(min=1e-3)
    at = torch.cat([torch.zeros(1), steps.cumsum(0)])
    wanted = torch.linspace(0, float(at[-1]), rows)
    return torch.from_numpy(PchipInterpolator(at.numpy(), table.numpy())(wanted.numpy())).float()
