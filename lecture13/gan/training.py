"""The papers' boxes, line by line: Goodfellow et al. 2014, Arjovsky et al. 2017 and Gulrajani et al. 2017.

Each names what an iteration computes. How it is run (progress, checkpoints, the moving average, several processes, the
formats that the machine likes) is :class:`lecture13.gan.engine.Engine`'s, and its keywords,
:class:`~lecture13.gan.engine.Options`, are every box's. With labels, G(z, y) and D(x, y) get them as a second
argument, as in the lecture's objective: y of a generated sample comes from the data, in a critic's step from its
minibatch, in the generator's from a fresh one.
"""

from collections.abc import Callable
from typing import Unpack

import torch
from torch import Tensor, nn

from lecture13.gan.engine import Count, Engine, History, Options, Rule, adam, momentum, rmsprop
from lecture13.gan.objectives import Objective, between, clip_, drift, minimax, slope_penalty, wasserstein
from lecture13.gan.samplers import Sampler, from_bytes, from_mixture, from_tensors

__all__ = [
    "History", "Rule", "Sampler", "adam", "algorithm_1", "from_bytes", "from_mixture", "from_tensors", "momentum",
    "rmsprop", "wgan", "wgan_gp",
]  # fmt: skip

#: (count, generator) → z, the noise prior p_g(z) of the boxes.
Prior = Callable[[int, torch.Generator | None], Tensor]
#: (critic, real, generated) → what is added to the critic's loss.
Penalty = Callable[[Callable[[Tensor], Tensor], Tensor, Tensor], Tensor]

_BATCH_NORMS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d, nn.SyncBatchNorm)


def algorithm_1(
    G: nn.Module,
    D: nn.Module,
    data: Sampler,
    prior: Prior,
    *,
    steps: int,
    k: Count = 1,
    batch: Count = 128,
    objective: Objective = minimax,
    penalty: Penalty | None = None,
    rule: Rule = momentum,
    generator_rule: Rule | None = None,
    **engine: Unpack[Options],
) -> History:
    """Minibatch stochastic gradient descent training of generative adversarial nets (Goodfellow et al. 2014).

    Args:
        G: generator; ``G(z)`` or ``G(z, y)`` gives samples as ``data`` gives them.
        D: critic; ``D(x)`` or ``D(x, y)`` gives a logit for each sample, (N,). D(x) of the paper is its sigmoid.
        data: (number, count, generator) → (x,) or (x, y).
        prior: (count, generator) → z, the noise prior p_g(z) of the box.
        steps: training iterations, the updates of G.
        k: steps of the critic in each iteration.
        batch: m, samples in a minibatch.
        objective: losses of both; the box has :data:`~lecture13.gan.objectives.minimax`.
        penalty: added to the critic's loss: ``lambda D, x, fake: 5 * r1(D, x)``, say.
        rule: makes the optimiser from parameters; momentum unless given.
        generator_rule: the generator's, where it differs from the critic's.
        engine: see :class:`~lecture13.gan.engine.Options`.

    Returns:
        The losses "critic" and "generator" of every iteration, and what the options asked for.

    Raises:
        ValueError: a count below 1; a critic that does not give one logit for each sample, or one with batch norm
            under a penalty.
        FloatingPointError: a loss or a weight that is not finite, with its iteration (counted from 0) and the last
            good checkpoint.
    """
    if penalty:
        _each_on_its_own(D)
    run = Engine(
        G, D, data, prior, batch=batch, critic_steps=k, critic_rule=rule, generator_rule=generator_rule or rule,
        **{"description": "Algorithm 1", **engine},
    )  # fmt: skip

    # for number of training iterations do
    def iteration(index: int, chance: torch.Generator) -> dict[str, Tensor]:
        # for k steps do
        for _ in range(run.critic_steps(index)):
            # Sample minibatch of m noise samples {z⁽¹⁾, …, z⁽ᵐ⁾} from noise prior p_g(z).
            z = run.noise(chance)
            # Sample minibatch of m examples {x⁽¹⁾, …, x⁽ᵐ⁾} from data generating distribution p_data(x).
            x, *y = run.examples(chance)
            # Update the discriminator by ascending its stochastic gradient:
            #     ∇_θd m⁻¹ Σ [log D(x⁽ⁱ⁾) + log(1 − D(G(z⁽ⁱ⁾)))].
            with torch.no_grad():  # θd moves, θg does not
                fake = run.G(z, *y)
            critic_loss = objective.critic(run.D(x, *y), run.D(fake, *y))
            if penalty:
                critic_loss = critic_loss + penalty(lambda at, y=y: run.D_twice(at, *y), x, fake)
            run.update("D", critic_loss)  # descends −V
        # end for
        # Sample minibatch of m noise samples {z⁽¹⁾, …, z⁽ᵐ⁾} from noise prior p_g(z).
        z, y = run.noise(chance), run.labels(chance)
        # Update the generator by descending its stochastic gradient:
        #     ∇_θg m⁻¹ Σ log(1 − D(G(z⁽ⁱ⁾))).
        generator_loss = objective.generator(run.D(run.G(z, *y), *y))
        run.update("G", generator_loss)  # through D, whose own parameters gather nothing
        return {"critic": critic_loss.detach(), "generator": generator_loss.detach()}

    # end for
    return run.play(iteration, steps)


