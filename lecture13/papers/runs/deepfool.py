"""Moosavi-Dezfooli et al. 2016, Table 1: how small the perturbations of three attacks are, on the classifiers at hand.

The nets of MNIST ship; those of CIFAR-10 have to be trained into FOLDER first. A killed run goes on with the next
classifier; one whose data or net is missing is left out::

    python -m lecture13 train nin-cifar10 --folder FOLDER
    python -m lecture13 train lenet-cifar10 --folder FOLDER
    python -m lecture13.papers.runs.deepfool FOLDER --profile full --device cpu             # measures what is missing
    python -m lecture13.papers.runs.deepfool FOLDER --profile full --device cpu --record    # records what is there
"""

import re
import sys
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from tqdm import tqdm

from lecture13 import attacks, data, papers, zoo
from lecture13.attacks.calling import Attack, call
from lecture13.data import Dataset
from lecture13.estimates import Estimate
from lecture13.evaluation import error_estimate, predict, robustness
from lecture13.guard import Model
from lecture13.papers.runs import parts, store
from lecture13.profile import Profile

NAME = "deepfool"
TABLE, AUTHORS = "deepfool-table-1", "deepfool-authors-code"
NETS = {  # row of the table → net, data
    "LeNet (MNIST)": ("lenet-mnist", "mnist"),
    "FC500-150-10 (MNIST)": ("fc-mnist", "mnist"),
    "NIN (CIFAR-10)": ("nin-cifar10", "cifar10"),
    "LeNet (CIFAR-10)": ("lenet-cifar10", "cifar10"),
}
RATE = 0.9  # of the set that FGSM's one ε has to misclassify
FIRST = 100  # test images of the authors' code


@dataclass(frozen=True)
class Attacked:
    """One attack on one classifier.

    Args:
        count: images attacked.
        relative_l2: ρ̂, the mean of ‖r‖₂/‖x‖₂ over them.
        on_few: the same over those images alone that L-BFGS gets, so that all three can be compared.
        success: share of the correctly classified that are misclassified afterwards.
        milliseconds: for one image: CPU time of one core, or on a GPU, time by the clock.
        epsilon: of FGSM.
    """

    count: int
    relative_l2: Estimate
    on_few: Estimate
    success: Estimate
    milliseconds: float
    epsilon: float | None = None


@dataclass(frozen=True)
class Classifier:
    """A row of the table: the net, the line that names its data, its test error, and the attacks by name."""

    net: str
    data: str
    error: Estimate
    attacks: dict[str, Attacked]

    def cells(self) -> dict[str, float]:
        """By the table's columns, in its units."""
        found = {"test error": 100 * self.error.value}
        for name, attack in self.attacks.items():
            found |= {f"ρ̂ {name}": attack.relative_l2.value, f"time {name}": attack.milliseconds}
        return found


def smallest_epsilon(model: Model, images: Tensor, labels: Tensor, *, rate: float = RATE) -> float:
    """The smallest ε at which FGSM, without a box, misclassifies the share ``rate`` of the images, to 1 %.

    The sign of the gradient does not depend on ε, so one gradient serves all. The share need not rise with ε: it is
    followed from ε = 1/1000 upwards, in steps of 20 % up to the first that reaches it, and before that one of 1 %.

    Args:
        model: gives logits ``(N, K)``.
        images, labels: float ``(N, C, H, W)`` in [0, 1], int64 ``(N,)``.
        rate: in (0, 1].

    Raises:
        ValueError: no ε up to 2, twice the range of a pixel, does it.
    """
    signs, low = attacks.fgsm(model, images, labels, 1.0, bounds=None) - images, 1e-3
    for growth in (1.2, 1.01):
        epsilon = low
        while (share := _error(model, images + epsilon * signs, labels)) < rate:
            low, epsilon = epsilon, growth * epsilon
            if epsilon > 2:
                raise ValueError(f"FGSM misclassifies {share:.1%} at ε = {low:.2g}; expected {rate:.0%} by ε = 2")
    return epsilon


def _error(model: Model, images: Tensor, labels: Tensor) -> float:
    return float((predict(model, images)[0] != labels.cpu()).double().mean())


def measure(net: nn.Module, chosen: Dataset, *, few: int) -> dict[str, Attacked]:
    """DeepFool, FGSM and L-BFGS on a classifier.

    Args:
        net: the classifier.
        chosen: the images to attack.
        few: how many of them, evenly spaced, L-BFGS gets, which takes a hundred times as long.

    Returns:
        By the attacks' names in the table. DeepFool and FGSM work without a box, as in the paper; L-BFGS has its own.
    """
    device = next(net.parameters()).device
    epsilon = smallest_epsilon(net, chosen.images.to(device), chosen.labels.to(device))
    spaced = chosen.subset(torch.linspace(0, len(chosen) - 1, min(few, len(chosen))).long())
    return {
        "DeepFool": _attacked(net, attacks.deepfool, chosen, spaced),
        "FGSM": _attacked(net, partial(attacks.fgsm, epsilon=epsilon, bounds=None), chosen, spaced, epsilon),
        "L-BFGS": _attacked(net, attacks.lbfgs_untargeted, spaced),
    }


