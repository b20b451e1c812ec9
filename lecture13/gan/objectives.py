"""What critic and generator minimise, as functions of the critic's logits.

A critic gives a logit a(x) for each sample and D(x) = σ(a(x)). An objective never forms D: log D = log σ(a) and
log(1 − D) = log σ(−a) are finite, with the right gradient, for every finite logit, where ``torch.log(D)`` is −∞ from
a = −104 on and ``torch.log(1 - D)`` already from a = 17 (float32).
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import logsigmoid

#: V(D*, G) where p_g = p_data, the value at which neither player can gain (Goodfellow et al. 2014, Theorem 1), in nats.
EQUILIBRIUM = -math.log(4.0)


@dataclass(frozen=True)
class Objective:
    """A pair of losses, both to be minimised.

    Args:
        name: for titles and messages.
        critic: (logits of real samples (N,), logits of generated samples (M,)) → scalar loss of the critic.
        generator: logits of generated samples (M,) → scalar loss of the generator.
    """

    name: str
    critic: Callable[[Tensor, Tensor], Tensor]
    generator: Callable[[Tensor], Tensor]


def value(real_logits: Tensor, fake_logits: Tensor) -> Tensor:
    """V(D, G) = n⁻¹ Σ log D(x_μ) + p⁻¹ Σ log(1 − D(G(z_p))), in nats; Goodfellow et al. 2014, eq. 1.

    Over all D, V is largest at D* = p_data / (p_data + p_g), where it is −log 4 + 2·JSD(p_data ‖ p_g): between −log 4
    (the two are equal) and 0 (they are disjoint).
    """
    return logsigmoid(real_logits).mean() + logsigmoid(-fake_logits).mean()


def _critic(real_logits: Tensor, fake_logits: Tensor) -> Tensor:
    return -value(real_logits, fake_logits)


def _saturating(fake_logits: Tensor) -> Tensor:
    return logsigmoid(-fake_logits).mean()


def _non_saturating(fake_logits: Tensor) -> Tensor:
    return -logsigmoid(fake_logits).mean()


def _least_squares_critic(real_logits: Tensor, fake_logits: Tensor) -> Tensor:
    return ((real_logits - 1).square().mean() + fake_logits.square().mean()) / 2


def _least_squares(fake_logits: Tensor) -> Tensor:
    return (fake_logits - 1).square().mean() / 2


def _wasserstein_critic(real_logits: Tensor, fake_logits: Tensor) -> Tensor:
    return fake_logits.mean() - real_logits.mean()


def _wasserstein(fake_logits: Tensor) -> Tensor:
    return -fake_logits.mean()


#: min_G max_D V(D, G), as it stands in the paper: the generator minimises mean log(1 − D(G(z))).
#: Optimum: p_g = p_data, D = 1/2, critic loss log 4, generator loss −log 2.
#: Gradient by the logit: −σ(a), which vanishes where the critic is sure that a sample is generated (a → −∞).
minimax = Objective("minimax", _critic, _saturating)

#: The critic as in minimax; the generator minimises −mean log D(G(z)) (Goodfellow et al. 2014, Section 3).
#: Optimum: p_g = p_data, D = 1/2, critic loss log 4, generator loss log 2.
#: Gradient by the logit: −(1 − σ(a)), largest (−1) where the critic is sure that a sample is generated.
non_saturating = Objective("non-saturating", _critic, _non_saturating)

#: The critic minimises ½ mean (a − 1)² on real and ½ mean a² on generated samples, the generator ½ mean (a − 1)²
#: (Mao et al. 2017, eq. 9: LSGAN with labels 0 and 1). The critic gives a itself, not a probability.
#: Optimum: a* = p_data / (p_data + p_g), critic loss 1/8 + 1/8 and generator loss 1/8 where p_g = p_data.
#: Gradient by the logit: a − 1, which does not vanish for samples far on the wrong side.
least_squares = Objective("least squares", _least_squares_critic, _least_squares)

#: The critic maximises mean a(x) − mean a(G(z)) among 1-Lipschitz functions, by clipping its weights or by a penalty on
#: its gradient; the generator maximises mean a(G(z)) (Arjovsky et al. 2017, eq. 2 and 3).
#: Optimum of the critic: the potential of Kantorovich and Rubinstein, loss −W₁(p_data, p_g); 0 where p_g = p_data.
wasserstein = Objective("Wasserstein", _wasserstein_critic, _wasserstein)


def gradient_norms(critic: Callable[[Tensor], Tensor], samples: Tensor, *, create_graph: bool = False) -> Tensor:
    """‖∇ₓ a(x)‖₂ of each sample on its own, over all its dimensions: (N,).

    Args:
        critic: (N, ...) → (N,); one that mixes its samples (batch norm) has no gradient of each on its own.
        samples: (N, ...).
        create_graph: keep what a second derivative needs, so that the norms can stand in a loss.
    """
    at = samples.detach().requires_grad_()
    with torch.enable_grad():
        (gradient,) = torch.autograd.grad(critic(at).sum(), at, create_graph=create_graph)
    return torch.linalg.vector_norm(gradient.flatten(1), dim=1)


def gradient_penalty(
    critic: Callable[[Tensor], Tensor], real: Tensor, fake: Tensor, *, generator: torch.Generator | None = None
) -> Tensor:
    """Mean over samples of (‖∇a(x̂)‖₂ − 1)² at x̂ = εx + (1 − ε)x̃; Gulrajani et al. 2017, eq. 3. λ stands outside.

    It is 0 for a critic whose gradient has length 1 everywhere, as an optimal one has almost everywhere between the
    two distributions (their Proposition 1).

    Args:
        critic: (N, ...) → (N,), each sample on its own. With labels: ``lambda x: D(x, y)``.
        real, fake: (N, ...), pairs of which straight lines are drawn.
        generator: of ε ~ U[0, 1], one for each sample, on the samples' device.

    Raises:
        ValueError: batches of different shapes.
    """
    ε = torch.rand(len(real), generator=generator, device=real.device, dtype=real.dtype)
    return slope_penalty(critic, between(real, fake, ε))


def between(real: Tensor, fake: Tensor, ε: Tensor) -> Tensor:
    """x̂ = εx + (1 − ε)x̃ for samples (N, ...), with one ε for each (N,).

    Raises:
        ValueError: batches of different shapes.
    """
    if real.shape != fake.shape:
        raise ValueError(f"real {tuple(real.shape)}, generated {tuple(fake.shape)}; expected pairs of the same shape")
    ε = ε.view(-1, *[1] * (real.ndim - 1))
    return ε * real + (1 - ε) * fake


def slope_penalty(critic: Callable[[Tensor], Tensor], samples: Tensor) -> Tensor:
    """Mean over ``samples`` (N, ...) of (‖∇a(x)‖₂ − 1)², differentiable by the critic's parameters."""
    return (gradient_norms(critic, samples, create_graph=True) - 1).square().mean()


