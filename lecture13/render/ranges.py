"""Ranges (low, high) that a view is drawn from, and the small matrices that turn it."""

from numbers import Real

import torch
from torch import Tensor

Range = tuple[float, float]


def check_range(name: str, value: Range, least: float, most: float, unit: str) -> Range:
    """``value`` as two floats in [least, most], the lower first.

    Raises:
        TypeError: ends that are no numbers.
        ValueError: no pair, the wrong way round, or beyond the limits.
    """
    wanted = f"expected (low, high) with {least:g} ≤ low ≤ high ≤ {most:g} {unit}"
    if not isinstance(value, tuple | list) or len(value) != 2:
        raise ValueError(f"{name}={value!r}; {wanted}")
    if any(isinstance(end, bool) or not isinstance(end, Real) for end in value):
        raise TypeError(f"{name}={value!r}; {wanted}")
    low, high = (float(end) for end in value)
    if not least <= low <= high <= most:
        raise ValueError(f"{name}=({low:g}, {high:g}); {wanted}")
    return low, high


def matrix(rows: list[list[Tensor]]) -> Tensor:
    """``(N, R, C)`` of rows of columns ``(N,)``."""
    return torch.stack([torch.stack(row, -1) for row in rows], -2)
