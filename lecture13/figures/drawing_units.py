"""The figures of chapter 07: what keeps a concept from having a unit, and how far a segmenter can be believed."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib import pyplot as plt
from matplotlib.figure import Figure

from lecture13.dissection.agreement import Line
from lecture13.estimates import Estimate
from lecture13.figures.base import COLOURS, LINES, MARKERS, WIDTH, styled


@styled
def limits(
    found: Mapping[str, Mapping[str, Sequence[float]]], layers: Sequence[str], *, title: str | None = None
) -> Figure:
    """IoU over the layers, a panel for each concept, a line for each way to tell it.

    Args:
        found: concept → way ("best unit", "all units together", "ceiling") → an IoU in [0, 1] for each layer. The ways
            are the same in every panel.
        layers: names, in order.
        title: of the figure.

    Raises:
        ValueError: no concept, other ways in another panel, or not a value for each layer.
    """
    ways = list(next(iter(found.values()), ()))
    for concept, lines in found.items():
        if list(lines) != ways or any(len(values) != len(layers) for values in lines.values()):
            told = {way: len(values) for way, values in lines.items()}
            raise ValueError(f"{concept!r} has {told}; expected {len(layers)} values for each of {ways}")
    if not ways:
        raise ValueError("nothing to draw; expected concept → way → a value for each layer")
    figure, axes = plt.subplots(
        1, len(found), sharey=True, squeeze=False, figsize=(WIDTH, 3.1), gridspec_kw={"wspace": 0.05}
    )
    places = range(len(layers))
    for axis, (concept, lines) in zip(axes[0], found.items(), strict=True):
        for number, (way, values) in enumerate(lines.items()):
            style = {"color": COLOURS[number % len(COLOURS)], "linestyle": LINES[number % len(LINES)]}
            axis.plot(places, values, marker=MARKERS[number % len(MARKERS)], label=way, **style)
        axis.set(title=concept, ylim=(0, 1))
        axis.set_xticks(places, layers, rotation=60, ha="right", rotation_mode="anchor", fontsize=8.5)
    axes[0, 0].set_ylabel("IoU with the concept's mask")
    handles, labels = axes[0, 0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=len(ways))
    if title:
        figure.suptitle(title, fontsize=10.5)
    return figure


@styled
def agreement(line: Line, generated: Mapping[str, Estimate], *, title: str | None = None) -> Figure:
    """A judge's error over its disagreement with another: known sets, their line, and what it says of others.

    Args:
        line: :class:`lecture13.dissection.agreement.Line`.
        generated: name → disagreement on pictures without a truth; the error expected there has its bar.
        title: of the figure.
    """
    figure, axis = plt.subplots(figsize=(WIDTH, 4.0))
    axis.plot(
        100 * line.disagreement,
        100 * line.error,
        linestyle="none",
        marker="o",
        markersize=4.5,
        color=COLOURS[0],
        label=f"drawn scenes, changed in {len(line.names)} ways (truth known)",
    )
    shown = [x.high for x in generated.values()]
    ends = np.array([0.0, 1.08 * max([*line.disagreement, *shown])])
    axis.plot(
        100 * ends, 100 * (line.constant + line.slope * ends), color=COLOURS[0], linewidth=1.2, label="their line"
    )
    axis.plot(100 * ends, 100 * ends, color="#8c8c8c", linestyle=(0, (1, 2)), linewidth=1.2, label="equal")
    for number, (name, x) in enumerate(generated.items(), start=1):
        y = line.at(x)
        axis.errorbar(
            100 * x.value,
            100 * y.value,
            xerr=[[100 * (x.value - x.low)], [100 * (x.high - x.value)]],
            yerr=[[100 * (y.value - y.low)], [100 * (y.high - y.value)]],
            linestyle="none",
            marker=MARKERS[number],
            markersize=7,
            capsize=3,
            color=COLOURS[number],
            label=f"{name} (error read off)",
        )
    for name in (line.names[0], line.names[int(np.argmax(line.error))]):
        index = line.names.index(name)
        axis.annotate(
            name,
            (100 * line.disagreement[index], 100 * line.error[index]),
            xytext=(6, -3),
            textcoords="offset points",
            fontsize=8.5,
            color="#404040",
        )
    axis.set(
        xlabel="pixels on which the two judges differ (%)",
        ylabel="pixels that the first judge gets wrong (%)",
        xlim=(0, None),
        ylim=(0, None),
    )
    axis.legend(loc="upper left", fontsize=9)
    if title:
        figure.suptitle(title, fontsize=10.5)
    return figure
