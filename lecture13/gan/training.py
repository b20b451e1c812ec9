"""Algorithm 1 of Goodfellow et al. 2014, line by line beside the paper's box."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from tqdm import tqdm

from lecture13.gan.densities import Mixture
from lecture13.gan.objectives import Objective, minimax

#: (count, generator) → a batch: (x,), or (x, y) with labels.
Sampler = Callable[[int, torch.Generator | None], tuple[Tensor, ...]]
#: parameters → the optimiser that updates them.
Rule = Callable[[Iterable[nn.Parameter]], torch.optim.Optimizer]

#: "The gradient-based updates can use any standard gradient-based learning rule. We used momentum."
momentum: Rule = partial(torch.optim.SGD, lr=0.1, momentum=0.5)


@dataclass
class History:
    """What a training leaves behind.

    Args:
        critic_loss: (steps,) the critic's loss at the last of each iteration's k steps.
        generator_loss: (steps,) the generator's loss.
        records: (iteration, what ``record`` gave) from iteration 0, before any update, to the last.
    """

    critic_loss: Tensor
    generator_loss: Tensor
    records: list[tuple[int, Any]] = field(default_factory=list)


def from_tensors(images: Tensor, labels: Tensor | None = None) -> Sampler:
    """Minibatches from a data set, drawn uniformly with replacement: ``images`` (N, ...), ``labels`` (N,) if there.

    Raises:
        ValueError: no images, or not as many labels as images.
    """
    if len(images) == 0 or (labels is not None and len(labels) != len(images)):
        raise ValueError(f"{len(images)} images, {None if labels is None else len(labels)} labels; expected one each")

    def draw(count: int, generator: torch.Generator | None = None) -> tuple[Tensor, ...]:
        index = torch.randint(len(images), (count,), generator=generator).to(images.device)
        return (images[index],) if labels is None else (images[index], labels[index])

    return draw


def from_mixture(target: Mixture) -> Sampler:
    """Minibatches of fresh draws from a density."""
    return lambda count, generator=None: (target.sample(count, generator),)


def algorithm_1(
    G: nn.Module,
    D: nn.Module,
    data: Sampler,
    prior: Callable[[int, torch.Generator | None], Tensor],
    *,
    steps: int,
    k: int = 1,
    batch: int = 128,
    objective: Objective = minimax,
    rule: Rule = momentum,
    generator_rule: Rule | None = None,
    generator: torch.Generator | None = None,
    record: Callable[[int], Any] | None = None,
    every: int = 100,
    description: str = "Algorithm 1",
) -> History:
    """Minibatch stochastic gradient descent training of generative adversarial nets (Goodfellow et al. 2014).

    With labels, G(z, y) and D(x, y) get them as a second argument, as in the lecture's objective. The labels y_p of
    generated samples come from the data: in a critic's step from its minibatch, in the generator's from a fresh one.

    Args:
        G: generator; ``G(z)`` or ``G(z, y)`` gives samples as ``data`` gives them.
        D: critic; ``D(x)`` or ``D(x, y)`` gives a logit for each sample, (N,). D(x) of the paper is its sigmoid.
        data: (count, generator) → (x,) or (x, y).
        prior: (count, generator) → z, the noise prior p_g(z) of the box.
        steps: training iterations, the updates of G.
        k: steps of the critic in each iteration.
        batch: m, samples in a minibatch.
        objective: losses of both; the box has :data:`~lecture13.gan.objectives.minimax`.
        rule: makes the optimiser from parameters; momentum unless given.
        generator_rule: the generator's, where it differs from the critic's.
        generator: source of all chance here, of batches and noise.
        record: called with the iteration at 0, every ``every`` iterations and at the end; its results are kept.
        description: stands at the progress bar.

    Raises:
        ValueError: steps, k, batch or every below 1; a critic that does not give one logit for each sample.
        FloatingPointError: a loss that is not finite, with its iteration.
    """
    for name, number in {"steps": steps, "k": k, "batch": batch, "every": every}.items():
        if number < 1:
            raise ValueError(f"{name}={number}; expected at least 1")
    θd, θg = list(D.parameters()), list(G.parameters())
    device = θg[0].device

    def noise() -> Tensor:
        return prior(batch, generator).to(device)

    def examples() -> list[Tensor]:
        return [part.to(device) for part in data(batch, generator)]

    ascend, descend = rule(θd), (generator_rule or rule)(θg)
    critic_loss, generator_loss = torch.empty(steps), torch.empty(steps)
    records = [(0, record(0))] if record else []

    # for number of training iterations do
    for step in tqdm(range(1, steps + 1), desc=description, unit="it"):
        # for k steps do
        for _ in range(k):
            # Sample minibatch of m noise samples {z⁽¹⁾, …, z⁽ᵐ⁾} from noise prior p_g(z).
            z = noise()
            # Sample minibatch of m examples {x⁽¹⁾, …, x⁽ᵐ⁾} from data generating distribution p_data(x).
            x, *y = examples()
            # Update the discriminator by ascending its stochastic gradient:
            #     ∇_θd m⁻¹ Σ [log D(x⁽ⁱ⁾) + log(1 − D(G(z⁽ⁱ⁾)))].
            with torch.no_grad():  # θd moves, θg does not
                fake = G(z, *y)
            loss = objective.critic(_logits(D, x, *y), _logits(D, fake, *y))
            ascend.zero_grad()
            loss.backward(inputs=θd)
            ascend.step()  # descends −V
        # end for
        critic_loss[step - 1] = loss.detach()

        # Sample minibatch of m noise samples {z⁽¹⁾, …, z⁽ᵐ⁾} from noise prior p_g(z).
        z = noise()
        _, *y = examples()
        # Update the generator by descending its stochastic gradient:
        #     ∇_θg m⁻¹ Σ log(1 − D(G(z⁽ⁱ⁾))).
        loss = objective.generator(_logits(D, G(z, *y), *y))
        descend.zero_grad()
        loss.backward(inputs=θg)  # through D, whose own parameters gather nothing
        descend.step()
        generator_loss[step - 1] = loss.detach()

        if step % every == 0 or step == steps:
            _check(critic_loss[:step], generator_loss[:step])
            if record:
                records.append((step, record(step)))
    # end for
    return History(critic_loss, generator_loss, records)


def _logits(D: nn.Module, x: Tensor, *y: Tensor) -> Tensor:
    logits = D(x, *y)
    if logits.shape != (len(x),):
        raise ValueError(f"the critic gave logits of shape {tuple(logits.shape)} for {len(x)} samples; expected (N,)")
    return logits


def _check(critic_loss: Tensor, generator_loss: Tensor) -> None:
    finite = critic_loss.isfinite() & generator_loss.isfinite()
    if not finite.all():
        step = int((~finite).nonzero()[0]) + 1
        raise FloatingPointError(
            f"iteration {step}: critic loss {critic_loss[step - 1].item()}, generator loss "
            f"{generator_loss[step - 1].item()}; try a smaller learning rate"
        )