def _attacked(
    net: nn.Module, attack: Attack, chosen: Dataset, spaced: Dataset | None = None, epsilon: float | None = None
) -> Attacked:
    spent, kind = 0.0, next(net.parameters()).device.type
    clock = time.process_time if kind == "cpu" else time.perf_counter  # the clock says little on a busy machine

    def timed(model: Model, images: Tensor, labels: Tensor) -> Tensor:
        nonlocal spent
        began = clock()
        found = call(attack, model, images, labels)
        if kind == "cuda":
            torch.cuda.synchronize()
        spent += clock() - began
        return found

    found = robustness(net, timed, chosen, name="attack")
    milliseconds = 1000 * spent / found.count
    few = found if spaced is None else robustness(net, attack, spaced, name="attack")
    return Attacked(found.count, found.relative_l2, few.relative_l2, found.success, milliseconds, epsilon)


def iterations(net: nn.Module, images: Tensor, *, most: int = 50) -> Tensor:
    """DeepFool's iterations until each image leaves its class, int64 ``(N,)``; ``most`` where it does not.

    An image that has not left after k iterations needs one more at least: so DeepFool is asked with 1, 2, … of them.
    """
    before, needed = predict(net, images)[0], torch.ones(len(images), dtype=torch.int64)
    for allowed in range(1, most):
        left = predict(net, attacks.deepfool(net, images, max_iterations=allowed))[0] != before
        if bool(left.all()):
            break
        needed[~left] = allowed + 1
    return needed


def train(run: Profile, folder: Path) -> None:
    """Measure the classifiers that ``folder`` holds no result of, one file each."""
    for row, (name, source) in tqdm(NETS.items(), desc="classifiers of Table 1", unit="classifier"):
        trained = folder if (folder / f"{name}.json").exists() else None
        if _file(name, folder).exists() or not data.available(source) or not parts.has_net(name, trained):
            continue
        net, test = zoo.load(name, device=run.device, folder=trained), data.load(source, "test")
        count = min(run["deepfool_table.images"], len(test))
        # MNIST's first images, as the authors' code takes them; CIFAR-10's JPEG copy is sorted by class
        chosen = test.take(count) if source == "mnist" else data.load(source, "test", count=count, seed=run.seed)
        measured = measure(net, chosen, few=run["deepfool_table.lbfgs_images"])
        which = f"test images 0–{count - 1}" if source == "mnist" else f"{count} test images, drawn by seed {run.seed}"
        content: dict[str, Any] = {"row": row, "net": name, "error": asdict(error_estimate(net, test))}
        content["attacks"] = {attack: asdict(found) for attack, found in measured.items()}
        if row in papers.table(AUTHORS).rows:
            content["authors"] = _as_the_authors(net, test.take(FIRST))
        store.write(_file(name, folder).stem, store.Origin.here(run, _line(name, test, which)), content, folder=folder)


def _as_the_authors(net: nn.Module, first: Dataset) -> dict[str, float]:
    needed = iterations(net, first.images).double()
    found = robustness(net, attacks.deepfool, first).relative_l2.value
    return {"ρ̂ DeepFool": found, "mean iterations": float(needed.mean()), "most iterations": int(needed.max())}


def _line(name: str, test: Dataset, which: str) -> str:
    about = zoo.recipe(name).about
    return f"{test.source.split(',')[0]}, {which}; {about}"


def _file(name: str, folder: Path) -> Path:
    return folder / f"{NAME}--{name}.json"


def record(run: Profile, folder: Path, *, into: Path = store.FOLDER) -> Path:
    """Record the classifiers in ``folder``; of a full run, also beside the paper's table.

    Raises:
        ValueError: none there, or measured by another commit than the first.
    """
    files = {row: _file(name, folder) for row, (name, _) in NETS.items()}
    found = {row: store.read(file.stem, folder=folder) for row, file in files.items() if file.exists()}
    if not found:
        raise ValueError(f"no classifier of Table 1 in {folder}; run the same without --record first")
    origins = [origin for origin, _ in found.values()]
    if len({(origin.commit, origin.device, origin.profile) for origin in origins}) > 1:
        raise ValueError(f"the results in {folder} are of several runs; delete the older ones: {origins}")
    rows = {row: content | {"data": origin.data} for row, (origin, content) in found.items()}
    origin = store.Origin(**asdict(origins[0]) | {"data": "MNIST and CIFAR-10, by row"})
    path = store.write(NAME, origin, {"rows": rows}, folder=into)
    if run.name == "full":
        for row, content in rows.items():
            line = {"run": run, "data": content["data"], "device": origin.device, "commit": origin.commit}
            papers.record(TABLE, {row: _classifier(content).cells()}, **line)
            if "authors" in content:
                first = re.sub(r"test images 0–\d+", f"test images 0–{FIRST - 1}", content["data"])
                papers.record(AUTHORS, {row: content["authors"]}, **(line | {"data": first}))
    return path


def load(*, folder: Path = store.FOLDER) -> tuple[store.Origin, dict[str, Classifier]]:
    """The recorded table with its intervals; see :func:`lecture13.papers.runs.store.read` for what may be wrong."""
    origin, content = store.read(NAME, folder=folder)
    return origin, {row: _classifier(found) for row, found in content["rows"].items()}


def _classifier(content: Mapping[str, Any]) -> Classifier:
    found = {}
    for name, plain in content["attacks"].items():
        estimates = {key: Estimate(**plain[key]) for key in ("relative_l2", "on_few", "success")}
        found[name] = Attacked(**{**plain, **estimates})
    return Classifier(content["net"], content["data"], Estimate(**content["error"]), found)


if __name__ == "__main__":
    sys.exit(parts.command_line(__doc__.split("\n\n")[0], train, record))
