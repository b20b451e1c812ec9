"""The plane as DeepFool sees it: the classes' regions, and the classifier linearised at each point of a walk."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import torch
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from scipy.ndimage import distance_transform_edt
from torch import Tensor

from lecture13.figures.base import COLOURS, WIDTH, styled
from lecture13.guard import Model

TINTS = ("#dbe6f4", "#fbe0bf", "#ecd0df", "#cfe9e3", "#e4e4e4")
_FACE, _BALL, _PATH = COLOURS[2], COLOURS[1], COLOURS[4]


@dataclass(frozen=True)
class View:
    """One moment of a walk in the plane."""

    #: (T + 1, 2): x_0, x_1, …, as DeepFool looked at them.
    path: Tensor
    #: which of them is looked at, 0 … T.
    iteration: int
    #: "l2" or "linf": the ball around the point that touches the nearest linearised boundary.
    norm: str = "l2"
    #: (2,): the truly nearest point of another class, if it is known.
    nearest: Tensor | None = None


@styled
def views(
    model: Model,
    panels: Mapping[str, View],
    *,
    title: str,
    extent: float,
    centre: tuple[float, float] = (0.0, 0.0),
    resolution: int = 241,
) -> Figure:
    """What DeepFool sees: the classes' regions, and at one point of each path the classifier linearised there.

    Dashed: the linearised boundaries between the predicted class k̂ and every other. Thick: the polyhedron in which the
    linearised classifier still says k̂. The ball touches its nearest face, and the arrow is the step that is made, the
    overshoot on the whole way included.

    Args:
        model: gives logits ``(N, K)`` for points of the plane, K ≤ 5.
        panels: caption → what is seen; side by side, at most three in a row.
        title: of the figure.
        extent, centre: half the side of the square that is drawn, and its middle.
        resolution: grid points along each axis.

    Raises:
        ValueError: no panel, or an iteration that a path does not have.
    """
    if not panels:
        raise ValueError("no view to draw; panels is empty")
    for caption, view in panels.items():
        if not 0 <= view.iteration < len(view.path):
            raise ValueError(f"{caption}: iteration={view.iteration}; its path has 0 … {len(view.path) - 1}")
    columns = min(len(panels), 3)
    rows = -(-len(panels) // columns)
    side = WIDTH / max(columns, 2) if len(panels) > 1 else 4.6
    figure, axes = plt.subplots(
        rows, columns, squeeze=False, sharex=True, sharey=True, figsize=(side * columns, (side + 0.1) * rows + 0.85)
    )
    x, y = (middle + torch.linspace(-extent, extent, resolution) for middle in centre)
    grid = torch.stack(torch.meshgrid(x, y, indexing="xy"), dim=-1)  # rows along x₂
    with torch.no_grad():
        classes = model(grid.flatten(0, 1)).argmax(1).view(resolution, resolution)
    for axis, (caption, view) in zip(axes.flat, panels.items(), strict=False):
        near = torch.cdist(grid, view.path[: view.iteration + 1].expand(resolution, -1, -1)).amin(-1) < 0.2 * extent
        _regions(axis, grid, classes, free=~near)
        _linearised(axis, grid, model, view)
        _walked(axis, view)
        axis.set(xlim=x[[0, -1]].tolist(), ylim=y[[0, -1]].tolist(), aspect="equal")
        axis.set_title(caption)
        axis.grid(False)
    for axis in list(axes.flat)[len(panels) :]:
        axis.set_visible(False)
    for axis in axes[-1]:
        axis.set_xlabel("x₁")
    for axis in axes[:, 0]:
        axis.set_ylabel("x₂")
    figure.legend(
        handles=_key(panels.values()), loc="outside lower center", ncols=3 if len(panels) > 1 else 2, fontsize=9
    )
    figure.suptitle(title, fontsize=10.5)
    return figure


def _regions(axis: Axes, grid: Tensor, classes: Tensor, free: Tensor) -> None:
    """The classes' regions in tints, their true boundaries in black, each with its name where it is widest.

    ``grid (R, R, 2)``; names stand where ``free (R, R)`` is true.
    """
    x, y = grid.unbind(-1)
    axis.contourf(x, y, classes, levels=np.arange(-0.5, len(TINTS) + 0.5), colors=TINTS)
    for k in classes.unique().tolist():
        mask = classes == k
        axis.contour(x, y, mask.float(), levels=[0.5], colors="black", linewidths=0.9)
        room = distance_transform_edt(np.pad((mask & free).numpy(), 1))[1:-1, 1:-1]
        row, column = np.unravel_index(room.argmax(), room.shape)
        axis.text(*grid[row, column].tolist(), f"{k}", ha="center", va="center", color="#595959", fontsize=12)


def _linearised(axis: Axes, grid: Tensor, model: Model, view: View) -> None:
    """The faces at the point of ``view``, the polyhedron between them, and the ball that touches the nearest."""
    point = view.path[view.iteration]
    inputs = point[None].clone().requires_grad_()
    scores = model(inputs)[0]
    own = int(model(view.path[:1]).argmax())  # the class to leave is the first point's
    if int(scores.argmax()) != own:
        return  # it has been left: nothing is linearised any more
    gradients = torch.stack([torch.autograd.grad(score, inputs, retain_graph=True)[0][0] for score in scores])
    others = [k for k in range(len(scores)) if k != own]
    w, gaps = (gradients[others] - gradients[own]), (scores[others] - scores[own]).detach()
    heights = gaps + (grid - point) @ w.T  # (R, R, K − 1): above 0 beyond a face
    first, second = grid.unbind(-1)
    for height in heights.unbind(-1):
        axis.contour(first, second, height, levels=[0], colors=_FACE, linestyles="--", linewidths=1.1)
    axis.contour(first, second, heights.amax(-1), levels=[0], colors=_FACE, linewidths=2.4)
    dual = w.norm(dim=1) if view.norm == "l2" else w.abs().sum(1)
    radius = float((gaps.abs() / dual).min())
    x, y = point.tolist()
    shape = (
        plt.Circle((x, y), radius)
        if view.norm == "l2"
        else plt.Rectangle((x - radius, y - radius), 2 * radius, 2 * radius)
    )
    shape.set(facecolor="none", edgecolor=_BALL, linewidth=1.8)
    axis.add_patch(shape)


def _walked(axis: Axes, view: View) -> None:
    """The way so far, and the step that comes next."""
    done = view.path[: view.iteration + 1].numpy()
    axis.plot(*done.T, marker="o", color=_PATH, linestyle="-", linewidth=1.3, markersize=3.5)
    axis.plot(*done[0], "o", color=_PATH, markersize=7)
    if view.iteration + 1 < len(view.path):
        arrow = {
            "arrowstyle": "-|>",
            "color": _PATH,
            "linewidth": 1.6,
            "shrinkA": 0,
            "shrinkB": 0,
            "mutation_scale": 13,
        }
        axis.annotate("", view.path[view.iteration + 1].tolist(), done[-1], arrowprops=arrow)
    if view.nearest is not None:
        axis.plot(*view.nearest.tolist(), "*", color=COLOURS[3], markersize=14, markeredgecolor="white")


def _key(shown: Iterable[View]) -> list[Line2D]:
    """What the lines mean; the ball by the norms that are shown, the star only where there is one."""
    shown = list(shown)
    names = {"l2": "ℓ₂", "linf": "ℓ∞"}
    ball = " and ".join(dict.fromkeys(names[view.norm] for view in shown))
    key = [
        Line2D([], [], color="black", linewidth=0.9, linestyle="-", label="boundaries"),
        Line2D([], [], color=_FACE, linewidth=1.1, linestyle="--", label="linearised boundaries"),
        Line2D([], [], color=_FACE, linewidth=2.4, linestyle="-", label="linearised region of k̂"),
        Line2D([], [], color=_BALL, linewidth=1.8, linestyle="-", label=f"{ball} ball to the nearest"),
        Line2D([], [], color=_PATH, marker="o", linestyle="-", label="walk and next step"),
    ]
    if any(view.nearest is not None for view in shown):
        key.append(Line2D([], [], color=COLOURS[3], marker="*", markersize=12, linestyle="none", label="truly nearest"))
    return key
