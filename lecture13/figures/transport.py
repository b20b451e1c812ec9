"""The figures of chapter 03: mass that moves, critics that measure how far, and what holds them Lipschitz."""

from collections.abc import Collection, Mapping, Sequence

import numpy as np
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor

from lecture13.figures.base import COLOURS, LINES, MARKERS, WIDTH, styled
from lecture13.gan import densities
from lecture13.gan.transport import Plan

_GREY = {"color": "#595959", "linewidth": 1.1, "linestyle": (0, (1, 2))}


@styled
def lines_training(runs: Mapping[str, tuple[Sequence[int], Sequence[float], Sequence[float]]], *, title: str) -> Figure:
    """A generator of one parameter under several objectives.

    Args:
        runs: objective → (iterations, θ, the derivative of the generator's loss by θ), each (T,).
        title: of the whole figure.
    """
    figure, (left, right) = plt.subplots(1, 2, figsize=(WIDTH, 3.2))
    for index, (name, (steps, theta, slopes)) in enumerate(runs.items()):
        style = {"color": COLOURS[index], "linestyle": LINES[index], "label": name}
        left.plot(steps, theta, **style)
        right.plot(steps, np.abs(slopes), **style)
    left.axhline(0, **_GREY)
    left.annotate("the data", (0.02, 0), xycoords=("axes fraction", "data"), ha="left", va="top", color="#404040")
    left.set(xlabel="iteration", ylabel="θ, place of the generator's line")
    right.set(xlabel="iteration", ylabel="|d loss / dθ|", yscale="log")
    right.legend(loc="best", fontsize=9)
    figure.suptitle(title, fontsize=10.5)
    return figure


@styled
def lines_apart(
    plan: Plan, thetas: Sequence[float], curves: Mapping[str, Sequence[float]], at: int, *, title: str
) -> Figure:
    """Two parallel lines and the optimal plan between them; both distances over θ, one θ marked.

    Args:
        plan: between samples of the data's line (x) and of the generator's (y).
        thetas: the axis of the right panel.
        curves: name → values over ``thetas``.
        at: index of the marked θ.
        title: of the whole figure.
    """
    figure, (left, right) = plt.subplots(1, 2, figsize=(WIDTH, 3.2))
    _matched(left, plan, width=0.004)
    reach = max(map(abs, thetas)) + 0.2
    left.set(xlim=(-reach, reach), ylim=(-0.1, 1.3), xlabel="x₁", ylabel="x₂")
    left.legend(loc="upper center", ncols=2, fontsize=9)
    for index, (name, values) in enumerate(curves.items()):
        style = {"color": COLOURS[index], "label": name}
        right.plot(thetas, values, linestyle=LINES[index], **style)
        right.plot(thetas[at], values[at], MARKERS[index], color=COLOURS[index], markersize=9)
    right.axvline(thetas[at], **_GREY)
    right.set(xlabel="θ", ylabel="W₁ (units of x); JSD (nats)", ylim=(-0.05, 1.35))
    right.legend(loc="upper center", ncols=2, fontsize=9)
    figure.suptitle(title, fontsize=10.5)
    return figure


@styled
def plan_on_potential(plan: Plan, *, extent: float, title: str, cells: int = 90) -> Figure:
    """An optimal plan as arrows from y to x, over the best critic f* as a map with its level lines."""
    points, _ = densities.plane(extent, cells)
    height = plan.potential(points.view(-1, 2)).view(cells, cells)
    figure, axis = plt.subplots(figsize=(5.6, 4.6))
    picture = _surface(axis, points, height)
    _matched(axis, plan, width=0.0025, colours=("white", COLOURS[4]), arrow="white")
    axis.set(xlim=(-extent, extent), ylim=(-extent, extent), aspect="equal", xlabel="x₁", ylabel="x₂")
    axis.legend(loc="upper left", fontsize=9, frameon=True)
    figure.colorbar(picture, ax=axis, label="f*, the best critic (units of x)")
    figure.suptitle(title, fontsize=10.5)
    return figure


