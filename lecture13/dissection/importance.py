"""Which units does a classifier need for a class? Remove them, or keep only them, and measure (Bau et al. 2020).

Units are ranked on some images and judged on others: ranked on the training set, say, and judged on the test set.
"""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn
from tqdm import tqdm

from lecture13.dissection.editing import ablate, keep
from lecture13.dissection.effects import Ranking
from lecture13.estimates import Estimate, balanced, share
from lecture13.guard import check_images, check_labels, frozen, logits
from lecture13.tracing import batches

#: What a class loses without a unit.
Loss = Literal["accuracy", "log-probability"]


@dataclass(frozen=True)
class ClassAccuracy:
    """How a classifier does on one class and on the others, with 95 % intervals: Wilson's, and bootstrap.

    Args:
        own: of the images of the class, those classified as it (the true positive rate).
        spared: of the other images, those not classified as it (the true negative rate).
        balanced: ½(own + spared), the balanced accuracy of "is it this class?"; .5 for a guess.
        others: accuracy over all classes, on the images of the other classes.
        overall: accuracy over all classes, on all images.
    """

    own: Estimate
    spared: Estimate
    balanced: Estimate
    others: Estimate
    overall: Estimate


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
    hits, positives, spared, negatives = (int(which.sum()) for which in (own & said, own, ~own & ~said, ~own))
    return ClassAccuracy(
        share(hits, positives),
        share(spared, negatives),
        balanced(hits, positives, spared, negatives),
        share(int((~own & right).sum()), negatives),
        share(int(right.sum()), len(labels)),
    )


def rank_for_class(
    model: nn.Module,
    layer: str,
    images: Tensor,
    labels: Tensor,
    target: int,
    *,
    by: Loss = "accuracy",
    batch_size: int = 256,
) -> Ranking:
    """Rank a layer's units by what a class loses when each is removed alone.

    Takes one pass over the images for each unit. What stands before the layer is the same in all of them:
    :func:`rest_of` runs it once.

    Args:
        model, images, labels, target, batch_size: as :func:`class_accuracy`.
        layer: its name.
        by: "accuracy": the balanced accuracy of "is it this class?" (Bau et al. 2020). Units that lose equally much are
            ranked by what they add to the class's probability: its mean over the class's images minus its mean over the
            others. "log-probability": the class's mean log-probability over its own images. It tells units apart also
            where the net is right whichever of them is gone, and has no ties.

    Returns:
        ``effects`` are losses of balanced accuracy, in [−1, 1], or of log-probability, in nats.

    Raises:
        ValueError, TypeError: as :func:`class_accuracy`.
    """
    _check(images, labels, target)
    if by not in ("accuracy", "log-probability"):
        raise ValueError(f"by={by!r}; known: 'accuracy', 'log-probability'")
    own = labels.cpu() == target

    def measured() -> tuple[float, float]:
        probabilities = _probabilities(model, images, batch_size)
        said, sure = (probabilities.argmax(1) == target).double(), probabilities[:, target].double()
        if by == "log-probability":
            floor = torch.finfo(torch.float32).tiny  # of a probability that has been rounded to 0
            return float(sure[own].clamp(min=floor).log().mean()), 0.0
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


@dataclass(frozen=True)
class Removal:
    """What one class loses: its units ranked on some images, removed or kept on others.

    Args:
        ranking: of the layer's units.
        intact: the net as it is.
        without: number of units → without so many, the most important ones.
        only: with only the largest of these numbers.
        random: the same numbers → without so many units drawn at random, for each draw.
        ranked: without the most units, on the images that they were ranked on: a class to show is chosen by it, so that
            the other images stay a test.
    """

    ranking: Ranking
    intact: ClassAccuracy
    without: dict[int, ClassAccuracy]
    only: ClassAccuracy
    random: dict[int, list[ClassAccuracy]]
    ranked: ClassAccuracy

    @property
    def series(self) -> dict[str, ClassAccuracy]:
        """What was done with the most units, in words → how the net does then; of the random draws, the first."""
        most = max(self.without)
        return {
            "intact": self.intact,
            f"{most} removed": self.without[most],
            f"{most} random units removed": self.random[most][0],
            f"only {most} kept": self.only,
        }


def remove_for_class(
    model: nn.Module,
    layer: str,
    target: int,
    ranked_on: tuple[Tensor, Tensor],
    tested_on: tuple[Tensor, Tensor],
    *,
    counts: Sequence[int] = (1, 2, 4, 8, 20),
    draws: int = 3,
    by: Loss = "accuracy",
    seed: int = 0,
) -> Removal:
    """Rank a layer's units for a class, then remove the first of them, or all others, or random ones (Figure 2).

    Args:
        model, layer, target, by: as :func:`rank_for_class`.
        ranked_on, tested_on: images and labels; no image should be in both.
        counts: numbers of units to remove; of the largest, also all others are removed.
        draws: of random units.
        seed: of the draws.

    Raises:
        ValueError, TypeError: as :func:`rank_for_class` and :func:`class_accuracy`.
    """
    ranking = rank_for_class(model, layer, *ranked_on, target, by=by)
    most, generator = max(counts), torch.Generator().manual_seed(seed)
    drawn = [torch.randperm(len(ranking.units), generator=generator) for _ in range(draws)]

    def tested(**units: Tensor) -> ClassAccuracy:
        return class_accuracy(model, *tested_on, target, layer=layer if units else None, **units)

    return Removal(
        ranking,
        tested(),
        {count: tested(without=ranking.units[:count]) for count in counts},
        tested(only=ranking.units[:most]),
        {count: [tested(without=units[:count]) for units in drawn] for count in counts},
        class_accuracy(model, *ranked_on, target, layer=layer, without=ranking.units[:most]),
    )


def rest_of(model: nn.Sequential, layer: str, images: Tensor, *, batch_size: int = 256) -> tuple[nn.Sequential, Tensor]:
    """The rest of a net from a layer on, and what reaches it: what comes before a unit does not change with it.

    ``rest(reached)`` is ``model(images)``, and the rest keeps the layers' names. For units of the last layers this
    saves nearly all of the work of :func:`rank_for_class`.

    Raises:
        TypeError: the model is no ``nn.Sequential``.
        ValueError: the layer is none of its parts, with their names.
    """
    if not isinstance(model, nn.Sequential):
        raise TypeError(f"model is a {type(model).__name__}; expected an nn.Sequential, which can be cut")
    names = [name for name, _ in model.named_modules(remove_duplicate=False) if name and "." not in name]
    if layer not in names:
        raise ValueError(f"no part {layer!r}; the net's parts are {', '.join(names)}")
    front, rest = model[: names.index(layer)], model[names.index(layer) :]
    device = next((parameter.device for parameter in model.parameters()), images.device)
    with frozen(front, device), torch.no_grad():
        return rest, torch.cat([front(part.to(device)) for part in images.split(batch_size)])


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
