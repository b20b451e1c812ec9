"""Liu et al. 2017, Table 4: images made on four nets, shown to the fifth; on the five small nets that ship.

Untargeted, every image moved as far as the paper's: an RMSD of 17.5 levels. Beside it, images made on one net alone::

    python -m lecture13.papers.runs.transfer --profile full --device cpu
"""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from torch import Tensor, nn
from tqdm import tqdm

from lecture13 import attacks, data, zoo
from lecture13.estimates import Estimate, mean, share
from lecture13.evaluation import predict
from lecture13.papers.runs import store
from lecture13.profile import Profile, use
from lecture13.zoo.recipes.families import FAMILIES

NAME = "transfer"
MAX_RMSD = 17.5  # levels of 0–255
STEPS = 100


@dataclass(frozen=True)
class Made:
    """Images made in one way, and what each net makes of them.

    Args:
        on: the nets that the images were made on.
        rmsd: mean over the images, in levels of 0–255.
        accuracy: by net, the share named right, in [0, 1].
    """

    on: tuple[str, ...]
    rmsd: Estimate
    accuracy: dict[str, Estimate]


@dataclass(frozen=True)
class Transfer:
    """Both matrices: by the net that the images were made on alone, and by the one that was left out.

    Args:
        count: images.
        clean: nothing changed.
        alone: by the net that they were made on.
        without: by the net that was left out, as in Table 4.
    """

    count: int
    clean: Made
    alone: dict[str, Made]
    without: dict[str, Made]

    def best_single(self, held_out: str) -> str:
        """The other net whose images leave ``held_out`` the lowest accuracy."""
        others = [name for name in self.alone if name != held_out]
        return min(others, key=lambda name: self.alone[name].accuracy[held_out].value)

    def wins(self) -> list[str]:
        """The nets that the other four together fool more often than each of them alone does."""
        return [
            name
            for name, made in self.without.items()
            if made.accuracy[name].value < self.alone[self.best_single(name)].accuracy[name].value
        ]


def measure(
    nets: dict[str, nn.Module], images: Tensor, labels: Tensor, *, max_rmsd: float = MAX_RMSD, steps: int = STEPS
) -> Transfer:
    """Attack by every net alone and by every four of five.

    Args:
        nets: by name, two or more, of the same classes.
        images, labels: float ``(N, C, H, W)`` in [0, 1], int64 ``(N,)``; all are attacked, also those misnamed as they
            are.
        max_rmsd, steps: as :func:`lecture13.attacks.ensemble`.
    """

    def made(on: Sequence[str]) -> Made:
        chosen, found = [nets[name] for name in on], images
        if on:
            found = attacks.ensemble(chosen, images, labels, max_rmsd=max_rmsd, steps=steps)
        right = {name: predict(net, found)[0] == labels.cpu() for name, net in nets.items()}
        accuracy = {name: share(int(each.sum()), len(labels)) for name, each in right.items()}
        return Made(tuple(on), mean(attacks.rmsd(images, found).cpu().numpy()), accuracy)

    ways = [(name,) for name in nets] + [tuple(other for other in nets if other != name) for name in nets]
    results = [made(on) for on in tqdm(ways, desc="images made", unit="way")]
    alone, without = results[: len(nets)], results[len(nets) :]
    return Transfer(len(labels), made(()), dict(zip(nets, alone, strict=True)), dict(zip(nets, without, strict=True)))


def record(run: Profile, *, into: Path = store.FOLDER) -> Transfer:
    """Measure the five nets on test images of their world, and record the result."""
    chosen = data.load("scenes", "test", size=32, count=run["transfer_table.images"], seed=run.seed)
    nets = {name: zoo.load(name, device=run.device) for name in FAMILIES}
    found = measure(nets, chosen.images.to(run.device), chosen.labels.to(run.device))
    content = {"max_rmsd": MAX_RMSD, "steps": STEPS, **asdict(found)}
    store.write(NAME, store.Origin.here(run, chosen.source), content, folder=into)
    return found


def load(*, folder: Path = store.FOLDER) -> tuple[store.Origin, Transfer]:
    """The recorded matrices; see :func:`lecture13.papers.runs.store.read` for what may be wrong with them."""
    origin, content = store.read(NAME, folder=folder)
    alone, without = ({name: _made(each) for name, each in content[way].items()} for way in ("alone", "without"))
    return origin, Transfer(content["count"], _made(content["clean"]), alone, without)


def _made(content: dict[str, Any]) -> Made:
    accuracy = {name: Estimate(**each) for name, each in content["accuracy"].items()}
    return Made(tuple(content["on"]), Estimate(**content["rmsd"]), accuracy)


def main(arguments: list[str] | None = None) -> int:
    """Measure and record."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--profile", help="smoke, laptop or full ($LECTURE13_PROFILE, else laptop)")
    parser.add_argument("--device", help="cpu, cuda, … (the best there is)")
    parser.add_argument("--seed", type=int, default=0, help="of the test images (0)")
    options = parser.parse_args(arguments)
    found = record(use(options.profile, device=options.device, seed=options.seed))
    sys.stdout.write(f"four nets fool the fifth more often than each alone does: {len(found.wins())} of 5\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
