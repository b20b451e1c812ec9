"""Quality and coverage apart: does each generated image look real, and is each real one within reach?

A Fréchet distance is one number for two failures. Here a set's manifold is the union of balls around its vectors, each
reaching to its k-th nearest neighbour in the set; a vector inside some ball of the other set counts as covered by it.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from lecture13.gan.scores.features import embed


@dataclass(frozen=True)
class PrecisionRecall:
    """Shares in [0, 1]; ``density`` may exceed 1.

    Args:
        precision: of generated images inside the real manifold; quality (Kynkäänniemi et al. 2019, eqs. 1 to 3).
        recall: of real images inside the generated manifold; falls when modes are missing.
        density: real balls around a generated image, over k; a perfect generator expects 1 (Naeem et al. 2020, eq. 4).
        coverage: of real images whose own ball holds a generated one (Naeem et al. 2020, eq. 5).
        k: the neighbour that a ball reaches to.
        real, generated: how many images.
        name: says which features it was computed on.
    """

    precision: float
    recall: float
    density: float
    coverage: float
    k: int
    real: int
    generated: int
    name: str

    def __str__(self) -> str:
        shares = ", ".join(
            f"{what} {getattr(self, what):.2f}" for what in ("precision", "recall", "density", "coverage")
        )
        return f"{self.name}: {shares} (k = {self.k}; {self.generated} generated, {self.real} real images)"


def precision_recall(real: Tensor, generated: Tensor, features: nn.Module, *, k: int = 3) -> PrecisionRecall:
    """Precision, recall, density and coverage of generated images, by balls to the k-th nearest neighbour.

    A perfect generator does not reach 1: in many dimensions a fresh real image often lies outside every ball. So
    measure fresh real images too, as a baseline. Precision and recall use k = 3, coverage was proposed with k = 5.

    Args:
        real, generated: (N, C, H, W) and (M, C, H, W) in [0, 1]; or their vectors (N, d), (M, d).
        features: the net, with a ``name``.
        k: 1 or more, less than N and M.

    Raises:
        ValueError: k out of range, NaN, values outside [0, 1].
    """
    here, there = embed(real, features).double(), embed(generated, features).double()
    if not 1 <= k < min(len(here), len(there)):
        raise ValueError(
            f"k={k} for {len(here)} real and {len(there)} generated images; expected 1 or more, below both"
        )
    apart = torch.cdist(there, here)  # (M, N)
    in_real = apart <= _radii(here, k)  # generated image in the ball of a real one
    in_generated = apart <= _radii(there, k)[:, None]
    return PrecisionRecall(
        precision=in_real.any(1).double().mean().item(),
        recall=in_generated.any(0).double().mean().item(),
        density=in_real.double().sum().item() / (k * len(there)),
        coverage=in_real.any(0).double().mean().item(),
        k=k,
        real=len(here),
        generated=len(there),
        name=f"precision and recall on {features.name}",
    )


def _radii(vectors: Tensor, k: int) -> Tensor:
    """Distance of each vector to its k-th nearest other one, (N,)."""
    apart = torch.cdist(vectors, vectors)
    apart.fill_diagonal_(0)  # exactly, so that the smallest is the vector itself
    return apart.kthvalue(k + 1, dim=1).values
