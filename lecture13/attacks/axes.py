"""Evenly spaced values around zero, which they hit exactly: the axes of a grid of poses or of a plane of images."""

import torch
from torch import Tensor


def centred(count: int, extent: float) -> Tensor:
    """``count`` values from −extent to extent, float64; their middle is 0 exactly, unlike that of ``torch.linspace``.

    One value alone is 0; an even number has no 0 among it.
    """
    half = (count - 1) / 2
    return (torch.arange(count, dtype=torch.float64) - half).mul_(extent / max(half, 0.5))
