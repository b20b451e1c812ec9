"""Bau et al. 2020, Figures 1 and 2, on photographs: a classifier of outdoor scenes, dissected on facades.

The paper's net is VGG-16 on Places365. Ours is smaller: the course's scene classifier with wider late stages, trained
on the 17 outdoor classes of Tiny-ImageNet (64×64). It is dissected on LabelMeFacade (Fröhlich et al. 2010), photographs
of streets in which people have outlined buildings, windows, doors, cars; and on its own test photographs each class's
most important units are removed. Neither set may be passed on, so neither images nor weights ship; the numbers do::

    python -m lecture13.papers.runs.photographs FOLDER --profile full             # trains, if FOLDER holds no net yet
    python -m lecture13.papers.runs.photographs FOLDER --profile full --record    # dissects, removes, records

Both sets lie in the data folder (``$LECTURE13_DATA``): ``tiny-imagenet-outdoors/{train,test}/CLASS/*.jpg`` and
``facades/{images,labels}``.
"""

import sys
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from lecture13 import data, dissection, papers, processes
from lecture13.checkpoints import write_whole
from lecture13.data.files import MissingData, decode, read_image
from lecture13.dissection import FACADES, Count, Dissection, Removal
from lecture13.estimates import Estimate, mean
from lecture13.models.imagenet import imagenet
from lecture13.papers.runs import parts, store
from lecture13.profile import Profile, data_folder
from lecture13.render.concepts import COLOURS, name_colours
from lecture13.zoo.augment import Affine, Flip, Jitter
from lecture13.zoo.cards import pack, unpack
from lecture13.zoo.supervised import Supervised

NAME = "photographs"
NET = "outdoor-classifier"
SIZE = 64
LAYERS = tuple(f"relu{stage}_{place}" for stage in range(1, 6) for place in (1, 2))
LAST = LAYERS[-1]

#: Units removed, and kept, of each class.
REMOVED = (1, 2, 4, 8, 20)

#: {kind: names} of the facades: what people outlined, and the colour of every pixel by program.
CONCEPTS: dict[str, tuple[str, ...]] = {
    "object": ("none", "building", "sky", "vegetation", "car", "road", "pavement"),
    "part": ("none", "window", "door"),
    "colour": COLOURS,
}

#: A window or a door is a part, and belongs to the object that it is in.
WHOLE = {"window": "building", "door": "building"}


@dataclass(frozen=True)
class Photographs:
    """The recorded run.

    Args:
        origin: of the run.
        photographs: dissected.
        accuracy: of the classifier on test photographs.
        sizes: layer → its units.
        shares: concept → its share of all pixels.
        counts, beyond: detectors by layer and kind, at the top 1 %; and those beyond chance.
        best: of the last four layers, those beyond chance at the best level.
        detectors: of the layers, best first: layer, unit, concept, kind, IoU, and IoU with shuffled masks.
        removed: class → what was done (:attr:`lecture13.dissection.Removal.series`) → balanced accuracy.
        others: what was done → accuracy on the other classes, its mean over the classes.
    """

    origin: store.Origin
    photographs: int
    accuracy: Estimate
    sizes: dict[str, int]
    shares: dict[str, float]
    counts: list[Count]
    beyond: list[Count]
    best: list[Count]
    detectors: list[tuple[str, int, str, str, float, float]]
    removed: dict[str, dict[str, Estimate]]
    others: dict[str, float]


def facades(*, size: int = SIZE, count: int | None = None) -> tuple[Tensor, dict[str, Tensor]]:
    """Photographs of facades, and what stands where: (N, 3, size, size) in [0, 1], {kind: uint8 (N, size, size)}.

    Args:
        size: side of the middle square that is cut out and scaled.
        count: the first so many, in an order drawn once for all; None: all.

    Raises:
        MissingData: they are not in the data folder; says how to get them.
    """
    folder = data_folder() / "facades"
    labels = {path.stem: path for path in sorted((folder / "labels").glob("*.png"))}
    photographs = [path for path in sorted((folder / "images").glob("*.jpg")) if path.stem in labels]
    if not photographs:
        raise MissingData(
            "no photographs of facades in the data folder: clone github.com/cvjena/labelmefacade (non-commercial use) "
            "and put its folders images and labels below facades/ there, or set LECTURE13_DATA to where facades/ is"
        )
    order = torch.randperm(len(photographs), generator=torch.Generator().manual_seed(0))[:count].tolist()
    chosen = [photographs[index] for index in order]
    images = decode([lambda path=path: read_image(path) for path in chosen], size)
    found = dissection.read_maps([labels[path.stem] for path in chosen], FACADES, size=size)
    maps = {"colour": name_colours(images)}
    for kind in ("object", "part"):
        names = [name if name in CONCEPTS[kind] else WHOLE.get(name) if kind == "object" else None for name in FACADES]
        numbers = [CONCEPTS[kind].index(name or "none") for name in names]
        maps[kind] = torch.tensor(numbers, dtype=torch.uint8)[found.long()]
    return images, maps


