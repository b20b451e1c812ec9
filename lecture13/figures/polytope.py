"""The figures of chapter 16: a set of outputs inside its polytopes, the triangle, bounds of units side by side."""

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from matplotlib import pyplot as plt
from matplotlib.collections import PolyCollection
from matplotlib.figure import Figure
from torch import Tensor, nn

from lecture13.figures.base import COLOURS, LINES, WIDTH, styled

#: the two classes of a plane: light enough to draw on, apart in greyscale
SIDES = ("#dfe8f5", "#f6d9b8")


@styled
def shadow(
    network: nn.Module,
    point: Tensor,
    epsilon: float,
    outlines: Mapping[str, Tensor],
    *,
    title: str,
    grid: int = 120,
    reach: float | None = None,
    limits: tuple[tuple[float, float], tuple[float, float]] | None = None,
) -> Figure:
    """Left the inputs, a square of ±ε around a point; right the outputs: Z_ε, and polygons around it.

    Args:
        network: two inputs, two outputs; the class is the larger one.
        point: ``(1, 2)``.
        epsilon: half the square's side.
        outlines: label → corners ``(V, 2)``.
        title: of the figure.
        grid: lines each way that Z_ε is drawn of.
        reach: half the side of the left picture; None: 1.5 ε.
        limits: (z₁ from, to), (z₂ from, to) of the right picture; None: what there is to see.
    """
    figure, (left, right) = plt.subplots(1, 2, figsize=(WIDTH, 3.9), width_ratios=(1, 1.25))
    x1, x2 = point[0].tolist()
    reach = reach or 1.5 * epsilon
    axis = torch.linspace(-reach, reach, 160).to(point)
    plane = point + torch.cartesian_prod(axis, axis)
    with torch.no_grad():
        classes = network(plane).argmax(1).view(160, 160).T
    extent = (x1 - reach, x1 + reach, x2 - reach, x2 + reach)
    left.contourf(classes, levels=[-0.5, 0.5, 1.5], colors=SIDES, extent=extent)
    side = plt.Rectangle((x1 - epsilon, x2 - epsilon), 2 * epsilon, 2 * epsilon, fill=False, linewidth=2)
    left.add_patch(side)
    left.plot([x1], [x2], "o", color="black")
    left.set(xlabel="$x_1$", ylabel="$x_2$", title=f"inputs: x and the square of ±{epsilon:g}", aspect="equal")
    axis = torch.linspace(-epsilon, epsilon, grid).to(point)
    with torch.no_grad():
        z = network(point + torch.cartesian_prod(axis, axis)).view(grid, grid, 2).cpu().numpy()
        centre = network(point)[0].tolist()
    quads = np.stack([z[:-1, :-1], z[1:, :-1], z[1:, 1:], z[:-1, 1:]], 2).reshape(-1, 4, 2)
    colour = "#6f8fbf"
    right.add_collection(PolyCollection(quads, facecolors=colour, edgecolors=colour, linewidths=0.3))
    right.plot([], [], "s", color=colour, label=r"$\mathcal{Z}_\epsilon$, every output", markersize=9)
    for number, (label, corners) in enumerate(outlines.items()):
        closed = torch.cat([corners, corners[:1]]).numpy()
        right.plot(*closed.T, color=COLOURS[number], linestyle=LINES[number], label=label)
    right.plot(*centre, "o", color="black")
    points = np.concatenate([*(corners.numpy() for corners in outlines.values()), z.reshape(-1, 2)])
    if limits is None:
        spread = np.ptp(points, axis=0).max() * 0.05
        limits = tuple((low - spread, high + spread) for low, high in zip(points.min(0), points.max(0), strict=True))
    (low1, high1), (low2, high2) = limits
    ends = np.array([min(low1, low2), max(high1, high2)])
    right.fill_between(ends, ends, ends[0], color=SIDES[0], zorder=0, linewidth=0)
    right.fill_between(ends, ends, ends[1], color=SIDES[1], zorder=0, linewidth=0)
    right.set(xlabel="$z_1$", ylabel="$z_2$", title="outputs", xlim=limits[0], ylim=limits[1])
    right.grid(False)
    right.legend(loc="upper center", bbox_to_anchor=(0.5, -0.22), ncols=2, fontsize=9, handlelength=2.6)
    figure.suptitle(title, fontsize=10.5)
    return figure


