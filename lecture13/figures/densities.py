"""The figures of chapter 01: what a generator draws, what its critic thinks of it, and how the game goes."""

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor

from lecture13.figures.base import COLOURS, LINES, MARKERS, WIDTH, styled
from lecture13.gan.densities import Mixture


@styled
def frames(
    rows: Mapping[str, Sequence[Tensor]], titles: Sequence[str], target: Mixture, *, title: str, extent: float = 3.0
) -> Figure:
    """Samples in the plane as they change, one row for each run: dots, and a circle of 3 stds around each mode.

    Args:
        rows: name of the run → samples (N, 2) of each frame.
        titles: of the columns, the same for all rows.
        target: the mixture to be learnt.
        title: of the whole figure.
        extent: half the side of each frame.

    Raises:
        ValueError: a row with another number of frames than there are titles.
    """
    columns = len(titles)
    if any(len(row) != columns for row in rows.values()):
        raise ValueError(
            f"{[len(row) for row in rows.values()]} frames in the rows; expected {columns}, one for each title"
        )
    side = WIDTH / columns
    figure, axes = plt.subplots(
        len(rows), columns, squeeze=False, sharex=True, sharey=True, figsize=(WIDTH, (side - 0.1) * len(rows) + 0.9)
    )
    for axis, caption in zip(axes[0], titles, strict=True):
        axis.set_title(caption)
    for line, (name, row) in zip(axes, rows.items(), strict=True):
        for axis, samples in zip(line, row, strict=True):
            for mean, std in zip(target.means.tolist(), target.stds.tolist(), strict=True):
                axis.add_patch(plt.Circle(mean, 3 * std, facecolor="#f2c48a", edgecolor=COLOURS[1], linewidth=0.8))
            axis.plot(*samples.cpu().numpy().T, ".", color=COLOURS[0], markersize=1.6, alpha=0.6, zorder=3)
            axis.set(
                xlim=(-extent, extent), ylim=(-extent, extent), aspect="equal", xticks=[-2, 0, 2], yticks=[-2, 0, 2]
            )
            axis.tick_params(labelsize=8)
        line[0].set_ylabel(f"{name}\nx₂" if name else "x₂")
    for axis in axes[-1]:
        axis.set_xlabel("x₁")
    figure.suptitle(title, fontsize=10.5)
    return figure


@styled
def critic_on_line(x: Tensor, p: Tensor, q: Tensor, critic: Tensor, best: Tensor, *, title: str) -> Figure:
    """Densities of data and generator above, the critic and D* = p/(p + q) below, all (B,) over x (B,)."""
    figure, (above, below) = plt.subplots(2, 1, sharex=True, figsize=(WIDTH, 4.2))
    _densities(above, x, p, q)
    below.plot(x, best, color=COLOURS[2], linestyle="--", label="D* = p_data / (p_data + p_g)")
    below.plot(x, critic, color=COLOURS[4], linestyle="-", linewidth=1.3, label="D, trained")
    below.set(xlabel="x", ylabel="probability", ylim=(-0.05, 1.05))
    for axis in (above, below):
        axis.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0))
    figure.suptitle(title, fontsize=10.5)
    return figure


@styled
def critic_on_plane(extent: float, critic: Tensor, best: Tensor, *, title: str) -> Figure:
    """D* and a trained critic as maps (cells, cells), rows along x₂, and how far they are apart."""
    figure, axes = plt.subplots(1, 3, figsize=(WIDTH, 2.8), sharey=True)
    maps = (
        ("D*, closed form", best, "cividis"),
        ("D, trained", critic, "cividis"),
        ("|D − D*|", (critic - best).abs(), "Greys"),
    )
    for axis, (name, values, colours) in zip(axes, maps, strict=True):
        picture = axis.imshow(
            values.numpy(), origin="lower", extent=[-extent, extent] * 2, vmin=0, vmax=1, cmap=colours
        )
        axis.set(title=name, xlabel="x₁")
        axis.grid(False)
    axes[0].set_ylabel("x₂")
    figure.colorbar(picture, ax=axes[2], label="difference")
    figure.colorbar(axes[1].images[0], ax=axes[:2], label="probability", location="left")
    figure.suptitle(title, fontsize=10.5)
    return figure


