"""Profiles: how large a run is, on which device, in which precision, from which seed.

A notebook starts with ``run = use(profile, seed=seed)`` and asks it for every size: ``run["gan.ring_steps"]``.
"""

import os
import random
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import platformdirs
import torch

if TYPE_CHECKING:
    from IPython.display import Markdown

PROFILES = ("smoke", "laptop", "full")

#: Every size that depends on the profile: name → (smoke, laptop, full).
SIZES: dict[str, tuple] = {
    # python -m lecture13 train: at most so many steps and examples; None is all of the recipe's
    "zoo.train_steps": (20, None, None),
    "zoo.train_examples": (256, None, None),
    # chapter 00: its test signs, the slider's scenes, and a training
    "start.signs": (60, 400, 2_000),
    "start.scenes": (2, 8, 8),
    "start.ring_steps": (100, 2_000, 2_000),
    "start.units": (20, 100, 200),  # scenes to find tree units on, and as many to test them on
    "start.digits": (20, 100, 360),
    # chapter 01: iterations of each training, seeds, samples, and frames of a slider
    "gan.ring_steps": (100, 1000, 2000),
    "gan.ring_seeds": (1, 2, 4),
    "gan.line_steps": (60, 1200, 3000),
    "gan.critic_steps": (100, 1200, 5000),
    "gan.shift_steps": (20, 500, 1000),
    "gan.digits_steps": (60, 2500, 10000),
    "gan.records": (4, 60, 60),
    "gan.frames": (2, 9, 21),
    "gan.shift_grid": (4.0, 1.0, 0.5),  # between two positions of the slider Δ
    # chapter 03: the lines' iterations, points of an exact plan, critics held to their end, deep critics, games
    "wasserstein.lines_steps": (8, 150, 400),
    "wasserstein.points": (60, 500, 1500),
    "wasserstein.critic_steps": (20, 1500, 12_000),
    "wasserstein.deep_steps": (20, 200, 1_000),
    "wasserstein.clips": ((0.01, 0.1), (0.001, 0.01, 0.03, 0.1, 0.3), (0.001, 0.003, 0.01, 0.03, 0.1, 0.3)),
    "wasserstein.ring_steps": (8, 320, 3_000),
    "wasserstein.line_steps": (8, 320, 1_000),
    "wasserstein.records": (4, 20, 40),
    "wasserstein.frames": (2, 6, 11),
    "wasserstein.digits": (60, 500, 500),
    # chapter 04: nets and trainings of Figures 2 and 3 (the fields of gan.cells.Budget), run beforehand
    "methods.grid": (
        {"size": 16, "width": 8, "depth": 1, "batch": 16, "steps": 4, "single": 3, "speed": 5.0}
        | {"images": 200, "samples": 200},
        {"size": 16, "width": 16, "depth": 1, "batch": 32, "steps": 450, "single": 3, "speed": 5.0}
        | {"images": 20_000, "samples": 1_000},
        {"size": 64, "width": 64, "depth": 6, "batch": 64, "steps": 200_000, "single": 1, "speed": 1.0}
        | {"images": 50_000, "samples": 10_000},
    ),
    "methods.curves": (
        {"size": 32, "width": 4, "depth": 1, "batch": 8, "steps": 4, "single": 5, "speed": 5.0}
        | {"images": 100, "samples": 100},
        {"size": 32, "width": 16, "depth": 1, "batch": 32, "steps": 1000, "single": 5, "speed": 5.0}
        | {"images": 50_000, "samples": 2_000},
        {"size": 32, "width": 128, "depth": 1, "batch": 64, "steps": 200_000, "single": 1, "speed": 1.0}
        | {"images": 50_000, "samples": 50_000},
    ),
    # chapter 02: training scenes to be compared with, scenes of each kind to be scored, the live training's iterations,
    # digits of each label, and the slider's positions and pairs of ends
    "dcgan.train_scenes": (60, 1_400, 50_000),
    "dcgan.scored_scenes": (70, 300, 1_000),
    "dcgan.live_steps": (12, 600, 4_000),
    "dcgan.digits": (4, 30, 100),
    "dcgan.positions": (3, 9, 17),
    "dcgan.pairs": (1, 2, 4),
    # chapter 04 itself: the cell trained live
    "methods.live": (
        {"size": 16, "width": 8, "depth": 1, "batch": 16, "steps": 8, "single": 3, "speed": 5.0}
        | {"images": 100, "samples": 200},
        {"size": 16, "width": 16, "depth": 1, "batch": 32, "steps": 250, "single": 3, "speed": 5.0}
        | {"images": 3_000, "samples": 300},
        {"size": 16, "width": 16, "depth": 1, "batch": 32, "steps": 2_000, "single": 3, "speed": 5.0}
        | {"images": 20_000, "samples": 1_000},
    ),
    # chapter 05: training scenes of the live runs and for the neighbours, images that a live run shows at each phase,
    # scenes scored, records of a run, and columns of the pictures
    "growing.scenes": (40, 2_000, 50_000),
    "growing.phase": (16, 1_200, 40_000),
    "growing.scored": (180, 400, 1_000),
    "growing.records": (4, 12, 24),
    "growing.columns": (4, 8, 8),
    # chapter 06: scenes to dissect, to test a unit on (until there are so many with and without), to rank units on and
    # to remove them on; units of each layer in the slider; then, run beforehand: steps of a training on photographs,
    # photographs to rank its units on, and facades
    "detect.scenes": (64, 1_000, 4_000),
    "detect.tested": (200, 4_400, 20_000),
    "detect.each": (20, 1_000, 1_000),
    "detect.ranked": (200, 2_000, 12_000),
    "detect.removed": (200, 2_400, 8_000),
    "detect.ranks": (2, 10, 12),
    "detect.outdoor_steps": (4, 200, 2_000),
    "detect.photographs": (170, 1_700, 1_700),
    "detect.facades": (24, 60, 945),
    # the recorded tables of chapters 10 and 13: test images of each classifier, and those that L-BFGS gets; test images
    # of the transfer matrices
    "deepfool_table.images": (20, 200, 1_000),
    "deepfool_table.lbfgs_images": (4, 40, 100),
    "transfer_table.images": (20, 200, 1_000),
    # chapter 08: scenes to dissect; how many units are ranked by their effect, on how many scenes; scenes to remove
    # units from, sets of units, random draws of each; scenes to insert in, trials at each place; scenes of the slider
    "edit.ranked": (40, 150, 1_000),
    "edit.by_effect": ((8, 6), (32, 50), (96, 200)),
    "edit.tested": (24, 160, 1_000),
    "edit.counts": ((1, 20), (1, 2, 4, 8, 12, 20), (1, 2, 4, 8, 12, 20)),
    "edit.draws": (1, 1, 3),
    "edit.placed": (40, 300, 3_000),
    "edit.trials": (3, 100, 1_000),
    "edit.scenes": (2, 5, 6),
    # the same, run beforehand: z to rank units on (by effect: fewer), scenes to remove units from and to insert in,
    # random draws of each size, trials at each place, and for each unit alone
    "edit.recorded": (
        {"ranked": 40, "effect": 6, "tested": 16, "placed": 40, "draws": 1, "trials": 4, "single": 3},
        {"ranked": 300, "effect": 100, "tested": 300, "placed": 600, "draws": 2, "trials": 200, "single": 60},
        {"ranked": 1_000, "effect": 200, "tested": 1_000, "placed": 3_000, "draws": 3, "trials": 1_000, "single": 150},
    ),
    # chapter 07: z to be dissected, and new z to test units on; z for each of the nets compared, of the three seeds,
    # for the read-outs and for a unit's strength; scenes for the two judges; ranks of the widget
    "draw.dissected": (24, 1_000, 10_000),
    "draw.tested": (96, 1_200, 10_000),
    "draw.compared": (24, 150, 2_000),
    "draw.seeds": (24, 500, 2_000),
    "draw.readout": (24, 300, 2_000),
    "draw.strengths": (6, 80, 1_000),
    "draw.judged": (8, 60, 500),
    "draw.ranks": (2, 8, 8),
    # chapter 09: its test signs, PGD's steps, the ε of its curves, the training with FGSM, and frames of the slider;
    # the recorded run's steps and test images
    "fgsm.signs": (48, 300, 1_000),
    "fgsm.pgd_steps": (3, 10, 40),
    "fgsm.epsilons": ((0, 8, 16), (0, 1, 2, 4, 6, 8, 12, 16), (0, 1, 2, 4, 6, 8, 12, 16)),
    "fgsm.leak_steps": (30, 600, 2_000),
    "fgsm.digits": (60, 360, 360),
    "fgsm.slider_signs": (1, 3, 3),
    "fgsm.slider_epsilons": ((0, 8), (0, 1, 2, 3, 4, 6, 8, 12, 16), (0, 1, 2, 3, 4, 6, 8, 12, 16)),
    "fgsm.real_steps": (4, 3_000, 18_000),
    "fgsm.real_images": (20, 1_000, 10_000),
    # chapter 10: test digits; those attacked one at a time, by L-BFGS, and towards all classes; the plane's net,
    # points, starts of the slider, and grid; PGD's steps and ε; the fine-tuning, and digits measured twice
    "deepfool.digits": (24, 150, 1_000),
    "deepfool.single": (4, 20, 100),
    "deepfool.lbfgs": (4, 40, 100),
    "deepfool.lbfgs_steps": (2, 10, 10),
    "deepfool.all_targets": (2, 12, 50),
    "deepfool.plane_steps": (60, 300, 300),
    "deepfool.plane_points": (20, 200, 200),
    "deepfool.starts": (2, 6, 6),
    "deepfool.grid": (201, 1_001, 2_001),
    "deepfool.pgd_steps": (5, 40, 40),
    "deepfool.pgd_epsilons": (3, 8, 12),
    "deepfool.lessons": (128, 1_078, 60_000),
    "deepfool.epochs": (1, 3, 5),
    "deepfool.alphas": ((1.0,), (0.5, 1.0, 2.0, 3.0, 4.0), (0.5, 1.0, 2.0, 3.0, 4.0)),
    "deepfool.tuned": (2, 16, 100),
    # chapter 12: scenes that perturbations are made from and tested on, the pass by hand, passes, the ξ and numbers of
    # scenes of the curves, normals of the boundary, dimensions of their subspace, draws in it, and the slider
    "universal.train": (40, 400, 2_000),
    "universal.test": (80, 1_000, 1_000),
    "universal.by_hand": (8, 64, 200),
    "universal.passes": (1, 5, 20),
    "universal.long": (
        {"method": "descent", "batch_size": 64, "max_passes": 1, "fooling_rate": 1.0},
        {"method": "descent", "batch_size": 64, "max_passes": 20, "fooling_rate": 1.0},
        {"method": "descent", "batch_size": 64, "max_passes": 40, "fooling_rate": 1.0},
    ),
    "universal.sizes": ((6, 10), (2, 6, 10, 14, 18), (2, 4, 6, 8, 10, 12, 14, 18)),
    "universal.counts": ((8, 40), (8, 32, 128, 400), (8, 32, 128, 512, 2_000)),
    "universal.normals": (40, 400, 2_000),
    "universal.subspace": (10, 50, 100),
    "universal.draws": (2, 10, 100),
    "universal.slider_nets": (("resnet",), ("resnet", "inception", "vgg"), ("resnet", "inception", "vgg")),
    "universal.slider_sizes": ((0, 10), (0, 2, 4, 6, 8, 10, 13, 16), (0, 2, 4, 6, 8, 10, 13, 16)),
    # chapter 13: scenes, steps of Adam, the RMSDs of the curve, points along a side of the regions, and the slider
    "transfer.scenes": (24, 100, 1_000),
    "transfer.steps": (3, 30, 100),
    "transfer.rmsds": ((8.0, 17.5), (4.0, 8.0, 17.5, 25.0), (4.0, 8.0, 12.0, 17.5, 25.0)),
    "transfer.resolution": (11, 61, 121),
    "transfer.slider_scenes": (3, 6, 6),
    "transfer.slider_rmsds": ((0, 17.5), (0, 6, 12, 17.5), (0, 6, 12, 17.5)),
    # chapter 11: its test signs; those that get all 775 poses; random poses, starts and steps of the first-order
    # attack; images and grid of the maps of the loss; images, grid and places of the sliders; ε on top, and images for
    # it; the fine-tuning; images for the vote, and its grid; images for the borders; then, run beforehand: steps of a
    # training on real images, and test images
    "spatial.signs": (24, 150, 1_000),
    "spatial.timed": (2, 24, 100),
    "spatial.tries": (6, 64, 775),
    "spatial.starts": (2, 6, 20),
    "spatial.steps": (3, 25, 50),
    "spatial.maps": (4, 80, 400),
    "spatial.map": ((7, 5), (31, 17), (61, 33)),
    "spatial.hills": (1, 4, 6),
    "spatial.relief": ((9, 7), (61, 33), (61, 33)),
    "spatial.angles": ((-30, 0, 30), (-30, -22, -15, -7, 0, 7, 15, 22, 30), tuple(range(-30, 31, 5))),
    "spatial.epsilons": ((0, 2), (0, 0.5, 1, 2, 3, 4, 6), (0, 0.5, 1, 2, 3, 4, 6)),
    "spatial.combined": (8, 100, 500),
    "spatial.live_signs": (64, 1_500, 8_000),
    "spatial.live_steps": (3, 50, 500),
    "spatial.voted": (6, 50, 500),
    "spatial.vote_grid": ((1, 1, 3), (3, 3, 9), (5, 5, 31)),
    "spatial.borders": (8, 100, 500),
    "spatial.real_steps": (4, 3_000, 12_000),
    "spatial.real_images": (20, 1_000, 10_000),
    # chapter 15: steps of the search for a mask and of the attack, pictures a step, and pictures from each place; then
    # attacks on a single picture, their steps, and the angles they are tried at; distances and directions of the maps
    "graffiti.search_steps": (15, 60, 200),
    "graffiti.steps": (40, 150, 600),
    "graffiti.batch": (8, 16, 32),
    "graffiti.pictures": (2, 20, 100),
    "graffiti.single": (1, 10, 50),
    "graffiti.single_steps": (40, 60, 60),
    "graffiti.angles": ((0, 15), *((0, 3, 6, 9, 12, 15, 20, 30, 45, 60),) * 2),
    "graffiti.distances": ((5, 40), *((5, 10, 20, 40, 80, 120),) * 2),
    "graffiti.directions": ((0, 60), *((-60, -45, -30, -15, 0, 15, 30, 45, 60),) * 2),
    # the same, run beforehand: steps of the search and of the attack, pictures a step; views of each photograph, and
    # pictures from each place
    "graffiti.recorded": (
        {"search": 2, "steps": 3, "batch": 2, "views": 2, "pictures": 2},
        {"search": 30, "steps": 80, "batch": 16, "views": 5, "pictures": 10},
        {"search": 60, "steps": 250, "batch": 24, "views": 20, "pictures": 50},
    ),
    # chapter 14: steps of the attack, poses a step and new ones among them, poses to test on; views attacked alone,
    # steps and the camera's turns; azimuths, elevations and draws of the map; further targets; steps of the shorter
    # runs; weights λ in LAB and in RGB; poses of a fixed set; turns of the slider; Inception-v3's steps, batch, poses
    "turtle.steps": (4, 200, 2_000),
    "turtle.batch": ((4, 2), (20, 5), (40, 8)),
    "turtle.unseen": (24, 600, 2_000),
    "turtle.single": (2, 16, 100),
    "turtle.single_steps": (3, 40, 100),
    "turtle.angles": ((0, 90), *((0, 2, 5, 10, 15, 20, 30, 45, 60, 90, 135, 180),) * 2),
    "turtle.map": ((4, 3, 1), (18, 9, 3), (36, 18, 10)),
    "turtle.targets": (("car",), ("car", "fly agaric"), ("baseball", "espresso", "car", "fly agaric", "guitar")),
    "turtle.few_steps": (3, 80, 1_000),
    "turtle.lab_weights": ((0.1,), (0.05, 0.4, 1.0), (0.02, 0.05, 0.15, 0.4, 1.0)),
    "turtle.rgb_weights": ((0.07,), (0.03, 0.3, 0.7), (0.01, 0.03, 0.1, 0.3, 0.7)),
    "turtle.pools": ((1, 4), (1, 16, 64, 256), (1, 4, 16, 64, 256, 1_024)),
    "turtle.slider": ((0, 180), tuple(range(0, 360, 30)), tuple(range(0, 360, 24))),
    "turtle.imagenet": ((1, 2, 4), (20, 2, 16), (1_000, 40, 400)),
    # beside chapter 14, run beforehand: steps of an attack, targets of each object, test poses
    "objects.steps": (2, 60, 200),
    "objects.targets": (1, 3, 9),
    "objects.poses": (10, 100, 100),
    # chapter 18: steps of a training, test images, ε of the curves, steps of PGD, queries of the random search; K of
    # the slider, and its images; K of the attenuation, and its images; K of trained front ends; γ of the table; images
    # for Theorem 2, and steps of its attacks; then, run beforehand: steps of a training, test images and steps of PGD
    "sparsity.steps": (60, 600, 5_000),
    "sparsity.images": (30, 300, 2_000),
    "sparsity.epsilons": ((0.0, 0.15, 0.3), *((0.0, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3),) * 2),
    "sparsity.pgd": (3, 20, 40),
    "sparsity.queries": (10, 200, 500),
    "sparsity.slider_keep": ((8, 784), *((4, 8, 16, 24, 39, 59, 98, 196, 392, 784),) * 2),
    "sparsity.slider_images": (1, 4, 6),
    "sparsity.keep": ((24, 39, 59), *((8, 16, 24, 39, 59, 98, 196, 392, 784),) * 2),
    "sparsity.tuned": ((24, 196), (24, 39, 59, 98, 196), (8, 16, 24, 39, 59, 78, 98, 196, 392)),
    "sparsity.noisy": (10, 200, 1_000),
    "sparsity.gammas": ((1.0, 8.0), (0.5, 1.0, 2.0, 4.0, 8.0), (0.5, 1.0, 2.0, 4.0, 8.0, 16.0)),
    "sparsity.theorem": (2, 20, 100),
    "sparsity.theorem_steps": (2, 10, 20),
    "sparsity.recorded_steps": (20, 600, 2_000),
    "sparsity.recorded_images": (20, 300, 1_000),
    "sparsity.recorded_pgd": (3, 10, 20),
    # chapter 16: points along the square's side, directions of an outline, the slider's ε, the ε and depths of the
    # curves, drawn nets for each depth; digits, their ε, the ε told in words, PGD's steps
    "polytope.grid": (30, 120, 200),
    "polytope.directions": (8, 64, 128),
    "polytope.frames": (
        (0.2, 0.5),
        *((0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.48, 0.49, 0.5, 0.55, 0.6),) * 2,
    ),
    "polytope.radii": ((0.1, 0.4), *((0.01, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6),) * 2),
    "polytope.depths": ((1, 2), (1, 2, 3, 4, 5, 6), (1, 2, 3, 4, 5, 6, 7, 8)),
    "polytope.draws": (2, 10, 50),
    "polytope.digits": (10, 90, 360),
    "polytope.pixel_radii": ((0, 0.1), *((0, 0.01, 0.02, 0.05, 0.1, 0.15),) * 2),
    "polytope.told_radius": (0.1, 0.1, 0.1),
    "polytope.pgd_steps": (5, 20, 100),
    # chapter 17: the toy's net and steps; steps of the live trainings; digits of the table, PGD's steps; digits, ε of
    # the curves; the slider; images of the real sets. Then the recorded table
    "provable.toy_widths": ((2, 20, 20, 2), (2, 100, 100, 100, 100, 2), (2, 100, 100, 100, 100, 2)),
    "provable.toy_steps": (60, 1_000, 1_000),
    "provable.live_steps": (20, 1_000, 4_000),
    "provable.digits": (20, 360, 360),
    "provable.pgd_steps": (5, 100, 100),
    "provable.curve_digits": (10, 90, 360),
    "provable.curve_radii": ((0.01, 0.1), *((0.01, 0.025, 0.05, 0.075, 0.1, 0.125, 0.15),) * 2),
    "provable.slider": ((0, 1), *((-1, -0.5, 0, 0.5, 1),) * 2),
    "provable.real_images": (20, 200, 10_000),
    "provable_table.images": (20, 1_000, 10_000),
    "provable_table.pgd_steps": (5, 100, 100),
}


