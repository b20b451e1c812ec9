"""The figures of chapter 02: a generator's shapes and maps, its walks through latent space, copies, and textures."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Polygon
from torch import Tensor

from lecture13.figures.base import COLOURS, LINES, MARKERS, WIDTH, styled

Shape = tuple[int, int]  # maps, side


@styled
def pyramid(rows: Mapping[str, Sequence[Shape]], noise: int, *, title: str) -> Figure:
    """Radford's Figure 1: a generator as a row of boxes, from z to the image, one row for each generator.

    A box is as high and as deep as its maps' side, and as long as the logarithm of their number.

    Args:
        rows: name → (maps, side) of each block, the image last.
        noise: dimensions of z.
        title: of the whole figure.
    """
    figure, axes = plt.subplots(len(rows), 1, figsize=(WIDTH, 1.75 * len(rows) + 0.4), squeeze=False)
    reach = 0.0
    for axis, (name, shapes) in zip(axes[:, 0], rows.items(), strict=True):
        largest = max(side for _, side in shapes)
        axis.add_patch(plt.Rectangle((0, -0.35), 0.08, 0.7, facecolor=COLOURS[1], edgecolor="black", linewidth=0.7))
        axis.text(0.04, -0.62, f"z\n{noise}", ha="center", va="top", fontsize=8.5)
        at = 0.75
        for number, (maps, side) in enumerate(shapes):
            length, height = 0.14 * np.log2(maps + 1), 1.5 * (side / largest) ** 0.7
            colour = "#f2c48a" if number == len(shapes) - 1 else "#c9d6ea"
            _box(axis, at, length, height, colour)
            axis.annotate(
                "",
                (at - 0.05, 0),
                (at - 0.42, 0),
                arrowprops={"arrowstyle": "->", "linewidth": 0.9, "color": "#404040"},
            )
            axis.text(
                at + length / 2, -height / 2 - 0.12, f"{maps}\n{side}×{side}", ha="center", va="top", fontsize=8.5
            )
            reach = max(reach, at + length + 0.22 * height)
            at += length + 0.22 * height + 0.55
        axis.axis("off")
        axis.set_title(name, loc="left", fontsize=9.5, pad=0)
    for axis in axes[:, 0]:
        axis.set(xlim=(-0.25, reach + 0.1), ylim=(-1.4, 1.1), aspect="equal")
    figure.suptitle(title, fontsize=10.5)
    return figure


@styled
def feature_maps(blocks: Mapping[str, Tensor], image: Tensor, *, shown: int = 8, title: str) -> Figure:
    """What the units of each block draw for one z: a row for each block, its units of largest variance over places.

    Args:
        blocks: name → maps (C, s, s), first block first.
        image: (3, H, W) in [0, 1], at the right.
        shown: units of each block.
        title: of the whole figure.
    """
    side = 0.7
    figure = plt.figure(figsize=(WIDTH, side * len(blocks) + 0.8))
    grid = figure.add_gridspec(len(blocks), shown + 3)
    for row, (name, maps) in enumerate(blocks.items()):
        for column, unit in enumerate(maps.flatten(1).var(1).topk(min(shown, len(maps))).indices.tolist()):
            axis = figure.add_subplot(grid[row, column])
            axis.imshow(maps[unit].cpu().numpy(), cmap="cividis")
            _bare(axis)
            axis.set_title(f"unit {unit}", fontsize=6.5, pad=1.5)
            if column == 0:
                label = f"{name}\n{len(maps)} maps\n{maps.shape[1]}×{maps.shape[2]}"
                axis.set_ylabel(label, rotation=0, ha="right", va="center", fontsize=8.5)
    axis = figure.add_subplot(grid[:, shown:])
    axis.imshow(image.permute(1, 2, 0).cpu().numpy().clip(0, 1))
    axis.set_title("image")
    _bare(axis)
    figure.get_layout_engine().set(w_pad=0.02, h_pad=0.02, wspace=0.02, hspace=0.02)
    figure.suptitle(title, fontsize=10.5)
    return figure


@styled
def distances(panels: Mapping[str, Mapping[str, Tensor]], *, unit: Mapping[str, str], title: str) -> Figure:
    """How near the nearest training image is: for each group of images, the share that is at most so near.

    Args:
        panels: what was compared → group → distances (N,).
        unit: what was compared → its unit.
        title: of the whole figure.
    """
    figure, axes = plt.subplots(1, len(panels), figsize=(WIDTH, 3.3), sharey=True, squeeze=False)
    for axis, (name, groups) in zip(axes[0], panels.items(), strict=True):
        for index, (group, values) in enumerate(groups.items()):
            ordered = values.sort().values.tolist()
            share = 100 * (np.arange(len(ordered)) + 1) / len(ordered)
            axis.step(ordered, share, where="post", color=COLOURS[index], linestyle=LINES[index], label=group)
        axis.set(title=name, xlabel=f"distance to the nearest training image\n({unit[name]})", ylim=(-2, 102))
        axis.set_xlim(left=0)
    axes[0, 0].set_ylabel("images at most so near (%)")
    figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=4, fontsize=9)
    figure.suptitle(title, fontsize=10.5)
    return figure


@styled
def walks(paths: Mapping[str, Tensor], changes: Mapping[str, Tensor], *, ylabel: str, title: str) -> Figure:
    """Strips of images along paths, and below them how much each step changes.

    Args:
        paths: name → images (T, 3, H, W) in [0, 1], as many in each.
        changes: name → (T − 1,), between two images of that path.
        ylabel: what a change is, with its unit.
        title: of the whole figure.
    """
    columns = len(next(iter(paths.values())))
    side = WIDTH / (columns + 1.2)
    figure = plt.figure(figsize=(WIDTH, side * len(paths) + 2.7))
    grid = figure.add_gridspec(len(paths) + 1, columns, height_ratios=[1] * len(paths) + [2.2 / side])
    for row, (name, images) in enumerate(paths.items()):
        for column, image in enumerate(images):
            axis = figure.add_subplot(grid[row, column])
            axis.imshow(image.permute(1, 2, 0).cpu().numpy().clip(0, 1))
            _bare(axis)
            if column == 0:
                axis.set_ylabel(name, rotation=0, ha="right", va="center", fontsize=8.5)
    axis = figure.add_subplot(grid[-1, :])
    for index, (name, values) in enumerate(changes.items()):
        at = (np.arange(len(values)) + 0.5) / len(values)
        style = {"color": COLOURS[index], "linestyle": LINES[index], "marker": MARKERS[index], "markersize": 4}
        axis.plot(at, values.numpy(), label=name, **style)
    axis.set(xlabel="position on the path, from start (0) to end (1)", ylabel=ylabel)
    axis.set_ylim(bottom=0)
    axis.legend(fontsize=8.5, loc="upper left", bbox_to_anchor=(1.0, 1.0))
    figure.get_layout_engine().set(w_pad=0.01, h_pad=0.02, wspace=0.01, hspace=0.02)
    figure.suptitle(title, fontsize=10.5)
    return figure


@styled
def spectra(maps: Mapping[str, Tensor], *, captions: Mapping[str, str], title: str) -> Figure:
    """Power spectra side by side on one logarithmic grey scale: a dot away from the middle is a repeated pattern.

    Args:
        maps: name → (S, S), frequency 0 in the middle.
        captions: name → a line below its map.
        title: of the whole figure.
    """
    logs = {name: np.log10(np.maximum(values.numpy(), 1e-30)) for name, values in maps.items()}
    low = min(np.percentile(values, 2) for values in logs.values())
    high = max(np.percentile(values, 99) for values in logs.values())
    figure, axes = plt.subplots(
        1, len(maps), figsize=(WIDTH, 0.75 * WIDTH / len(maps) + 1.3), sharey=True, squeeze=False
    )
    for axis, (name, values) in zip(axes[0], logs.items(), strict=True):
        picture = axis.imshow(values, cmap="gray", vmin=low, vmax=high, extent=(-0.5, 0.5, 0.5, -0.5))
        axis.grid(False)
        axis.set(title=name, xticks=[-0.5, 0, 0.5], yticks=[-0.5, 0, 0.5])
        axis.set_xlabel(captions[name], fontsize=8.5)
        axis.tick_params(labelsize=8)
    axes[0, 0].set_ylabel("frequency down\n(cycles per pixel)")
    bar = figure.colorbar(picture, ax=axes[0].tolist(), fraction=0.03, pad=0.01)
    bar.set_label("log₁₀ power", fontsize=9)
    figure.suptitle(title, fontsize=10.5)
    return figure


@styled
def walker(images: Tensor, at: int, *, title: str) -> Figure:
    """One image of a walk, large, above the strip of all of them, where a frame marks its place.

    Args:
        images: (T, C, H, W) in [0, 1].
        at: index of the large one.
        title: of the figure.
    """
    pictures = images.permute(0, 2, 3, 1).cpu().numpy().clip(0, 1)
    side, gap = pictures.shape[2], max(1, pictures.shape[2] // 10)
    spaced = np.pad(pictures, ((0, 0), (gap, gap), (gap, gap), (0, 0)), constant_values=1)
    figure, (large, strip) = plt.subplots(2, 1, figsize=(5.0, 3.7), height_ratios=[3.0, 5.0 / len(images)])
    large.imshow(pictures[at], cmap="gray", vmin=0, vmax=1)
    strip.imshow(np.concatenate(spaced, axis=1), cmap="gray", vmin=0, vmax=1)
    corner = (at * (side + 2 * gap) + gap / 2 - 0.5, gap / 2 - 0.5)
    frame = {"fill": False, "edgecolor": COLOURS[1], "linewidth": 2.5}
    strip.add_patch(plt.Rectangle(corner, side + gap, pictures.shape[1] + gap, **frame))
    for axis in (large, strip):
        _bare(axis)
    figure.suptitle(title, fontsize=10)
    return figure


def _bare(axis: Axes) -> None:
    axis.set(xticks=[], yticks=[])
    for spine in axis.spines.values():
        spine.set_visible(False)


def _box(axis: Axes, left: float, length: float, height: float, colour: str) -> None:
    """A box seen from the front, its depth going up to the right."""
    depth = 0.22 * height
    bottom, top, right = -height / 2, height / 2, left + length
    faces = (
        ([(left, bottom), (right, bottom), (right, top), (left, top)], colour),
        ([(left, top), (right, top), (right + depth, top + depth), (left + depth, top + depth)], "#eef2f8"),
        ([(right, bottom), (right, top), (right + depth, top + depth), (right + depth, bottom + depth)], "#9fb2d0"),
    )
    for corners, face in faces:
        axis.add_patch(Polygon(corners, closed=True, facecolor=face, edgecolor="black", linewidth=0.7))