@styled
def value_while_training(
    runs: Mapping[str, tuple[Sequence[int], Sequence[float], Sequence[float]]], *, title: str
) -> Figure:
    """The exact value of the game beside what the critic reaches, one panel for each run.

    Args:
        runs: name → (iterations, exact −log 4 + 2·JSD, value V(D, G) of the critic as trained), in nats.
        title: of the whole figure.
    """
    figure, axes = plt.subplots(1, len(runs), sharey=True, squeeze=False, figsize=(WIDTH, 3.2))
    bottom = min(-1.6, *(min(reached) for _, _, reached in runs.values())) - 0.05
    for axis, (name, (steps, exact, reached)) in zip(axes[0], runs.items(), strict=True):
        axis.plot(steps, exact, color=COLOURS[2], linestyle="--", label="exact: −log 4 + 2·JSD")
        axis.plot(steps, reached, color=COLOURS[4], linestyle="-", linewidth=1.3, label="this critic: V(D, G)")
        axis.axhline(-np.log(4), color="#595959", linewidth=1.1, linestyle=(0, (1, 2)))
        axis.set(title=name, xlabel="iteration", ylim=(bottom, 0.05))
        axis.annotate(
            "−log 4", (0.99, -np.log(4)), xycoords=("axes fraction", "data"), ha="right", va="top", color="#404040"
        )
    axes[0, 0].set_ylabel("value of the game (nats)")
    axes[0, -1].legend(loc="upper right")
    figure.suptitle(title, fontsize=10.5)
    return figure


@styled
def gradient_by_logit(logits: Tensor, slopes: Mapping[str, tuple[Tensor, Tensor]], *, title: str) -> Figure:
    """How strongly a sample is pulled, by what the critic thinks of it.

    Args:
        logits: (T,) the critic's logits a, D = σ(a).
        slopes: objective → (formula (T,), autograd (T,)): |dℓ/da|, drawn as a line and as dots.
        title: of the figure.
    """
    figure, axis = plt.subplots(figsize=(WIDTH, 3.4))
    for index, (name, (formula, measured)) in enumerate(slopes.items()):
        style = {"color": COLOURS[index], "label": name}
        axis.plot(logits, formula, linestyle=LINES[index], **style)
        axis.plot(logits[::10], measured[::10], MARKERS[index], color=COLOURS[index], label=f"{name}, autograd")
    axis.set(
        xlabel="logit a of the critic;  D = σ(a)", ylabel="|dℓ/da| (nats per unit of a)", yscale="log", title=title
    )
    shown = axis.secondary_xaxis("top", functions=(lambda a: a, lambda a: a))
    ticks = [-10, -5, 0, 5]
    shown.set_xticks(ticks, [f"D = {torch.tensor(float(a)).sigmoid().item():.2g}" for a in ticks])
    axis.set_title(title, pad=24)
    axis.legend(loc="lower right")
    return figure


@styled
def saturation(runs: Mapping[str, Mapping[str, Sequence[float]]], *, title: str) -> Figure:
    """Two trainings from one bad start: the divergence, and the generator's gradient.

    Args:
        runs: objective → {"step", "divergence" (nats), "gradient" (norm)}, each (T,).
        title: of the whole figure.
    """
    figure, (left, right) = plt.subplots(1, 2, figsize=(WIDTH, 3.2))
    for index, (name, run) in enumerate(runs.items()):
        style = {"color": COLOURS[index], "linestyle": LINES[index], "label": name}
        left.plot(run["step"], run["divergence"], **style)
        right.plot(run["step"], run["gradient"], **style)
    left.axhline(np.log(2), color="#595959", linewidth=1.1, linestyle=(0, (1, 2)))
    left.annotate("log 2: disjoint", (0.99, np.log(2)), xycoords=("axes fraction", "data"), ha="right", va="bottom")
    left.set(xlabel="iteration", ylabel="exact JSD (nats)", ylim=(-0.02, 0.78))
    right.set(xlabel="iteration", ylabel="norm of the generator's gradient", yscale="log")
    right.legend(loc="best")
    figure.suptitle(title, fontsize=10.5)
    return figure


