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
    # chapter 09: its test signs, PGD's steps, the ε of its curves, the training with FGSM, and frames of the slider
    "fgsm.signs": (48, 300, 1_000),
    "fgsm.pgd_steps": (3, 10, 40),
    "fgsm.epsilons": ((0, 8, 16), (0, 1, 2, 4, 6, 8, 12, 16), (0, 1, 2, 4, 6, 8, 12, 16)),
    "fgsm.leak_steps": (30, 600, 2_000),
    "fgsm.digits": (60, 360, 360),
    "fgsm.slider_signs": (1, 3, 3),
    "fgsm.slider_epsilons": ((0, 8), (0, 1, 2, 3, 4, 6, 8, 12, 16), (0, 1, 2, 3, 4, 6, 8, 12, 16)),
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
