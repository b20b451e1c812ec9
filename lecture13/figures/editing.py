"""Figures of chapter 08: what units do alone, sets of them removed, concepts inserted in cells, and by place."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor

from lecture13.dissection.removal import Removed
from lecture13.estimates import Estimate
from lecture13.figures.base import COLOURS, LINES, MARKERS, WIDTH, styled


@styled
def framed(
    rows: Mapping[str, tuple[Tensor, Tensor | None]],
    *,
    captions: Sequence[str] | None = None,
    title: str | None = None,
    size: float = 0.95,
) -> Figure:
    """Rows of images, each with a frame around the cells that were edited, or without.

    Args:
        rows: the row's name → images (N, 3, H, W) in [0, 1], and cells bool (N, h, w), or None for no frames. All rows
            have as many.
        captions: below the last row, one for each image.
        title: of the figure.
        size: inches of an image's side, shrunk where a row would be wider than the page.

    Raises:
        ValueError: no row, rows or captions of different lengths, cells of another number of images.
    """
    counts = {len(images) for images, _ in rows.values()}
    if len(counts) != 1 or 0 in counts:
        raise ValueError(f"rows of {sorted(counts)} images; expected one row or more, each of as many")
    count = counts.pop()
    if captions is not None and len(captions) != count:
        raise ValueError(f"{len(captions)} captions; expected {count}")
    side = min(size, WIDTH / count)
    height = (side + 0.03) * len(rows) + (0.2 if captions else 0) + (0.35 if title else 0.05)
    figure, axes = plt.subplots(len(rows), count, squeeze=False, figsize=(max(side * count, 2.5) + 0.9, height))
    figure.get_layout_engine().set(w_pad=0.02, h_pad=0.02, wspace=0.02, hspace=0.02)
    for line, (name, (images, cells)) in zip(axes, rows.items(), strict=True):
        if cells is not None and len(cells) != count:
            raise ValueError(f"row {name!r}: cells of {len(cells)} images; expected {count}")
        for number, (axis, image) in enumerate(zip(line, images.detach().cpu(), strict=True)):
            axis.imshow(image.clamp(0, 1).movedim(0, -1).numpy())
            if cells is not None:
                _frame(axis, cells[number], image.shape[-2:])
            axis.set(xticks=[], yticks=[])
            axis.grid(False)
            axis.spines[:].set_visible(False)
        line[0].set_ylabel(name, rotation=0, ha="right", va="center", fontsize=9)
    for axis, text in zip(axes[-1], captions or (), strict=False):
        axis.set_xlabel(text, fontsize=8, labelpad=2)
    if title:
        figure.suptitle(title, fontsize=10.5)
    return figure


@styled
def agreement(iou: Tensor, effects: Tensor, concept: str, *, baseline: Tensor, title: str) -> Figure:
    """Each unit by its IoU with a concept, and by the share of the concept that is gone when it is removed alone.

    Args:
        iou, effects: (U,), of the same units.
        concept: its name.
        baseline: (U,), the IoU with the masks of other images; units that are not above it are drawn open.
        title: of the figure.

    Raises:
        ValueError: lengths that differ.
    """
    if not iou.shape == effects.shape == baseline.shape or iou.ndim != 1:
        shapes = ", ".join(str(tuple(part.shape)) for part in (iou, effects, baseline))
        raise ValueError(f"IoU, effects and baseline have shapes {shapes}; expected three times (U,)")
    figure, axis = plt.subplots(figsize=(WIDTH, 3.4))
    above = (iou - baseline > 0.04).numpy()
    x, y = iou.numpy(), 100 * effects.numpy()
    axis.plot(x[~above], y[~above], "o", markerfacecolor="none", color="#595959", label="no more than chance")
    axis.plot(x[above], y[above], "^", color=COLOURS[0], label="IoU above chance by more than .04")
    axis.axhline(0, color="#595959", linewidth=1)
    axis.set(xlabel=f"IoU with {concept}, at the best level", ylabel=f"{concept} pixels removed\nby the unit alone (%)")
    axis.set_title(title)
    axis.legend()
    return figure


@styled
def removal(panels: Mapping[str, Sequence[Removed]], concept: str, *, title: str) -> Figure:
    """How much of a concept is gone without successively larger sets of units, a panel for each net.

    Lines are rankings, with their intervals; single marks are random draws.

    Args:
        panels: name → one row for each number of units; the same rankings in all.
        concept: its name.
        title: of the figure.

    Raises:
        ValueError: no panel, or one without rows.
    """
    if not panels or not all(panels.values()):
        raise ValueError(f"panels {list(panels)}; expected one or more, each with a row for every number of units")
    columns = min(3, len(panels))
    lines = -(-len(panels) // columns)
    size = (WIDTH, 3.4 if len(panels) == 1 else 2.3 * lines + 0.6)
    figure, axes = plt.subplots(lines, columns, sharex=True, sharey=True, squeeze=False, figsize=size)
    for axis, (name, rows) in zip(axes.flat, panels.items(), strict=False):
        counts = [row.count for row in rows]
        for number, ranking in enumerate(rows[0].ranked):
            shares = [row.ranked[ranking] for row in rows]
            style = {"color": COLOURS[number], "linestyle": LINES[number], "marker": MARKERS[number]}
            axis.plot(counts, [100 * share.value for share in shares], label=f"first by {ranking}", **style)
            low, high = ([100 * getattr(share, end) for share in shares] for end in ("low", "high"))
            axis.fill_between(counts, low, high, color=COLOURS[number], alpha=0.18, linewidth=0)
        draws = {f"random, no {concept} units": ("elsewhere", "x", 2), "random, of all units": ("random", "D", 3)}
        for label, (field, marker, colour) in draws.items():
            x, y = zip(*((row.count, 100 * share.value) for row in rows for share in getattr(row, field)), strict=True)
            hollow = {"markerfacecolor": "none"} if marker == "D" else {}
            axis.plot(x, y, linestyle="none", marker=marker, color=COLOURS[colour], label=label, **hollow)
        axis.axhline(0, color="#595959", linewidth=1)
        axis.set_xticks([count for count in counts if count not in (1, 2)] or counts)
        if len(panels) > 1:
            axis.set_title(name)
    for axis in list(axes.flat)[len(panels) :]:
        axis.set_visible(False)
    for axis in axes[:, 0]:
        axis.set_ylabel(f"{concept} pixels removed (%)" if lines == 1 else f"{concept} removed (%)")
    figure.supxlabel("units removed", fontsize=10.5)
    figure.suptitle(title, fontsize=10.5)
    handles, labels = axes[0, 0].get_legend_handles_labels()
    if len(panels) == 1:
        axes[0, 0].legend(fontsize=9)
    elif len(panels) < axes.size:  # in the place of a missing panel
        figure.legend(handles, labels, loc="lower right", fontsize=9)
    else:
        figure.legend(handles, labels, loc="outside lower center", ncols=2, fontsize=9)
    return figure


@styled
def shares(series: Mapping[str, Mapping[str, Estimate]], *, xlabel: str, title: str) -> Figure:
    """Shares with their intervals, a line for each name; several series beside each other.

    Args:
        series: its name → name → share, 1 is 100 %; names missing in a series are left out there.
        xlabel: what is shared, with "(%)".
        title: of the figure.

    Raises:
        ValueError: nothing to draw.
    """
    names = list(dict.fromkeys(name for values in series.values() for name in values))
    if not names:
        raise ValueError(f"series {list(series)} hold no share; there is nothing to draw")
    figure, axis = plt.subplots(figsize=(WIDTH, 0.27 * len(names) * max(1, 0.7 * len(series)) + 1.1))
    offsets = np.linspace(-0.26, 0.26, len(series)) if len(series) > 1 else [0.0]
    for number, ((label, values), offset) in enumerate(zip(series.items(), offsets, strict=True)):
        there = [name for name in names if name in values and np.isfinite(values[name].value)]
        y = [names.index(name) + offset for name in there]
        x = np.array([[100 * getattr(values[name], part) for name in there] for part in ("value", "low", "high")])
        reach = np.stack([x[0] - x[1], x[2] - x[0]]).clip(min=0)
        style = {"color": COLOURS[number % len(COLOURS)], "marker": MARKERS[number % len(MARKERS)]}
        axis.errorbar(x[0], y, xerr=reach, linestyle="none", capsize=2.5, linewidth=1.4, label=label, **style)
    axis.axvline(0, color="#595959", linewidth=1)
    axis.set_yticks(range(len(names)), names)
    axis.set(xlabel=xlabel, title=title, ylim=(len(names) - 0.5, -0.5))
    if len(series) > 1:
        axis.legend(fontsize=9)
    return figure


def _frame(axis: Axes, cells: Tensor, size: Sequence[int]) -> None:
    """A frame around each of the cells (h, w) of an image of that size."""
    height, width = size[0] / cells.shape[0], size[1] / cells.shape[1]
    for row, column in cells.nonzero().tolist():
        corner = (column * width - 0.5, row * height - 0.5)
        for colour, weight in (("black", 2.4), ("#ffe100", 1.2)):  # to be seen on any picture
            axis.add_patch(plt.Rectangle(corner, width, height, fill=False, edgecolor=colour, linewidth=weight))
