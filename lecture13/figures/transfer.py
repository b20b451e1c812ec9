"""Chapter 13's figures: the decision regions of several nets side by side, and what each net says to one image."""

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from matplotlib import pyplot as plt
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from torch import Tensor

from lecture13.figures.base import WIDTH, styled

__all__ = ["regions", "verdicts"]

#: Told apart by hue, and neighbours by lightness; the first is the class of the image itself.
_FILLS = ("#f2f0e6", "#0a2f66", "#d97200", "#9c1a57", "#58b8a6", "#5f6b7a", "#b9a3d9", "#3d7d1f", "#e0c030", "#000000")


@styled
def regions(
    labels: Tensor,
    nets: Sequence[str],
    classes: Sequence[str],
    extent: float,
    *,
    label: int,
    title: str | None = None,
) -> Figure:
    """What several nets say to one plane of images (Liu et al. 2017, Figure 3): a panel for each, colours for classes.

    Args:
        labels: int64 ``(M, R, R)``, from :func:`lecture13.attacks.decision_regions`.
        nets: M names.
        classes: K names.
        extent: the plane's half-width, in levels of 0–255 (the unit of :func:`lecture13.attacks.plane`'s axes).
        label: the image's true class; its region is pale in every panel.
        title: says profile, data and device.

    Raises:
        ValueError: shapes that do not fit, or more classes in sight than there are colours.
    """
    if labels.ndim != 3 or len(labels) != len(nets):
        raise ValueError(f"labels have shape {tuple(labels.shape)}; expected ({len(nets)}, R, R), a map for each net")
    seen = [label, *(k for k in labels.unique().tolist() if k != label)]
    if len(seen) > len(_FILLS):
        raise ValueError(f"{len(seen)} classes in sight; expected at most {len(_FILLS)}: a smaller extent shows fewer")
    number = torch.full((max(len(classes), max(seen) + 1),), 0)
    number[torch.tensor(seen)] = torch.arange(len(seen))
    figure, axes = plt.subplots(1, len(nets), sharey=True, squeeze=False, figsize=(WIDTH, 1.35 + WIDTH / len(nets)))
    shade = ListedColormap(_FILLS[: len(seen)])
    for axis, name, panel in zip(axes[0], nets, labels.cpu(), strict=True):
        frame = (-extent, extent, -extent, extent)
        axis.imshow(number[panel].numpy(), cmap=shade, vmin=-0.5, vmax=len(seen) - 0.5, origin="lower", extent=frame)
        axis.plot(0, 0, "x", color="black", markersize=5, markeredgewidth=1.2)
        axis.grid(visible=False)
        axis.set_title(name)
    axes[0, 0].set_ylabel("random direction")
    axes[0, len(nets) // 2].set_xlabel("along the gradient of the first net (levels of 0–255)")
    patches = [Patch(facecolor=shade(i), edgecolor="#595959", label=classes[k]) for i, k in enumerate(seen)]
    figure.legend(handles=patches, loc="outside lower center", ncols=min(5, len(patches)))
    if title:
        figure.suptitle(title, fontsize=10.5)
    return figure


@styled
def verdicts(
    before: Tensor,
    after: Tensor,
    says: Mapping[str, tuple[str, str]],
    *,
    title: str | None = None,
) -> Figure:
    """An image and its adversary, and beside them what each net says to the one and to the other.

    Args:
        before, after: ``(C, H, W)`` in [0, 1].
        says: net → (what it says to ``before``, what it says to ``after``).
        title: of the figure.
    """
    figure, axes = plt.subplots(1, 3, figsize=(WIDTH, 2.2), width_ratios=(1, 1, 2.1))
    for axis, image, name in zip(axes, (before, after), ("x", "x*"), strict=False):
        pixels = np.asarray(image.detach().cpu().permute(1, 2, 0)).clip(0, 1)
        axis.imshow(pixels if pixels.shape[2] == 3 else pixels[..., 0], cmap="gray", vmin=0, vmax=1)
        axis.set_title(name)
        axis.set_axis_off()
    axes[2].set_axis_off()
    cells = [[name, *words] for name, words in says.items()]
    table = axes[2].table(
        cells,
        colLabels=["net", "x", "x*"],
        colWidths=(0.44, 0.28, 0.28),
        loc="center",
        cellLoc="left",
        edges="horizontal",
    )
    table.auto_set_font_size(False)
    table.set_fontsize(9)
    table.scale(1, 1.5)
    if title:
        figure.suptitle(title, fontsize=10.5)
    return figure
