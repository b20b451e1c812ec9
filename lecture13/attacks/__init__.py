"""Attacks: given a classifier and images, find images near by that it gets wrong.

Every attack is a pure function ``attack(model, images, labels, …) -> images``. ``images`` are float ``(N, C, H, W)`` in
[0, 1], ``labels`` int64 ``(N,)``, ``model(images)`` gives logits ``(N, K)``, and ``epsilon`` is in pixel units. The
result lies on the device and has the dtype and the memory format of ``images``; the model's mode, its parameters'
``grad`` and ``requires_grad``, and the global random state are as before, also after an exception (:mod:`.guard`).
"""

from lecture13.attacks.deepfool import deepfool
from lecture13.attacks.expectation import expectation, predict_poses
from lecture13.attacks.gradient import fgsm, loss_gradient, pgd
from lecture13.attacks.graffiti import graffiti, paint
from lecture13.attacks.graffiti_masks import graffiti_mask, vulnerable
from lecture13.attacks.lab import lab, lab_distance
from lecture13.attacks.landscape import loss_landscape
from lecture13.attacks.lbfgs import lbfgs, lbfgs_untargeted
from lecture13.attacks.locally_linear import locally_linear
from lecture13.attacks.noise import random_signs
from lecture13.attacks.printability import STICKERS, non_printability, printed_in
from lecture13.attacks.regions import decision_regions, plane
from lecture13.attacks.rigid import black_canvas, rotate_and_translate
from lecture13.attacks.spatial import SpatialAttack, spatial
from lecture13.attacks.square import square
from lecture13.attacks.strongest import strongest
from lecture13.attacks.transfer import ensemble, rmsd
from lecture13.attacks.universal import measure_fooling, universal

__all__ = [
    "STICKERS",
    "SpatialAttack",
    "black_canvas",
    "decision_regions",
    "deepfool",
    "ensemble",
    "expectation",
    "fgsm",
    "graffiti",
    "graffiti_mask",
    "lab",
    "lab_distance",
    "lbfgs",
    "lbfgs_untargeted",
    "locally_linear",
    "loss_gradient",
    "loss_landscape",
    "measure_fooling",
    "non_printability",
    "paint",
    "pgd",
    "plane",
    "predict_poses",
    "printed_in",
    "random_signs",
    "rmsd",
    "rotate_and_translate",
    "spatial",
    "square",
    "strongest",
    "universal",
    "vulnerable",
]
