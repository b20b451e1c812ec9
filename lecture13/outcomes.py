"""What became of a targeted attack, as Athalye et al. 2018 count: the target, still right, or some third class."""

from dataclasses import dataclass

from torch import Tensor

from lecture13.estimates import Estimate, share


@dataclass(frozen=True)
class Outcomes:
    """Shares of the images, with their 95 % intervals; the three add up to 1 (Athalye et al. 2018, table 3)."""

    #: given the target's class.
    adversarial: Estimate
    #: given the true class all the same.
    correct: Estimate
    #: given any other class.
    other: Estimate
    count: int


def outcomes(found: Tensor, label: int, target: int) -> Outcomes:
    """Count what the classifier says.

    Args:
        found: int64 ``(N,)``, N ≥ 1: the classes given.
        label: the true class.
        target: the class wanted by the attacker.

    Raises:
        ValueError: nothing to count, another shape, or a target that is the label: then right and wrong are one.
    """
    if found.ndim != 1 or not len(found):
        raise ValueError(f"found has shape {tuple(found.shape)}; expected (N,), with one class or more")
    if label == target:
        raise ValueError(f"target={target} equals the label; choose another class to aim at")
    hits, right = (int((found == k).sum()) for k in (target, label))
    count = len(found)
    return Outcomes(share(hits, count), share(right, count), share(count - hits - right, count), count)
