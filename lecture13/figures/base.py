"""The house style, and the three figures that every chapter needs: an image grid, attack panels, and curves.

Every figure function is decorated with :func:`styled`: it draws in the house style and returns a *closed* Figure, which
a notebook shows exactly once, as the value of its cell.
"""

import functools
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager

import matplotlib as mpl
import numpy as np
import torch
from cycler import cycler
from matplotlib import pyplot as plt
from matplotlib.figure import Figure

#: Told apart by readers with any colour vision, and, by their lightness (20, 59, 35, 47 and 0 of 100), in greyscale.
COLOURS = ("#0a2f66", "#d97200", "#9c1a57", "#0c7d6a", "#000000")
LINES = ("-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)))
MARKERS = ("o", "s", "^", "D", "v")

WIDTH = 7.0  # inches, the text width of the site
_STYLE = {
    "figure.dpi": 144,
    "figure.figsize": (WIDTH, 3.6),
    "figure.constrained_layout.use": True,
    "figure.facecolor": "white",
    "font.size": 10.5,
    "axes.titlesize": 10.5,
    "axes.labelsize": 10.5,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": "#d9d9d9",
    "grid.linewidth": 0.6,
    "axes.axisbelow": True,
    "lines.linewidth": 1.8,
    "lines.markersize": 5,
    "legend.frameon": False,
    "image.interpolation": "nearest",
    "image.cmap": "cividis",
    "axes.prop_cycle": cycler(color=COLOURS, linestyle=LINES),
}
Images = torch.Tensor | np.ndarray


@contextmanager
def style() -> Iterator[None]:
    """Draw in the house style: ``with figures.style(): fig, ax = plt.subplots()``."""
    with mpl.rc_context(_STYLE):
        yield


@contextmanager
def closing() -> Iterator[None]:
    """Make pyplot forget the figures opened inside, on an error too.

    An open figure would be shown twice by a notebook (as the cell's value and when the cell ends), and kept in memory.
    """
    before = set(plt.get_fignums())
    try:
        yield
    finally:
        for number in set(plt.get_fignums()) - before:
            plt.close(number)


def styled(draw: Callable[..., Figure]) -> Callable[..., Figure]:
    """Decorate a function that returns a Figure: it draws in the house style, and the figure is closed."""

    @functools.wraps(draw)
    def wrapper(*args, **kwargs) -> Figure:
        with closing(), style():
            return draw(*args, **kwargs)

    return wrapper


@styled
def images(
    batch: Images,
    *,
    titles: Sequence[str] | None = None,
    columns: int | None = None,
    title: str | None = None,
    rows: Sequence[str] | None = None,
    size: float = 1.0,
) -> Figure:
    """A grid of images, each pixel a square, row by row.

    Args:
        batch: (N, C, H, W) in [0, 1], C = 1 (shown grey) or 3.
        titles: one for each image.
        columns: images in a row; None: at most eight, rows filled evenly.
        title: of the whole figure.
        rows: a name for each row, written at its left.
        size: inches of an image's side, shrunk where a row would be wider than the page.

    Raises:
        ValueError: another shape, no image, NaN, values outside [0, 1], or as many titles as do not fit.
    """
    pixels = _pixels(batch, "batch")
    count = len(pixels)
    columns = columns or math.ceil(count / math.ceil(count / 8))
    if columns < 1:
        raise ValueError(f"columns={columns}; expected at least 1")
    height = math.ceil(count / columns)
    for name, texts, expected in (("titles", titles, count), ("rows", rows, height)):
        if texts is not None and len(texts) != expected:
            raise ValueError(f"{len(texts)} {name}; expected {expected} for {count} images in {columns} columns")
    side = min(size, WIDTH / columns)
    lines = 0 if titles is None else max(1 + text.count("\n") for text in titles)
    figure, axes = plt.subplots(
        height,
        columns,
        squeeze=False,
        figsize=(
            max(side * columns, 2.5) + (0.8 if rows else 0),
            (side * pixels.shape[1] / pixels.shape[2] + 0.2 * lines) * height + (0.4 if title else 0.05),
        ),
    )
    figure.get_layout_engine().set(w_pad=0.02, h_pad=0.02, wspace=0.02, hspace=0.02)
    for index, axis in enumerate(axes.flat):
        _bare(axis)
        if index < count:
            _show(axis, pixels[index])
            if titles is not None:
                axis.set_title(titles[index], fontsize=min(10.5, 6 + 3.5 * side), pad=3)
        else:
            axis.set_visible(False)
    for axis, name in zip(axes[:, 0], rows or (), strict=False):
        axis.set_ylabel(name, rotation=0, ha="right", va="center")
    if title:
        figure.suptitle(title, fontsize=10.5)
    return figure


@styled
def panels(
    before: Images,
    perturbation: Images,
    after: Images,
    *,
    captions: Sequence[str] | Sequence[Sequence[str]],
    magnification: float | None = None,
    signs: tuple[str, str] = ("+", "="),
    title: str | None = None,
) -> Figure:
    """The slide's three panels: image + perturbation = adversarial image, one row for each example.

    The perturbation is drawn as grey + magnification · perturbation, and says by how much it is magnified.

    Args:
        before, after: (C, H, W) or (N, C, H, W) in [0, 1], C = 1 or 3.
        perturbation: of the same shape, of any sign and size (a gradient's sign, say).
        captions: three texts (class and confidence, say), or three for each example.
        magnification: of the perturbation; None: the largest one shown fills the range from black to white.
        signs: what stands between the panels: ``("+ 0.03 ×", "=")`` where the middle one is the gradient's sign.
        title: of the whole figure.

    Raises:
        ValueError: shapes that differ, NaN, images outside [0, 1], captions that are not three for each example.
    """
    first, last = _pixels(_batch(before), "before"), _pixels(_batch(after), "after")
    change = _pixels(_batch(perturbation), "perturbation", bounded=False)
    if not first.shape == change.shape == last.shape:
        shapes = ", ".join(str(tuple(torch.as_tensor(part).shape)) for part in (before, perturbation, after))
        raise ValueError(f"before, perturbation and after have the shapes {shapes}; expected one shape")
    texts = [captions] if captions and isinstance(captions[0], str) else list(captions)
    if len(texts) != len(first) or any(len(row) != 3 or isinstance(row, str) for row in texts):
        raise ValueError(f"captions {captions!r}; expected three texts for each of {len(first)} examples")
    largest = float(np.abs(change).max())
    scale = magnification if magnification is not None else (0.5 / largest if largest else 1.0)
    if not (math.isfinite(scale) and scale > 0):
        raise ValueError(f"magnification={magnification!r}; expected a number above 0")
    count = len(first)
    lines = max(1 + text.count("\n") for row in texts for text in row)
    side = WIDTH / 3.4 if count == 1 else 1.7
    height = (side * first.shape[1] / first.shape[2] + 0.2 + 0.19 * lines) * count + (0.3 if title else 0)
    figure, axes = plt.subplots(count, 3, squeeze=False, figsize=(3.4 * side, height))
    figure.get_layout_engine().set(w_pad=0.12, h_pad=0.04)
    for row, (image, delta, result, words) in enumerate(zip(first, change, last, texts, strict=True)):
        shown = (image, np.clip(0.5 + scale * delta, 0, 1), result)
        for axis, picture, text in zip(axes[row], shown, words, strict=True):
            _bare(axis)
            _show(axis, picture)
            axis.set_title(text, pad=4)
        axes[row, 1].set_xlabel(f"shown ×{scale:.3g} around grey", fontsize=9)
        for axis, sign in zip(axes[row, 1:], signs, strict=True):
            size = 16 if len(sign) == 1 else 10.5
            axis.annotate(sign, (-0.06, 0.5), xycoords="axes fraction", ha="right", va="center", fontsize=size)
    if title:
        figure.suptitle(title, fontsize=10.5)
    return figure


@styled
def curves(
    x: Sequence[float] | Images | Mapping[str, Sequence[float] | Images],
    lines: Mapping[str, Sequence[float] | Images],
    *,
    xlabel: str,
    ylabel: str,
    bands: Mapping[str, tuple] | None = None,
    references: Mapping[str, float] | None = None,
    title: str | None = None,
    logx: bool = False,
    logy: bool = False,
    ylim: tuple[float, float] | None = None,
    markers: bool | None = None,
) -> Figure:
    """Curves over one axis, each with its own colour, line and marker, and perhaps a band around it.

    Args:
        x: (T,) for all curves, or one for each label.
        lines: label → (T,) values. Labels stand in the legend.
        xlabel, ylabel: with their units: "ε (pixel units, [0, 1])", "error (%)".
        bands: label → (low, high), each (T,): an interval drawn around that curve.
        references: label → height of a grey horizontal line, such as a known optimum.
        title, logx, logy, ylim: as in matplotlib.
        markers: draw a marker at each point; None: where no curve has more than 30 points.

    Raises:
        ValueError: no curve, lengths that differ, NaN or infinite values, bands of unknown labels.
    """
    if not lines:
        raise ValueError("no curve to draw; lines is empty")
    xs = {label: _numbers(x[label] if isinstance(x, Mapping) else x, f"x of {label!r}") for label in lines}
    ys = {label: _numbers(values, label) for label, values in lines.items()}
    if unknown := set(bands or ()) - set(lines):
        raise ValueError(f"bands of {sorted(unknown)}; the curves are {list(lines)}")
    markers = max(map(len, ys.values())) <= 30 if markers is None else markers
    figure, axis = plt.subplots()
    for index, (label, values) in enumerate(ys.items()):
        if len(values) != len(xs[label]):
            raise ValueError(f"{label!r} has {len(values)} values; expected {len(xs[label])}, one for each x")
        colour = COLOURS[index % len(COLOURS)]
        line = LINES[(index + index // len(COLOURS)) % len(LINES)]  # beyond five curves, new pairs of colour and line
        marker = MARKERS[index % len(MARKERS)] if markers else None
        axis.plot(xs[label], values, color=colour, linestyle=line, marker=marker, label=label)
        if bands and label in bands:
            low, high = (_numbers(side, f"band of {label!r}") for side in bands[label])
            if not len(low) == len(high) == len(values):
                raise ValueError(f"band of {label!r}: {len(low)} and {len(high)} values; expected {len(values)}")
            axis.fill_between(xs[label], low, high, color=colour, alpha=0.18, linewidth=0)
    for label, height in (references or {}).items():
        axis.axhline(height, color="#595959", linewidth=1.1, linestyle=(0, (1, 2)))
        at_end = min(abs(values[-1] - height) for values in ys.values())
        at_start = min(abs(values[0] - height) for values in ys.values())
        place, side = (1, "right") if at_end >= at_start / 4 else (0, "left")  # where no curve runs into it
        axis.annotate(label, (place, height), xycoords=("axes fraction", "data"), ha=side, va="bottom", color="#404040")
    axis.set(xlabel=xlabel, ylabel=ylabel, title=title or "")
    if logx:
        axis.set_xscale("log")
    if logy:
        axis.set_yscale("log")
    if ylim:
        axis.set_ylim(ylim)
    if len(lines) > 4:  # more would lie on the curves
        figure.legend(loc="outside right upper")
    else:
        axis.legend()
    return figure


def _batch(images: Images) -> Images:
    return images[None] if images.ndim == 3 else images


def _pixels(batch: Images, name: str, *, bounded: bool = True) -> np.ndarray:
    """(N, H, W, C) in float64, after the checks that every figure of images makes."""
    pixels = torch.as_tensor(batch).detach().cpu().double()
    if pixels.ndim != 4 or pixels.shape[1] not in (1, 3) or not pixels.numel():
        raise ValueError(f"{name} has the shape {tuple(pixels.shape)}; expected (N, C, H, W) with C = 1 or 3, N > 0")
    if not pixels.isfinite().all():
        raise ValueError(f"{name} has NaN or infinite values; expected finite ones")
    low, high = float(pixels.min()), float(pixels.max())
    if bounded and (low < -1e-6 or high > 1 + 1e-6):  # rounding alone may leave the box by that much
        raise ValueError(f"{name} has values from {low:.4g} to {high:.4g}; expected [0, 1]")
    return pixels.permute(0, 2, 3, 1).numpy()


def _numbers(values: Sequence[float] | Images, name: str) -> np.ndarray:
    if isinstance(values, torch.Tensor):
        values = values.detach().cpu()
    numbers = np.asarray(values, dtype=float)
    if numbers.ndim != 1 or not len(numbers):
        raise ValueError(f"{name} has the shape {numbers.shape}; expected one dimension, not empty")
    if not np.isfinite(numbers).all():
        raise ValueError(f"{name} has NaN or infinite values; expected finite ones")
    return numbers


def _bare(axis: plt.Axes) -> None:
    axis.set(xticks=[], yticks=[])
    axis.grid(False)
    for spine in axis.spines.values():
        spine.set_visible(False)


def _show(axis: plt.Axes, pixels: np.ndarray) -> None:
    pixels = pixels.clip(0, 1)
    axis.imshow(pixels if pixels.shape[2] == 3 else pixels[..., 0], cmap="gray", vmin=0, vmax=1)
