"""Chapter 14's figures: a solid in several poses, the sphere of viewpoints as a map, one view with its classes."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib import pyplot as plt
from matplotlib.figure import Figure
from matplotlib.ticker import MultipleLocator
from torch import Tensor

from lecture13.figures.base import COLOURS, WIDTH, images, styled

__all__ = ["in_poses", "sphere", "view"]

HIT = COLOURS[1]


def in_poses(
    rows: Mapping[str, Tensor],
    found: Mapping[str, Tensor],
    classes: Sequence[str],
    *,
    target: int,
    title: str | None = None,
) -> Figure:
    """Renders with the class that each is given; those given the target's are framed, and their captions bold.

    Args:
        rows: name of a row → ``(N, 3, S, S)`` in [0, 1]; as many images in each.
        found: the same names → int64 ``(N,)``.
        classes: K names.
        target: the class aimed at.
        title: of the figure.

    Raises:
        ValueError: rows that do not belong together.
    """
    sizes = {name: (len(batch), len(found.get(name, ()))) for name, batch in rows.items()}
    if not rows or len({count for pair in sizes.values() for count in pair}) != 1:
        raise ValueError(f"rows with (images, classes) = {sizes}; expected one number of both in every row")
    names = [int(k) for given in (found[name] for name in rows) for k in given]
    columns = len(next(iter(rows.values())))
    batch = np.concatenate([each.detach().cpu().numpy() for each in rows.values()])
    captions = [classes[k].replace(" ", "\n", 1) for k in names]
    figure = images(batch, titles=captions, columns=columns, rows=list(rows), title=title)
    for axis, k in zip(figure.axes, names, strict=False):
        if k == target:
            axis.title.set_fontweight("bold")
            for spine in axis.spines.values():
                spine.set(visible=True, color=HIT, linewidth=2.5)
    return figure


@styled
def sphere(
    maps: Mapping[str, Tensor | np.ndarray],
    azimuths: Sequence[float],
    elevations: Sequence[float],
    *,
    what: str,
    marks: Mapping[str, tuple[float, float]] | None = None,
    title: str | None = None,
) -> Figure:
    """A share for each direction that the camera looks from, as maps above each other: dark is 0 %, bright 100 %.

    Args:
        maps: name → ``(E, A)`` in [0, 1].
        azimuths: A angles in degrees, evenly spaced.
        elevations: E angles in degrees, evenly spaced.
        what: what a share is, in words; stands at the colour bar, in per cent.
        marks: name of a map → (azimuth, elevation) of a cross on it: where an attack stood.
        title: of the figure.

    Raises:
        ValueError: a map of another shape or with values outside [0, 1], a mark on no map.
    """
    shape = (len(elevations), len(azimuths))
    if unknown := set(marks or ()) - set(maps):
        raise ValueError(f"marks on {sorted(unknown)}; the maps are {list(maps)}")
    figure, axes = plt.subplots(
        len(maps), 1, sharex=True, squeeze=False, figsize=(WIDTH, 0.8 + (0.3 + 2.9 * shape[0] / shape[1]) * len(maps))
    )
    steps = [abs(ends[-1] - ends[0]) / max(1, len(ends) - 1) or 1.0 for ends in (azimuths, elevations)]
    frame = (
        azimuths[0] - steps[0] / 2,
        azimuths[-1] + steps[0] / 2,
        elevations[0] - steps[1] / 2,
        elevations[-1] + steps[1] / 2,
    )
    for axis, (name, values) in zip(axes[:, 0], maps.items(), strict=True):
        shares = np.asarray(values, dtype=float)
        if shares.shape != shape:
            raise ValueError(f"the map {name!r} has shape {shares.shape}; expected {shape}: elevations, azimuths")
        if not ((shares >= 0) & (shares <= 1)).all():
            raise ValueError(f"the map {name!r} has values outside [0, 1]; expected shares")
        drawn = axis.imshow(100 * shares, origin="lower", extent=frame, vmin=0, vmax=100, aspect="auto")
        axis.grid(visible=False)
        axis.set_title(name, loc="left")
        axis.set(ylabel="elevation (°)")
        axis.xaxis.set_major_locator(MultipleLocator(60))
        axis.yaxis.set_major_locator(MultipleLocator(45))
        if name in (marks or {}):
            axis.plot(*marks[name], "X", color="white", markeredgecolor="black", markersize=10, linestyle="none")
    axes[-1, 0].set_xlabel("azimuth of the camera (°)")
    figure.colorbar(drawn, ax=list(axes[:, 0]), label=f"{what} (%)", fraction=0.05, pad=0.02)
    if title:
        figure.suptitle(title, fontsize=10.5)
    return figure


@styled
def view(
    large: Tensor,
    small: Tensor,
    probabilities: Tensor,
    classes: Sequence[str],
    *,
    label: int,
    target: int,
    title: str | None = None,
) -> Figure:
    """One view: as a viewer sees it, as the classifier does, and the probability of each class.

    Args:
        large: ``(3, S, S)`` in [0, 1], for the viewer.
        small: ``(3, s, s)`` in [0, 1], what the classifier was given.
        probabilities: ``(K,)``.
        classes: K names.
        label, target: the true class and the one aimed at, whose bars stand out.
        title: of the figure.
    """
    height = max(2.3, 0.5 + 0.17 * len(classes))  # a line for each class
    figure, (left, middle, right) = plt.subplots(1, 3, figsize=(WIDTH, height))
    for axis, picture, name in ((left, large, "for you"), (middle, small, f"for the net, {small.shape[-1]} pixels")):
        axis.imshow(picture.detach().cpu().permute(1, 2, 0).clamp(0, 1).numpy())
        axis.set(xticks=[], yticks=[], xlabel=name)
        axis.grid(visible=False)
        axis.spines[:].set_visible(False)
    places = np.arange(len(classes))
    shades = ["#8a8a8a"] * len(classes)
    shades[label], shades[target] = COLOURS[0], HIT
    bars = right.barh(places, 100 * probabilities.detach().cpu().numpy(), color=shades)
    bars[target].set_hatch("///")
    bars[target].set_edgecolor("white")
    right.set(xlim=(0, 100), xlabel="probability (%)", yticks=places)
    right.set_yticklabels(classes, fontsize=8.5)
    right.invert_yaxis()
    if title:
        figure.suptitle(title, fontsize=10.5)
    return figure
