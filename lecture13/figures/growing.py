"""The figures of chapter 05: the schedule, scenes at every resolution, what is near a generated scene."""

from collections.abc import Mapping, Sequence

import torch
from matplotlib import pyplot as plt
from matplotlib.figure import Figure
from torch import Tensor
from torch.nn.functional import interpolate

from lecture13.figures.base import COLOURS, WIDTH, images, styled
from lecture13.gan.growing import Schedule


@styled
def schedule(plan: Schedule, *, title: str) -> Figure:
    """The resolution that is trained, and the share α of its level, over the real images shown."""
    stages = [plan.at(index) for index in _corners(plan)]
    shown = [stage.images / 1000 for stage in stages]
    figure, (above, below) = plt.subplots(2, 1, sharex=True, figsize=(WIDTH, 3.4), height_ratios=(2, 1))
    above.step(shown, [stage.size for stage in stages], where="post", color=COLOURS[0], linestyle="-")
    sizes = [level.size for level in plan.levels]
    above.set_yscale("log", base=2)
    above.set_yticks(sizes, [f"{size}×{size}" for size in sizes])
    above.set(ylabel="resolution (pixels)", ylim=(sizes[0] / 1.5, sizes[-1] * 1.5))
    below.plot(shown, [stage.alpha for stage in stages], color=COLOURS[2], linestyle="-")
    below.set(xlabel="real images shown (thousands)", ylabel="α", ylim=(-0.1, 1.1), yticks=[0, 0.5, 1])
    for axis in (above, below):
        for level in plan.levels:
            if level.fade:
                start = plan.at(plan.end(level.size) - level.steps).images / 1000
                axis.axvspan(start, start + level.fade / 1000, color="#f2c48a", alpha=0.5, linewidth=0)
    figure.suptitle(title, fontsize=10.5)
    return figure


def resolutions(rows: Mapping[str, Tensor], *, title: str, size: float = 0.85) -> Figure:
    """Images of several resolutions, a row for each, every pixel a square: what the same noise gave at each of them.

    Args:
        rows: name → images (N, C, S, S) in [0, 1], the same N in each row, S of each divides the largest.
        title: of the figure.
        size: inches of an image's side, as in :func:`~lecture13.figures.base.images`.

    Raises:
        ValueError: rows of different lengths.
    """
    counts = {len(row) for row in rows.values()}
    if len(counts) != 1:
        raise ValueError(f"rows of {sorted(counts)} images; expected as many in each")
    whole = max(row.shape[-1] for row in rows.values())
    blown = [interpolate(row.detach().float().cpu(), size=whole, mode="nearest") for row in rows.values()]
    return images(torch.cat(blown), columns=counts.pop(), rows=list(rows), title=title, size=size)


@styled
def neighbours(generated: Tensor, found: Tensor, *, crop: int, distances: Sequence[float], title: str) -> Figure:
    """Generated images above, the nearest training image of each below, with the crop that was compared.

    Args:
        generated, found: (N, C, S, S) in [0, 1].
        crop: side of the centre crop, in pixels; its frame is drawn.
        distances: N, written below the pairs.
        title: of the figure.

    Raises:
        ValueError: shapes that differ, or another number of distances.
    """
    if generated.shape != found.shape or len(distances) != len(found):
        raise ValueError(
            f"{tuple(generated.shape)} generated, {tuple(found.shape)} found, {len(distances)} distances; expected the "
            "same shape, and a distance for each pair"
        )
    count, whole = len(found), generated.shape[-1]
    side = WIDTH / count
    figure, axes = plt.subplots(2, count, squeeze=False, figsize=(WIDTH + 0.8, 2 * side + 0.7))
    figure.get_layout_engine().set(w_pad=0.02, h_pad=0.02, wspace=0.02, hspace=0.02)
    for axis, picture in zip(axes.flat, torch.cat([generated, found]), strict=True):
        shown = picture.detach().cpu().clamp(0, 1)
        axis.imshow((shown.permute(1, 2, 0) if len(shown) == 3 else shown[0]).numpy(), cmap="gray", vmin=0, vmax=1)
        corner = (whole - crop) / 2 - 0.5
        for colour, width in (("white", 2.4), ("black", 1.2)):  # to be seen on any picture
            axis.add_patch(plt.Rectangle((corner, corner), crop, crop, fill=False, edgecolor=colour, linewidth=width))
        axis.set(xticks=[], yticks=[])
        axis.grid(False)
    for axis, distance in zip(axes[1], distances, strict=True):
        axis.set_xlabel(f"{distance:.2f}")
    for axis, name in zip(axes[:, 0], ("generated", "nearest in\ntraining set"), strict=True):
        axis.set_ylabel(name, rotation=0, ha="right", va="center")
    figure.suptitle(title, fontsize=10.5)
    return figure


def _corners(plan: Schedule) -> list[int]:
    """The iterations between which the schedule is straight."""
    corners, start = [], 0
    for level in plan.levels:
        fading = -(-level.fade // level.batch)
        corners += [start, start + fading - 1, start + fading, start + level.steps - 1]
        start += level.steps
    return sorted({min(corner, plan.steps - 1) for corner in corners if corner >= 0})
