"""Steps of one perturbation for all images: momentum down their mean margin (after Shafahi et al. 2020)."""

import torch
from torch import Tensor

from lecture13 import guard
from lecture13.attacks.balls import BALLS
from lecture13.guard import Bounds, Model

#: Of the gradients of earlier batches, so much is kept.
MOMENTUM = 0.9

#: A margin below this is fooled for good: it pulls no longer, so that a few images cannot take all of v.
ENOUGH = -3.0

#: The first step, in parts of the ball's radius; steps fall linearly to 0.
FIRST = 0.1


def margins(logits: Tensor, predicted: Tensor) -> Tensor:
    """``z_k − log Σ_{j≠k} exp z_j``, ``(N,)``: below 0 where the probability of class k is below ½."""
    own = logits.gather(1, predicted[:, None])[:, 0]
    return own - logits.scatter(1, predicted[:, None], -torch.inf).logsumexp(1)


def descend(
    model: Model,
    images: Tensor,
    predicted: Tensor,
    v: Tensor,
    momentum: Tensor,
    length: float,
    norm: str,
    bounds: Bounds,
) -> tuple[Tensor, Tensor]:
    """One step down the batch's mean margin at ``images + v``: the step, and the momentum for the next.

    Args:
        model: frozen.
        images: ``(N, C, H, W)``.
        predicted: int64 ``(N,)``, the classes without v.
        v, momentum: ``(1, C, H, W)``, in float32 at least.
        length: of the step, in the norm.
        norm: "linf" or "l2".
        bounds: the box that sums are cut to.
    """
    with torch.enable_grad():
        point = v.clone().requires_grad_()
        sums = images + point.to(images.dtype)
        logits = guard.logits_with_graph(model, sums if bounds is None else sums.clamp(*bounds), predicted)
        loss = margins(logits.to(v.dtype), predicted).clamp(min=ENOUGH).mean()
        (slope,) = torch.autograd.grad(loss, point)
    # batches count alike, also those that are nearly all fooled
    momentum = MOMENTUM * momentum + slope / slope.abs().mean().clamp(min=torch.finfo(slope.dtype).tiny)
    return -length * BALLS[norm].direction(momentum.clone()), momentum