@dataclass(frozen=True)
class Profile:
    """One run's settings. ``run["name"]`` is the size of that name in :data:`SIZES` for this profile."""

    name: str
    device: torch.device
    precision: str
    seed: int

    def __getitem__(self, size: str):
        if size not in SIZES:
            raise KeyError(f"no size {size!r}; known: {', '.join(SIZES)}. A new one gets a row in lecture13/profile.py")
        return SIZES[size][PROFILES.index(self.name)]

    @property
    def label(self) -> str:
        """What stands beside every number of this run: ``"laptop profile, cpu"``."""
        return f"{self.name} profile, {self.device}"

    def banner(self, *data: str) -> "Markdown":
        """What this run is: profile, device, seed, and a line for each data set (:func:`lecture13.data.describe`)."""
        from IPython.display import Markdown  # the science runs without a notebook

        purpose = {
            "smoke": "cut small, to prove that the code runs: its numbers are no results",
            "laptop": "a few minutes on a student's CPU",
            "full": "the papers' data and sizes",
        }[self.name]
        head = f"**Profile `{self.name}`** ({purpose}) · device `{self.device}` · seed {self.seed}"
        lines = [head, *(f"data: {line}" for line in data)]
        return Markdown("\n".join(f"- {line}" for line in lines))


def use(name: str | None = None, *, device: str | torch.device | None = None, seed: int = 0) -> Profile:
    """Choose the profile and the device, and seed Python, NumPy and torch.

    Args:
        name: ``"smoke"``, ``"laptop"`` or ``"full"``; None takes ``$LECTURE13_PROFILE``, else ``"laptop"``.
        device: any torch device; None takes ``$LECTURE13_DEVICE``, else CUDA, MPS or the CPU, the first there is.
        seed: of every generator that is not given explicitly, in [0, 2³²).

    Raises:
        ValueError: an unknown profile, a device that is not there, or a seed out of range.
    """
    name = os.environ.get("LECTURE13_PROFILE", "laptop") if name is None else name
    if name not in PROFILES:
        raise ValueError(f"unknown profile {name!r}; choose one of {', '.join(map(repr, PROFILES))}")
    if isinstance(seed, bool) or not isinstance(seed, int) or not 0 <= seed < 2**32:
        raise ValueError(f"seed {seed!r}; expected a whole number from 0 to 2**32 - 1")
    device = _device(device or os.environ.get("LECTURE13_DEVICE"))
    random.seed(seed)
    np.random.seed(seed)  # noqa: NPY002  libraries that still draw from NumPy's global state
    torch.manual_seed(seed)
    torch.backends.cudnn.deterministic, torch.backends.cudnn.benchmark = True, False
    return Profile(name, device, precision="bf16-mixed" if _multiplies_bf16(device) else "32-true", seed=seed)


