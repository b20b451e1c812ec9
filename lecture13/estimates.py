"""Measured numbers with their intervals.

Shares carry Wilson score intervals, means and balanced accuracies percentile bootstrap intervals, all at 95 %.
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

    @property
    def complement(self) -> "Estimate":
        """Of a share, what is left of 1: an error becomes an accuracy, an accuracy an error."""
        return Estimate(1 - self.value, 1 - self.high, 1 - self.low)

    def __str__(self) -> str:
        return f"{self.value:.3g} [{self.low:.3g}, {self.high:.3g}]"


def share(hits: int, count: int) -> Estimate:
    """``hits`` of ``count`` as a share, with its Wilson score interval; NaN for none of none."""
    if not count:
        return Estimate(math.nan, math.nan, math.nan)
    interval = stats.binomtest(hits, count).proportion_ci(LEVEL, method="wilson")
    return Estimate(hits / count, float(interval.low), float(interval.high))


def balanced(hits: int, positives: int, spared: int, negatives: int) -> Estimate:
    """Balanced accuracy ½(TPR + TNR): ``hits`` of the positives found, ``spared`` of the negatives left alone.

    The interval is a percentile bootstrap over images: to draw images with replacement is to draw both counts from
    binomial distributions. NaN where there are no positives, or no negatives. The same counts give the same interval.
    """
    if not (positives and negatives):
        return Estimate(math.nan, math.nan, math.nan)
    chance = np.random.default_rng(0)
    drawn = (
        chance.binomial(positives, hits / positives, RESAMPLES) / positives
        + chance.binomial(negatives, spared / negatives, RESAMPLES) / negatives
    )
    low, high = np.quantile(drawn / 2, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Estimate((hits / positives + spared / negatives) / 2, float(low), float(high))


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
