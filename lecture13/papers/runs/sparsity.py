"""Gopalakrishnan et al. 2018, Figure 6: accuracy over ε for no defence, front end, network sparsity, and both.

Two classes of Fashion-MNIST, the net 784-10-1. The pair of classes, K and γ are ours; the paper does not state them::

    python -m lecture13.papers.runs.sparsity FOLDER --profile full --device cpu             # trains and measures
    python -m lecture13.papers.runs.sparsity FOLDER --profile full --device cpu --record    # records what is there
"""

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from torch import Tensor
from tqdm import tqdm

from lecture13 import data, papers
from lecture13.checkpoints import write_whole
from lecture13.data import Dataset
from lecture13.defenses import polytope
from lecture13.defenses.sparsity import comparison
from lecture13.defenses.sparsity.comparison import DEFENCES, Defended
from lecture13.estimates import Estimate, share
from lecture13.papers.runs import parts, store
from lecture13.profile import Profile

NAME = "sparsity"
TABLE = "sparsity-figure-6"
PAIR = (3, 7)  # ours: the numbers of the paper's MNIST pair; of Fashion-MNIST, a dress and a sneaker
KEEP = 59  # K, 7.5 % of 784: ours, the best of those tried on training images. The paper's 3 % is for digits
GAMMAS = (2.0, 2.0)  # ours


@dataclass(frozen=True)
class Fall:
    """How each defence falls.

    Args:
        count: test images.
        epsilons: of the curves, pixel units.
        linear: defence → accuracy under the locally linear attack along the exact gradient, at each ε.
        adaptive: defence → accuracy that is left after all of :func:`comparison.adaptive_attacks`, at each ε.
        half: the ε at which the undefended net falls to 50 % under PGD.
        at_half: defence → accuracy that is left there.
        each: defence → attack → accuracy there.
        certified: defence → share of images for which :mod:`polytope` proves at ``half`` that no attack exists; of
            the defences without a front end, which the polytope does not know.
        zeros: defence → share of zero weights of each layer.
        norms: defence → largest ℓ1 norm of a row of each layer.
    """

    count: int
    epsilons: list[float]
    linear: dict[str, list[Estimate]]
    adaptive: dict[str, list[Estimate]]
    half: float
    at_half: dict[str, Estimate]
    each: dict[str, dict[str, Estimate]]
    certified: dict[str, Estimate]
    zeros: dict[str, list[float]]
    norms: dict[str, list[float]]


def pair(dataset: Dataset, classes: tuple[int, int] = PAIR) -> tuple[Tensor, Tensor]:
    """The images of two classes, and their labels 0 and 1."""
    chosen = dataset.subset((dataset.labels == classes[0]) | (dataset.labels == classes[1]))
    return chosen.images, (chosen.labels == classes[1]).long()


def measure(
    nets: Mapping[str, Defended],
    images: Tensor,
    labels: Tensor,
    epsilons: Sequence[float],
    *,
    steps: int,
    queries: int,
    half: float | None = None,
) -> Fall:
    """Attack every defence at every ε, and once more, by name, where the undefended net has fallen to half.

    Args:
        nets: by the names of :data:`DEFENCES`, ``"none"`` among them.
        images, labels: ``(N, C, H, W)`` in [0, 1], int64 ``(N,)`` of 0 and 1.
        epsilons: pixel units.
        steps: of PGD.
        queries: of the random search, at the one ε; on the curves it is left out.
        half: the ε of the second measurement; None: measured.
    """
    plain = nets["none"].network
    if half is None:
        half = comparison.epsilon_of(plain, images, labels, steps=steps)
    linear: dict[str, list[Estimate]] = {name: [] for name in nets}
    adaptive: dict[str, list[Estimate]] = {name: [] for name in nets}
    at_half, each, certified = {}, {}, {}
    with tqdm(total=len(nets) * (len(epsilons) + 1), desc="attacks", leave=False, delay=1) as bar:
        for name, net in nets.items():
            for epsilon in epsilons:
                suite = comparison.adaptive_attacks(net, plain, epsilon, steps=steps, queries=0)
                left, by_attack = comparison.accuracies(net, images, labels, suite)
                adaptive[name].append(left)
                linear[name].append(by_attack["locally linear, exact"])
                bar.update()
            suite = comparison.adaptive_attacks(net, plain, half, steps=steps, queries=queries)
            at_half[name], each[name] = comparison.accuracies(net, images, labels, suite)
            if net.front is None:
                failed = polytope.robust_error(net.network, images, labels, half, method="tighter", box=(0.0, 1.0))
                certified[name] = share(round((1 - failed) * len(labels)), len(labels))
            bar.update()
    zeros, norms = ({name: getattr(net, what) for name, net in nets.items()} for what in ("zeros", "norms"))
    return Fall(len(labels), list(epsilons), linear, adaptive, half, at_half, each, certified, zeros, norms)


