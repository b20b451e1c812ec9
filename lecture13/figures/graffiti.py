"""Chapter 15's figures: where a sign is vulnerable and what is painted there, and success by distance and angle."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib import pyplot as plt
from matplotlib.figure import Figure
from torch import Tensor

from lecture13.estimates import Estimate
from lecture13.figures.base import WIDTH, styled
from lecture13.figures.shares import share_curves

__all__ = ["by_angle", "by_place", "search"]


@styled
def search(sign: Tensor, heat: Tensor, painted: Mapping[str, Tensor], *, title: str | None = None) -> Figure:
    """A sign, the size of an ℓ1 attack's paint on it, and what was painted in the end, side by side.

    Args:
        sign: ``(1, 3, H, W)`` in [0, 1].
        heat: ``(H, W)``, ≥ 0; drawn dark where 0 and bright where largest.
        painted: caption → ``(1, 3, H, W)`` in [0, 1].
        title: of the figure.

    Raises:
        ValueError: shapes that differ.
    """
    shape = tuple(sign.shape[2:])
    if any(tuple(each.shape[-2:]) != shape for each in (heat, *painted.values())):
        shapes = [tuple(each.shape) for each in (sign, heat, *painted.values())]
        raise ValueError(f"sign, heat and painted signs have the shapes {shapes}; expected {shape} in all")
    count = 2 + len(painted)
    figure, axes = plt.subplots(1, count, figsize=(WIDTH, WIDTH / count + 0.75))
    axes[0].imshow(_pixels(sign))
    axes[0].set_title("the sign")
    shown = axes[1].imshow(heat.detach().cpu().numpy(), vmin=0)
    axes[1].set_title("paint that ℓ1 leaves")
    figure.colorbar(shown, ax=axes[1], orientation="horizontal", label="Σ|δ| over colours", fraction=0.05, pad=0.03)
    for axis, (caption, image) in zip(axes[2:], painted.items(), strict=True):
        axis.imshow(_pixels(image))
        axis.set_title(caption)
    for axis in axes:
        axis.set(xticks=[], yticks=[])
        axis.grid(visible=False)
        axis.spines[:].set_visible(False)
    if title:
        figure.suptitle(title, fontsize=10.5)
    return figure


@styled
def by_place(
    maps: Mapping[str, Tensor | np.ndarray],
    distances: Sequence[float],
    angles: Sequence[float],
    *,
    what: str,
    title: str | None = None,
) -> Figure:
    """Shares by distance and angle, one table of coloured cells for each name: dark is 0 %, bright 100 %.

    Args:
        maps: name → ``(D, A)`` in [0, 1].
        distances: D, in feet.
        angles: A, in degrees.
        what: what a share is, in words; stands at the colour bar, in per cent.
        title: of the figure.

    Raises:
        ValueError: a map of another shape, or with values outside [0, 1].
    """
    shape = (len(distances), len(angles))
    columns = min(2, len(maps))
    rows = -(-len(maps) // columns)
    figure, axes = plt.subplots(rows, columns, squeeze=False, figsize=(WIDTH, 0.9 + (0.55 + 0.27 * shape[0]) * rows))
    for axis in axes.flat[len(maps) :]:
        axis.set_visible(False)
    for axis, (name, values) in zip(axes.flat, maps.items(), strict=False):
        shares = np.asarray(values, dtype=float)
        if shares.shape != shape or not ((shares >= 0) & (shares <= 1)).all():
            raise ValueError(f"the map {name!r} has shape {shares.shape}; expected {shape} shares: distances, angles")
        drawn = axis.imshow(100 * shares, vmin=0, vmax=100, aspect="auto", origin="lower")
        axis.grid(visible=False)
        axis.set_title(name)
        axis.set_xticks(range(shape[1]), [f"{angle:g}" for angle in angles])
        axis.set_yticks(range(shape[0]), [f"{distance:g}" for distance in distances])
        for (row, column), share in np.ndenumerate(shares):
            colour = "black" if share > 0.55 else "white"  # against cividis' lightness
            axis.text(column, row, f"{100 * share:.0f}", ha="center", va="center", color=colour, fontsize=7.5)
    for axis in axes.flat[max(0, len(maps) - columns) : len(maps)]:
        axis.set_xlabel("angle (°)")
    for axis in axes[:, 0]:
        axis.set_ylabel("distance (feet)")
    figure.colorbar(drawn, ax=list(axes.flat[: len(maps)]), label=f"{what} (%)", fraction=0.05, pad=0.02)
    if title:
        figure.suptitle(title, fontsize=10.5)
    return figure


def by_angle(
    angles: Sequence[float], lines: Mapping[str, Sequence[Estimate]], *, what: str, title: str | None = None
) -> Figure:
    """Shares over the camera's angle, with their 95 % intervals; the legend lies below, off the curves.

    Args:
        angles: A, in degrees.
        lines: label → A shares in [0, 1].
        what: what a share is, in words; stands at the axis, in per cent.
        title: of the figure.

    Raises:
        ValueError: as :func:`lecture13.figures.shares.share_curves`.
    """
    figure = share_curves(angles, lines, xlabel="angle of the camera (°)", ylabel=f"{what} (%)", title=title)
    figure.axes[0].get_legend().remove()
    figure.legend(loc="outside lower center", ncols=len(lines), frameon=False)
    return figure


def _pixels(sign: Tensor) -> np.ndarray:
    return sign[0].detach().cpu().permute(1, 2, 0).clamp(0, 1).numpy()
