"""What each class loses when units are removed."""

from collections.abc import Mapping

from matplotlib import pyplot as plt
from matplotlib.figure import Figure

from lecture13.estimates import Estimate
from lecture13.figures.base import COLOURS, MARKERS, WIDTH, styled


@styled
def by_class(
    rows: Mapping[str, Mapping[str, Estimate]], *, xlabel: str, guess: float | None = None, title: str | None = None
) -> Figure:
    """Shares with their 95 % intervals: a line for each class, a mark for each thing that was done to the net.

    Args:
        rows: class → series → share in [0, 1]; every class has the same series.
        xlabel: what the shares are; drawn in per cent.
        guess: the share of a guess, drawn as a line.
        title: of the figure.

    Raises:
        ValueError: no class, or classes with different series.
    """
    if not rows or len({tuple(row) for row in rows.values()}) != 1:
        raise ValueError(f"classes {list(rows)}; expected one or more, all with the same series")
    series = list(next(iter(rows.values())))
    figure, axis = plt.subplots(figsize=(WIDTH, 0.42 * len(rows) + 1.3))
    if guess is not None:
        axis.axvline(100 * guess, color="#595959", linestyle=":", linewidth=1.4)
        axis.annotate("a guess", (100 * guess, 1.0), xycoords=("data", "axes fraction"), ha="center", va="bottom")
    for number, name in enumerate(series):
        found = [row[name] for row in rows.values()]
        places = [place + (number - (len(series) - 1) / 2) * 0.6 / len(series) for place in range(len(rows))]
        middle = [100 * estimate.value for estimate in found]
        reach = [
            [100 * (estimate.value - estimate.low) for estimate in found],
            [100 * (estimate.high - estimate.value) for estimate in found],
        ]
        axis.errorbar(
            middle,
            places,
            xerr=reach,
            linestyle="none",
            marker=MARKERS[number % len(MARKERS)],
            color=COLOURS[number % len(COLOURS)],
            markersize=5.5,
            capsize=2.5,
            linewidth=1.2,
            label=name,
        )
    axis.set_yticks(range(len(rows)), list(rows))
    axis.invert_yaxis()
    axis.set(xlabel=xlabel)
    figure.legend(loc="outside lower center", ncols=2)
    if title:
        figure.suptitle(title, fontsize=10.5)
    return figure
