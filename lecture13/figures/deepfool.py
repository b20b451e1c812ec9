"""Chapter 10's charts: what DeepFool finds beside other attacks, and in how many iterations."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib import pyplot as plt
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from lecture13.estimates import Estimate
from lecture13.figures.base import COLOURS, MARKERS, WIDTH, styled


@styled
def iterations(counts: Mapping[str, Sequence[int]], *, title: str) -> Figure:
    """How many iterations were needed: for each classifier, the share of its points for every number of them.

    Raises:
        ValueError: no classifier, or one without counts.
    """
    if not counts or not all(len(numbers) for numbers in counts.values()):
        raise ValueError(f"counts of {list(counts)}; expected one classifier or more, each with at least one count")
    most = max(max(numbers) for numbers in counts.values())
    figure, axis = plt.subplots(figsize=(WIDTH, 2.9))
    width = 0.8 / len(counts)
    for index, (name, numbers) in enumerate(counts.items()):
        shares = 100 * np.bincount(np.asarray(numbers), minlength=most + 1)[1:] / len(numbers)
        places = np.arange(1, most + 1) + (index - (len(counts) - 1) / 2) * width
        bars = axis.bar(places, shares, width=0.92 * width, color=COLOURS[index % len(COLOURS)], label=name)
        axis.bar_label(bars, [f"{share:.0f}" if share else "" for share in shares], fontsize=9)
    axis.set(xlabel="iterations until the class changes", ylabel="share (%)", title=title)
    axis.margins(y=0.1)
    axis.set_xticks(range(1, most + 1))
    axis.grid(axis="x", visible=False)
    axis.legend()
    return figure


@styled
def approach(gaps: Mapping[str, Sequence[float]], *, ylabel: str, title: str) -> Figure:
    """How the lead of the class that is to be left falls from iteration to iteration, on a logarithmic axis.

    Where a walk ends on the other side, its line goes down to the axis and carries a cross there.

    Args:
        gaps: walk → the lead at each point looked at, below 0 at the last, perhaps. A tie on the way, or what rounding
            makes of one, stands on the axis.
        ylabel: what the lead is.
        title: of the figure.

    Raises:
        ValueError: no walk, or one that begins without a lead.
    """
    if not gaps or any(values[0] <= 0 for values in gaps.values()):
        raise ValueError("expected one walk or more, each with a lead above 0 at its first point")
    figure, axis = plt.subplots(figsize=(WIDTH, 3.4))
    least = min(value for values in gaps.values() for value in values if value > 0)
    floor = least / 30
    for index, (name, values) in enumerate(gaps.items()):
        colour, crossed = COLOURS[index % len(COLOURS)], values[-1] < 0
        heights = [max(value, floor) for value in values]
        width = 1.5 + 1.3 * (len(gaps) - 1 - index)  # the later on top, the earlier still seen where they coincide
        look = {"color": colour, "linestyle": "-", "linewidth": width}
        axis.plot(heights, marker=MARKERS[index % len(MARKERS)], markersize=width + 2.5, label=name, **look)
        if crossed:
            axis.plot(
                len(values) - 1, floor, "x", color=colour, markersize=10 + width, markeredgewidth=width, clip_on=False
            )
    axis.set(yscale="log", xlabel="iteration", ylabel=ylabel, title=title, ylim=(floor, None))
    axis.legend(loc="upper right", title="✕ crossed", alignment="left")
    return figure


@styled
def against(
    pairs: Mapping[str, tuple[Sequence[float], Sequence[float]]], *, xlabel: str, ylabel: str, title: str
) -> Figure:
    """Two numbers of the same kind for each image, one against the other; on the grey diagonal they are equal.

    Args:
        pairs: classifier → (values along x, values along y), each (N,).
        xlabel, ylabel: with their units.
        title: of the figure.

    Raises:
        ValueError: no pairs, or lengths that differ.
    """
    if not pairs or any(len(x) != len(y) or not len(x) for x, y in pairs.values()):
        raise ValueError("expected one classifier or more, each with as many values along x as along y")
    figure, axis = plt.subplots(figsize=(4.6, 4.4))
    highest = max(float(np.max(np.asarray(values))) for pair in pairs.values() for values in pair)
    axis.plot([0, 1.05 * highest], [0, 1.05 * highest], color="#8c8c8c", linestyle="-", linewidth=1.2)
    axis.annotate("equal", (1.04 * highest, 1.04 * highest), ha="right", va="top", color="#404040", rotation=45)
    for index, (name, (x, y)) in enumerate(pairs.items()):
        axis.plot(
            x,
            y,
            MARKERS[index],
            color=COLOURS[index],
            markersize=4.5,
            alpha=0.6,
            markeredgewidth=0,
            linestyle="none",
            label=name,
        )
    limits = (0, 1.08 * highest)
    axis.set(xlabel=xlabel, ylabel=ylabel, xlim=limits, ylim=limits, aspect="equal", title=title)
    axis.legend(loc="upper left")
    return figure


@styled
def sizes(groups: Mapping[str, Mapping[str, Estimate | float]], *, title: str) -> Figure:
    """ρ̂ of several attacks on a logarithmic axis: a line for each group, our numbers with their 95 % intervals.

    Args:
        groups: group, such as "LeNet, digits" → attack → its ρ̂: an :class:`Estimate`, or the paper's bare number,
            which is drawn hollow.
        title: says profile, data and device.

    Raises:
        ValueError: no group, or an empty one.
    """
    if not groups or not all(groups.values()):
        raise ValueError(f"groups {list(groups)}; expected one or more, each with at least one attack")
    attacks = list(dict.fromkeys(attack for group in groups.values() for attack in group))
    figure, axis = plt.subplots(figsize=(WIDTH, 0.7 * len(groups) + 1.3))
    for row, group in enumerate(groups.values()):
        for attack, found in group.items():
            index = attacks.index(attack)
            place = row + 0.26 * (index - (len(attacks) - 1) / 2)
            look = {"color": COLOURS[index], "marker": MARKERS[index], "linestyle": "none", "markersize": 7}
            if isinstance(found, Estimate):
                whiskers = [[found.value - found.low], [found.high - found.value]]
                axis.errorbar(found.value, place, xerr=whiskers, capsize=3, **look)
            else:
                axis.plot(found, place, markerfacecolor="white", markeredgewidth=1.5, **look)
            value = float(found)
            axis.annotate(f"{value:.2g}", (value, place), xytext=(4, 4), textcoords="offset points", fontsize=8)
    axis.set_yticks(range(len(groups)), list(groups))
    axis.set(xscale="log", xlabel="ρ̂ = mean ‖r‖₂/‖x‖₂", ylim=(len(groups) - 0.5, -0.5), title=title)
    axis.margins(x=0.12)
    axis.grid(axis="y", visible=False)
    handles = [
        Line2D([], [], color=COLOURS[index], marker=MARKERS[index], linestyle="none", markersize=7, label=attack)
        for index, attack in enumerate(attacks)
    ]
    hollow = Line2D([], [], color="#404040", marker="o", markerfacecolor="white", linestyle="none", label="no interval")
    bare = any(not isinstance(found, Estimate) for group in groups.values() for found in group.values())
    figure.legend(handles=handles + [hollow] * bare, loc="outside lower center", ncols=4)
    return figure
