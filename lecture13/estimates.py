"""Measured numbers with their intervals.

Shares carry Wilson score intervals, means percentile bootstrap intervals, both at 95 % and through ``scipy.stats``.
"""

import math
from dataclasses import dataclass

import numpy as np
from scipy import stats

LEVEL = 0.95
RESAMPLES = 2000


@dataclass(frozen=True)
class Estimate:
    """A measured value with its 95 % interval ``[low, high]``; NaN where there was nothing to measure."""

    value: float
    low: float
    high: float

    def __float__(self) -> float:
        return self.value

    @property
    def percent(self) -> str:
        """As a share: ``"12.3 % [10.1, 14.9]"``."""
        if math.isnan(self.value):
            return "none to count"
        return f"{100 * self.value:.1f} % [{100 * self.low:.1f}, {100 * self.high:.1f}]"

    def __str__(self) -> str:
        return f"{self.value:.3g} [{self.low:.3g}, {self.high:.3g}]"


def share(hits: int, count: int) -> Estimate:
    """``hits`` of ``count`` as a share, with its Wilson score interval; NaN for none of none."""
    if not count:
        return Estimate(math.nan, math.nan, math.nan)
    interval = stats.binomtest(hits, count).proportion_ci(LEVEL, method="wilson")
    return Estimate(hits / count, float(interval.low), float(interval.high))


def mean(values: np.ndarray) -> Estimate:
    """The mean of ``values (N,)``, with its percentile bootstrap interval; NaN for no values.

    The resampling has a seed of its own: the same values give the same interval.
    """
    values = np.asarray(values, dtype=np.float64)
    if not len(values):
        return Estimate(math.nan, math.nan, math.nan)
    centre = float(values.mean())
    if np.ptp(values) == 0:  # nothing to resample (an ℓ∞ attack changes every image by ε)
        return Estimate(centre, centre, centre)
    interval = stats.bootstrap(
        (values,),
        np.mean,
        n_resamples=RESAMPLES,
        batch=100,
        confidence_level=LEVEL,
        method="percentile",
        random_state=np.random.default_rng(0),
    ).confidence_interval
    return Estimate(centre, float(interval.low), float(interval.high))
