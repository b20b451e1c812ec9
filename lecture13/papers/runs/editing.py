"""Bau et al. 2020, Figure 4: units of generators removed and inserted, on more nets and scenes than chapter 08 can.

Units are ranked on one set of z and tested on another. A killed run goes on with the next net::

    python -m lecture13.papers.runs.editing FOLDER --profile full --device cpu             # measures what is missing
    python -m lecture13.papers.runs.editing FOLDER --profile full --device cpu --record    # records what is there
"""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from tqdm import tqdm

from lecture13 import dissection, papers, zoo
from lecture13.dissection import insertion, replacing
from lecture13.dissection.insertion import PLACES
from lecture13.dissection.removal import Removed, remove_in_steps
from lecture13.estimates import Estimate
from lecture13.gan.images import to_unit
from lecture13.gan.nets import normal
from lecture13.papers.runs import parts, store
from lecture13.profile import Profile
from lecture13.render.scenes import CONCEPTS

NAME = "editing"
TREES, DOORS = "units-church-trees", "units-church-doors"
SURFACES = CONCEPTS["surface"]
#: (net, layer) to edit → in a few words
CUTS = {
    ("dcgan-scenes", "blocks.block8"): "64×64, 8² cells",
    **{(f"dcgan-scenes-32-seed-{n}", "blocks.block8"): f"32×32, seed {n}, 8² cells" for n in range(3)},
    **{(f"dcgan-scenes-32-seed-{n}", "blocks.block16"): f"32×32, seed {n}, 16² cells" for n in range(3)},
    ("progressive-scenes", "block8.1"): "Progressive, 8² cells",
}
BESIDE = next(iter(CUTS))  # whose numbers stand beside the paper's
COUNTS = (1, 2, 4, 8, 12, 20)
DOOR_LEVEL = 0.005  # a door unit's level: the paper's 99.5 %
DOOR_CELLS = (8, 8)  # a layer of as many cells as the paper's; a cell of a finer one is smaller than a door
#: door units → how they are ranked, and how many of them are taken
RECIPES = {"20 by IoU": 20, "8 by effect": 8}


@dataclass(frozen=True)
class Placed:
    """Door units switched on in one cell of a place.

    Args:
        trials: scenes, one cell in each.
        added: door pixels that came, as a share of those of an average scene.
        appears: share of the trials in which a door's worth of them came (:func:`door_size`).
    """

    trials: int
    added: Estimate
    appears: Estimate


@dataclass(frozen=True)
class Edited:
    """What was measured on one generator.

    Args:
        net, layer: its name in the zoo, and the layer edited.
        units: of that layer.
        trees: units that see trees, by an IoU above chance of more than .04.
        tested: scenes on which removal was measured.
        removed: for each count.
        changed: surface → by what share its area changed without the first 20 by IoU.
        behind: surface → of the tree pixels that are gone then, the share where it is drawn instead.
        places: recipe → place → what doors did there, for layers of :data:`DOOR_CELLS`; places that no scene has are
            left out.
    """

    net: str
    layer: str
    units: int
    trees: int
    tested: int
    removed: list[Removed]
    changed: dict[str, Estimate]
    behind: dict[str, Estimate]
    places: dict[str, dict[str, Placed]]

    def cells(self) -> dict[str, dict[str, dict[str, float]]]:
        """{table of the paper: {row: {column: value}}}, in its units."""
        trees, doors = papers.table(TREES).rows, papers.table(DOORS).rows
        gone = {str(found.count): found.ranked["IoU"] for found in self.removed}
        came = self.places.get("20 by IoU", {})
        return {
            TREES: {row: {"tree pixels removed": 100 * gone[row].value} for row in trees if row in gone},
            DOORS: {row: {"added door area": 100 * came[row].added.value} for row in doors if row in came},
        }


