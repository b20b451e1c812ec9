"""Mode collapse, measured: which modes of a mixture a generator reaches, and how evenly."""

from dataclasses import dataclass

import torch
from scipy.spatial.distance import jensenshannon
from torch import Tensor

from lecture13.gan.densities import Mixture


@dataclass(frozen=True)
class Coverage:
    """How N samples spread over the K modes of a mixture.

    Args:
        counts: (K,) int64: high-quality samples by nearest mode.
        samples: N, all samples.
    """

    counts: Tensor
    samples: int

    @property
    def modes(self) -> int:
        """Modes that hold at least a tenth of their fair share N/K: at most K."""
        return int((self.counts >= 0.1 * self.samples / len(self.counts)).sum())

    @property
    def high_quality(self) -> float:
        """Share of samples within the radius of some mode, in [0, 1]."""
        return self.counts.sum().item() / self.samples

    @property
    def divergence(self) -> float:
        """JSD between the high-quality samples' distribution over modes and the uniform one, in [0, log 2) nats.

        0: every mode drawn equally often. All samples at one of eight modes: 0.50. NaN without a high-quality sample.
        """
        if not self.counts.any():
            return float("nan")
        share = self.counts.double() / self.counts.sum()
        return float(jensenshannon(share.numpy(), torch.full_like(share, 1 / len(share)).numpy()) ** 2)


def coverage(samples: Tensor, target: Mixture, *, radius: float = 3.0) -> Coverage:
    """Assign samples (N, d) to the nearest mode of ``target``; high quality means within ``radius`` of its stds.

    With 3 standard deviations as the radius, 98.9 % of the mixture's own draws are of high quality in the plane, 99.7 %
    on the line. The measure is that of Srivastava et al. 2017 (VEEGAN), Section 5.

    Raises:
        ValueError: no samples, samples that are not finite, or of another dimension than the mixture's.
    """
    if samples.ndim != 2 or samples.shape[1] != target.means.shape[1] or len(samples) == 0:
        raise ValueError(f"samples of shape {tuple(samples.shape)}; expected (N, {target.means.shape[1]}) with N ≥ 1")
    if not samples.isfinite().all():
        raise ValueError("samples hold NaN or infinity: the generator has diverged")
    distance, nearest = torch.cdist(samples, target.means).min(dim=1)
    good = distance <= radius * target.stds[nearest]
    return Coverage(torch.bincount(nearest[good], minlength=len(target.means)), len(samples))