def recipe(steps: int) -> Supervised:
    """How the classifier is trained, for some steps of 64 photographs."""
    return Supervised(
        name=NET,
        about="VGG-style classifier of outdoor photographs, five stages of two convolutions",
        model="scene_classifier",
        options={"classes": 17, "widths": (16, 32, 64, 96, 128)},
        data=f"folder:{data_folder() / 'tiny-imagenet-outdoors'}",
        size=SIZE,
        steps=steps,
        batch_size=64,
        learning_rate=3e-3,
        weight_decay=5e-2,
        augment=(Flip(), Affine(degrees=8, scale=0.2, shift=0.1, padding="border"), Jitter(0.2)),
    )


def train(run: Profile, folder: Path) -> None:
    """Train the classifier into ``folder``; a killed run goes on from its checkpoint."""
    if (folder / f"{NET}.safetensors").exists():
        return
    plan, fabric = recipe(run["detect.outdoor_steps"]), processes.start(run.device, run.precision)
    net, _ = plan.train(fabric, steps=plan.steps, seed=run.seed, checkpoint=folder / f"{NET}.ckpt", examples=None)
    write_whole(folder / f"{NET}.safetensors", pack(net))


@dataclass(frozen=True)
class AtHand:
    """A net for photographs, a layer of it with object detectors, and facades with their maps, all of one size."""

    net: nn.Module
    name: str
    layer: str
    images: Tensor
    maps: dict[str, Tensor]


def at_hand(count: int, *, download: bool = False) -> AtHand:
    """``count`` facades and a net for them: torchvision's VGG-16, else the one of this run, from the data folder.

    Args:
        count: of photographs.
        download: fetch VGG-16's weights where they are not in torch's cache.

    Raises:
        MissingData: no facades; says how to get them.
        FileNotFoundError: neither net; says how to get either.
    """
    facades(count=1)  # before anything is downloaded
    try:
        net, _ = imagenet("vgg16", download=download)
        return AtHand(net, "VGG-16 on ImageNet (torchvision)", "1.features.29", *facades(size=224, count=count))
    except FileNotFoundError as missing:
        try:
            net = load(data_folder() / NAME)
        except FileNotFoundError:
            raise FileNotFoundError(f"{missing}; `{NAME}` of lecture13.papers.runs trains a smaller net") from None
        return AtHand(net, f"{NET}, trained on Tiny-ImageNet", LAYERS[-2], *facades(count=count))


def load(folder: Path) -> nn.Module:
    """The classifier that was trained into ``folder``, in eval mode. FileNotFoundError says how to train it."""
    path = folder / f"{NET}.safetensors"
    if not path.exists():
        raise FileNotFoundError(f"no net {path}: python -m lecture13.papers.runs.{NAME} {folder} trains it")
    net = recipe(0).build()
    unpack(net, path.read_bytes())
    return net.eval()


def remove(net: nn.Module, ranked: int) -> tuple[dict[str, Removal], Estimate, str]:
    """Of each outdoor class, its most important units of the last layer removed; the net's accuracy; the test data.

    Units are ranked on ``ranked`` of the training photographs.
    """
    source = recipe(0).data
    train, test = data.load(source, "train", size=SIZE, count=ranked), data.load(source, "test", size=SIZE)
    reached = [dissection.rest_of(net, LAST, photos.images) for photos in (train, test)]
    rest, ranked_on, tested_on = reached[0][0], (reached[0][1], train.labels), (reached[1][1], test.labels)
    found = {
        name.replace("_", " "): dissection.remove_for_class(rest, LAST, target, ranked_on, tested_on, counts=REMOVED)
        for target, name in enumerate(train.classes)
    }
    accuracy = next(iter(found.values())).intact.overall
    return found, accuracy, f"Tiny-ImageNet, {len(train.classes)} outdoor classes, {len(test)} test photographs"


