"""A scene beside the map of what stands where."""

from collections.abc import Sequence

import matplotlib as mpl
import torch
from matplotlib import pyplot as plt
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from lecture13.figures.base import styled

__all__ = ["concept_map"]


@styled
def concept_map(
    image: torch.Tensor, concepts: torch.Tensor, names: Sequence[str], *, title: str | None = None
) -> Figure:
    """An image and, beside it, its map of concepts; the legend gives the share of pixels of each.

    Args:
        image: (3, H, W) in [0, 1].
        concepts: (H, W) uint8, indices into ``names``.
        names: of the concepts.
        title: of the whole figure.

    Raises:
        ValueError: a map of another size than the image, or an index that has no name.
    """
    if image.ndim != 3 or concepts.shape != image.shape[1:]:
        raise ValueError(f"image {tuple(image.shape)} and map {tuple(concepts.shape)}; expected (3, H, W) and (H, W)")
    if int(concepts.max()) >= len(names):
        raise ValueError(f"the map holds the index {int(concepts.max())}; there are {len(names)} names, 0 and upward")
    figure, (left, right) = plt.subplots(1, 2, figsize=(7.0, 2.7))
    left.imshow(image.permute(1, 2, 0).clamp(0, 1).numpy())
    share = torch.bincount(concepts.flatten().long(), minlength=len(names)) / concepts.numel()
    there = share.argsort(descending=True)[: int((share > 0).sum())]
    # dark and light in turn, so that neighbours in the legend, and large concepts, differ also in greyscale
    lightness = torch.linspace(0.0, 1.0, len(there))
    turn = torch.arange(len(there)) // 2 + torch.arange(len(there)) % 2 * ((len(there) + 1) // 2)
    colours = mpl.colormaps["cividis"](lightness[turn].numpy())
    rank = torch.zeros(len(names), dtype=torch.long)
    rank[there] = torch.arange(len(there))
    right.imshow(colours[rank[concepts.long()].numpy()])
    for axis in (left, right):
        axis.axis("off")
    legend = [
        Patch(facecolor=colour, edgecolor="#404040", label=f"{names[index]} {100 * share[index]:.0f} %")
        for colour, index in zip(colours, there.tolist(), strict=True)
    ]
    right.legend(handles=legend, loc="center left", bbox_to_anchor=(1.02, 0.5), fontsize=8.5)
    if title:
        figure.suptitle(title, fontsize=10.5)
    return figure