def wgan(
    G: nn.Module,
    D: nn.Module,
    data: Sampler,
    prior: Prior,
    *,
    steps: int,
    n_critic: Count = 5,
    clip: float = 0.01,
    batch: Count = 64,
    rule: Rule = rmsprop,
    generator_rule: Rule | None = None,
    **engine: Unpack[Options],
) -> History:
    """WGAN, Algorithm 1 of Arjovsky et al. 2017: the critic is kept Lipschitz by clipping its weights.

    Args:
        clip: c, the bound on every weight of the critic.
        n_critic: steps of the critic for each of the generator's; the authors take 100 instead of 5 in the first 25
            iterations and at every 500th: ``lambda i: 100 if i < 25 or i % 500 == 0 else 5``.
        G, D, data, prior, steps, batch, rule, generator_rule, engine: as in :func:`algorithm_1`.

    Returns:
        Beside the losses "wasserstein": mean f_w(x) − mean f_w(G(z)), the critic's estimate of K·W₁(p_data, p_g).

    Raises:
        ValueError, FloatingPointError: as :func:`algorithm_1`; a clip that is not positive.
    """
    if not clip > 0:
        raise ValueError(f"clip={clip}; expected a number above 0, the paper's is 0.01")
    run = Engine(
        G, D, data, prior, batch=batch, critic_steps=n_critic, critic_rule=rule, generator_rule=generator_rule or rule,
        **{"description": "WGAN", **engine},
    )  # fmt: skip

    # while θ has not converged do
    def iteration(index: int, chance: torch.Generator) -> dict[str, Tensor]:
        # for t = 0, …, n_critic do
        for _ in range(run.critic_steps(index)):
            # Sample {x⁽ⁱ⁾} ~ P_r a batch from the real data.
            x, *y = run.examples(chance)
            # Sample {z⁽ⁱ⁾} ~ p(z) a batch of prior samples.
            z = run.noise(chance)
            # g_w ← ∇_w [m⁻¹ Σ f_w(x⁽ⁱ⁾) − m⁻¹ Σ f_w(g_θ(z⁽ⁱ⁾))]
            with torch.no_grad():
                fake = run.G(z, *y)
            critic_loss = wasserstein.critic(run.D(x, *y), run.D(fake, *y))
            # w ← w + α · RMSProp(w, g_w)
            run.update("D", critic_loss)
            # w ← clip(w, −c, c)
            clip_(D, clip)
        # end for
        # Sample {z⁽ⁱ⁾} ~ p(z) a batch of prior samples.
        z, y = run.noise(chance), run.labels(chance)
        # g_θ ← −∇_θ m⁻¹ Σ f_w(g_θ(z⁽ⁱ⁾))
        generator_loss = wasserstein.generator(run.D(run.G(z, *y), *y))
        # θ ← θ − α · RMSProp(θ, g_θ)
        run.update("G", generator_loss)
        critic_loss = critic_loss.detach()
        return {"critic": critic_loss, "generator": generator_loss.detach(), "wasserstein": -critic_loss}

    # end while
    return run.play(iteration, steps)


