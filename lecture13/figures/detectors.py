"""What units detect: their regions on images, detectors by layer and kind, a unit as a classifier of images."""

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from matplotlib import pyplot as plt
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from scipy import stats
from torch import Tensor

from lecture13.dissection import DETECTOR, Count, Detector, Labelling
from lecture13.figures.base import COLOURS, WIDTH, styled

#: How much light is left outside of a unit's region.
DIM = 0.4


@styled
def regions(
    rows: Mapping[str, tuple[Tensor, Tensor]],
    *,
    captions: Sequence[Sequence[str]] | None = None,
    title: str | None = None,
    size: float = 0.95,
) -> Figure:
    """Images with a unit's region in each: what lies outside is dimmed, the border is drawn. A row for each unit.

    Args:
        rows: the row's name → images (N, 3, H, W) or (N, 1, H, W) in [0, 1], regions bool (N, H, W), such as
            :func:`lecture13.dissection.region` gives. Every row has as many; sizes may differ between rows.
        captions: a text below each image, N for each row; the peak, say.
        title: of the figure.
        size: inches of an image's side, shrunk where a row would be wider than the page.

    Raises:
        ValueError: no row, regions of another shape or type, rows or captions of different lengths.
    """
    counts = {len(images) for images, _ in rows.values()}
    if len(counts) != 1 or 0 in counts:
        raise ValueError(f"rows of {sorted(counts)} images; expected one row or more, each of as many")
    count = counts.pop()
    if captions is not None and [len(row) for row in captions] != [count] * len(rows):
        raise ValueError(f"captions of {[len(row) for row in captions]}; expected {count} for each of {len(rows)} rows")
    side = min(size, WIDTH / count)
    height = (side + (0.2 if captions else 0.05)) * len(rows) + (0.35 if title else 0.05)
    figure, axes = plt.subplots(len(rows), count, squeeze=False, figsize=(max(side * count, 2.5) + 0.9, height))
    figure.get_layout_engine().set(w_pad=0.02, h_pad=0.02, wspace=0.02, hspace=0.02)
    for number, (line, (name, (images, masks))) in enumerate(zip(axes, rows.items(), strict=True)):
        if masks.dtype != torch.bool or masks.shape != (count, *images.shape[-2:]):
            raise ValueError(
                f"row {name!r}: regions {masks.dtype} {tuple(masks.shape)} for images {tuple(images.shape)}; expected "
                f"bool {(count, *images.shape[-2:])}"
            )
        for place, (axis, image, mask) in enumerate(zip(line, images.detach().cpu(), masks.cpu(), strict=True)):
            light = torch.where(mask, 1.0, DIM)
            pixels = (image.clamp(0, 1) * light).movedim(0, -1).numpy()
            axis.imshow(pixels if pixels.shape[2] == 3 else pixels[..., 0], cmap="gray", vmin=0, vmax=1)
            for colour, width in (("black", 2.2), ("white", 1.0)):  # to be seen on any picture
                axis.add_collection(LineCollection(_border(mask), colors=colour, linewidths=width, capstyle="round"))
            axis.set(xticks=[], yticks=[])
            axis.grid(False)
            if captions is not None:
                axis.set_xlabel(captions[number][place], fontsize=8, labelpad=2)
        line[0].set_ylabel(name, rotation=0, ha="right", va="center", fontsize=9)
    if title:
        figure.suptitle(title, fontsize=10.5)
    return figure


