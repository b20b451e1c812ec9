"""Chapter 18's figures: a wavelet basis, what a front end keeps, weights, attacks by name, and how defences fall."""

from collections.abc import Mapping, Sequence

import torch
from matplotlib import pyplot as plt
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from torch import Tensor

from lecture13.defenses.sparsity import SparseFrontEnd, Wavelet
from lecture13.estimates import Estimate
from lecture13.figures.base import COLOURS, LINES, MARKERS, WIDTH, images, styled

__all__ = ["attacks_by_name", "basis", "falls", "kept", "rows_as_images"]


def basis(transforms: Mapping[str, Wavelet], places: Mapping[str, tuple[int, int]], *, title: str) -> Figure:
    """Basis images ψ_i: a row for each wavelet, a column for each coefficient, stretched around grey.

    Args:
        transforms: name → transform of ``(H, W)`` or ``(1, H, W)``.
        places: name of the coefficient → its row and column in Mallat's layout.
        title: of the figure.
    """
    drawn = []
    for transform in transforms.values():
        for place in places.values():
            coefficients = torch.zeros(transform.shape[-2:])
            coefficients[place] = 1.0
            image = transform.inverse(coefficients.view(transform.shape)).reshape(1, *transform.shape[-2:])
            drawn.append(0.5 + 0.5 * image / image.abs().max())
    names = [*places] * len(transforms)
    return images(
        torch.stack(drawn).clamp(0, 1), titles=names, columns=len(places), rows=list(transforms), title=title, size=1.3
    )


@styled
def kept(image: Tensor, front: SparseFrontEnd, *, title: str) -> Figure:
    """One image, its coefficients, those that are kept, and what the classifier sees.

    Args:
        image: ``(1, H, W)`` in [0, 1].
        front: for that shape.
        title: of the figure.

    Raises:
        ValueError: an image of more than one channel.
    """
    if image.shape[0] != 1 or image.ndim != 3:
        raise ValueError(f"the image has shape {tuple(image.shape)}; expected (1, H, W)")
    batch = image.detach()[None]
    coefficients, support = front.transform(batch)[0, 0], front.support(batch)[0, 0]
    sizes = (coefficients.abs() + 1e-3).log10()
    shown = [
        (image[0], "x"),
        (sizes, "|Ψᵀx|, log scale"),
        (torch.where(support, sizes, sizes.min()), f"kept: {front.keep} of {front.size}"),
        (front(batch)[0, 0], "x̂"),
    ]
    figure, axes = plt.subplots(1, 4, figsize=(WIDTH, WIDTH / 4 + 0.35))
    for axis, (values, name) in zip(axes, shown, strict=True):
        low, high = (0, 1) if name in ("x", "x̂") else (float(sizes.min()), float(sizes.max()))
        axis.imshow(values.cpu().numpy(), cmap="gray" if name in ("x", "x̂") else "cividis", vmin=low, vmax=high)
        axis.set_title(name)
        axis.set(xticks=[], yticks=[])
        axis.grid(False)
    figure.suptitle(title, fontsize=10.5)
    return figure


def rows_as_images(weights: Mapping[str, Tensor], shape: tuple[int, int], *, title: str) -> Figure:
    """The rows of first layers as images, a line for each net: grey is 0, each row stretched to its largest weight.

    Args:
        weights: name → ``(rows, H·W)``, the same number of rows in each.
        shape: (H, W).
        title: of the figure.

    Raises:
        ValueError: other numbers of rows.
    """
    counts = {len(each) for each in weights.values()}
    if len(counts) != 1:
        raise ValueError(f"weights of {sorted(counts)} rows; expected as many in each")
    drawn = torch.cat([each.detach().cpu() for each in weights.values()])
    drawn = 0.5 + 0.5 * drawn / drawn.abs().amax(1, keepdim=True).clamp(min=1e-12)
    return images(drawn.view(-1, 1, *shape), columns=counts.pop(), rows=list(weights), title=title, size=0.62)


@styled
def attacks_by_name(each: Mapping[str, Mapping[str, Estimate]], *, title: str) -> Figure:
    """The accuracy that each attack alone leaves, a mark for each defence that it applies to.

    Args:
        each: defence → attack → accuracy in [0, 1].
        title: says ε, profile, data and device.
    """
    longest = sorted(each.values(), key=len, reverse=True)  # the order of the defence that meets most attacks
    names = list(dict.fromkeys(name for found in longest for name in found))
    figure, axis = plt.subplots(figsize=(WIDTH, 1.2 + 0.36 * len(names)))
    for index, (defence, found) in enumerate(each.items()):
        shift = (index - (len(each) - 1) / 2) * 0.16
        places = [names.index(name) + shift for name in found]
        middle = [100 * share.value for share in found.values()]
        ends = [
            [100 * max(0.0, share.value - share.low) for share in found.values()],
            [100 * max(0.0, share.high - share.value) for share in found.values()],
        ]
        look = {"marker": MARKERS[index], "color": COLOURS[index], "linestyle": "none", "markersize": 6, "capsize": 2}
        axis.errorbar(middle, places, xerr=ends, label=defence, **look)
    axis.set_yticks(range(len(names)), names)
    axis.invert_yaxis()
    axis.set(xlabel="accuracy that the attack leaves (%)", xlim=(-3, 103))
    figure.suptitle(title, fontsize=10.5)
    figure.legend(loc="outside lower center", ncols=len(each))
    return figure


@styled
def falls(
    epsilons: Sequence[float],
    panels: Mapping[str, Mapping[str, Sequence[Estimate]]],
    *,
    half: float | None = None,
    title: str,
) -> Figure:
    """Figure 6: accuracy over ε, a panel for each way to attack, a curve with its band for each defence.

    Args:
        epsilons: pixel units.
        panels: name of the panel → defence → accuracy at each ε.
        half: an ε to mark, where the undefended net falls to half.
        title: says profile, data and device.
    """
    figure, axes = plt.subplots(1, len(panels), sharey=True, squeeze=False, figsize=(WIDTH, 3.7))
    for axis, (name, curves) in zip(axes[0], panels.items(), strict=True):
        for index, (defence, found) in enumerate(curves.items()):
            look = {"color": COLOURS[index], "linestyle": LINES[index], "marker": MARKERS[index]}
            axis.plot(epsilons, [100 * share.value for share in found], label=defence, **look)
            low, high = [100 * share.low for share in found], [100 * share.high for share in found]
            axis.fill_between(epsilons, low, high, color=COLOURS[index], alpha=0.15, linewidth=0)
        if half is not None:
            axis.axvline(half, color="#595959", linewidth=1.1, linestyle=(0, (1, 2)))
        axis.set(xlabel="ε (pixel units, [0, 1])", ylim=(-2, 102), title=name)
        axis.xaxis.set_major_locator(MaxNLocator(4))
    axes[0, 0].set_ylabel("accuracy (%)")
    handles, labels = axes[0, 0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=len(labels))
    figure.suptitle(title, fontsize=10.5)
    return figure
