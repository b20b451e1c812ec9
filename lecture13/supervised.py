"""Learning from labels: the step of every classifier, of images or of pixels, and its learning rate."""

import math
from collections.abc import Callable
from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.optim.swa_utils import AveragedModel

from lecture13.processes import OneProcess, share
from lecture13.training import Step, batch_indices

if TYPE_CHECKING:
    from lightning_fabric import Fabric


def supervised(
    model: nn.Module,
    optimizer: Optimizer,
    images: Tensor,
    labels: Tensor,
    *,
    batch_size: int,
    seed: int = 0,
    augment: Callable[[Tensor, Tensor, torch.Generator], tuple[Tensor, Tensor]] | None = None,
    learning_rate: Callable[[int], float] | None = None,
    average: AveragedModel | None = None,
    fabric: "Fabric | OneProcess | None" = None,
) -> Step:
    """The step of a classifier, of images or of every pixel: cross-entropy on the next batch.

    Args:
        model, optimizer: plain ones, or as a Fabric has set them up.
        images: ``(N, C, H, W)`` in [0, 1], on the model's device.
        labels: ``(N,)`` for logits ``(N, K)``, or ``(N, H, W)`` for logits ``(N, K, H, W)``; integers below K.
        batch_size: over all processes together; each takes its share.
        augment: (images, labels, generator) → both, changed, for a batch.
        learning_rate: of step i, :func:`cosine` say; None leaves the optimiser's.
        average: from :func:`~lecture13.training.moving_average`, updated after each step.
        fabric: from :func:`~lecture13.processes.start`, where that set the model up.

    Returns:
        A step for :func:`fit` that reports "loss" (mean cross-entropy, nats) and "accuracy" (share right, in [0, 1]).
    """
    fabric = fabric or OneProcess()

    def step(index: int, generator: torch.Generator) -> dict[str, Tensor]:
        chosen = batch_indices(len(images), batch_size, index, seed).to(images.device)
        batch, target = images[chosen], labels[chosen].long()
        if augment is not None:
            batch, target = augment(batch, target, generator)
        batch, target = share(fabric, batch), share(fabric, target)
        if learning_rate is not None:
            for group in optimizer.param_groups:
                group["lr"] = learning_rate(index)
        model.train()
        logits = model(batch)
        loss = F.cross_entropy(logits, target)
        optimizer.zero_grad(set_to_none=True)
        fabric.backward(loss)
        optimizer.step()
        if average is not None:
            average.update_parameters(model)
        return {"loss": loss.detach(), "accuracy": (logits.argmax(1) == target).float().mean()}

    return step


def cosine(peak: float, steps: int, *, warmup: int = 0) -> Callable[[int], float]:
    """A learning rate that rises to ``peak`` over ``warmup`` steps, then falls to 0 at ``steps`` along half a cosine.

    A function of the step alone (Loshchilov & Hutter 2017, eq. 5, without restarts), so there is no state to save.
    """

    def rate(index: int) -> float:
        if index < warmup:
            return peak * (index + 1) / warmup
        return peak * (1 + math.cos(math.pi * (index - warmup) / max(steps - warmup, 1))) / 2

    return rate
