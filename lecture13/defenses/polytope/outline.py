"""What can be seen of the convex outer polytope: its shadow on a plane of two outputs."""

import numpy as np
import torch
from scipy.spatial import HalfspaceIntersection
from torch import Tensor, nn

from lecture13 import guard
from lecture13.defenses.polytope import certificates, programs

#: how far the outputs reach in a direction: Algorithm 1, the linear program, the exact answer
REACH = {"dual": certificates.bounds, "lp": programs.lp_bounds, "exact": programs.milp_bounds}


def outline(network: nn.Module, image: Tensor, epsilon: float, *, method: str = "lp", directions: int = 32) -> Tensor:
    """The polygon that bounds of ``cᵀz`` leave of the plane, for directions c all around.

    With ``"lp"`` that is the convex outer polytope itself, up to the number of directions; with ``"exact"`` the convex
    hull of Z_ε; with ``"dual"`` what Algorithm 1 proves in those directions. Each contains the one before it, in the
    order exact, lp, dual.

    Args:
        network: as in :func:`~lecture13.defenses.polytope.bounds`, with two outputs.
        image: one input, ``(1, …)``.
        epsilon: ℓ∞ radius, above 0.
        method: ``"dual"``, ``"lp"`` or ``"exact"``.
        directions: even, 4 or more, spread over the circle.

    Returns:
        The corners ``(V, 2)`` in their order around, float64.

    Raises:
        TypeError, ValueError: as :func:`~lecture13.defenses.polytope.bounds`; another number of outputs or images; an
            unknown method.
    """
    if method not in REACH:
        raise ValueError(f"unknown method {method!r}; choose one of {', '.join(map(repr, REACH))}")
    if len(image) != 1:
        raise ValueError(f"image holds {len(image)} inputs; expected one, image[None]")
    if guard.check_count("directions", directions) < 4 or directions % 2:
        raise ValueError(f"directions={directions}; expected an even number, 4 or more")
    epsilon = guard.check_size("epsilon", epsilon)
    with torch.no_grad():
        centre = network(image)
    if centre.shape[1:] != (2,):
        raise ValueError(f"the network gives {tuple(centre.shape)}; expected two outputs, (1, 2)")
    angles = torch.arange(directions // 2, dtype=torch.float64) * (2 * torch.pi / directions)
    normals = torch.stack([angles.cos(), angles.sin()], 1)
    with torch.random.fork_rng([]):
        turned = nn.Linear(2, len(normals), bias=False).to(centre)
    with torch.no_grad():
        turned.weight.copy_(normals)
    found = REACH[method](nn.Sequential(network, turned), image, epsilon)[-1]
    lower, upper = (each[0].double().numpy() for each in found)
    sides = normals.numpy()
    # n·z ≤ upper and −n·z ≤ −lower; scipy writes A·z + b ≤ 0
    halves = np.vstack([np.column_stack([sides, -upper]), np.column_stack([-sides, lower])])
    corners = HalfspaceIntersection(halves, _inside(sides, lower, upper)).intersections
    around = np.arctan2(*(corners - corners.mean(0)).T[::-1])
    return torch.from_numpy(corners[around.argsort()])


def _inside(sides: np.ndarray, lower: np.ndarray, upper: np.ndarray) -> np.ndarray:
    """The point that lies nearest to the middle of every strip."""
    return np.linalg.lstsq(sides, (lower + upper) / 2, rcond=None)[0]