def tree_units(units: dissection.Units) -> Tensor:
    """(T,) int64: the units whose IoU with trees, at the level that suits it best, is above chance by more than .04."""
    beyond, column = units.best.beyond_chance(), dissection.concepts.index_of(units.best.concepts, "tree")
    return (beyond.iou[:, column] > dissection.DETECTOR).nonzero()[:, 0]


def door_size(side: int) -> int:
    """Pixels that make a door in a picture of this side: 3 at 32×32, a third of the median door."""
    return max(1, round(3 * (side / 32) ** 2))


def measure(net: str, layer: str, sizes: Mapping[str, int], *, seed: int, device: torch.device) -> Edited:
    """Rank, remove and insert on one generator, with ``sizes`` as ``SIZES["edit.recorded"]`` in the profile."""
    G, segmenter = zoo.load(net, device=device), zoo.load("scene-segmenter", device=device)
    segmenter.to(memory_format=torch.channels_last)  # a third faster on a CPU
    work = _Work(G, layer, lambda pictures: segmenter(to_unit(pictures)))
    chance = torch.Generator().manual_seed(seed)
    z, tested = (normal(G.noise)(sizes[name], chance) for name in ("ranked", "placed"))
    found = dissection.dissect(G, layer, z, work.segment, {"surface": SURFACES}, grid=dissection.GRID, seed=seed)[layer]
    removed, changed, behind = work.remove(
        found, z[: sizes["effect"]], tested[: sizes["tested"]], sizes["draws"], chance
    )
    size = next(dissection.activations(G, z[:1], layer)).shape[-2:]
    places = {}
    if tuple(size) == DOOR_CELLS:
        places = work.insert(found, z, tested, sizes["trials"], sizes["single"], chance)
    trees = len(tree_units(found))
    return Edited(net, layer, len(found), trees, sizes["tested"], removed, changed, behind, places)


class _Work:
    """A generator, the layer, and who says what is in the pictures."""

    def __init__(self, G: nn.Module, layer: str, segment: dissection.concepts.Segment):
        self.G, self.layer, self.segment = G, layer, segment
        self.common = (segment, SURFACES)

    def remove(
        self, found: dissection.Units, z: Tensor, tested: Tensor, draws: int, chance: torch.Generator
    ) -> tuple[list[Removed], dict[str, Estimate], dict[str, Estimate]]:
        by_effect = dissection.rank_by_effect(self.G, self.layer, z, *self.common, "tree").units
        rankings = {"IoU": found.best.ranked("tree"), "effect": by_effect}
        options = {"outside": tree_units(found), "draws": draws, "generator": chance}
        rows = remove_in_steps(self.G, self.layer, rankings, COUNTS, tested, *self.common, "tree", **options)
        without = rankings["IoU"][: COUNTS[-1]]
        done = dissection.effect(self.G, self.layer, without, tested, *self.common)
        changed = {name: done.change(name) for name in SURFACES if int(done.before[:, SURFACES.index(name)].sum())}
        behind = replacing.replaced(self.seen(tested), self.seen(tested, without), SURFACES, "tree")
        return rows, changed, behind

    def insert(
        self, found: dissection.Units, z: Tensor, tested: Tensor, trials: int, single: int, chance: torch.Generator
    ) -> dict[str, dict[str, Placed]]:
        levels = dissection.quantiles(dissection.activations(self.G, z, self.layer), DOOR_LEVEL).reshape(-1)
        cells, _ = self.places(z)
        foot = cells["foot of a building"]
        by_effect = insertion.rank_by_insertion(
            self.G, self.layer, levels, z, *self.common, "door", foot, trials=single, generator=chance
        )
        rankings = {"20 by IoU": found.level.ranked("door"), "8 by effect": by_effect.units}
        cells, before = self.places(tested)
        doors, typical = before[:, SURFACES.index("door")], float(before[:, SURFACES.index("door")].double().mean())
        side, places = int(before[0].sum()) ** 0.5, {}
        for recipe, count in RECIPES.items():
            units, places[recipe] = rankings[recipe][:count], {}
            for place in tqdm(PLACES, desc=f"doors, {recipe}", leave=False):
                options = {"before": before, "trials": trials, "generator": chance}
                done = insertion.insert_at(
                    self.G, self.layer, units, levels[units], tested, *self.common, cells[place], **options
                )
                if len(done.before) and doors.sum():
                    came = insertion.added(done, "door", typical), done.gained("door", door_size(round(side)))
                    places[recipe][place] = Placed(len(done.before), *came)
        return places

    def seen(self, z: Tensor, without: Sequence[int] | Tensor = ()) -> Tensor:
        return replacing.seen(self.G, self.layer, z, *self.common, without=without)

    def places(self, z: Tensor) -> tuple[dict[str, Tensor], Tensor]:
        """The cells of every place in the scenes of z, and their areas (N, K)."""
        maps = self.seen(z)
        areas = dissection.Masks({"surface": maps}, {"surface": SURFACES}).areas()
        return insertion.places(maps, SURFACES, DOOR_CELLS), areas


