"""Gulrajani et al. 2017, Figure 3: a score of CIFAR-10 generators over iterations and over seconds, by four methods.

The score is the inception score of the course's own CIFAR-10 classifier, which has to be trained first. A killed run
goes on with the next method::

    python -m lecture13 train cifar10-classifier --folder FOLDER
    python -m lecture13.papers.runs.figure3 FOLDER --profile laptop             # trains the methods missing in FOLDER
    python -m lecture13.papers.runs.figure3 FOLDER --profile laptop --record    # records those in FOLDER
"""

import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from tqdm import tqdm

from lecture13 import data, zoo
from lecture13.gan import cells
from lecture13.gan.methods import FIGURE_3
from lecture13.gan.scores import Logits, Score, inception_score
from lecture13.papers.runs import parts, store
from lecture13.profile import Profile

NAME = "figure3"
ARCHITECTURE = "dcgan"  # at 32×32 and width 128 this is the net of the authors' CIFAR-10 code
CLASSIFIER = "cifar10-classifier"
SCORES, SPLITS, SHEET = 10, 4, 10


@dataclass(frozen=True)
class Curves:
    """The recorded figure.

    Args:
        origin: of the run.
        budget: of every method.
        score: the score's name.
        samples: images in each score.
        real: the score of as many real test images.
        classifier: accuracy of the classifier on CIFAR-10's test images, in [0, 1].
        cells: by method; a method may be missing.
        sheets: by method, uint8 (SHEET, 3, S, S), the same z for each.
    """

    origin: store.Origin
    budget: cells.Budget
    score: str
    samples: int
    real: float
    classifier: float
    cells: dict[str, cells.Cell]
    sheets: dict[str, Tensor]

    @property
    def missing(self) -> list[str]:
        """Methods of the figure that were not run."""
        return [method for method in FIGURE_3 if method not in self.cells]


class Judge:
    """The score by the classifier that was trained into ``folder``."""

    def __init__(self, folder: Path):
        self.card = zoo.card(CLASSIFIER, folder=folder)
        self._classifier = Logits(zoo.load(CLASSIFIER, folder=folder), name="the course's CIFAR-10 classifier")

    def score(self, samples: Tensor) -> Score:
        """Of samples (N, 3, 32, 32), uint8 or in [0, 1]."""
        return inception_score(samples, self._classifier, splits=SPLITS)


def train(run: Profile, folder: Path) -> None:
    """Train the methods that ``folder`` does not hold yet, one file each."""
    budget, judge = cells.Budget(**run["methods.curves"]), Judge(folder)
    missing = [method for method in FIGURE_3 if not parts.path(folder, ARCHITECTURE, method).exists()]
    images = data.load("cifar10", count=budget.images).images.mul(255).round().byte()
    for method in tqdm(missing, desc="methods of Figure 3", unit="method"):
        cell, samples = cells.play(
            ARCHITECTURE,
            FIGURE_3[method],
            budget,
            images,
            seed=run.seed,
            device=run.device,
            score=lambda samples: judge.score(samples).value,
            scores=SCORES,
        )
        parts.write_cell(cell, samples, folder)


def record(run: Profile, folder: Path, *, into: Path = store.FOLDER) -> Path:
    """Record the methods in ``folder`` with the first samples of each.

    Raises:
        ValueError: no method there.
    """
    budget, judge = cells.Budget(**run["methods.curves"]), Judge(folder)
    files = [parts.path(folder, ARCHITECTURE, method) for method in FIGURE_3]
    there = [parts.read_cell(file) for file in files if file.exists()]
    if not there:
        raise ValueError(f"no method of Figure 3 in {folder}; run the same without --record first")
    held_out = data.load("cifar10", "test", count=budget.samples)
    real = judge.score(held_out.images)
    content: dict[str, Any] = {
        "budget": asdict(budget),
        "score": real.name,
        "samples": budget.samples,
        "real": real.value,
        "classifier": judge.card.value,
        "cells": [asdict(cell) for cell, _ in there],
    }
    source = f"{held_out.source.split(',')[0]}, {budget.images} of the train split"
    origin = store.Origin.here(run, source)  # names the commit, from which the next line departs
    store.write_picture(NAME, torch.stack([samples[:SHEET] for _, samples in there]), folder=into)
    return store.write(NAME, origin, content, folder=into)


def load(*, folder: Path = store.FOLDER) -> Curves:
    """The recorded figure; see :func:`lecture13.papers.runs.store.read` for what may be wrong with it."""
    origin, content = store.read(NAME, folder=folder)
    budget = cells.Budget(**content.pop("budget"))
    found = {cell.method: cell for cell in map(parts.as_cell, content.pop("cells"))}
    sheets = store.read_picture(NAME, budget.size, folder=folder)
    return Curves(origin, budget, **content, cells=found, sheets=dict(zip(found, sheets, strict=True)))


if __name__ == "__main__":
    sys.exit(parts.command_line(__doc__.split("\n\n")[0], train, record))
