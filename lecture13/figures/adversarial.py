"""Chapter 09's figures: an image and its adversary, the same at growing ε, error curves, and label leaking."""

from collections.abc import Mapping, Sequence

import torch
from matplotlib import pyplot as plt
from matplotlib.figure import Figure
from torch import Tensor

from lecture13 import attacks, evaluation
from lecture13.estimates import Estimate
from lecture13.evaluation import Robustness
from lecture13.figures.base import COLOURS, MARKERS, curves, images, panels, styled
from lecture13.guard import Model

__all__ = ["compare_shares", "epsilon_ladder", "error_curves", "in_steps", "three_panels"]


def in_steps(epsilon: float) -> str:
    """ε in steps of an 8-bit image: 0.03137 → ``"8/255"``, 0.007 → ``"1.8/255"``."""
    return f"{255 * epsilon:.2g}/255"


def three_panels(
    model: Model,
    batch: Tensor,
    labels: Tensor,
    classes: Sequence[str],
    epsilon: float,
    *,
    targeted: bool = False,
    title: str | None = None,
) -> Figure:
    """The slide's three panels, a row for each image: x, sign(∇ₓJ), x + ε·sign(∇ₓJ), with the class that each is given.

    Args:
        model: gives logits ``(N, K)``.
        batch: ``(N, C, H, W)`` in [0, 1].
        labels: int64 ``(N,)``: true classes, or with ``targeted`` the classes wanted.
        classes: K names.
        epsilon: in pixel units.
        title: of the figure.

    Raises:
        TypeError, ValueError: as :func:`lecture13.attacks.fgsm`.
    """
    adversarial = attacks.fgsm(model, batch, labels, epsilon, targeted=targeted)
    sign = attacks.loss_gradient(model, batch, labels).sign()
    # the sign alone, as an image: −1 is black, 0 grey, 1 white
    words = [_captions(model, shown, classes) for shown in (batch, (sign + 1) / 2, adversarial)]
    return panels(
        batch.cpu(),
        sign.cpu(),
        adversarial.cpu(),
        captions=list(zip(*words, strict=True)),
        magnification=0.5,
        signs=(f"{'−' if targeted else '+'} {in_steps(epsilon)} ×", "="),
        title=title,
    )


def epsilon_ladder(
    model: Model,
    image: Tensor,
    label: Tensor,
    classes: Sequence[str],
    epsilons: Sequence[float],
    *,
    magnification: float = 10,
    title: str | None = None,
) -> Figure:
    """One image under FGSM of growing ε: what is seen above, the difference around grey, magnified, below.

    Args:
        model: gives logits ``(N, K)``.
        image: ``(C, H, W)`` in [0, 1].
        label: its class, int64 ``()``.
        classes: K names.
        epsilons: in pixel units, one column each.
        magnification: of the difference.
        title: of the figure.
    """
    found = torch.cat([attacks.fgsm(model, image[None], label[None], epsilon) for epsilon in epsilons])
    difference = (0.5 + magnification * (found - image)).clamp(0, 1)
    seen = [f"ε = {in_steps(e)}\n{text}" for e, text in zip(epsilons, _captions(model, found, classes), strict=True)]
    return images(
        torch.cat([found, difference]).cpu(),
        titles=seen + [f"×{magnification:g}"] * len(epsilons),
        columns=len(epsilons),
        rows=["seen", "change"],
        size=1.3,
        title=title,
    )


def error_curves(
    epsilons: Sequence[float], results: Mapping[str, Sequence[Robustness]], *, title: str | None = None
) -> Figure:
    """Adversarial error against ε with its 95 % intervals, a curve for each attack.

    Args:
        epsilons: in pixel units, (T,).
        results: attack → T results.
        title: says profile, data and device.
    """
    errors = {name: [row.adversarial_error for row in rows] for name, rows in results.items()}
    return curves(
        [255 * epsilon for epsilon in epsilons],
        {name: [100 * e.value for e in row] for name, row in errors.items()},
        bands={name: ([100 * e.low for e in row], [100 * e.high for e in row]) for name, row in errors.items()},
        xlabel="ε (steps of an 8-bit image: 1 is 1/255)",
        ylabel="adversarial error (%)",
        ylim=(-2, 102),
        title=title,
    )


@styled
def compare_shares(shares: Mapping[str, Mapping[str, Estimate]], *, ylabel: str, title: str | None = None) -> Figure:
    """Shares with their 95 % intervals: a group for each outer name, a mark for each inner one.

    Args:
        shares: group → series → share in [0, 1]; every group has the same series.
        ylabel: what the shares are; drawn in per cent.
        title: says profile, data and device.

    Raises:
        ValueError: no group, or groups with different series.
    """
    if not shares or len({tuple(group) for group in shares.values()}) != 1:
        raise ValueError(f"groups {list(shares)}; expected one or more, all with the same series")
    series = list(next(iter(shares.values())))
    figure, axis = plt.subplots()
    for index, name in enumerate(series):
        places = [group + (index - (len(series) - 1) / 2) * 0.6 / len(series) for group in range(len(shares))]
        found = [group[name] for group in shares.values()]
        middle = [100 * estimate.value for estimate in found]
        whiskers = [
            [100 * (estimate.value - estimate.low) for estimate in found],
            [100 * (estimate.high - estimate.value) for estimate in found],
        ]
        axis.errorbar(
            places,
            middle,
            yerr=whiskers,
            linestyle="none",
            marker=MARKERS[index % len(MARKERS)],
            color=COLOURS[index % len(COLOURS)],
            markersize=8,
            capsize=4,
            label=name,
        )
        for place, height, down in zip(places, middle, whiskers[0], strict=True):
            below = {"xytext": (0, -6), "textcoords": "offset points", "ha": "center", "va": "top"}
            axis.annotate(f"{height:.0f}", (place, height - down), **below)  # beside it stands the next series
    axis.set_xticks(range(len(shares)), list(shares))
    axis.set(ylabel=ylabel, ylim=(-13, 104), xlim=(-0.5, len(shares) - 0.5), title=title or "")
    axis.grid(axis="x", visible=False)
    figure.legend(loc="outside lower center", ncols=2)
    return figure


def _captions(model: Model, batch: Tensor, classes: Sequence[str]) -> list[str]:
    """``"stop\\n99.3 %"`` for each image."""
    found, confidence = evaluation.predict(model, batch)
    return [f"{classes[k]}\n{100 * p:.1f} %" for k, p in zip(found.tolist(), confidence.tolist(), strict=True)]