def train(run: Profile, folder: Path) -> None:
    """Train the four nets, from checkpoints in ``folder`` where there are any, and measure them."""
    images, labels = _data(run, "train")
    sizes = {"keep": KEEP, "gammas": GAMMAS, "steps": run["sparsity.recorded_steps"]}
    nets = {}
    for name in DEFENCES:
        checkpoint = folder / f"{name.replace(' ', '-')}.ckpt"
        nets[name] = comparison.train(images, labels, defence=name, seed=run.seed, checkpoint=checkpoint, **sizes)
    images, labels = _data(run, "test")
    found = measure(nets, images, labels, run["sparsity.epsilons"], steps=run["sparsity.recorded_pgd"], queries=500)
    write_whole(folder / f"{NAME}.json", json.dumps(asdict(found)).encode())


def record(run: Profile, folder: Path, *, into: Path = store.FOLDER) -> Path:
    """Record the results in ``folder``; of a full run, the range of ε also beside the paper's.

    Raises:
        ValueError: none there.
    """
    path = folder / f"{NAME}.json"
    if not path.exists():
        raise ValueError(f"no results in {folder}; run the same without --record first")
    whole = data.load("fashion-mnist", "test")
    names = " and ".join(f"“{whole.classes[k]}”" for k in PAIR)
    origin = store.Origin.here(run, f"{whole.source}, of these {names}")
    content = json.loads(path.read_text(encoding="utf-8"))
    if run.name == "full":
        shown = {"from": content["epsilons"][0], "to": content["epsilons"][-1], "what": "pixel units, [0, 1]"}
        papers.record(TABLE, {"ε": shown}, run=run, data=origin.data, device=origin.device, commit=origin.commit)
    return store.write(NAME, origin, content, folder=into)


def load(*, folder: Path = store.FOLDER) -> tuple[store.Origin, Fall]:
    """The recorded run; see :func:`lecture13.papers.runs.store.read` for what may be wrong with it."""
    origin, content = store.read(NAME, folder=folder)
    for name in ("linear", "adaptive"):
        content[name] = {key: [Estimate(**one) for one in found] for key, found in content[name].items()}
    for name in ("at_half", "certified"):
        content[name] = {key: Estimate(**found) for key, found in content[name].items()}
    content["each"] = {
        key: {attack: Estimate(**one) for attack, one in found.items()} for key, found in content["each"].items()
    }
    return origin, Fall(**content)


def _data(run: Profile, split: str) -> tuple[Tensor, Tensor]:
    images, labels = pair(data.load("fashion-mnist", split))
    if split == "test":
        generator = torch.Generator().manual_seed(run.seed)
        chosen = torch.randperm(len(labels), generator=generator)[: run["sparsity.recorded_images"]].sort().values
        images, labels = images[chosen], labels[chosen]
    return images.to(run.device), labels.to(run.device)


if __name__ == "__main__":
    sys.exit(parts.command_line(__doc__.split("\n\n")[0], train, record))