@styled
def counts(
    found: Sequence[Count],
    *,
    sizes: Mapping[str, int] | None = None,
    title: str | None = None,
    names: Mapping[str, str] | None = None,
) -> Figure:
    """Detectors by layer, a panel for each kind: the bar counts units, the number on it their distinct concepts.

    A short line across each bar is what shuffled masks give, where that was measured.

    Args:
        found: :meth:`lecture13.dissection.Dissection.counts`.
        sizes: layer → its number of units; bars then show the share of them, in per cent.
        title: of the figure.
        names: layer → what stands below its bars; None takes the layers' own names.

    Raises:
        ValueError: nothing to draw, or a layer whose size is not given.
    """
    layers, kinds = (list(dict.fromkeys(getattr(count, field) for count in found)) for field in ("layer", "kind"))
    if not layers:
        raise ValueError("no counts; expected those of a Dissection, found.counts()")
    if sizes is not None and (missing := [layer for layer in layers if layer not in sizes]):
        raise ValueError(f"no size of layer {missing[0]!r}; there are those of {', '.join(sizes)}")
    figure, axes = plt.subplots(
        len(kinds), 1, sharex=True, sharey=True, squeeze=False, figsize=(WIDTH, 1.25 * len(kinds) + 0.8)
    )
    for axis, kind, colour in zip(axes[:, 0], kinds, (COLOURS * len(kinds))[: len(kinds)], strict=True):
        of_kind = {count.layer: count for count in found if count.kind == kind}
        scale = {layer: 100 / sizes[layer] if sizes else 1.0 for layer in layers}
        places = range(len(layers))
        heights = [of_kind[layer].units * scale[layer] for layer in layers]
        axis.bar(places, heights, width=0.62, color=colour, alpha=0.85)
        for place, layer, height in zip(places, layers, heights, strict=True):
            axis.annotate(
                str(of_kind[layer].concepts), (place, height), xytext=(0, 1), textcoords="offset points", ha="center"
            )
            luck = of_kind[layer].shuffled_units
            if luck is not None:
                low = luck * scale[layer]
                axis.plot([place - 0.4, place + 0.4], [low, low], color="#595959", linestyle="-", linewidth=1.6)
        axis.set_ylabel(f"{kind}\n{'(% of units)' if sizes else '(units)'}")
        axis.grid(axis="x", visible=False)
    axes[0, 0].margins(y=0.22)
    labels = [(names or {}).get(layer, layer) for layer in layers]
    crowded = sum(map(len, labels)) > 70
    axes[-1, 0].set_xticks(
        range(len(layers)), labels, rotation=40 if crowded else 0, ha="right" if crowded else "center"
    )
    if title:
        figure.suptitle(title, fontsize=10.5)
    return figure


@styled
def labels(found: Labelling, *, title: str | None = None) -> Figure:
    """The detectors of a layer by what they detect: units for each concept, the kinds side by side (Figure 1b).

    Args:
        found: one layer's units by one rule.
        title: of the figure.

    Raises:
        ValueError: no detector.
    """
    detectors = found.detectors().tolist()
    if not detectors:
        raise ValueError(f"no unit with an IoU above {DETECTOR}; there is nothing to draw")
    tally: dict[tuple[str, str], int] = {}
    for unit in detectors:
        concept = found.label(unit)
        tally[concept.kind, concept.name] = tally.get((concept.kind, concept.name), 0) + 1
    kinds = [
        kind for kind in dict.fromkeys(concept.kind for concept in found.concepts) if any(k == kind for k, _ in tally)
    ]
    order = sorted(tally, key=lambda key: (kinds.index(key[0]), -tally[key], key[1]))
    figure, axis = plt.subplots(figsize=(WIDTH, 2.9))
    places = [place + 0.8 * kinds.index(kind) for place, (kind, _) in enumerate(order)]  # a gap between the kinds
    for number, kind in enumerate(kinds):
        here = [index for index, key in enumerate(order) if key[0] == kind]
        axis.bar(
            [places[index] for index in here],
            [tally[order[index]] for index in here],
            width=0.7,
            color=COLOURS[number % len(COLOURS)],
            alpha=0.85,
        )
        units = sum(tally[order[index]] for index in here)
        middle = (places[here[0]] + places[here[-1]]) / 2
        axis.annotate(
            f"{kind}: {units}", (middle, 1.0), xycoords=("data", "axes fraction"), ha="center", va="bottom", fontsize=9
        )
    axis.set_xticks(places, [name for _, name in order], rotation=55, ha="right")
    axis.set_ylabel("units")
    axis.yaxis.get_major_locator().set_params(integer=True)
    axis.grid(axis="x", visible=False)
    if title:
        figure.suptitle(title, fontsize=10.5)
    return figure


