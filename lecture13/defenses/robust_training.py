"""Training against the worst case: provable (Wong & Kolter 2018), adversarial (PGD), and plain beside them.

All three are steps of the one loop, :func:`lecture13.training.fit`, with Adam on small batches::

    history = train(network, images, labels, defence="provable", epsilon=0.1, steps=60_000, checkpoint="mnist.ckpt")

The paper's schedule is the default of the provable one: Adam at 1e-3, batches of 50, ε rising from half its value over
the first half of the steps.
"""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.optim import Optimizer

from lecture13 import attacks, guard
from lecture13.defenses import polytope
from lecture13.guard import Bounds
from lecture13.processes import OneProcess, share
from lecture13.training import History, Step, batch_indices, fit

if TYPE_CHECKING:
    from lightning_fabric import Fabric

#: how a step makes its loss: (network, images, labels, index, generator) → (loss, named scalars to report)
Loss = Callable[[nn.Module, Tensor, Tensor, int, torch.Generator], tuple[Tensor, dict[str, Tensor | float]]]

DEFENCES = ("plain", "adversarial", "provable")


def ramp(first: float, last: float, steps: int) -> Callable[[int], float]:
    """ε of step i: from ``first`` to ``last`` along a line over ``steps`` steps, then ``last``.

    Raises:
        ValueError: negative, NaN or infinite values, or steps below 1.
    """
    first, last = guard.check_size("first", first, zero=True), guard.check_size("last", last, zero=True)
    steps = guard.check_count("steps", steps)

    def epsilon(index: int) -> float:
        return first + (last - first) * min(1.0, index / steps)

    return epsilon


def plain() -> Loss:
    """The cross-entropy of the images as they are."""

    def loss(network: nn.Module, images: Tensor, labels: Tensor, index: int, generator: torch.Generator):
        logits = network(images)
        return F.cross_entropy(logits, labels), {"error": _error(logits, labels)}

    return loss


def adversarial(
    epsilon: Callable[[int], float], *, steps: int = 20, step_size: float | None = None, box: Bounds = (0.0, 1.0)
) -> Loss:
    """The cross-entropy of the images that PGD makes of them (Madry et al. 2018): a lower bound of the worst case.

    Args:
        epsilon: ℓ∞ radius at each step of the training, :func:`ramp` say.
        steps, step_size, box: of :func:`lecture13.attacks.pgd`; it starts from a random point of the ball.
    """

    def loss(network: nn.Module, images: Tensor, labels: Tensor, index: int, generator: torch.Generator):
        radius = epsilon(index)
        options = {"steps": steps, "step_size": step_size if radius else None, "bounds": box, "generator": generator}
        logits = network(attacks.pgd(network, images, labels, radius, **options))
        return F.cross_entropy(logits, labels), {"error": _error(logits, labels), "epsilon": radius}

    return loss


def provable(epsilon: Callable[[int], float], *, warmup: int = 0, mixed: int = 0, box: Bounds = None) -> Loss:
    """The robust loss (Wong & Kolter 2018, eq. 14): an upper bound of the worst case, its gradient through all bounds.

    Args:
        epsilon: ℓ∞ radius at each step of the training, :func:`ramp` say.
        warmup: so many steps begin the training with interval bounds, an order of magnitude cheaper. Over the first
            half of them, their ε rises from 0 to ``epsilon(warmup)``, and their share of the loss from 0 to 1/2, the
            rest being the plain cross-entropy. Not in the paper.
        mixed: so many steps after them with interval bounds for the hidden units, Algorithm 1 for the margins. Not in
            the paper either (Zhang et al. 2020, CROWN-IBP).
        box: images outside it do not count; None, as in the paper.
    """

    def loss(network: nn.Module, images: Tensor, labels: Tensor, index: int, generator: torch.Generator):
        early = index < warmup
        risen = min(1.0, 2 * index / warmup) if early else 1.0
        radius = epsilon(warmup) * risen if early else epsilon(index)
        method = "interval" if early else "mixed" if index < warmup + mixed else "dual"
        margins = polytope.training_margins(network, images, labels, radius, method=method, box=box)
        worst = F.cross_entropy(-margins, labels)
        failed = (~polytope.certified(margins, labels)).float().mean()
        if early:
            part = 0.5 * risen
            worst = (1 - part) * F.cross_entropy(network(images), labels) + part * worst
        return worst, {"robust error": failed, "epsilon": radius}

    return loss


