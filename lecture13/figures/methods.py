"""The figures of chapter 04: a grid of sample sheets, where its cells stand, one cell, and scores over two clocks."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor

from lecture13.figures.base import COLOURS, LINES, MARKERS, WIDTH, styled

Curve = Sequence[tuple[float, float]]


@styled
def sheets(
    cells: Mapping[tuple[str, str], Tensor],
    rows: Sequence[str],
    columns: Sequence[str],
    *,
    captions: Mapping[tuple[str, str], str],
    title: str,
    across: int = 6,
) -> Figure:
    """A grid of sample sheets, as the paper's Figure 2: a small sheet for each row and column, its caption below.

    Args:
        cells: (row, column) → images uint8 (K, 3, S, S); a cell that is not there is drawn as an empty frame.
        rows, columns: names, in order.
        captions: (row, column) → text below the sheet.
        title: of the whole figure.
        across: images in a line of a sheet.

    Raises:
        ValueError: no cell at all.
    """
    if not cells:
        raise ValueError("no cell to draw; expected {(row, column): images}")
    first = next(iter(cells.values()))
    down = len(first) // across
    side = (WIDTH - 1.1) / len(columns)
    figure, axes = plt.subplots(
        len(rows), len(columns), squeeze=False, figsize=(WIDTH, 0.5 + len(rows) * (side * down / across + 0.25))
    )
    figure.get_layout_engine().set(w_pad=0.02, h_pad=0.01, wspace=0.02, hspace=0.02)
    for axis, name in zip(axes[0], columns, strict=True):
        axis.set_title(name)
    for line, row in zip(axes, rows, strict=True):
        line[0].set_ylabel(row, rotation=0, ha="right", va="center")
        for axis, column in zip(line, columns, strict=True):
            bare(axis)
            if (row, column) in cells:
                axis.imshow(sheet(cells[row, column][: across * down], across))
            else:
                axis.set(xlim=(0, across), ylim=(0, down), aspect="equal")
                axis.text(across / 2, down / 2, "not run", ha="center", va="center", fontsize=8)
            axis.set_xlabel(captions.get((row, column), ""), fontsize=8, labelpad=2)
    figure.suptitle(title, fontsize=10.5)
    return figure


@styled
def verdicts(
    points: Mapping[str, Sequence[tuple[str, float, float]]],
    *,
    farthest: float,
    nearest: float,
    fresh: tuple[float, float],
    title: str,
) -> Figure:
    """Every cell by its two measures, with the two thresholds: left of one and above the other, a cell trains.

    Args:
        points: method → (architecture, Fréchet distance, distance between samples) of its cells.
        farthest, nearest: the thresholds.
        fresh: both measures of real scenes.
        title: of the figure.
    """
    figure, axis = plt.subplots(figsize=(WIDTH, 4.2))
    for index, (method, cells) in enumerate(points.items()):
        style = {"color": COLOURS[index], "marker": MARKERS[index], "linestyle": "none"}
        axis.plot([d for _, d, _ in cells], [a for _, _, a in cells], **style, label=method)
        for name, distance, apart in cells:
            if distance > farthest or apart < nearest:  # the name beside it; each method's elsewhere
                right, below = distance > farthest, index == 0
                offset = (0, -12) if below else (7 if right else -7, 4 - 5 * index)
                place = {"textcoords": "offset points", "ha": "center" if below else "left" if right else "right"}
                axis.annotate(name, (distance, apart), offset, **place, fontsize=8)
    axis.plot(*[[value] for value in fresh], marker="*", markersize=11, color="#000000", ls="none", label="real scenes")
    axis.axvline(farthest, color="#595959", linewidth=1.1, linestyle=(0, (4, 2)))
    axis.axhline(nearest, color="#595959", linewidth=1.1, linestyle=(0, (1, 2)))
    axis.set_xscale("log")
    axis.set_xlim(right=1.4 * axis.get_xlim()[1])  # room for the names
    axis.set_ylim(0, 1.1 * axis.get_ylim()[1])
    axis.annotate("fails →", (farthest, 1), xycoords=("data", "axes fraction"), ha="left", va="top", xytext=(4, -2),
                  textcoords="offset points", fontsize=9)  # fmt: skip
    axis.annotate("collapses ↓", (0, nearest), xycoords=("axes fraction", "data"), ha="left", va="top", xytext=(4, -3),
                  textcoords="offset points", fontsize=9)  # fmt: skip
    axis.set(
        xlabel="Fréchet distance on the segmenter's features (log scale)",
        ylabel="distance to the nearest other sample\n(median, pixels in [0, 1])",
        title=title,
    )
    figure.legend(loc="outside lower center", ncols=5, fontsize=9)
    return figure


@styled
def cell(
    images: Tensor, losses: Mapping[str, Curve], distances: Curve, *, farthest: float, title: str, across: int = 4
) -> Figure:
    """One cell: its sheet at the left; its losses, and its distance to real scenes, over iterations at the right.

    Args:
        images: uint8 (K, 3, S, S).
        losses: "critic" and "generator" → (iteration, loss); empty where training stopped.
        distances: (iteration, Fréchet distance).
        farthest: the threshold, drawn as a line.
        title: of the whole figure.
        across: images in a line of the sheet.
    """
    figure = plt.figure(figsize=(WIDTH, 3.5))
    left, right = figure.add_gridspec(1, 2, width_ratios=(1, 1.5))
    axis = figure.add_subplot(left)
    bare(axis)
    axis.imshow(sheet(images[: len(images) // across * across], across))
    above, below = right.subgridspec(2, 1).subplots(sharex=True)
    for index, (name, curve) in enumerate(losses.items()):
        above.plot(*_xy(curve), color=COLOURS[index], linestyle=LINES[index], label=name)
    above.set_ylabel("loss")
    if any(losses.values()):
        above.legend(fontsize=8)
    below.plot(*_xy(distances), color=COLOURS[2], marker="o")
    below.axhline(farthest, color="#595959", linewidth=1.1, linestyle=(0, (4, 2)))
    below.set_yscale("log")
    below.set(xlabel="iteration of the generator", ylabel="Fréchet distance\n(log scale)")
    figure.suptitle(title, fontsize=10.5)
    return figure


@styled
def race(
    runs: Mapping[str, Sequence[tuple[float, float, float]]], *, real: float, score: str, clock: str, title: str
) -> Figure:
    """A score over iterations of the generator and over seconds, a curve for each method: the paper's Figure 3.

    Args:
        runs: method → (iteration, seconds, score).
        real: the score of real images, a grey line.
        score: its name, on the vertical axis.
        clock: what the seconds are, on the right horizontal axis.
        title: of the whole figure.
    """
    figure, axes = plt.subplots(1, 2, sharey=True, figsize=(WIDTH, 3.6))
    for index, (method, points) in enumerate(runs.items()):
        style = {"color": COLOURS[index], "linestyle": LINES[index], "marker": MARKERS[index]}
        for axis, which in zip(axes, (0, 1), strict=True):
            axis.plot([point[which] for point in points], [point[2] for point in points], **style, label=method)
    for axis, label in zip(axes, ("iteration of the generator", clock), strict=True):
        axis.axhline(real, color="#595959", linewidth=1.1, linestyle=(0, (1, 2)))
        axis.set_xlabel(label)
    axes[0].annotate(
        "real test images", (1, real), xycoords=("axes fraction", "data"), ha="right", va="bottom", color="#404040"
    )
    axes[0].set_ylabel(score)
    handles, labels = axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=4, fontsize=9)
    figure.suptitle(title, fontsize=10.5)
    return figure


def sheet(images: Tensor, across: int) -> np.ndarray:
    """Images uint8 (K, 3, S, S) as one picture (H, W, 3), ``across`` in a line, a white pixel between them."""
    count, _, side, _ = images.shape
    framed = np.full((count, side + 1, side + 1, 3), 255, dtype=np.uint8)
    framed[:, :side, :side] = images.permute(0, 2, 3, 1).numpy()
    lines = framed.reshape(count // across, across, side + 1, side + 1, 3).swapaxes(1, 2)
    return lines.reshape(count // across * (side + 1), across * (side + 1), 3)[:-1, :-1]


def bare(axis: Axes) -> None:
    """No ticks, no frame, no grid."""
    axis.set(xticks=[], yticks=[])
    axis.grid(False)
    for spine in axis.spines.values():
        spine.set_visible(False)


def _xy(curve: Curve) -> tuple[list[float], list[float]]:
    return [x for x, _ in curve], [y for _, y in curve]
