"""A walk through latent space: a generator that had learnt single images by heart would jump from one to the next."""

import torch
from torch import Tensor


def linear(start: Tensor, end: Tensor, steps: int) -> Tensor:
    """Points (steps, ...) on the straight line between two vectors, both ends included.

    For a uniform prior on (−1, 1)^d the line stays inside the cube, though its middle is nearer to the centre than any
    draw from the prior.
    """
    weight = _weights(start, end, steps)
    return (1 - weight) * start + weight * end


def spherical(start: Tensor, end: Tensor, steps: int) -> Tensor:
    """Points (steps, ...) on the arc between two vectors (Shoemake 1985; White 2016, eq. 1), both ends included.

    sin((1 − t)ω)/sin ω · start + sin(tω)/sin ω · end, with ω the angle between them. Between draws of a normal prior,
    whose lengths are all about √d, the points keep that length, where the straight line's middle has only √(d/2).

    Raises:
        ValueError: shapes that differ, fewer than two steps, a zero vector, or opposite ones (no arc is the shortest).
    """
    weight = _weights(start, end, steps)
    lengths = start.norm() * end.norm()
    if lengths == 0:
        raise ValueError("a zero vector has no direction; take linear")
    angle = ((start * end).sum() / lengths).clamp(-1, 1).acos()
    if torch.pi - angle < 1e-4:
        raise ValueError("the two vectors are opposite: no arc between them is the shortest")
    if angle < 1e-4:
        return linear(start, end, steps)  # the arc's limit
    return (((1 - weight) * angle).sin() * start + (weight * angle).sin() * end) / angle.sin()


def _weights(start: Tensor, end: Tensor, steps: int) -> Tensor:
    if start.shape != end.shape:
        raise ValueError(f"from {tuple(start.shape)} to {tuple(end.shape)}; expected two vectors of one shape")
    if steps < 2:
        raise ValueError(f"steps={steps}; expected 2 or more, the ends included")
    return torch.linspace(0, 1, steps, dtype=start.dtype, device=start.device).view(-1, *(1 for _ in start.shape))
