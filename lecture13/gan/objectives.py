"""What critic and generator minimise, as functions of the critic's logits.

A critic gives a logit a(x) for each sample and D(x) = σ(a(x)). An objective never forms D: log D = log σ(a) and
log(1 − D) = log σ(−a) are finite, with the right gradient, for every finite logit, where ``torch.log(D)`` is −∞ from
a = −104 on and ``torch.log(1 - D)`` already from a = 17 (float32).
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor
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


#: min_G max_D V(D, G), as it stands in the paper: the generator minimises mean log(1 − D(G(z))).
#: Optimum: p_g = p_data, D = 1/2, critic loss log 4, generator loss −log 2.
#: Gradient by the logit: −σ(a), which vanishes where the critic is sure that a sample is generated (a → −∞).
minimax = Objective("minimax", _critic, _saturating)

#: The critic as in minimax; the generator minimises −mean log D(G(z)) (Goodfellow et al. 2014, Section 3).
#: Optimum: p_g = p_data, D = 1/2, critic loss log 4, generator loss log 2.
#: Gradient by the logit: −(1 − σ(a)), largest (−1) where the critic is sure that a sample is generated.
non_saturating = Objective("non-saturating", _critic, _non_saturating)
