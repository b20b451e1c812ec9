"""Goodfellow, Shlens & Szegedy 2015 on MNIST: error and confidence of three nets under one step of ε = .25.

A linear softmax, a maxout net, and the same net trained on clean and attacked images. A killed run goes on where it
was; images stay in [0, 1]::

    python -m lecture13.papers.runs.fgsm FOLDER --profile full --device cpu             # trains, measures
    python -m lecture13.papers.runs.fgsm FOLDER --profile full --device cpu --record    # records what is in FOLDER
"""

import json
import sys
from dataclasses import replace
from pathlib import Path

from torch import nn
from tqdm import tqdm

from lecture13 import attacks, data, papers, processes
from lecture13.checkpoints import write_whole
from lecture13.data import Dataset
from lecture13.evaluation import error, predict
from lecture13.papers.runs import parts
from lecture13.profile import Profile
from lecture13.zoo.cards import describe_device
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
    fabric, test = processes.start(run.device), _test(run)
    for row, plan in tqdm(PLANS.items(), desc="nets", unit="net"):
        path = _path(folder, row)
        if path.exists():
            continue
        plan = replace(plan, steps=run["fgsm.real_steps"])
        net, _ = plan.train(
            fabric, steps=plan.steps, seed=run.seed, checkpoint=path.with_suffix(".ckpt"), examples=None
        )
        found = {"clean error": error(net.eval(), test), "cells": measure(net, test)}
        write_whole(path, json.dumps(found, ensure_ascii=False).encode())


def record(run: Profile, folder: Path) -> None:
    """Record the results in ``folder`` beside the paper's.

    Raises:
        ValueError: none there, or the profile is not full.
    """
    rows = {row: _path(folder, row) for row in PLANS if _path(folder, row).exists()}
    if not rows:
        raise ValueError(f"no results in {folder}; run the same without --record first")
    for row, path in rows.items():
        found = json.loads(path.read_text(encoding="utf-8"))
        about = f"{PLANS[row].about}, {run['fgsm.real_steps']} steps, clean error {found['clean error']:.2%}"
        device = describe_device(run.device)
        papers.record(TABLE, {row: found["cells"]}, run=run, data=f"{_test(run).source}; {about}", device=device)


def _path(folder: Path, row: str) -> Path:
    return folder / f"{PLANS[row].name}.json"


def _test(run: Profile) -> Dataset:
    return data.load("mnist", "test", size=28, count=run["fgsm.real_images"], seed=run.seed)


if __name__ == "__main__":
    sys.exit(parts.command_line(__doc__.split("\n\n")[0], train, record))
