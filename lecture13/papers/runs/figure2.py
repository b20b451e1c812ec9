"""Gulrajani et al. 2017, Figure 2: seven architectures by four methods, and which of the 28 cells train.

Each method keeps one set of hyperparameters for all architectures. A killed run goes on with the next cell::

    python -m lecture13.papers.runs.figure2 FOLDER --profile laptop             # trains the cells missing in FOLDER
    python -m lecture13.papers.runs.figure2 FOLDER --profile laptop --record    # judges and records those in FOLDER
"""

import sys
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from torch import Tensor
from tqdm import tqdm

from lecture13 import zoo
from lecture13.data.stock import scene_bytes
from lecture13.gan import architectures, cells
from lecture13.gan.methods import FIGURE_2
from lecture13.gan.scores import embed, frechet_distance, scene_features
from lecture13.gan.verdict import Criterion, nearest_other
from lecture13.papers.runs import parts, store
from lecture13.profile import Profile

NAME = "figure2"
SHEET = 18  # samples of a cell that are kept as pictures


@dataclass(frozen=True)
class Judged:
    """A cell, and what the criterion says of its samples.

    Args:
        cell: how it was trained.
        distance: Fréchet distance to held-out scenes on the segmenter's features; None where training stopped.
        apart: :func:`~lecture13.gan.verdict.nearest_other` of its samples.
        verdict: "trains", "collapses" or "fails".
    """

    cell: cells.Cell
    distance: float | None
    apart: float | None
    verdict: str


@dataclass(frozen=True)
class Grid:
    """The recorded figure: ``grid[architecture, method]`` is a :class:`Judged`; cells may be missing.

    Args:
        origin: of the run.
        budget: of every cell.
        criterion: its thresholds.
        judged: by (architecture, method).
        sheets: by (architecture, method), uint8 (SHEET, 3, S, S), the same z in every cell.
    """

    origin: store.Origin
    budget: cells.Budget
    criterion: Criterion
    judged: dict[tuple[str, str], Judged]
    sheets: dict[tuple[str, str], Tensor]

    def __getitem__(self, key: tuple[str, str]) -> Judged:
        return self.judged[key]

    @property
    def missing(self) -> list[tuple[str, str]]:
        """Cells of the figure that were not run."""
        return [key for key in keys() if key not in self.judged]

    def count(self, method: str, verdict: str) -> int:
        """Cells of a method with this verdict."""
        return sum(found.verdict == verdict for (_, name), found in self.judged.items() if name == method)


def keys() -> list[tuple[str, str]]:
    """(architecture, method) of the 28 cells, row by row."""
    return [(architecture, method) for architecture in architectures.names() for method in FIGURE_2]


def train(run: Profile, folder: Path) -> None:
    """Train the cells that ``folder`` does not hold yet, one file each."""
    budget = cells.Budget(**run["methods.grid"])
    judge = Judge(budget)
    missing = [key for key in keys() if not parts.path(folder, *key).exists()]
    images = scene_bytes(budget.images, size=budget.size)
    for architecture, method in tqdm(missing, desc="cells of Figure 2", unit="cell"):
        cell, samples = cells.play(
            architecture, FIGURE_2[method], budget, images, seed=run.seed, device=run.device, score=judge.distance
        )
        parts.write_cell(cell, samples, folder)


class Judge:
    """The criterion on held-out scenes, measured once: twice as many as samples of a cell."""

    def __init__(self, budget: cells.Budget):
        self._features = scene_features(zoo.load("scene-segmenter"))
        held_out = scene_bytes(2 * budget.samples, size=budget.size, split="test")
        real, fresh = held_out.split(budget.samples)
        self._real = embed(real, self._features)
        self.criterion = Criterion.measure(real, fresh, self._features)

    def distance(self, samples: Tensor) -> float:
        """The Fréchet distance of samples uint8 (N, 3, S, S)."""
        return frechet_distance(self._real, samples, self._features).value

    def __call__(self, cell: cells.Cell, samples: Tensor) -> Judged:
        """The verdict on a cell; its last score, if it was scored, is the distance of these samples."""
        if cell.failure:
            return Judged(cell, None, None, "fails")
        distance, apart = cell.scores[-1][3] if cell.scores else self.distance(samples), nearest_other(samples)
        return Judged(cell, distance, apart, self.criterion.judge(distance, apart))


def record(run: Profile, folder: Path, *, into: Path = store.FOLDER) -> Path:
    """Judge the cells in ``folder``, and record them with the first samples of each.

    Raises:
        ValueError: no cell there.
    """
    budget = cells.Budget(**run["methods.grid"])
    there = [key for key in keys() if parts.path(folder, *key).exists()]
    if not there:
        raise ValueError(f"no cell of Figure 2 in {folder}; run the same without --record first")
    judge, rows, sheets = Judge(budget), [], []
    for key in tqdm(there, desc="judging", unit="cell"):
        cell, samples = parts.read_cell(parts.path(folder, *key))
        rows.append(asdict(judge(cell, samples)))
        sheets.append(samples[:SHEET])
    content = {"budget": asdict(budget), "criterion": asdict(judge.criterion), "cells": rows}
    data = f"scenes drawn at {budget.size}×{budget.size}, {budget.images} of the train split"
    origin = store.Origin.here(run, data)  # names the commit, from which the next line departs
    store.write_picture(NAME, torch.stack(sheets), folder=into)
    return store.write(NAME, origin, content, folder=into)


def load(*, folder: Path = store.FOLDER) -> Grid:
    """The recorded figure; see :func:`lecture13.papers.runs.store.read` for what may be wrong with it."""
    origin, content = store.read(NAME, folder=folder)
    budget = cells.Budget(**content["budget"])
    judged = {}
    for row in content["cells"]:
        found = Judged(**{**row, "cell": parts.as_cell(row["cell"])})
        judged[found.cell.architecture, found.cell.method] = found
    sheets = store.read_picture(NAME, budget.size, folder=folder)
    return Grid(origin, budget, Criterion(**content["criterion"]), judged, dict(zip(judged, sheets, strict=True)))


if __name__ == "__main__":
    sys.exit(parts.command_line(__doc__.split("\n\n")[0], train, record))