@styled
def decoder(z: Tensor, drawn: Tensor, plan: Plan, *, extent: float, title: str) -> Figure:
    """Left, where the generator takes each z; right, how what it draws must still move to become data.

    Args:
        z, drawn: (N, 2), (N, 2): noise, and G(z).
        plan: from data (x) to generated samples (y).
        extent: half the side of each panel.
        title: of the whole figure.
    """
    figure, (left, right) = plt.subplots(1, 2, figsize=(WIDTH, 4.05), sharey=True)
    _arrows(left, z, drawn, COLOURS[0], width=0.0025)
    left.plot(*z.T.numpy(), ".", color="#8c8c8c", markersize=4, label="z")
    left.plot(*drawn.T.numpy(), MARKERS[2], color=COLOURS[2], markersize=4, label="G(z)")
    _matched(right, plan, width=0.0025)
    for axis, name in ((left, "the decoder: z ↦ G(z)"), (right, "what is left: G(z) ↦ data, optimal")):
        axis.set(title=name, xlim=(-extent, extent), ylim=(-extent, extent), aspect="equal", xlabel="x₁")
        axis.legend(loc="upper left", fontsize=9, frameon=True)
    left.set_ylabel("x₂")
    figure.suptitle(title, fontsize=10.5)
    return figure


@styled
def surfaces(
    rows: Mapping[str, Sequence[Tensor]], columns: Mapping[str, Tensor], *, extent: float, title: str
) -> Figure:
    """Critics as maps with level lines, each in its own range: a row for each kind, a column for each data set.

    Args:
        rows: kind of critic → its values (cells, cells) on :func:`~lecture13.gan.densities.plane`, for each column.
        columns: data set → samples (N, 2) of it, drawn as dots.
        extent: half the side of each map.
        title: of the whole figure.
    """
    side = WIDTH / len(columns)
    figure, axes = plt.subplots(
        len(rows), len(columns), squeeze=False, sharex=True, sharey=True, figsize=(WIDTH, side * len(rows) + 0.6)
    )
    for line, (kind, maps) in zip(axes, rows.items(), strict=True):
        for axis, (name, samples), values in zip(line, columns.items(), maps, strict=True):
            points, _ = densities.plane(extent, len(values))
            _surface(axis, points, values)
            axis.plot(*samples.T.numpy(), ".", color="white", markersize=2.4, markeredgewidth=0)
            axis.set(aspect="equal", xlim=(-extent, extent), ylim=(-extent, extent))
            if axis in axes[0]:
                axis.set_title(name)
            if axis in axes[-1]:
                axis.set_xlabel("x₁")
        line[0].set_ylabel(f"{kind}\nx₂")
    figure.suptitle(title, fontsize=10.5)
    return figure


@styled
def weights_and_layers(
    weights: Mapping[str, Tensor],
    layers: Mapping[str, Sequence[float]],
    *,
    title: str,
    reach: tuple[float, float] | None = None,
) -> Figure:
    """Where a critic's weights lie, and how its gradient goes back through its layers.

    Args:
        weights: critic → all its weights (N,), a histogram each.
        layers: critic → norm of the loss's gradient by the output of each layer, input side first.
        title: of the whole figure.
        reach: of the gradients' axis.
    """
    figure = plt.figure(figsize=(WIDTH, 1.3 * max(2, len(weights)) + 1.2))
    left, right = figure.subfigures(1, 2, width_ratios=(1, 1.15))
    panels = left.subplots(len(weights), 1, squeeze=False)[:, 0]
    for axis, (name, values) in zip(panels, weights.items(), strict=True):
        axis.hist(values.detach().numpy(), bins=60, color=COLOURS[0])
        axis.set_title(name)
        axis.locator_params(axis="x", nbins=4)
        axis.set(ylabel="weights", yscale="log")
    panels[-1].set_xlabel("value of a weight")
    axis = right.subplots()
    for index, (name, norms) in enumerate(layers.items()):
        style = {"color": COLOURS[index % 5], "linestyle": LINES[index % 5], "marker": MARKERS[index % 5]}
        axis.plot(range(1, len(norms) + 1), norms, label=name, **style)
    axis.xaxis.get_major_locator().set_params(integer=True)
    axis.set(xlabel="layer, from the input", ylabel="norm of the loss's gradient", yscale="log", ylim=reach)
    axis.legend(loc="best", fontsize=9)
    figure.suptitle(title, fontsize=10.5)
    return figure


