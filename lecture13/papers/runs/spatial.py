"""Engstrom et al. 2018 on real images: MNIST's digits and GTSRB's road signs, rotated and shifted.

Two problems by three trainings, each measured under five attacks. A killed run goes on where it was::

    python -m lecture13.papers.runs.spatial FOLDER --profile laptop             # trains, measures what FOLDER lacks
    python -m lecture13.papers.runs.spatial FOLDER --profile laptop --record    # records what is in FOLDER
"""

import json
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path

from torch import nn
from tqdm import tqdm

from lecture13 import attacks, data, evaluation, processes
from lecture13.checkpoints import write_whole
from lecture13.data import Dataset
from lecture13.estimates import Estimate
from lecture13.papers import markup
from lecture13.papers.runs import parts, store
from lecture13.profile import Profile
from lecture13.zoo.spatial import Spatial

NAME = "spatial"
REST = "as they are"  # images that nobody moved
TRAININGS = {"standard": 0, "random poses": 1, "worst of 10": 10}  # poses tried for each image at each step
_shared = {"batch_size": 64, "weight_decay": 1e-2, "augment": (), "steps": 0}  # steps: the profile's
PROBLEMS = {
    "MNIST": Spatial("", "LeNet", "lenet", "mnist", 28, learning_rate=1e-3, **_shared),
    "GTSRB": Spatial(
        "", "sign classifier", "sign_classifier", "gtsrb", 32, learning_rate=2e-3, options={"classes": 43}, **_shared
    ),
}
Attack = Callable[..., attacks.SpatialAttack]
ATTACKS: dict[str, Attack] = {
    "random pose": partial(attacks.spatial, method="worst-of-k", tries=1),
    "worst of 10": partial(attacks.spatial, method="worst-of-k", tries=10),
    "first-order, 50 steps": partial(attacks.spatial, method="first-order", steps=50),
    "grid of 775": partial(attacks.spatial, first_success=True),
}


@dataclass(frozen=True)
class Accuracies:
    """The recorded run.

    Args:
        origin: of the run.
        steps: of every training.
        count: test images, drawn by the seed.
        found: (problem, training) → attack → accuracy, :data:`REST` among them.
    """

    origin: store.Origin
    steps: int
    count: int
    found: dict[tuple[str, str], dict[str, Estimate]]

    @property
    def grid(self) -> markup.Grid:
        """A row for each training, a column for each attack."""
        rows = [
            [", ".join(key), *(cells[attack].percent for attack in (REST, *ATTACKS))]
            for key, cells in self.found.items()
        ]
        caption = f"Accuracy on {self.count} test images, with 95 % intervals ({self.origin.label})"
        note = (
            f"{self.steps} steps of 64 images each; rotations within ±30°, translations within ±10 %, padded with zeros"
        )
        return markup.Grid(caption, ["data, training", REST, *ATTACKS], rows, [note])

    def _repr_html_(self) -> str:
        return markup.to_html(self.grid)

    def _repr_markdown_(self) -> str:
        return markup.to_markdown(self.grid)


def measure(net: nn.Module, test: Dataset) -> dict[str, Estimate]:
    """Accuracy of ``net`` on ``test`` under every attack, and under none."""
    found = {}
    for name, attack in ATTACKS.items():
        row = evaluation.robustness(net, attack, test, name=name)
        found[REST] = row.clean_error.complement
        found[name] = row.adversarial_error.complement
    return found


def train(run: Profile, folder: Path) -> None:
    """Train and measure the nets that ``folder`` has no results of, one file each."""
    fabric = processes.start(run.device)
    missing = [(p, t) for p in PROBLEMS for t in TRAININGS if not _path(folder, p, t).exists()]
    for problem, training in tqdm(missing, desc="nets", unit="net"):
        path, steps = _path(folder, problem, training), run["spatial.real_steps"]
        plan = replace(PROBLEMS[problem], name=path.stem, steps=steps, tries=TRAININGS[training])
        net, _ = plan.train(fabric, steps=steps, seed=run.seed, checkpoint=path.with_suffix(".ckpt"), examples=None)
        found = measure(net.eval(), _test(problem, run))
        write_whole(path, json.dumps({name: asdict(share) for name, share in found.items()}).encode())


def record(run: Profile, folder: Path, *, into: Path = store.FOLDER) -> Path:
    """Record the results in ``folder``.

    Raises:
        ValueError: none there.
    """
    paths = {(p, t): _path(folder, p, t) for p in PROBLEMS for t in TRAININGS}
    cells = [
        {"problem": problem, "training": training, "accuracy": json.loads(path.read_text(encoding="utf-8"))}
        for (problem, training), path in paths.items()
        if path.exists()
    ]
    if not cells:
        raise ValueError(f"no results in {folder}; run the same without --record first")
    lines = dict.fromkeys(_test(cell["problem"], run).source for cell in cells)
    content = {"steps": run["spatial.real_steps"], "count": run["spatial.real_images"], "cells": cells}
    return store.write(NAME, store.Origin.here(run, "; ".join(lines)), content, folder=into)


def load(*, folder: Path = store.FOLDER) -> Accuracies:
    """The recorded run; see :func:`lecture13.papers.runs.store.read` for what may be wrong with it."""
    origin, content = store.read(NAME, folder=folder)
    found = {
        (cell["problem"], cell["training"]): {name: Estimate(**share) for name, share in cell["accuracy"].items()}
        for cell in content["cells"]
    }
    return Accuracies(origin, content["steps"], content["count"], found)


def _path(folder: Path, problem: str, training: str) -> Path:
    return folder / f"{problem}--{training.replace(' ', '-')}.json"


def _test(problem: str, run: Profile) -> Dataset:
    plan = PROBLEMS[problem]
    return data.load(plan.data, "test", size=plan.size, count=run["spatial.real_images"], seed=run.seed)


if __name__ == "__main__":
    sys.exit(parts.command_line(__doc__.split("\n\n")[0], train, record))
