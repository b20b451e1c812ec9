"""Two normals Δ apart, the smallest game in which everything is known: p_data = N(0, 1), G(z) = z + Δ.

The best critic is a straight line in the logit, a*(x) = log p_data(x) − log p_g(x) = Δ²/2 − Δx. So the Jensen–Shannon
divergence and the gradient that a generator gets from the best critic are integrals over one variable.
"""

import torch
from torch import Tensor

from lecture13.gan.densities import Mixture, bins, centres, jensen_shannon, line, optimal_logit
from lecture13.gan.objectives import Objective

_EDGES = bins(-40, 40, 8000, reach=41)


def densities(shift: float, x: Tensor) -> tuple[Tensor, Tensor]:
    """p_data and p_g at ``x`` (N,)."""
    return _normal(0.0).log_prob(x[:, None]).exp(), _normal(shift).log_prob(x[:, None]).exp()


def critic(shift: float, x: Tensor) -> Tensor:
    """D*(x) at ``x`` (N,)."""
    return optimal_logit(_normal(0.0).log_prob(x[:, None]), _normal(shift).log_prob(x[:, None])).sigmoid()


def divergence(shift: float) -> float:
    """JSD(p_data ‖ p_g) in nats, by quadrature: 0 at Δ = 0, log 2 for |Δ| → ∞. |Δ| ≤ 30."""
    p, q = densities(shift, centres(_EDGES))
    return jensen_shannon(p, q, _EDGES.diff())


def gradient(objective: Objective, shift: float) -> float:
    """The derivative of the generator's loss by Δ, the critic held at D* for this Δ. |Δ| ≤ 30.

    The chain rule through the critic, E_{x ~ p_g}[ℓ'(a*(x)) · da*/dx] with da*/dx = −Δ, where ℓ is the loss of one
    logit. For minimax this is Δ·E[D*] = d(2·JSD)/dΔ, about e^(−Δ²/8); for the non-saturating one Δ·E[1 − D*], about Δ.
    """
    x = centres(_EDGES)
    _, q = densities(shift, x)
    logits = (shift**2 / 2 - shift * x).requires_grad_()
    (slope,) = torch.autograd.grad(objective.generator(logits) * len(x), logits)  # ℓ', the loss being a mean
    return (q * slope * -shift * _EDGES.diff()).sum().item()


def _normal(mean: float) -> Mixture:
    mixture = line([mean], [1.0])
    return Mixture(mixture.means.double(), mixture.stds.double(), mixture.weights.double())