def _device(wanted: str | torch.device | None) -> torch.device:
    there = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    if wanted is None:
        return torch.device(next(kind for kind, is_there in there.items() if is_there))
    known = ", ".join(kind for kind, is_there in there.items() if is_there)
    try:
        device = torch.device(wanted)
    except RuntimeError as error:
        raise ValueError(f"unknown device {wanted!r}; this machine has {known}") from error
    if not there.get(device.type, False):
        raise ValueError(f"device {str(device)!r} is not on this machine; it has {known}")
    if device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count():
        raise ValueError(f"device {str(device)!r} is not on this machine; it has {torch.cuda.device_count()} CUDA GPUs")
    return device


def _multiplies_bf16(device: torch.device) -> bool:
    """Whether the device has instructions for products in bf16; a CPU without them imitates them, ten times slower."""
    if device.type == "cpu":
        known = getattr(torch.cpu, "get_capabilities", dict)()  # a newer torch's
        return bool(known.get("avx512_bf16") or known.get("amx_bf16"))
    return device.type == "cuda"


def data_folder() -> Path:
    """Where real data, downloads and checkpoints lie: ``$LECTURE13_DATA``, else the platform's cache folder."""
    return Path(os.environ.get("LECTURE13_DATA") or platformdirs.user_cache_path("lecture13")).expanduser()


def runs_folder() -> Path:
    """Where notebooks keep their own trainings' checkpoints: ``$LECTURE13_RUNS``, else ``runs`` in the data folder."""
    return Path(os.environ.get("LECTURE13_RUNS") or data_folder() / "runs").expanduser()
