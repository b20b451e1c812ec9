"""Measured shares as curves, each in per cent with its interval as a band."""

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.figure import Figure

from lecture13.estimates import Estimate
from lecture13.figures.base import curves

__all__ = ["share_curves"]


def share_curves(
    x: Sequence[float] | Mapping[str, Sequence[float]], lines: Mapping[str, Sequence[Estimate]], **options: Any
) -> Figure:
    """Curves of shares over one axis, from 0 to 100 %, with their 95 % intervals.

    Args:
        x: (T,) for all curves, or one for each label.
        lines: label → T estimates of shares in [0, 1].
        options: as :func:`lecture13.figures.curves` takes them; ``xlabel`` and ``ylabel`` among them.

    Raises:
        ValueError: as :func:`lecture13.figures.curves`; a share of nothing (NaN) among them.
    """
    return curves(
        x,
        {label: [100 * each.value for each in row] for label, row in lines.items()},
        bands={
            label: ([100 * each.low for each in row], [100 * each.high for each in row]) for label, row in lines.items()
        },
        **{"ylim": (-2, 102), **options},
    )
