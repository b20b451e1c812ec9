"""Athalye et al. 2018, Table 2: every solid painted to be read as every other, and rendered in unseen poses.

The paper attacks 10 objects towards 20 random targets each. The course's classifier knows ten solids, so each is aimed
at all nine others. A killed run goes on with the next object::

    python -m lecture13.papers.runs.objects FOLDER --profile full --device cpu             # paints what is missing
    python -m lecture13.papers.runs.objects FOLDER --profile full --device cpu --record    # records what is there
"""

import statistics
import sys
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from tqdm import tqdm

from lecture13 import attacks, papers, zoo
from lecture13.outcomes import outcomes
from lecture13.papers.runs import parts, store
from lecture13.profile import Profile
from lecture13.render import solids

NAME = "objects"
TABLE = "turtle-simulated"
NET = "solid-classifier"
DATA = "solids at 64×64, the course's classifier of ten solids"


@dataclass(frozen=True)
class Pair:
    """One object painted for one target: shares of the unseen poses.

    Args:
        label, target: names of solids.
        original_accuracy, original_adversariality: as it is, read as what it is and as the target.
        accuracy, adversariality: the same, painted.
        change: ΔE on the object's own pixels, root mean square, mean over poses.
    """

    label: str
    target: str
    original_accuracy: float
    original_adversariality: float
    accuracy: float
    adversariality: float
    change: float


@dataclass(frozen=True)
class Objects:
    """The recorded run.

    Args:
        origin: of the run.
        steps: of each attack.
        poses: unseen ones that each pair is tested in.
        pairs: of all objects and targets.
    """

    origin: store.Origin
    steps: int
    poses: int
    pairs: list[Pair]

    @property
    def names(self) -> list[str]:
        """The objects."""
        return list(dict.fromkeys(pair.label for pair in self.pairs))

    @property
    def matrix(self) -> np.ndarray:
        """Adversariality, (objects, all solids as targets); NaN where none was aimed at."""
        found = np.full((len(self.names), len(solids.CLASSES)), np.nan)
        for pair in self.pairs:
            found[self.names.index(pair.label), solids.CLASSES.index(pair.target)] = pair.adversariality
        return found

    def cells(self) -> dict[str, dict[str, float]]:
        """As in the paper's table: mean and standard deviation over pairs, in per cent."""
        return {
            "original": _summary(
                [pair.original_accuracy for pair in self.pairs], [pair.original_adversariality for pair in self.pairs]
            ),
            "adversarial": _summary(
                [pair.accuracy for pair in self.pairs], [pair.adversariality for pair in self.pairs]
            ),
        }


def _summary(accuracy: list[float], adversariality: list[float]) -> dict[str, float]:
    columns = {"accuracy": accuracy, "adversariality": adversariality}
    means = {name: 100 * statistics.mean(values) for name, values in columns.items()}
    return means | {f"{name}, s.d.": 100 * statistics.pstdev(values) for name, values in columns.items()}


def paint(net: nn.Module, label: str, target: str, run: Profile, number: int) -> Pair:
    """Attack one object towards one target, and look at the result; ``number`` is the pair's own source of chance."""
    solid = solids.solid(label)
    shoot, original = solids.camera(solid, device=run.device), solid.texture.to(run.device)
    aim, own = solids.CLASSES.index(target), solids.CLASSES.index(label)
    in_making, in_test = (torch.Generator(run.device).manual_seed(2 * number + k) for k in (0, 1))
    settings = {"steps": run["objects.steps"], "generator": in_making}
    painted = attacks.expectation(net, solids.render, original, aim, poses=shoot, **settings)
    unseen = shoot(run["objects.poses"], in_test)
    before, after = (
        outcomes(attacks.predict_poses(net, solids.render, texture, poses=unseen, count=len(unseen)), own, aim)
        for texture in (original, painted)
    )
    return Pair(
        label,
        target,
        before.correct.value,
        before.adversarial.value,
        after.correct.value,
        after.adversarial.value,
        _change(original, painted, unseen),
    )


def train(run: Profile, folder: Path) -> None:
    """Paint the objects that ``folder`` has no results of, one file each."""
    net = zoo.load(NET, device=run.device)
    for row, label in enumerate(tqdm(solids.CLASSES, desc="objects", unit="object")):
        if _file(label, folder).exists():
            continue
        others = [name for name in solids.CLASSES if name != label][: run["objects.targets"]]
        bar = tqdm(others, desc=label, unit="target", leave=False)
        first = len(solids.CLASSES) * (row + 100 * run.seed)
        found = [asdict(paint(net, label, target, run, first + column)) for column, target in enumerate(bar)]
        content = {"steps": run["objects.steps"], "poses": run["objects.poses"], "pairs": found}
        store.write(_file(label, folder).stem, store.Origin.here(run, DATA), content, folder=folder)


def record(run: Profile, folder: Path, *, into: Path = store.FOLDER) -> Path:
    """Record the objects in ``folder``; of a full run of all, also beside the paper's table.

    Raises:
        ValueError: none there, or of several runs.
    """
    files = [_file(label, folder) for label in solids.CLASSES]
    found = [store.read(file.stem, folder=folder) for file in files if file.exists()]
    if not found:
        raise ValueError(f"no objects in {folder}; run the same without --record first")
    origin, content = found[-1]
    if any(replace(each, date=origin.date) != origin or kept["steps"] != content["steps"] for each, kept in found):
        raise ValueError(f"the objects in {folder} are of several runs; delete the older ones")
    content["pairs"] = [pair for _, kept in found for pair in kept["pairs"]]
    path = store.write(NAME, origin, content, folder=into)
    if run.name == "full" and len(found) == len(files):
        whole = load(folder=into)
        about = f"{origin.data}; {len(whole.pairs)} pairs, {whole.poses} poses each"
        papers.record(TABLE, whole.cells(), run=run, data=about, device=origin.device, commit=origin.commit)
    return path


def load(*, folder: Path = store.FOLDER) -> Objects:
    """The recorded run; see :func:`lecture13.papers.runs.store.read` for what may be wrong with it."""
    origin, content = store.read(NAME, folder=folder)
    return Objects(origin, content["steps"], content["poses"], [Pair(**pair) for pair in content["pairs"]])


@torch.no_grad()
def _change(original: Tensor, painted: Tensor, views: solids.Views) -> float:
    before, after = (solids.render(texture, views) for texture in (original, painted))
    return float((attacks.lab_distance(after, before) / views.coverage.sqrt()).mean())


def _file(label: str, folder: Path) -> Path:
    return folder / f"{NAME}--{label.replace(' ', '-')}.json"


if __name__ == "__main__":
    sys.exit(parts.command_line(__doc__.split("\n\n")[0], train, record))
