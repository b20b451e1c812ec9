"""Generative adversarial networks: the objectives, Algorithm 1, and densities on which every claim has a closed form.

- :mod:`~lecture13.gan.objectives`: what critic and generator minimise, from the critic's logits
- :mod:`~lecture13.gan.training`: the papers' boxes, line by line
- :mod:`~lecture13.gan.densities`: Gaussian mixtures, D*, the Jensen–Shannon divergence, exact generator densities
- :mod:`~lecture13.gan.shift`: two normals Δ apart, where a generator's gradient is known
- :mod:`~lecture13.gan.lines`: two parallel lines θ apart, where JSD is stuck and W₁ falls
- :mod:`~lecture13.gan.toys`: Gulrajani's three toys in the plane, and a generator held still
- :mod:`~lecture13.gan.transport`: optimal transport, exactly, and a critic's estimate of it
- :mod:`~lecture13.gan.coverage`: mode collapse, measured
- :mod:`~lecture13.gan.scores`: how good are generated images, each score named after the net it looks through
- :mod:`~lecture13.gan.growing`, :mod:`~lecture13.gan.progressive`: nets that grow, and the schedule by which they do
- :mod:`~lecture13.gan.nets`: small generators and critics, with and without labels
"""

from lecture13.gan import coverage, densities, lines, nets, objectives, scores, shift, toys, training, transport

__all__ = ["coverage", "densities", "lines", "nets", "objectives", "scores", "shift", "toys", "training", "transport"]
