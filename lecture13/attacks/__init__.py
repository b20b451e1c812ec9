"""Attacks: given a classifier and images, find images near by that it gets wrong.

Every attack is a pure function ``attack(model, images, labels, …) -> images``. ``images`` are float ``(N, C, H, W)`` in
[0, 1], ``labels`` int64 ``(N,)``, ``model(images)`` gives logits ``(N, K)``, and ``epsilon`` is in pixel units. The
result lies on the device and has the dtype and the memory format of ``images``; the model's mode, its parameters'
``grad`` and ``requires_grad``, and the global random state are as before, also after an exception (:mod:`.guard`).
"""

from lecture13.attacks.gradient import fgsm, loss_gradient, pgd
from lecture13.attacks.noise import random_signs

__all__ = ["fgsm", "loss_gradient", "pgd", "random_signs"]
