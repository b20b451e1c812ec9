"""Goodfellow, Shlens & Szegedy 2015 on MNIST: error and confidence of three nets under one step of ε = .25.

A linear softmax, a maxout net, and the same net trained on clean and attacked images. A killed run goes on where it
was; images stay in [0, 1]::

    python -m lecture13.papers.runs.fgsm FOLDER --profile full --device cpu             # trains, measures
    python -m lecture13.papers.runs.fgsm FOLDER --profile full --device cpu --record    # records what is in FOLDER
"""

import sys
from dataclasses import replace
from pathlib import Path

from torch import nn
from tqdm import tqdm

from lecture13 import attacks, data, papers, processes
from lecture13.data import Dataset
from lecture13.evaluation import error, predict
from lecture13.papers.runs import parts, store
from lecture13.profile import Profile
from lecture13.zoo.fast_gradient import FastGradient

TABLE = "fgsm-errors"
EPSILON = 0.25
_shared = {"data": "mnist", "size": 28, "steps": 0, "learning_rate": 1e-3, "weight_decay": 0.0, "augment": ()}
_MAXOUT = FastGradient("maxout", "maxout, 2 layers of 240 units of 5 pieces", "maxout", batch_size=100, **_shared)
PLANS = {  # row of the table → how its net is trained; steps: the profile's
    "shallow softmax (MNIST)": replace(_MAXOUT, name="softmax", about="softmax regression", model="shallow_softmax"),
    "maxout (MNIST)": _MAXOUT,
    "maxout, adversarially trained (MNIST)": replace(
        _MAXOUT, name="maxout-adversarial", about=f"{_MAXOUT.about}, trained on FGSM images too", epsilon=EPSILON
    ),
}


def measure(net: nn.Module, test: Dataset) -> dict[str, float]:
    """A row of the paper's table: ε, the error (%) under FGSM, and the mean confidence (%) of the wrong answers.

    The confidence is nan where no answer is wrong.
    """
    device = next(net.parameters()).device
    images, labels = test.images.to(device), test.labels
    found, sure = predict(net, attacks.fgsm(net, images, labels.to(device), EPSILON))
    wrong = found != labels
    return {
        "ε": EPSILON,
        "error": 100 * wrong.float().mean().item(),
        "mean confidence when wrong": 100 * sure[wrong].mean().item(),
    }


def train(run: Profile, folder: Path) -> None:
    """Train and measure the nets that ``folder`` has no results of, one file each."""
    fabric = processes.start(run.device)
    test = data.load("mnist", "test", size=28, count=run["fgsm.real_images"], seed=run.seed)
    for row, plan in tqdm(PLANS.items(), desc="nets", unit="net"):
        path = _path(folder, row)
        if path.exists():
            continue
        plan = replace(plan, steps=run["fgsm.real_steps"])
        net, _ = plan.train(
            fabric, steps=plan.steps, seed=run.seed, checkpoint=path.with_suffix(".ckpt"), examples=None
        )
        about = f"{plan.about}, {plan.steps} steps, clean error {error(net.eval(), test):.2%}"
        origin = store.Origin.here(run, f"{test.source}; {about}")
        store.write(path.stem, origin, {"cells": measure(net, test)}, folder=folder)


def record(run: Profile, folder: Path) -> None:
    """Record the results in ``folder`` beside the paper's.

    Raises:
        ValueError: none there, or the profile is not full.
    """
    paths = {row: _path(folder, row) for row in PLANS}
    found = {row: store.read(path.stem, folder=folder) for row, path in paths.items() if path.exists()}
    if not found:
        raise ValueError(f"no results in {folder}; run the same without --record first")
    for row, (origin, content) in found.items():
        line = {"run": run, "data": origin.data, "device": origin.device, "commit": origin.commit}
        papers.record(TABLE, {row: content["cells"]}, **line)


def _path(folder: Path, row: str) -> Path:
    return folder / f"{PLANS[row].name}.json"


if __name__ == "__main__":
    sys.exit(parts.command_line(__doc__.split("\n\n")[0], train, record))