@styled
def shifted(
    x: Tensor,
    p: Tensor,
    q: Tensor,
    best: Tensor,
    shifts: Sequence[float],
    lines: Mapping[str, Sequence[float]],
    at: int,
) -> Figure:
    """Two normals and their best critic, and over all shifts the divergence and both gradients, one shift marked.

    Args:
        x, p, q, best: (B,) the axis, both densities, and D*, for the marked shift.
        shifts: Δ on the right panel's axis.
        lines: label → values over ``shifts``, drawn on a log axis.
        at: index of the marked shift.
    """
    figure, (left, right) = plt.subplots(1, 2, figsize=(WIDTH, 3.3))
    _densities(left, x, p, q)
    left.plot(x, best, color=COLOURS[2], linestyle="--", label="D*")
    left.set(xlabel="x", ylim=(-0.05, 1.05), ylabel="density (per unit of x); D* (probability)")
    left.legend(loc="center right", fontsize=9)
    for index, (name, values) in enumerate(lines.items()):
        style = {"color": COLOURS[(2, 0, 1)[index]], "linestyle": LINES[(1, 0, 2)[index]]}
        right.plot(shifts, values, label=name, **style)
        right.plot(shifts[at], values[at], MARKERS[index], color=style["color"], markersize=8)
    right.axvline(shifts[at], color="#595959", linewidth=1.0, linestyle=(0, (1, 2)))
    right.set(xlabel="shift Δ of the generator", ylabel="nats; nats per unit of Δ", yscale="log", ylim=(1e-5, 30))
    right.legend(loc="lower left", fontsize=9)
    figure.suptitle(
        f"Δ = {shifts[at]:g}: " + ", ".join(f"{name} {values[at]:.3g}" for name, values in lines.items()), fontsize=10
    )
    return figure


@styled
def collapse(
    runs: Mapping[str, Sequence[tuple[Sequence[int], Sequence[float], Sequence[float]]]], modes: int, *, title: str
) -> Figure:
    """Modes covered and share of high-quality samples over the training, one line for each seed.

    Args:
        runs: name → for each seed (iterations, modes covered, share in [0, 1]).
        modes: of the mixture.
        title: of the whole figure.
    """
    figure, (left, right) = plt.subplots(1, 2, figsize=(WIDTH, 3.2))
    for index, (name, seeds) in enumerate(runs.items()):
        for number, (steps, covered, good) in enumerate(seeds):
            style = {"color": COLOURS[index], "linestyle": LINES[index], "marker": MARKERS[index], "markersize": 4}
            label = name if number == 0 else None
            left.plot(steps, covered, label=label, **style)
            right.plot(steps, 100 * np.asarray(good), label=label, **style)
    left.axhline(modes, color="#595959", linewidth=1.1, linestyle=(0, (1, 2)))
    left.set(xlabel="iteration", ylabel=f"modes covered, of {modes}", ylim=(-0.3, modes + 0.5))
    right.set(xlabel="iteration", ylabel="samples of high quality (%)", ylim=(-3, 103))
    left.legend(loc="center right")
    figure.suptitle(title, fontsize=10.5)
    return figure


def _densities(axis: Axes, x: Tensor, p: Tensor, q: Tensor) -> None:
    axis.fill_between(x, p, color=COLOURS[1], alpha=0.3, linewidth=0)
    axis.plot(x, p, color=COLOURS[1], linestyle="-", label="p_data")
    axis.plot(x, q, color=COLOURS[0], linestyle="-.", label="p_g")
    axis.set(ylabel="density (per unit of x)")