@styled
def triangles(bounds: Sequence[tuple[float, float]], *, title: str) -> Figure:
    """A ReLU between its bounds ``(l, u)``, a panel for each: its graph, its convex hull, and the slope of the dual."""
    figure, axes = plt.subplots(1, len(bounds), figsize=(WIDTH, 2.9), sharey=True, squeeze=False)
    for axis, (lower, upper) in zip(axes[0], bounds, strict=True):
        kink = sorted({lower, min(max(0.0, lower), upper), upper})
        graph = [max(0.0, value) for value in kink]
        if lower < 0 < upper:
            axis.fill([lower, 0, upper], [0, 0, upper], color="#f2c48a", alpha=0.8, linewidth=0, label="triangle")
            slope = upper / (upper - lower)
            axis.plot(
                [lower, upper], [slope * lower, slope * upper], color=COLOURS[2], linestyle="-.",
                label=r"$\frac{u}{u-\ell}\,\hat z$",
            )  # fmt: skip
            name = "unstable: ℓ < 0 < u"
        else:
            name = "always off: u ≤ 0" if upper <= 0 else "always on: ℓ ≥ 0"
        axis.plot(kink, graph, color=COLOURS[0], linestyle="-", linewidth=2.6, label="ReLU")
        axis.set(title=name, xlabel=r"$\hat z$")
        for place, text in ((lower, "ℓ"), (upper, "u")):
            axis.axvline(place, color="#7f7f7f", linewidth=0.9, linestyle=":")
            axis.annotate(
                text, (place, 1.0), xycoords=("data", "axes fraction"), ha="center", va="top",
                bbox={"facecolor": "white", "edgecolor": "none", "pad": 1},
            )  # fmt: skip
    axes[0, 0].set_ylabel("z")
    for axis in axes[0]:
        if len(axis.get_legend_handles_labels()[1]) > 1 or len(bounds) == 1:
            axis.legend(fontsize=9, loc="upper left", bbox_to_anchor=(0.02, 0.9))
    figure.suptitle(title, fontsize=10.5)
    return figure


@styled
def intervals(found: Mapping[str, tuple[Tensor, Tensor]], *, names: Sequence[str], title: str) -> Figure:
    """Lower and upper bounds of units, side by side: from the tightest to the loosest, a bar for each way.

    Args:
        found: way → (lower, upper), each ``(units,)``.
        names: of the units.
        title: of the figure.

    Raises:
        ValueError: another number of bounds than of names.
    """
    figure, axis = plt.subplots(figsize=(WIDTH, 3.4))
    for number, (label, (lower, upper)) in enumerate(found.items()):
        if not len(lower) == len(upper) == len(names):
            raise ValueError(f"{label}: {len(lower)} and {len(upper)} bounds of {len(names)} units")
        places = np.arange(len(names)) + (number - (len(found) - 1) / 2) * 0.16
        axis.vlines(
            places, lower.numpy(), upper.numpy(), color=COLOURS[number], linewidth=5, linestyle="-", label=label
        )
    axis.set_xticks(range(len(names)), names)
    axis.set(ylabel="value", xlim=(-0.6, len(names) - 0.4))
    axis.axhline(0, color="#555555", linewidth=0.8)
    axis.grid(visible=False, axis="x")
    figure.legend(loc="outside lower center", ncols=len(found), fontsize=9)
    figure.suptitle(title, fontsize=10.5)
    return figure
