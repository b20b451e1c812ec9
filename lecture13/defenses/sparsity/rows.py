"""Network sparsity: each unit's weights inside an ℓ1 ball, so that no layer can magnify a perturbation at will.

‖w_i‖₁ ≤ γ_j for every row w_i of layer j (Gopalakrishnan et al. 2018). The ball has its corners on the axes, so many
weights of a row that is projected onto it come out exactly 0.
"""

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor, nn

from lecture13 import guard
from lecture13.training import Step


@torch.no_grad()
def project_rows_l1_(weight: Tensor, gamma: float) -> Tensor:
    """Replace each row by the nearest point of the ball ``‖w‖₁ ≤ γ``, in place; exact (Duchi et al. 2008, Figure 1).

    The nearest point is ``sign(w)·max(|w| − θ, 0)``. With the magnitudes sorted, μ₁ ≥ μ₂ ≥ …, and ρ the last index with
    ``μ_ρ > (Σ_{r≤ρ} μ_r − γ)/ρ``, the threshold is ``θ = (Σ_{r≤ρ} μ_r − γ)/ρ``.

    Args:
        weight: floating ``(rows, …)``; a row is all that belongs to one output (in a convolution, a kernel). Rows
            inside the ball stay as they are.
        gamma: γ > 0.

    Returns:
        ``weight``. Norms are at most γ up to rounding (a part in 10⁶ in float32).

    Raises:
        TypeError: weights that are not floating, γ that is no number.
        ValueError: γ that is not above 0, NaN or infinite weights, no rows.
    """
    gamma = _check_gamma(gamma)
    if not isinstance(weight, Tensor) or not weight.is_floating_point():
        raise TypeError(f"weight is {getattr(weight, 'dtype', type(weight).__name__)}; expected a floating tensor")
    if weight.ndim < 2 or not weight.numel():
        raise ValueError(f"weight has shape {tuple(weight.shape)}; expected (rows, …), not empty; for one row: w[None]")
    if not bool(weight.isfinite().all()):
        raise ValueError("weight holds NaN or infinite values, which have no projection")
    rows = weight.flatten(1).double()
    magnitudes = rows.abs()
    outside = magnitudes.sum(1) > gamma
    if bool(outside.any()):
        ranked = magnitudes[outside].sort(1, descending=True).values  # μ
        excess = ranked.cumsum(1) - gamma
        counts = torch.arange(1, ranked.shape[1] + 1, device=rows.device)
        rho = (ranked * counts > excess).sum(1, keepdim=True)
        theta = excess.gather(1, rho - 1) / rho
        rows[outside] = rows[outside].sign() * (magnitudes[outside] - theta).clamp(min=0)
        weight.copy_(rows.view(weight.shape))
    return weight


def layers(network: nn.Module) -> list[nn.Linear | nn.Conv2d]:
    """The layers whose rows are constrained: ``Linear`` and ``Conv2d`` with trainable weights, in their order."""
    kinds = (nn.Linear, nn.Conv2d)
    return [layer for layer in network.modules() if isinstance(layer, kinds) and layer.weight.requires_grad]


def project_network_(network: nn.Module, gammas: Sequence[float]) -> None:
    """:func:`project_rows_l1_` of every layer, with a γ_j for each.

    Raises:
        ValueError: another number of γ than of layers; as :func:`project_rows_l1_`.
    """
    for layer, gamma in _pairs(network, gammas):
        project_rows_l1_(layer.weight, gamma)


def projected(step: Step, network: nn.Module, gammas: Sequence[float]) -> Step:
    """A step of training followed by the projection: projected gradient descent on the weights.

    It goes around any step of :func:`lecture13.training.fit`, that of :func:`lecture13.supervised.supervised` or of
    :func:`lecture13.defenses.robust_training.step` say.

    Args:
        step: changes ``network``.
        network: with a γ_j for each of its :func:`layers`; all rows are projected once now.
        gammas: γ_j.

    Returns:
        A step that reports what ``step`` does, and "zero weights", the share in [0, 1] over all these layers.

    Raises:
        ValueError: as :func:`project_network_`.
    """
    project_network_(network, gammas)
    constrained = layers(network)
    total = sum(layer.weight.numel() for layer in constrained)

    def one(index: int, generator: torch.Generator) -> dict[str, Tensor | float]:
        report = step(index, generator)
        project_network_(network, gammas)
        zeros = sum((layer.weight == 0).sum() for layer in constrained)
        return {**report, "zero weights": zeros / total}

    return one


def sparsity(network: nn.Module) -> list[float]:
    """The share of weights that are exactly 0, in [0, 1], of each of the :func:`layers`."""
    return [float((layer.weight == 0).double().mean()) for layer in layers(network)]


def row_norms(network: nn.Module) -> list[float]:
    """``γ_j = max_i ‖w_i‖₁`` as it is, of each of the :func:`layers`."""
    return [float(layer.weight.detach().double().flatten(1).abs().sum(1).max()) for layer in layers(network)]


def _pairs(network: nn.Module, gammas: Sequence[float]) -> Iterator[tuple[nn.Linear | nn.Conv2d, float]]:
    found, gammas = layers(network), list(gammas)
    if len(found) != len(gammas):
        raise ValueError(
            f"{len(gammas)} γ for {len(found)} layers with trainable weights (Linear and Conv2d); expected one for each"
        )
    yield from zip(found, map(_check_gamma, gammas), strict=True)


def _check_gamma(gamma: float) -> float:
    try:
        return guard.check_size("gamma", gamma)
    except ValueError:
        raise ValueError(
            f"gamma={gamma}; expected a finite number above 0: no row has a smaller ℓ1 norm than 0"
        ) from None