def record(run: Profile, folder: Path) -> None:
    """Dissect the net in ``folder`` and remove its units; record both."""
    net = load(folder)
    images, maps = facades(count=run["detect.facades"])
    found = dissection.dissect(net, LAYERS, images, maps, CONCEPTS)
    best = dissection.dissect(net, LAYERS[-4:], images, maps, CONCEPTS, grid=dissection.GRID)
    areas = dissection.Masks(maps, CONCEPTS).areas().double().mean(0) / SIZE**2
    shares = {str(concept): float(share) for concept, share in zip(found.concepts, areas, strict=True)}
    removed, accuracy, test = remove(net, run["detect.photographs"])
    line = f"LabelMeFacade, {len(images)} photographs, 64×64; net of Tiny-ImageNet ({float(accuracy):.0%} right)"
    _write(store.Origin.here(run, line), len(images), accuracy, shares, found, best, removed)
    if run.name != "full":
        return
    rows = {"conv5_1": LAYERS[-2], "conv5_3": LAST}  # our stages have two convolutions
    columns = {"objects": "object", "parts": "part", "colours": "colour"}
    counted = {(count.layer, count.kind): count.units for count in found.counts()}
    detectors = {row: {c: counted[layer, kind] for c, kind in columns.items()} for row, layer in rows.items()}
    papers.record("units-detectors", detectors, run=run, data=f"{line}; relu5_1 for conv5_1, relu5_2 for conv5_3")
    column, of = "balanced accuracy", f"{test}; {len(found[LAST])} units of {LAST}"
    name = min(removed, key=lambda name: float(removed[name].ranked.own))
    shown = removed[name]
    rows = {
        "intact": shown.intact,
        "4 removed": shown.without[4],
        "20 removed": shown.without[20],
        "only 20 kept": shown.only,
    }
    papers.record(
        "units-ski-resort",
        {
            row: {column: 100 * float(each.balanced), "accuracy over all classes": 100 * float(each.overall)}
            for row, each in rows.items()
        },
        run=run,
        data=f"{name}; {of}",
    )
    papers.record(
        "units-all-classes",
        {
            row: {column: 100 * mean([float(each.series[row].balanced) for each in removed.values()]).value}
            for row in ("intact", "20 removed", "only 20 kept")
        },
        run=run,
        data=of,
    )


def _write(
    origin: store.Origin,
    photographs: int,
    accuracy: Estimate,
    shares: dict[str, float],
    found: Dissection,
    best: Dissection,
    removed: dict[str, Removal],
) -> None:
    detectors = []
    for layer, units in found.layers.items():
        for unit in units.level.detectors().tolist():
            concept, index = units.level.label(unit), int(units.level.labels[unit])
            own, luck = float(units.level.iou[unit, index]), float(units.level.shuffled[unit, index])
            detectors.append([layer, unit, concept.name, concept.kind, own, luck])
    each = {name: removal.series for name, removal in removed.items()}
    names = next(iter(each.values()))
    content = {
        "photographs": photographs,
        "accuracy": asdict(accuracy),
        "sizes": {layer: len(units) for layer, units in found.layers.items()},
        "counts": [asdict(count) for count in found.counts()],
        "beyond": [asdict(count) for count in found.counts(beyond_chance=True)],
        "best": [asdict(count) for count in best.counts("best", beyond_chance=True)],
        "shares": shares,
        "detectors": detectors,
        "removed": {
            name: {done: asdict(accuracies.balanced) for done, accuracies in row.items()} for name, row in each.items()
        },
        "others": {done: mean([float(row[done].others) for row in each.values()]).value for done in names},
    }
    store.write(NAME, origin, content)


def read(*, folder: Path = store.FOLDER) -> Photographs:
    """The recorded run. FileNotFoundError where none is recorded."""
    origin, content = store.read(NAME, folder=folder)
    return Photographs(
        origin,
        content["photographs"],
        Estimate(**content["accuracy"]),
        content["sizes"],
        content["shares"],
        [Count(**count) for count in content["counts"]],
        [Count(**count) for count in content["beyond"]],
        [Count(**count) for count in content["best"]],
        [tuple(line) for line in content["detectors"]],
        {
            name: {done: Estimate(**estimate) for done, estimate in row.items()}
            for name, row in content["removed"].items()
        },
        content["others"],
    )


if __name__ == "__main__":
    sys.exit(parts.command_line(__doc__.split("\n\n")[0], train, record))