def train(run: Profile, folder: Path) -> None:
    """Measure the nets that ``folder`` holds no result of, one file each."""
    sizes = run["edit.recorded"]
    for net, layer in tqdm(CUTS, desc="generators", unit="layer"):
        if _file(net, layer, folder).exists():
            continue
        found = measure(net, layer, sizes, seed=run.seed, device=run.device)
        origin = store.Origin.here(run, "scenes drawn by shipped generators")
        store.write(_file(net, layer, folder).stem, origin, asdict(found), folder=folder)


def record(run: Profile, folder: Path, *, into: Path = store.FOLDER) -> Path:
    """Record the nets in ``folder``; of a full run, one of them also beside the paper's tables.

    Raises:
        ValueError: none there.
    """
    there = {cut: _file(*cut, folder) for cut in CUTS if _file(*cut, folder).exists()}
    if not there:
        raise ValueError(f"no generator's result in {folder}; run the same without --record first")
    found = {cut: store.read(file.stem, folder=folder) for cut, file in there.items()}
    origin = next(iter(found.values()))[0]
    path = store.write(NAME, origin, {"cuts": [content for _, content in found.values()]}, folder=into)
    if run.name == "full" and BESIDE in found:
        edited = _edited(found[BESIDE][1])
        data = f"{edited.tested} scenes drawn by {edited.net}, units of {edited.layer}"
        for table, cells in edited.cells().items():
            papers.record(table, cells, run=run, data=data, device=origin.device, commit=origin.commit)
    return path


def load(*, folder: Path = store.FOLDER) -> tuple[store.Origin, dict[tuple[str, str], Edited]]:
    """The recorded runs, by net and layer; see :func:`lecture13.papers.runs.store.read` for what may be wrong."""
    origin, content = store.read(NAME, folder=folder)
    return origin, {(plain["net"], plain["layer"]): _edited(plain) for plain in content["cuts"]}


def _edited(plain: dict[str, Any]) -> Edited:
    removed = [
        Removed(
            row["count"],
            {name: Estimate(**one) for name, one in row["ranked"].items()},
            [Estimate(**one) for one in row["random"]],
            row["held"],
            [Estimate(**one) for one in row["elsewhere"]],
        )
        for row in plain["removed"]
    ]
    places = {
        recipe: {
            place: Placed(one["trials"], *(Estimate(**one[name]) for name in ("added", "appears")))
            for place, one in by_place.items()
        }
        for recipe, by_place in plain["places"].items()
    }
    shares = {key: {name: Estimate(**one) for name, one in plain[key].items()} for key in ("changed", "behind")}
    return Edited(**{**plain, **shares, "removed": removed, "places": places})


def _file(net: str, layer: str, folder: Path) -> Path:
    return folder / f"{NAME}--{net}--{layer}.json"


if __name__ == "__main__":
    sys.exit(parts.command_line(__doc__.split("\n\n")[0], train, record))