def wgan_gp(
    G: nn.Module,
    D: nn.Module,
    data: Sampler,
    prior: Prior,
    *,
    steps: int,
    n_critic: Count = 5,
    penalty: float = 10.0,
    drift_weight: float = 0.0,
    batch: Count = 64,
    rule: Rule = adam,
    generator_rule: Rule | None = None,
    **engine: Unpack[Options],
) -> History:
    """WGAN with gradient penalty, Algorithm 1 of Gulrajani et al. 2017; with drift, that of Karras et al. 2018.

    Args:
        penalty: λ, the weight of the gradient penalty.
        drift_weight: weight of mean D(x)²; .001 in Karras et al., 0 in Gulrajani et al.
        G, D, data, prior, steps, batch, rule, generator_rule, engine: as in :func:`algorithm_1`.
        n_critic: steps of the critic for each of the generator's.

    Returns:
        Beside the losses "wasserstein", mean D(x) − mean D(G(z)), the critic's estimate of W₁(p_data, p_g), and
        "penalty", mean (‖∇D(x̂)‖₂ − 1)².

    Raises:
        ValueError, FloatingPointError: as :func:`algorithm_1`; a critic with batch norm, a weight below 0.
    """
    if not (penalty >= 0 and drift_weight >= 0):
        raise ValueError(f"penalty={penalty}, drift_weight={drift_weight}; expected weights of 0 or more")
    _each_on_its_own(D)
    run = Engine(
        G, D, data, prior, batch=batch, critic_steps=n_critic, critic_rule=rule, generator_rule=generator_rule or rule,
        **{"description": "WGAN-GP", **engine},
    )  # fmt: skip

    # while θ has not converged do
    def iteration(index: int, chance: torch.Generator) -> dict[str, Tensor]:
        # for t = 1, …, n_critic do
        for _ in range(run.critic_steps(index)):
            # for i = 1, …, m do
            # Sample real data x ~ P_r, latent variable z ~ p(z), a random number ε ~ U[0, 1].
            (x, *y), z, ε = run.examples(chance), run.noise(chance), run.uniform(chance)
            # x̃ ← G_θ(z)
            with torch.no_grad():
                fake = run.G(z, *y)
            # x̂ ← εx + (1 − ε)x̃
            x_hat = between(x, fake, ε)
            # L⁽ⁱ⁾ ← D_w(x̃) − D_w(x) + λ(‖∇_x̂ D_w(x̂)‖₂ − 1)²
            real_logits, fake_logits = run.D(x, *y), run.D(fake, *y)
            distance = real_logits.mean() - fake_logits.mean()
            slope = slope_penalty(lambda at, y=y: run.D_twice(at, *y), x_hat)
            critic_loss = -distance + penalty * slope
            if drift_weight:
                critic_loss = critic_loss + drift_weight * drift(real_logits)
            # end for
            # w ← Adam(∇_w m⁻¹ Σ L⁽ⁱ⁾, w, α, β₁, β₂)
            run.update("D", critic_loss)
        # end for
        # Sample a batch of latent variables {z⁽ⁱ⁾} ~ p(z).
        z, y = run.noise(chance), run.labels(chance)
        # θ ← Adam(∇_θ m⁻¹ Σ −D_w(G_θ(z)), θ, α, β₁, β₂)
        generator_loss = wasserstein.generator(run.D(run.G(z, *y), *y))
        run.update("G", generator_loss)
        return {
            "critic": critic_loss.detach(),
            "generator": generator_loss.detach(),
            "wasserstein": distance.detach(),
            "penalty": slope.detach(),
        }

    # end while
    return run.play(iteration, steps)


def _each_on_its_own(D: nn.Module) -> None:
    """Refuse batch norm in a penalised critic (Gulrajani et al. 2017, Section 4).

    Minibatch standard deviation mixes samples too, but by one number among many: Karras et al. penalise with it.
    """
    for name, layer in D.named_modules():
        if isinstance(layer, _BATCH_NORMS):
            raise ValueError(
                f"the critic's layer {name!r} is batch norm, which mixes the samples of a batch: the penalty is on the "
                f"gradient of each sample on its own. Take layer norm or none"
            )
