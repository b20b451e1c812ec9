"""The smallest perturbation in the plane, by looking everywhere: what an attack that estimates it is measured by."""

import torch
from scipy.spatial import cKDTree
from torch import Tensor

from lecture13 import guard
from lecture13.attacks.axes import centred
from lecture13.attacks.checks import check_number
from lecture13.guard import Model

HALVINGS = 30  # of a segment: its crossing is then known to a part in 10⁹


def nearest_crossing(
    model: Model, points: Tensor, *, extent: float, resolution: int = 1001, neighbours: int = 16
) -> Tensor:
    """The nearest point of another class for each of ``points``, by exhaustive search of a square.

    A grid over the square [−extent, extent]² is classified. For each point, the ``neighbours`` nearest grid points of
    another class than its own are found, the segment to each is halved down to where the class changes, and the
    shortest is kept. So what comes back is a crossing for certain. It is the nearest of all up to the grid: with a
    spacing h and a region of the other class that is wider than h where it is nearest, at most √2·h too long, and in
    practice far less, since the segments fan out. A region that is thinner than h can be missed.

    Args:
        model: gives logits ``(N, K)`` for points of the plane; runs in eval mode.
        points: float ``(N, 2)``, inside the square.
        extent: half the side of the square. It has to hold, around each point, a disc that reaches its crossing.
        resolution: grid points along each axis, ≥ 2.
        neighbours: segments tried for each point, ≥ 1.

    Returns:
        ``(N, 2)``, dtype and device of ``points``: each in another class than its point, on the boundary's far side.

    Raises:
        TypeError: points that are not floating, an extent that is no number.
        ValueError: points of another shape, not finite or outside the square, counts out of range, or a point whose
            nearest crossing may lie outside the square.
    """
    extent = check_number("extent", extent, open_low=True)
    if guard.check_count("resolution", resolution) < 2:
        raise ValueError("resolution=1 is no grid; expected 2 or more")
    neighbours = guard.check_count("neighbours", neighbours)
    points = guard.check_images(points, (-extent, extent))
    if points.ndim != 2 or points.shape[1] != 2:
        raise ValueError(f"points have shape {tuple(points.shape)}; expected (N, 2), points of the plane")
    if not len(points):
        return points
    axis = centred(resolution, extent).to(points)
    grid = torch.cartesian_prod(axis, axis)
    found = torch.empty_like(points)
    with guard.frozen(model, points.device), torch.no_grad():
        own, classes = _classes(model, points), _classes(model, grid)
        for k in own.unique():
            rows, others = own == k, grid[classes != k]
            if not len(others):
                raise ValueError(f"class {int(k)} fills the square: no crossing up to extent={extent:g}; give more")
            tree = cKDTree(others.cpu().numpy())
            _, index = tree.query(points[rows].cpu().numpy(), k=list(range(1, min(neighbours, len(others)) + 1)))
            ends = others[torch.from_numpy(index).to(points.device)]  # (n, neighbours, 2)
            found[rows] = _shortest(model, points[rows], ends, k)
    length = (found - points).norm(dim=1)
    room = extent - points.abs().amax(1)
    if bool((length > room).any()):
        worst = int((length - room).argmax())
        raise ValueError(
            f"point {worst} is {float(room[worst]):.3g} from the side of the square, and its crossing "
            f"{float(length[worst]):.3g}: a nearer one may lie outside; give more than extent={extent:g}"
        )
    return found


def _classes(model: Model, points: Tensor) -> Tensor:
    return torch.cat([guard.logits(model, points[part]).argmax(1) for part in guard.chunks(points, 65_536)])


def _shortest(model: Model, points: Tensor, ends: Tensor, k: Tensor) -> Tensor:
    """From each point the nearest crossing on its segments to ``ends (N, M, 2)``, which are not of class k."""
    starts = points[:, None].expand_as(ends)
    near, far = torch.zeros_like(ends[..., :1]), torch.ones_like(ends[..., :1])  # of class k, and not
    for _ in range(HALVINGS):
        middle = (near + far) / 2
        inside = _classes(model, torch.lerp(starts, ends, middle).flatten(0, 1)).view(middle.shape) == k
        near, far = torch.where(inside, middle, near), torch.where(inside, far, middle)
    crossings = torch.lerp(starts, ends, far)
    best = (crossings - starts).norm(dim=2).argmin(1)
    return crossings[torch.arange(len(points), device=points.device), best]
