"""A table of shares as a picture: what a row does to a column, in per cent."""

from collections.abc import Sequence

import numpy as np
from matplotlib import pyplot as plt
from matplotlib.figure import Figure

from lecture13.figures.base import styled

__all__ = ["share_matrix"]


@styled
def share_matrix(
    shares: np.ndarray | Sequence[Sequence[float]],
    *,
    rows: Sequence[str],
    columns: Sequence[str],
    row_label: str,
    column_label: str,
    what: str,
    title: str | None = None,
) -> Figure:
    """Shares as coloured cells, each with its number: dark is 0 %, bright 100 %; NaN stays empty.

    Args:
        shares: ``(R, C)``, in [0, 1] or NaN.
        rows, columns: R and C names.
        row_label, column_label: what the rows and the columns are.
        what: what a share is, in words; stands at the colour bar, in per cent.
        title: says profile, data and device.

    Raises:
        ValueError: another shape, or shares outside [0, 1].
    """
    values = np.asarray(shares, dtype=float)
    if values.shape != (len(rows), len(columns)) or not values.size:
        raise ValueError(f"shares have shape {values.shape}; expected {(len(rows), len(columns))}, one or more cells")
    if ((values < 0) | (values > 1)).any():
        raise ValueError(f"shares lie in [{np.nanmin(values):g}, {np.nanmax(values):g}]; expected [0, 1], or NaN")
    figure, axis = plt.subplots(figsize=(7.0, 1.3 + 0.46 * len(rows)))
    shown = axis.imshow(100 * values, vmin=0, vmax=100, aspect="auto")
    axis.grid(visible=False)
    crowded = len(columns) * max(map(len, columns)) > 80  # characters that fit beside each other
    turn = {"rotation": 35, "ha": "right", "rotation_mode": "anchor"} if crowded else {}
    axis.set_xticks(range(len(columns)), columns, **turn)
    axis.set_yticks(range(len(rows)), rows)
    axis.set(xlabel=column_label, ylabel=row_label)
    for (row, column), value in np.ndenumerate(values):
        if not np.isnan(value):
            colour = "black" if value > 0.55 else "white"  # against cividis' lightness
            axis.text(column, row, f"{100 * value:.0f}", ha="center", va="center", color=colour)
    figure.colorbar(shown, label=f"{what} (%)", fraction=0.05, pad=0.02)
    if title:
        figure.suptitle(title, fontsize=10.5)
    return figure