@styled
def progress(
    runs: Mapping[str, tuple[Sequence[int], Mapping[str, Sequence[float]]]],
    *,
    ylabel: str | Sequence[str],
    title: str,
    logy: Collection[str] = (),
) -> Figure:
    """What a critic says while both train beside what is true, one panel for each run.

    Args:
        runs: name → (iterations, {label → values}); each panel has its own height, the same label the same line.
        ylabel: of all panels, with its unit, or one for each.
        logy: the runs with a logarithmic axis.
        title: of the whole figure.
    """
    count = len(runs)
    columns = count if count < 4 else 2
    figure, axes = plt.subplots(
        -(-count // columns), columns, squeeze=False, figsize=(WIDTH, 2.9 * -(-count // columns) + 0.3)
    )
    labels = list(dict.fromkeys(label for _, lines in runs.values() for label in lines))
    for axis, (name, (steps, lines)) in zip(axes.flat, runs.items(), strict=False):
        for label, values in lines.items():
            index = labels.index(label)
            axis.plot(steps, values, color=COLOURS[(2, 4, 0, 1)[index]], linestyle=LINES[index], label=label)
        if name in logy:
            axis.set_yscale("log")
        else:
            axis.axhline(0, **_GREY)
        axis.set(title=name, xlabel="iteration")
    for index, axis in enumerate(axes.flat):
        if not isinstance(ylabel, str):
            axis.set_ylabel(ylabel[index])
        elif index % columns == 0:
            axis.set_ylabel(ylabel)
    handles = {
        text: handle for axis in axes.flat for handle, text in zip(*axis.get_legend_handles_labels(), strict=True)
    }
    figure.legend(
        handles.values(), handles.keys(), loc="outside lower center", ncols=min(len(handles), 4), columnspacing=1.2
    )
    figure.suptitle(title, fontsize=10.5)
    return figure


def _matched(
    axis: Axes,
    plan: Plan,
    *,
    width: float,
    colours: tuple[str, str] = (COLOURS[1], COLOURS[2]),
    arrow: str = COLOURS[0],
) -> None:
    """The points of a plan, and an arrow from y to x wherever mass goes: the heaviest for each x."""
    _arrows(axis, plan.y[plan.matching], plan.x, arrow, width)
    edge = {"markeredgecolor": "black", "markeredgewidth": 0.3, "zorder": 3}
    axis.plot(*plan.x.T.numpy(), "o", color=colours[0], markersize=4, label="data", **edge)
    axis.plot(*plan.y.T.numpy(), MARKERS[2], color=colours[1], markersize=4, label="generated", **edge)


def _arrows(axis: Axes, start: Tensor, end: Tensor, colour: str, width: float) -> None:
    shift = (end - start).numpy()
    axis.quiver(
        *start.T.numpy(), *shift.T, angles="xy", scale_units="xy", scale=1, width=width, color=colour, alpha=0.75
    )  # fmt: skip


def _surface(axis: Axes, points: Tensor, values: Tensor):
    x, y, height = points[..., 0].numpy(), points[..., 1].numpy(), values.detach().numpy()
    picture = axis.contourf(x, y, height, 18, cmap="cividis")
    axis.contour(x, y, height, 12, colors="black", linewidths=0.4, linestyles="solid", alpha=0.6)
    axis.grid(False)
    return picture
