"""Checks of chapter 06: IoU from scratch, its cap at a quantile level, the best threshold, and a unit to be found."""

import numpy as np
import torch
from sklearn.metrics import balanced_accuracy_score, jaccard_score

from lecture13.exercises import close, exercise, expect


@exercise("06.1", title="IoU of a region and a concept")
def _(my_iou):
    region = torch.rand(20, 8, 8) < torch.linspace(0.02, 0.6, 20)[:, None, None]  # of very different sizes
    mask = (torch.rand(20, 8, 8) < 0.3) & (torch.arange(20) % 3 > 0)[:, None, None]  # in some images nowhere
    kept = region.clone(), mask.clone()
    found = my_iou(region, mask)
    expect(torch.equal(region, kept[0]) and torch.equal(mask, kept[1]), "The masks that came in were changed.")
    right = jaccard_score(mask.flatten(), region.flatten())
    one = float(torch.as_tensor(found, dtype=torch.float64).mean()) if np.ndim(found) else float(found)
    each = [jaccard_score(m.flatten(), r.flatten(), zero_division=0) for m, r in zip(mask, region, strict=True)]
    expect(
        abs(one - sum(each) / 20) > 1e-6 or abs(one - right) < 1e-6,
        "This is the mean of the images' IoU. The sums over images come first, one division at the end.",
    )
    covered = float((region & mask).sum() / mask.sum())
    expect(abs(one - covered) > 1e-6, "This divides by the concept's pixels; a region that covers all would get 1.")
    close(found, right, "Σ|R ∩ L| / Σ|R ∪ L|, the sums over all images.")
    close(my_iou(region, region), 1.0, "A region that is the concept has IoU 1.")
    nothing = torch.zeros_like(region)
    close(my_iou(nothing, nothing), 0.0, "Where the union is empty, say 0: nothing was seen of nothing.")
    return "One division at the end: an image with ten pixels of the concept counts ten times one with a single pixel."


@exercise("06.2", title="The cap of the top-1 % rule")
def _(highest_iou):
    share, quantile = torch.rand(2, 50, dtype=torch.float64) * 0.98 + 0.01
    for p, q in ((0.3, 0.01), (0.002, 0.01), *zip(share.tolist(), quantile.tolist(), strict=True)):
        found = float(highest_iou(p, q))
        expect(found <= 1 + 1e-9, f"p = {p:.3g}, q = {q:.3g} give {found:.3g}; no IoU is above 1.")
        close(
            found, min(p, q) / max(p, q), f"p = {p:.3g}, q = {q:.3g}: the smaller set lies in the larger one, at best."
        )
    return "With q = .01, whatever covers more than a quarter of the pixels can never pass .04: no detector of sky."


@exercise("06.3", title="The threshold of a unit")
def _(best_threshold):
    for count, rare in ((60, 0.5), (400, 0.05)):
        present = torch.rand(count) < rare
        present[:3], present[3:6] = True, False
        peaks = (torch.randn(count) + 1.2 * present).mul(4).round() / 4  # with ties
        answer = best_threshold(peaks, present)
        expect(
            isinstance(answer, tuple | list) and len(answer) == 2,
            "Return two numbers: the threshold, and the balanced accuracy there.",
        )
        threshold, accuracy = map(float, answer)
        said = [balanced_accuracy_score(present, peaks >= candidate) for candidate in peaks.unique().tolist()]
        got = balanced_accuracy_score(present, peaks >= threshold)
        close(accuracy, got, "Your number is not ½(TPR + TNR) of “peak ≥ your threshold”.")
        plain = [(present == (peaks >= candidate)).float().mean().item() for candidate in peaks.unique().tolist()]
        best = peaks.unique()[int(np.argmax(plain))]
        expect(
            got > max(said) - 1e-9 or not np.isclose(got, balanced_accuracy_score(present, peaks >= best)),
            "This threshold is best in plain accuracy. Where the concept is rare, that one says “no” to everything.",
        )
        expect(
            got > max(said) - 1e-9, f"There is a threshold with {max(said):.3f}; yours has {got:.3f}. Try every peak."
        )
    return "Balanced accuracy weighs both groups alike, however rare the concept is."


@exercise("06.4", title="The unit that knows a concept")
def _(unit, *, units, concept):
    """``unit`` of the layer ``units`` with the best IoU for ``concept`` beyond its shuffled baseline."""
    expect(
        isinstance(unit, int) and not isinstance(unit, bool),
        f"Give the unit's number, an int; this is a {type(unit).__name__}.",
    )
    expect(0 <= unit < len(units), f"The layer has units 0 … {len(units) - 1}; {unit} is none of them.")
    index = [known.name for known in units.level.concepts].index(concept)
    own, luck = (float(values[unit, index]) for values in (units.level.iou, units.level.shuffled))
    best = (units.level.iou - units.level.shuffled)[:, index].max()
    message = f"Unit {unit} has IoU {own:.3f} with {concept}, {luck:.3f} with the masks of other images."
    expect(own - luck >= best - 1e-6, f"{message} Another unit has more beyond its baseline.")
    return message
