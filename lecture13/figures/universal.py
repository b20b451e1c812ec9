"""Chapter 12's figures: one perturbation on many images, what they become, and the spectrum of small perturbations."""

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from matplotlib import pyplot as plt
from matplotlib.figure import Figure
from torch import Tensor

from lecture13.figures.base import COLOURS, WIDTH, images, styled

__all__ = ["became", "of_different_classes", "one_for_all", "patterns"]


def of_different_classes(chosen: Tensor, labels: Tensor, count: int) -> Tensor:
    """Up to ``count`` of the images where ``chosen`` is true, of as many classes as there are: int64 indices.

    Args:
        chosen: bool ``(N,)``.
        labels: int64 ``(N,)``.
        count: at most so many.
    """
    places = chosen.nonzero()[:, 0].tolist()
    rank, met = {}, {}
    for place in places:  # the first of every class, then the second of every class, …
        label = int(labels[place])
        rank[place] = met[label] = met.get(label, -1) + 1
    return torch.tensor(sorted(places, key=rank.__getitem__)[:count], dtype=torch.int64)


def one_for_all(
    batch: Tensor,
    perturbation: Tensor,
    before: Tensor,
    after: Tensor,
    classes: Sequence[str],
    *,
    title: str | None = None,
) -> Figure:
    """Images above, the same with one perturbation added below, each with the class that it is given.

    Args:
        batch: ``(N, C, H, W)`` in [0, 1].
        perturbation: v, ``(1, C, H, W)``; sums are cut to [0, 1].
        before, after: int64 ``(N,)``: the classes given without and with v.
        classes: K names.
        title: of the figure.
    """
    words = [_broken(classes[k]) for k in (*before.tolist(), *after.tolist())]
    shown = torch.cat([batch, (batch + perturbation).clamp(0, 1)])
    return images(shown, titles=words, columns=len(batch), rows=["x", "x + v"], title=title)


def patterns(perturbations: Mapping[str, Tensor], *, title: str | None = None) -> Figure:
    """Perturbations side by side, each stretched around grey until its largest value is black or white.

    Args:
        perturbations: caption → ``(1, C, H, W)``.
        title: of the figure.
    """
    shown = torch.cat([0.5 + 0.5 * v / v.abs().max().clamp(min=1e-12) for v in perturbations.values()])
    return images(shown.clamp(0, 1), titles=list(perturbations), columns=len(perturbations), size=1.35, title=title)


@styled
def became(before: Tensor, after: Tensor, classes: Sequence[str], *, title: str | None = None) -> Figure:
    """How often each class is given without a perturbation and with it, as bars.

    Args:
        before, after: int64 ``(N,)``, N ≥ 1: the classes given without and with it.
        classes: K names.
        title: says profile, data and device.

    Raises:
        ValueError: no images, or two numbers of them.
    """
    if not len(before) or before.shape != after.shape:
        raise ValueError(f"before has shape {tuple(before.shape)} and after {tuple(after.shape)}; expected one (N,)")
    figure, axis = plt.subplots(figsize=(WIDTH, 0.9 + 0.3 * len(classes)))
    places = np.arange(len(classes))
    for shift, (name, found, hatch) in zip((-0.2, 0.2), (("x", before, ""), ("x + v", after, "///")), strict=True):
        share = 100 * np.bincount(found.cpu().numpy(), minlength=len(classes)) / len(found)
        colour = COLOURS[0] if not hatch else COLOURS[1]
        axis.barh(places + shift, share, 0.4, label=name, color=colour, hatch=hatch, edgecolor="white", linewidth=0)
    axis.set_yticks(places, classes)
    axis.invert_yaxis()
    axis.set(xlabel="share of images that are given the class (%)", title=title or "")
    axis.legend(loc="lower right")
    return figure


def _broken(name: str) -> str:
    """A class name in lines short enough for a small picture."""
    return name.replace(" ", "\n", 1)
