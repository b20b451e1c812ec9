"""Did it train? A criterion for generators of scenes, so that the cells of Figure 2 are counted, not picked by eye."""

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from lecture13.gan.scores import Features, embed, frechet_distance

Verdict = Literal["trains", "collapses", "fails"]
DROWNING = 0.2  # standard deviation of the noise, of a pixel in [0, 1]


@dataclass(frozen=True)
class Criterion:
    """Two thresholds, fixed by real scenes alone.

    A generator **fails** if its training stopped at a number that is not finite, or if its samples lie farther from
    real scenes than ``farthest``: the Fréchet distance of real scenes drowned in Gaussian noise of σ = .2, in which a
    scene is barely made out. It **collapses** if its samples repeat each other: their median distance to the nearest
    other sample is below ``nearest``, half of that among as many real scenes. Otherwise it **trains**.

    Args:
        farthest: Fréchet distance.
        nearest: Euclidean distance in pixels.
        fresh: the Fréchet distance of as many other real scenes, which a perfect generator would get.
    """

    farthest: float
    nearest: float
    fresh: float

    @classmethod
    def measure(cls, real: Tensor, fresh: Tensor, features: Features) -> "Criterion":
        """From two sets of held-out scenes, uint8 (N, 3, S, S), as many as samples will be judged."""
        noise = DROWNING * torch.randn(fresh.shape, generator=torch.Generator().manual_seed(0))
        drowned = (fresh.float() / 255 + noise).clamp(0, 1)
        vectors = embed(real, features)
        return cls(
            farthest=frechet_distance(vectors, drowned, features).value,
            nearest=nearest_other(fresh) / 2,
            fresh=frechet_distance(vectors, fresh, features).value,
        )

    def judge(self, distance: float, apart: float) -> Verdict:
        """The verdict on samples with this Fréchet distance and this :func:`nearest_other`; NaN fails."""
        if not distance <= self.farthest:
            return "fails"
        return "trains" if apart >= self.nearest else "collapses"


def nearest_other(images: Tensor) -> float:
    """Median over images, uint8 (N, C, H, W), of the Euclidean distance to the nearest other one, pixels in [0, 1].

    0 where most images have a twin. It sees a collapse that a Fréchet distance may not: ten real scenes, each a hundred
    times, have nearly the mean and the covariance of real scenes.

    Raises:
        ValueError: fewer than two images.
    """
    if len(images) < 2:
        raise ValueError(f"{len(images)} images; expected two or more")
    flat = images.flatten(1).float() / 255
    apart = torch.cdist(flat, flat, compute_mode="donot_use_mm_for_euclid_dist").fill_diagonal_(torch.inf)
    return apart.min(dim=1).values.median().item()
