"""Provable defences via the convex outer adversarial polytope (Wong & Kolter 2018).

``Z_ε(x) = {f(x + δ) : ‖δ‖∞ ≤ ε}`` lies inside a convex set that the network's ReLUs, each relaxed to a triangle, give;
the dual of the linear program over it is a backward pass. What these functions return, no attack can cross.

>>> lower, upper = polytope.bounds(network, images, 0.1)[-1]       # of the logits
>>> polytope.robust_error(network, images, labels, 0.1)            # no attack does more damage than this
>>> polytope.robust_loss(network, images, labels, 0.1).backward()  # train against it

The exact answer (a mixed-integer program) and the linear program itself are there for small networks.
"""

from lecture13.defenses.polytope.certificates import (
    bounds,
    certified,
    margins,
    robust_error,
    robust_loss,
    training_margins,
)
from lecture13.defenses.polytope.outline import outline
from lecture13.defenses.polytope.programs import lp_bounds, lp_margins, milp_bounds, milp_margins

__all__ = [
    "bounds",
    "certified",
    "lp_bounds",
    "lp_margins",
    "margins",
    "milp_bounds",
    "milp_margins",
    "outline",
    "robust_error",
    "robust_loss",
    "training_margins",
]
