"""The figures of chapter 17: decision regions with the balls inside, a training's curves, a drawn perturbation."""

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from matplotlib import pyplot as plt
from matplotlib.figure import Figure
from torch import Tensor, nn

from lecture13.figures.base import COLOURS, LINES, WIDTH, styled
from lecture13.figures.polytope import SIDES
from lecture13.training import History


@styled
def regions(nets: Mapping[str, nn.Module], points: Tensor, labels: Tensor, epsilon: float, *, title: str) -> Figure:
    """The two classes of the unit square for each net, and a square of ±ε around every point.

    A square with a piece of the other class inside is drawn dashed. Squares are looked at on a grid, so that a piece
    smaller than its mesh is not seen.

    Args:
        nets: name → two inputs, two outputs.
        points, labels: ``(N, 2)`` in [0, 1], and 0 or 1.
        epsilon: half the side of a square.
        title: of the figure.
    """
    figure, axes = plt.subplots(1, len(nets), figsize=(WIDTH, WIDTH / len(nets) + 0.7), squeeze=False)
    axis = torch.linspace(-0.1, 1.1, 300).to(points)
    plane = torch.cartesian_prod(axis, axis)
    local = torch.linspace(-epsilon, epsilon, 41).to(points)
    for panel, (name, net) in zip(axes[0], nets.items(), strict=True):
        with torch.no_grad():
            classes = net(plane).argmax(1).view(300, 300).T
            inside = net((points[:, None] + torch.cartesian_prod(local, local)).flatten(0, 1)).argmax(1)
        whole = (inside.view(len(points), -1) == labels[:, None]).all(1)
        panel.contourf(classes, levels=[-0.5, 0.5, 1.5], colors=SIDES, extent=(-0.1, 1.1, -0.1, 1.1))
        for point, label, kept in zip(points.tolist(), labels.tolist(), whole.tolist(), strict=True):
            corner = (point[0] - epsilon, point[1] - epsilon)
            style = {"linestyle": "-" if kept else (0, (3, 2)), "linewidth": 1.4}
            panel.add_patch(plt.Rectangle(corner, 2 * epsilon, 2 * epsilon, fill=False, edgecolor="black", **style))
            panel.plot(*point, marker="os"[label], color=COLOURS[label], markersize=5)
        panel.set(title=f"{name}\n{int(whole.sum())} of {len(points)} squares seen whole", aspect="equal")
        panel.set(xlabel="$x_1$", xlim=(-0.1, 1.1), ylim=(-0.1, 1.1))
        panel.grid(False)
    axes[0, 0].set_ylabel("$x_2$")
    figure.suptitle(title, fontsize=10.5)
    return figure


@styled
def course(histories: Mapping[str, History], *, chance: float, title: str, window: int = 20) -> Figure:
    """How provable trainings went: robust loss, robust error of the batches, and ε, over the steps.

    Args:
        histories: name → what :func:`lecture13.defenses.robust_training.train` returned.
        chance: the loss of a net that says nothing, log K.
        title: of the figure.
        window: steps of the moving mean.
    """
    figure, axes = plt.subplots(1, 3, figsize=(WIDTH, 2.8))
    parts = (
        ("loss", "robust loss (nats)", 1.0),
        ("robust error", "batch's robust error (%)", 100.0),
        ("epsilon", "ε", 1.0),
    )
    for axis, (name, label, scale) in zip(axes, parts, strict=True):
        for number, (title_, history) in enumerate(histories.items()):
            values = scale * np.asarray(history[name], dtype=float)
            if name != "epsilon":
                values = _mean(values, min(window, len(values)))
            look = {"color": COLOURS[number], "linestyle": LINES[number], "label": title_}
            axis.plot(np.arange(len(values)), values, **look)
        axis.set(xlabel="step", title=label, ylim=(0, None))
    axes[0].axhline(chance, color="#7f7f7f", linewidth=0.9, linestyle=":")
    axes[0].annotate("chance", (1, chance), xycoords=("axes fraction", "data"), ha="right", va="bottom", fontsize=9)
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=len(histories), fontsize=9)
    figure.suptitle(title, fontsize=10.5)
    return figure


def _mean(values: np.ndarray, window: int) -> np.ndarray:
    """At each step the mean of the last ``window`` values, of fewer at the start."""
    sums = np.cumsum(np.insert(values, 0, 0.0))
    ends = np.arange(1, len(values) + 1)
    starts = np.maximum(0, ends - window)
    return (sums[ends] - sums[starts]) / (ends - starts)


@styled
def drawing(before: Tensor, change: Tensor, after: Tensor, said: Sequence[str], *, title: str) -> Figure:
    """An image, what is added, and the sum, each ``(1, 1, H, W)``; below, what each net says.

    The change is drawn around grey, from −.3 to .3, so that pictures of several sizes compare.
    """
    figure, axes = plt.subplots(1, 3, figsize=(WIDTH, 3.0))
    pictures = ((before, 0.0, 1.0, "x"), (change, -0.3, 0.3, "δ, your drawing"), (after, 0.0, 1.0, "x + δ"))
    for axis, (picture, low, high, name) in zip(axes, pictures, strict=True):
        axis.imshow(picture[0, 0].detach().cpu().numpy(), cmap="gray", vmin=low, vmax=high)
        axis.set(xticks=[], yticks=[], title=name)
        axis.grid(False)
    figure.supxlabel("\n".join(said), fontsize=10)
    figure.suptitle(title, fontsize=10.5)
    return figure
