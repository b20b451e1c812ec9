"""A unit as a classifier of images: does its peak say whether the concept is there? (Bau et al. 2020, Figure 1e.)"""

import math
from dataclasses import dataclass

import numpy as np
import torch
from scipy import stats
from sklearn.metrics import roc_auc_score, roc_curve
from sklearn.model_selection import train_test_split
from torch import Tensor, nn

from lecture13.estimates import LEVEL, Estimate, balanced
from lecture13.tracing import activations


@dataclass(frozen=True)
class Detector:
    """How well "the peak is at least ``threshold``" tells images with a concept from images without.

    Args:
        threshold: best in balanced accuracy on the one half of the images.
        accuracy: balanced accuracy ½(TPR + TNR) on the other half, with its 95 % interval (bootstrap over images).
        auc: area under the ROC curve on that other half, 95 % (DeLong et al. 1988).
        present, absent: (P,) and (N,), the peaks of that other half, with the concept and without, for a plot.
    """

    threshold: float
    accuracy: Estimate
    auc: Estimate
    present: Tensor
    absent: Tensor


def peaks(model: nn.Module, layer: str, inputs: Tensor, *, batch_size: int = 32) -> Tensor:
    """The highest activation of every unit in every image: (N, C) float32, on the CPU.

    Raises:
        ValueError: as :func:`~lecture13.tracing.batches`.
    """
    parts = [
        found.flatten(2).amax(2) if found.ndim > 2 else found
        for found in activations(model, inputs, layer, batch_size=batch_size)
    ]
    return torch.cat(parts).float().cpu()


def as_classifier(peaks: Tensor, present: Tensor, *, chosen_on: Tensor | None = None, seed: int = 0) -> Detector:
    """Test one unit as a classifier; the threshold is chosen on some images and judged on the others.

    Args:
        peaks: (N,), the unit's peak in each image: a column of :func:`peaks`.
        present: bool (N,), whether the concept is in the image.
        chosen_on: bool (N,), the images that the threshold is chosen on; None takes half of either kind, drawn.
        seed: of that draw.

    Raises:
        ValueError: another shape, NaN, or no image with or without the concept on one side of the split.
    """
    if peaks.ndim != 1 or present.shape != peaks.shape or present.dtype != torch.bool:
        raise ValueError(
            f"peaks {tuple(peaks.shape)}, present {present.dtype} {tuple(present.shape)}; expected (N,) and bool (N,)"
        )
    if bool(peaks.isnan().any()):
        raise ValueError(f"peaks hold NaN, first at image {int(peaks.isnan().nonzero()[0])}")
    score, there = peaks.double().cpu().numpy(), present.cpu().numpy()
    if chosen_on is None:
        if min(there.sum(), (~there).sum()) < 2:
            raise ValueError(_too_few(there, "in all; expected 2 or more of either, for two halves"))
        half, _ = train_test_split(np.arange(len(there)), test_size=0.5, random_state=seed, stratify=there)
        chosen = np.isin(np.arange(len(there)), half)
    elif chosen_on.shape != peaks.shape or chosen_on.dtype != torch.bool:
        raise ValueError(f"chosen_on is {chosen_on.dtype} {tuple(chosen_on.shape)}; expected bool {tuple(peaks.shape)}")
    else:
        chosen = chosen_on.cpu().numpy()
    for side, name in ((chosen, "that the threshold is chosen on"), (~chosen, "that it is judged on")):
        if there[side].all() or not there[side].any():
            raise ValueError(_too_few(there[side], f"among those {name}; expected 1 or more of either"))
    false, true, thresholds = roc_curve(there[chosen], score[chosen], drop_intermediate=False)
    threshold = float(thresholds[(true - false).argmax()])
    with_it, without = score[~chosen & there], score[~chosen & ~there]
    return Detector(
        threshold,
        balanced(int((with_it >= threshold).sum()), len(with_it), int((without < threshold).sum()), len(without)),
        _auc(with_it, without),
        torch.from_numpy(with_it),
        torch.from_numpy(without),
    )


def _auc(present: np.ndarray, absent: np.ndarray) -> Estimate:
    """Area under the ROC curve: the share of pairs in the right order. Its variance by DeLong et al. 1988, eq. 4–6."""
    scores = np.concatenate([present, absent])
    value = float(roc_auc_score([True] * len(present) + [False] * len(absent), scores))
    ranks = stats.rankdata(scores)  # ties count half
    above = (ranks[: len(present)] - stats.rankdata(present)) / len(absent)
    below = 1 - (ranks[len(present) :] - stats.rankdata(absent)) / len(present)
    variance = sum(part.var(ddof=1) / len(part) for part in (above, below) if len(part) > 1)
    reach = stats.norm.ppf((1 + LEVEL) / 2) * math.sqrt(variance)
    return Estimate(value, max(0.0, value - reach), min(1.0, value + reach))


def _too_few(there: np.ndarray, where: str) -> str:
    return f"{there.sum()} images with the concept and {(~there).sum()} without {where}"
