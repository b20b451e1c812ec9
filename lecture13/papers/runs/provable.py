"""Wong & Kolter 2018, Table 1: error, error under attack and robust bound of nets trained plainly and provably.

The nets of MNIST and Fashion-MNIST ship; one whose data or weights are missing is left out. A killed run goes on with
the next net::

    python -m lecture13.papers.runs.provable FOLDER --profile full --device cpu             # measures what is missing
    python -m lecture13.papers.runs.provable FOLDER --profile full --device cpu --record    # records what is there
"""

import sys
from dataclasses import asdict
from pathlib import Path

from tqdm import tqdm

from lecture13 import data, papers, zoo
from lecture13.defenses.measuring import Row, measure
from lecture13.papers.runs import parts, store
from lecture13.profile import Profile

NAME = "provable"
TABLE = "polytope-table-1"
NETS = {  # row of the table → net
    "MNIST, standard": "mnist-plain",
    "MNIST, robust": "mnist-provable",
    "Fashion-MNIST, standard": "fashion-plain",
    "Fashion-MNIST, robust": "fashion-provable",
    "HAR, robust": "har-provable",
    "SVHN, robust": "svhn-provable",
}
#: measured beside them, not in the paper
BESIDE = {"MNIST, PGD training": "mnist-adversarial"}


def train(run: Profile, folder: Path) -> None:
    """Measure the nets that ``folder`` holds no result of, one file each, on the test images of their data."""
    for row, name in tqdm((NETS | BESIDE).items(), desc="nets of Table 1", unit="net"):
        recipe, trained = zoo.recipe(name), folder if (folder / f"{name}.json").exists() else None
        if _file(name, folder).exists() or not data.available(recipe.data) or not parts.has_net(name, trained):
            continue
        net = zoo.load(name, device=run.device, folder=trained)
        test = data.load(recipe.data, "test", **({} if recipe.size is None else {"size": recipe.size}))
        count = min(run["provable_table.images"], len(test))
        spaced = test.subset(range(0, len(test), len(test) // count))
        steps = run["provable_table.pgd_steps"]
        found = measure(net, spaced.images.to(run.device), spaced.labels.to(run.device), recipe.epsilon, steps=steps)
        which = "" if len(spaced) == len(test) else f", {len(spaced)} of them, evenly spaced"
        origin = store.Origin.here(run, f"{test.source}{which}; {recipe.about}")
        store.write(_file(name, folder).stem, origin, {"row": row, "net": name, "found": found.plain()}, folder=folder)


def record(run: Profile, folder: Path, *, into: Path = store.FOLDER) -> Path:
    """Record the nets in ``folder``, each with its own origin; those of a full run, also beside the paper's table.

    Raises:
        ValueError: none there, or measured on another device or profile than the first.
    """
    files = {row: _file(name, folder) for row, name in (NETS | BESIDE).items()}
    found = {row: store.read(file.stem, folder=folder) for row, file in files.items() if file.exists()}
    if not found:
        raise ValueError(f"no net of Table 1 in {folder}; run the same without --record first")
    origins = [origin for origin, _ in found.values()]
    if len({(origin.device, origin.profile) for origin in origins}) > 1:
        raise ValueError(f"the results in {folder} are of several machines; delete the older ones: {origins}")
    rows = {row: content | {"origin": asdict(origin)} for row, (origin, content) in found.items()}
    last = store.Origin(**asdict(origins[-1]) | {"data": "test images of each data set, by row"})
    path = store.write(NAME, last, {"rows": rows}, folder=into)
    if run.name == "full":
        for row, (origin, content) in found.items():
            if row in NETS:
                line = {"run": run, "data": origin.data, "device": origin.device, "commit": origin.commit}
                papers.record(TABLE, {row: Row.of(content["found"]).cells()}, **line)
    return path


def load(*, folder: Path = store.FOLDER) -> tuple[store.Origin, dict[str, Row]]:
    """The recorded rows with their intervals; see :func:`lecture13.papers.runs.store.read` for what may be wrong."""
    origin, content = store.read(NAME, folder=folder)
    return origin, {row: Row.of(found["found"]) for row, found in content["rows"].items()}


def _file(name: str, folder: Path) -> Path:
    return folder / f"{NAME}--{name}.json"


if __name__ == "__main__":
    sys.exit(parts.command_line(__doc__.split("\n\n")[0], train, record))