@styled
def classifier(
    found: Detector, concept: str, *, xlabel: str = "peak activation of the unit", title: str | None = None
) -> Figure:
    """A unit as a classifier of images: each image's peak (jittered upwards), densities, the threshold (Figure 1e).

    Args:
        found: :func:`lecture13.dissection.as_classifier`.
        concept: what half of the images show.
        xlabel: of the peaks.
        title: of the figure.
    """
    groups = {f"with {concept}": found.present.numpy(), f"without {concept}": found.absent.numpy()}
    every = np.concatenate(list(groups.values()))
    low, high = float(every.min()), float(every.max())
    reach = 0.04 * ((high - low) or 1.0)
    figure, (above, below) = plt.subplots(2, 1, sharex=True, figsize=(WIDTH, 3.6), height_ratios=(1.3, 1))
    chance = np.random.default_rng(0)  # of the jitter alone
    for number, (name, values) in enumerate(groups.items()):
        style = {"color": COLOURS[number], "linestyle": ("-", "--")[number]}
        heights = 1 - number + chance.uniform(-0.36, 0.36, len(values))
        below.plot(values, heights, linestyle="none", marker="o", markersize=2.2, alpha=0.35, color=COLOURS[number])
        if np.ptp(values):
            x = np.linspace(low - reach, high + reach, 300)
            y = stats.gaussian_kde(values)(x)
            above.plot(x, y, **style, label=f"{name} ({len(values)} images)")
            above.fill_between(x, y, color=COLOURS[number], alpha=0.12, linewidth=0)
        else:  # all alike: a density would be a spike
            above.axvline(float(values[0]), **style, label=f"{name} ({len(values)} images, all alike)")
    for axis in (above, below):
        axis.axvline(found.threshold, color="#000000", linestyle=":", linewidth=1.4)
    above.annotate(
        f"threshold {found.threshold:.3g}",
        (found.threshold, 1.0),
        xycoords=("data", "axes fraction"),
        ha="center",
        va="bottom",
    )
    above.set(ylabel="density", ylim=(0, None))
    figure.legend(loc="outside lower center", ncols=2)
    below.set(xlabel=xlabel, xlim=(low - reach, high + reach), ylim=(-0.5, 1.5))
    below.set_yticks([1, 0], list(groups))
    below.grid(axis="y", visible=False)
    if title:
        figure.suptitle(title, fontsize=10.5)
    return figure


@styled
def cap(
    shares: Tensor,
    level: Labelling,
    best: Labelling | None = None,
    *,
    quantile: float = 0.01,
    named: Sequence[str] = (),
    title: str | None = None,
) -> Figure:
    """The best IoU that any unit of a layer has with each concept, over the share of pixels that the concept covers.

    The line is the cap of a region that covers the share ``quantile``: min(p, q) / max(p, q).

    Args:
        shares: (K,), the concepts' shares p of all pixels; those of 0 are left out.
        level, best: the layer's units by the top-quantile level, and by the best level for each concept.
        quantile: q.
        named: concepts to be named in the figure.
        title: of the figure.

    Raises:
        ValueError: shares of another number than the concepts.
    """
    if shares.shape != (len(level.concepts),):
        raise ValueError(f"shares {tuple(shares.shape)} of {len(level.concepts)} concepts; expected one each")
    there = (shares > 0).nonzero()[:, 0]
    p = shares[there].double().numpy()
    figure, axis = plt.subplots(figsize=(WIDTH, 3.9))
    x = np.geomspace(p.min() / 1.5, min(1.0, 1.5 * p.max()), 200)
    axis.plot(
        x,
        np.minimum(x, quantile) / np.maximum(x, quantile),
        color="#000000",
        linestyle="-",
        label="cap at the top-quantile level",
    )
    axis.axhline(DETECTOR, color="#595959", linestyle=":", linewidth=1.4, label=f"detector above {DETECTOR}")
    for rule, found, marker, colour in (
        ("top-quantile level", level, "o", COLOURS[0]),
        ("best level", best, "^", COLOURS[1]),
    ):
        if found is not None:
            y = found.iou.amax(0)[there].numpy()
            axis.plot(
                p,
                y,
                linestyle="none",
                marker=marker,
                color=colour,
                markersize=6,
                alpha=0.85,
                label=f"best unit, {rule}",
            )
    names = [concept.name for concept in level.concepts]
    chosen = sorted((names.index(name) for name in named if name in names), key=lambda index: float(shares[index]))
    for turn, index in enumerate(index for index in chosen if shares[index] > 0):
        place = float(shares[index]), float((best or level).iou[:, index].max())
        above = (0, 6 + 11 * (turn % 2))  # neighbours at different heights
        axis.annotate(names[index], place, xytext=above, textcoords="offset points", ha="center", fontsize=9)
    axis.set(xscale="log", yscale="log", xlabel="p, the concept's share of all pixels", ylabel="IoU", ylim=(0.001, 1.5))
    figure.legend(loc="outside lower center", ncols=2)
    if title:
        figure.suptitle(title, fontsize=10.5)
    return figure


def _border(mask: Tensor) -> list[list[tuple[float, float]]]:
    """The pixel edges between a region (H, W) and what is outside of it, also at the image's edge."""
    padded = np.pad(mask.numpy(), 1).astype(np.int8)
    across, down = np.nonzero(np.diff(padded, axis=0)[:, 1:-1]), np.nonzero(np.diff(padded, axis=1)[1:-1])
    edges = [[(x - 0.5, y - 0.5), (x + 0.5, y - 0.5)] for y, x in zip(*across, strict=True)]
    return edges + [[(x - 0.5, y - 0.5), (x - 0.5, y + 0.5)] for y, x in zip(*down, strict=True)]