def step(
    loss: Loss,
    network: nn.Module,
    optimizer: Optimizer,
    images: Tensor,
    labels: Tensor,
    *,
    batch_size: int = 50,
    seed: int = 0,
    learning_rate: Callable[[int], float] | None = None,
    fabric: "Fabric | OneProcess | None" = None,
) -> Step:
    """A step of :func:`lecture13.training.fit` that lowers ``loss`` on the next batch.

    Args:
        loss: :func:`plain`, :func:`adversarial` or :func:`provable`.
        network, optimizer: plain ones, not wrapped by a Fabric: bounds read the layers themselves. Gradients are
            averaged over the processes here.
        images: ``(N, …)`` on the network's device.
        labels: int64 ``(N,)``.
        batch_size: over all processes together.
        seed: of the order of the batches.
        learning_rate: of step i; None leaves the optimiser's.
        fabric: from :func:`lecture13.processes.start`, for many processes.

    Returns:
        A step that reports "loss" and what the loss reports.
    """
    fabric = fabric or OneProcess()

    def one(index: int, generator: torch.Generator) -> dict[str, Tensor | float]:
        chosen = batch_indices(len(images), batch_size, index, seed).to(images.device)
        network.train()
        if learning_rate is not None:
            for group in optimizer.param_groups:
                group["lr"] = learning_rate(index)
        batch = share(fabric, images[chosen]), share(fabric, labels[chosen])
        with fabric.autocast():  # which the bounds switch off for themselves
            value, report = loss(network, *batch, index, generator)
        optimizer.zero_grad(set_to_none=True)
        value.backward()
        if fabric.world_size > 1:
            for parameter in network.parameters():
                if parameter.grad is not None:
                    parameter.grad = fabric.all_reduce(parameter.grad, reduce_op="mean")
        optimizer.step()
        return {"loss": value.detach(), **report}

    return one


def train(
    network: nn.Module,
    images: Tensor,
    labels: Tensor,
    *,
    defence: str,
    epsilon: float,
    steps: int,
    first_epsilon: float | None = None,
    warmup: int = 0,
    mixed: int = 0,
    attack_steps: int = 20,
    box: Bounds = None,
    batch_size: int = 50,
    learning_rate: float = 1e-3,
    falling: bool = False,
    seed: int = 0,
    checkpoint: Path | str | None = None,
    checkpoint_every: int = 500,
    fabric: "Fabric | OneProcess | None" = None,
) -> History:
    """Train ``network`` in place by one of :data:`DEFENCES`, with Adam; resumes from ``checkpoint``.

    Args:
        network: of the layers that :mod:`lecture13.defenses.polytope` knows, for ``"provable"``; any for the others.
        images, labels: ``(N, …)`` and int64 ``(N,)``, on the network's device.
        defence: ``"plain"``, ``"adversarial"`` (PGD) or ``"provable"``.
        epsilon: ℓ∞ radius in the images' units; not looked at in plain training.
        steps: of training; the paper's 100 epochs of 60 000 images in batches of 50 are 120 000.
        first_epsilon: what ε rises from, over the first half of the steps; None: half of ``epsilon``, as in the paper.
            (A training that starts at the full ε stays where it is.)
        warmup, mixed: steps with cheaper bounds at the start, see :func:`provable`.
        attack_steps: of PGD, in adversarial training.
        box: of the images, for attacks and bounds; None as in the paper.
        batch_size, learning_rate, seed: of the training; the paper's, for MNIST.
        falling: the learning rate falls along a line to 0 over the second half of the steps. Not in the paper.
        checkpoint, checkpoint_every, fabric: see :func:`lecture13.training.fit`.

    Returns:
        "loss" at every step; "error" of the batch (clean, or under attack), or its "robust error"; and "epsilon".

    Raises:
        TypeError, ValueError: an unknown defence, a warm-up that is not provable or longer than the training, what
            :func:`lecture13.defenses.polytope.margins` and :func:`lecture13.training.fit` raise.
    """
    if defence not in DEFENCES:
        raise ValueError(f"unknown defence {defence!r}; choose one of {', '.join(map(repr, DEFENCES))}")
    epsilon = guard.check_size("epsilon", epsilon, zero=True)
    first = epsilon / 2 if first_epsilon is None else guard.check_size("first_epsilon", first_epsilon, zero=True)
    if (warmup or mixed) and (defence != "provable" or min(warmup, mixed) < 0 or warmup + mixed >= steps):
        raise ValueError(
            f"warmup={warmup}, mixed={mixed}; expected 0, or for defence='provable' both together below {steps} steps"
        )
    radius = ramp(first, epsilon, max(1, steps // 2))
    losses = {
        "plain": plain,
        "adversarial": lambda: adversarial(radius, steps=attack_steps, box=box),
        "provable": lambda: provable(radius, warmup=warmup, mixed=mixed, box=box),
    }
    optimizer = torch.optim.Adam(network.parameters(), learning_rate)

    def rate(index: int) -> float:
        return learning_rate * min(1.0, 2 * (1 - index / steps)) if falling else learning_rate

    part = step(
        losses[defence](),
        network,
        optimizer,
        images,
        labels,
        batch_size=batch_size,
        seed=seed,
        learning_rate=rate,
        fabric=fabric,
    )
    settings = {
        "defence": defence,
        "epsilon": epsilon,
        "first_epsilon": first,
        "warmup": warmup,
        "mixed": mixed,
        "attack_steps": attack_steps,
        "box": None if box is None else list(box),
        "batch_size": batch_size,
        "learning_rate": learning_rate,
        "falling": falling,
        "steps": steps,  # the ramp depends on them
        "examples": len(images),
    }
    return fit(
        part,
        {"network": network, "optimizer": optimizer},
        steps=steps,
        seed=seed,
        checkpoint=checkpoint,
        checkpoint_every=checkpoint_every,
        settings=settings,
        description=f"{defence} training",
        fabric=fabric,
    )


def _error(logits: Tensor, labels: Tensor) -> Tensor:
    return (logits.detach().argmax(1) != labels).float().mean()