def r1(critic: Callable[[Tensor], Tensor], real: Tensor) -> Tensor:
    """Mean over real samples of ‖∇a(x)‖₂²; Mescheder et al. 2018, eq. 9, with γ/2 outside. 0 for a constant critic."""
    at = real.detach().requires_grad_()
    with torch.enable_grad():
        (gradient,) = torch.autograd.grad(critic(at).sum(), at, create_graph=True)
    return gradient.flatten(1).square().sum(1).mean()  # the square of a norm would have no gradient at 0


def drift(real_logits: Tensor) -> Tensor:
    """Mean of a(x)² on real samples; Karras et al. 2018, appendix A.1, with .001 outside.

    A Wasserstein critic's loss is the same for a and a + c: this keeps c from drifting away from 0.
    """
    return real_logits.square().mean()


@torch.no_grad()
def clip_(critic: nn.Module, bound: float) -> None:
    """w ← clip(w, −c, c) for every parameter, in place, after the optimiser's step; Arjovsky et al. 2017, Algorithm 1.

    Gains of norm layers are parameters too, and are clipped from 1 to c; frozen ones stay as they are.

    Raises:
        ValueError: a bound that is not positive.
    """
    if not bound > 0:
        raise ValueError(f"clip at {bound}; expected a number above 0, the paper's is 0.01")
    for parameter in critic.parameters():
        if parameter.requires_grad:
            parameter.clamp_(-bound, bound)
