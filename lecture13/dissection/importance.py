"""Which units does a classifier need for a class? Remove them, or keep only them, and measure (Bau et al. 2020).

Units are ranked on some images and judged on others: ranked on the training set, say, and judged on the test set.
"""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from tqdm import tqdm

from lecture13.dissection.editing import ablate, keep
from lecture13.dissection.effects import Ranking
from lecture13.estimates import Estimate, share
from lecture13.guard import check_images, check_labels, frozen, logits
from lecture13.tracing import batches


@dataclass(frozen=True)
class ClassAccuracy:
    """How a classifier does on one class and on the others; shares with their 95 % Wilson intervals.

    Args:
        own: of the images of the class, those classified as it (the true positive rate).
        spared: of the other images, those not classified as it (the true negative rate).
        others: accuracy over all classes, on the images of the other classes.
        overall: accuracy over all classes, on all images.
    """

    own: Estimate
    spared: Estimate
    others: Estimate
    overall: Estimate

    @property
    def balanced(self) -> float:
        """½(own + spared): the balanced accuracy of "is it this class?", .5 for a guess."""
        return (self.own.value + self.spared.value) / 2


def class_accuracy(
    model: nn.Module,
    images: Tensor,
    labels: Tensor,
    target: int,
    *,
    layer: str | None = None,
    without: Sequence[int] | Tensor | None = None,
    only: Sequence[int] | Tensor | None = None,
    batch_size: int = 256,
) -> ClassAccuracy:
    """Accuracy on one class and on the others: of the net as it is, without some units, or with only them.

    Args:
        model: gives logits (N, K); left as it was.
        images, labels: (N, C, H, W) in [0, 1], and int64 (N,).
        target: the class.
        layer: whose units are edited; None edits nothing.
        without, only: units that are set to zero, or that alone are not; one of the two.
        batch_size: images at a time.

    Raises:
        ValueError: no image of the class, or of another; both ``without`` and ``only``, or units without a layer; and
            as :func:`~lecture13.dissection.ablate`.
        TypeError: images or labels of another type.
    """
    if (without is not None and only is not None) or ((without is None and only is None) != (layer is None)):
        raise ValueError("expected a layer and its units, as without=… or as only=…; or neither, for the net as it is")
    _check(images, labels, target)
    edit: Callable[[], AbstractContextManager] = nullcontext
    if layer is not None:

        def edit() -> AbstractContextManager:
            return ablate(model, layer, without) if without is not None else keep(model, layer, only)

    with edit():
        found = _probabilities(model, images, batch_size).argmax(1)
    own, right, said = labels.cpu() == target, found == labels.cpu(), found == target
    return ClassAccuracy(
        share(int((own & said).sum()), int(own.sum())),
        share(int((~own & ~said).sum()), int((~own).sum())),
        share(int((~own & right).sum()), int((~own).sum())),
        share(int(right.sum()), len(labels)),
    )


def rank_for_class(
    model: nn.Module, layer: str, images: Tensor, labels: Tensor, target: int, *, batch_size: int = 256
) -> Ranking:
    """Rank a layer's units by the balanced accuracy of a class that is lost when each is removed alone.

    Units that lose equally much are ranked by what they add to the class's probability: its mean over the class's
    images minus its mean over the others. Takes one pass over the images for each unit.

    Args:
        model, images, labels, target, batch_size: as :func:`class_accuracy`.
        layer: its name.

    Returns:
        ``effects`` are losses of balanced accuracy, in [−1, 1].

    Raises:
        ValueError, TypeError: as :func:`class_accuracy`.
    """
    _check(images, labels, target)
    own = labels.cpu() == target

    def measured() -> tuple[float, float]:
        probabilities = _probabilities(model, images, batch_size)
        said, sure = (probabilities.argmax(1) == target).double(), probabilities[:, target].double()
        contrasts = [float(values[own].mean() - values[~own].mean()) for values in (said, sure)]
        return contrasts[0] / 2, contrasts[1]  # ½(TPR + TNR) = ½ + ½(TPR − FPR)

    units = range(next(batches(model, images[:1], layer)).activations[layer].shape[1])
    intact, losses = measured(), []
    for unit in tqdm(units, desc=f"units of {layer}", unit="unit", delay=2, leave=False):
        with ablate(model, layer, [unit]):
            losses.append([before - after for before, after in zip(intact, measured(), strict=True)])
    loss, doubt = torch.tensor(losses, dtype=torch.float64).T
    order = doubt.argsort(descending=True, stable=True)
    order = order[loss[order].argsort(descending=True, stable=True)]
    return Ranking(order, loss[order])


def _probabilities(model: nn.Module, images: Tensor, batch_size: int) -> Tensor:
    """(N, K) float32, on the CPU."""
    device = next((parameter.device for parameter in model.parameters()), images.device)
    with frozen(model, device), torch.no_grad():
        parts = [logits(model, part.to(device)).float().softmax(1).cpu() for part in images.split(batch_size)]
    return torch.cat(parts)


def _check(images: Tensor, labels: Tensor, target: int) -> None:
    check_images(images, None)
    own = int((check_labels(labels, images) == target).sum())
    if not 0 < own < len(labels):
        raise ValueError(f"{own} of {len(labels)} images are of class {target}; expected some of it, and of others")
