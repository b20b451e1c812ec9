"""Eykholt et al. 2018 on real images: graffiti against GTSRB-CNN, on photographs and from the places of Table 5.

RP2 paints black and white stickers for Stop → Speed Limit 80. Once on photographs of real signs, from half of them, and
it is tested on the others; once on the drawn sign of chapter 15, before its camera. The net has to be trained first;
its weights do not ship, nor do the photographs::

    python -m lecture13 train gtsrb-cnn --folder FOLDER
    python -m lecture13.papers.runs.graffiti FOLDER --profile full             # attacks and measures
    python -m lecture13.papers.runs.graffiti FOLDER --profile full --record    # records what is in FOLDER

The photographs lie in the data folder (``$LECTURE13_DATA``): ``stop-signs/road/*.png``, each cropped to its sign.
"""

import json
import sys
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import torch
from torch import Tensor

from lecture13 import attacks, estimates, evaluation, papers, roadside, zoo
from lecture13.checkpoints import write_whole
from lecture13.data.files import MissingData, decode, read_image
from lecture13.data.small import GTSRB_CLASSES
from lecture13.estimates import Estimate
from lecture13.guard import Model
from lecture13.papers import markup
from lecture13.papers.runs import parts, store
from lecture13.profile import Profile, data_folder
from lecture13.render.faces import faces
from lecture13.render.snapshots import FACE, Snapshots

NAME = "graffiti"
NET = "gtsrb-cnn"
TABLE, SUCCESS = "graffiti-table-5", "graffiti-success"
DRAWN = "drawn sign with stickers"
STOP, TARGET = GTSRB_CLASSES.index("stop"), GTSRB_CLASSES.index("speed limit 80")
SHARE = 0.25  # of the sign that is painted
#: What photographs that are cropped to their sign go through: they hold perspective and light of their own already.
AGAIN = Snapshots(angle=(-15, 15), margin=(0.9, 1.15), exposure=(-0.3, 0.3))


@dataclass(frozen=True)
class Place:
    """What GTSRB-CNN reads from one of Table 5's places: the two likeliest classes, and the share that hits.

    ``clean`` is the share of the pictures of the sign without stickers that are read as a stop sign.
    """

    row: str
    first: str
    confidence: float
    second: str
    second_confidence: float
    success: Estimate
    clean: Estimate


@dataclass(frozen=True)
class Graffiti:
    """The recorded run.

    Args:
        origin: of the run.
        accuracy: of the net on GTSRB's test images.
        tests: how many those are.
        trained: how long, on what, when.
        made, tested: photographs that the paint was made from, and others that it was tested on.
        shares: what was photographed → read as → its share of the pictures.
        places: of Table 5, the drawn sign.
    """

    origin: store.Origin
    accuracy: float
    tests: int
    trained: str
    made: int
    tested: int
    shares: dict[str, dict[str, Estimate]]
    places: list[Place]

    @property
    def grid(self) -> markup.Grid:
        """A row for each kind of picture."""
        rows = [[name, each["stop"].percent, each["speed limit 80"].percent] for name, each in self.shares.items()]
        caption = (
            f"GTSRB-CNN ({100 * self.accuracy:.1f} % on {self.tests} test images), black and white stickers, Stop → "
            f"Speed Limit 80, with 95 % intervals ({self.origin.label})"
        )
        notes = [
            f"Made from {self.made} photographs, tested on {self.tested} others, each also in views of its own",
            f"GTSRB-CNN was trained for {self.trained}; neither its weights nor the images may be passed on",
        ]
        return markup.Grid(caption, ["pictures", "read as stop", "read as speed limit 80"], rows, notes)

    def _repr_html_(self) -> str:
        return markup.to_html(self.grid)

    def _repr_markdown_(self) -> str:
        return markup.to_markdown(self.grid)


def photographs(size: int = FACE) -> Tensor:
    """Photographs of real stop signs, each cropped to its sign: (N, 3, size, size) in [0, 1].

    Raises:
        MissingData: they are not in the data folder; says how to get them.
    """
    files = sorted((data_folder() / "stop-signs" / "road").glob("*.png"), key=lambda file: (len(file.name), file.name))
    if not files:
        raise MissingData(
            "no photographs of stop signs in the data folder: put crops of signs, as the authors of the paper publish "
            "them, into stop-signs/road/ there, or set LECTURE13_DATA to where stop-signs/ is"
        )
    return decode([lambda file=file: read_image(file) for file in files], size)


def attack(model: Model, images: Tensor, region: Tensor, camera: Snapshots, sizes: dict[str, int], seed: int) -> Tensor:
    """The stickers' δ, (1, 3, H, W): an ℓ1 pass, camouflage where it painted, RP2 in it, then only black and white."""
    chance = torch.Generator().manual_seed(seed)
    shared = {"transforms": camera, "batch_size": sizes["batch"], "generator": chance}
    heat = attacks.vulnerable(model, images, TARGET, region=region, steps=sizes["search"], **shared)
    mask = attacks.graffiti_mask(heat, region, shape="camouflage", share=SHARE)
    ink = {"palette": attacks.STICKERS, "smoothness_weight": 1.0, "learning_rate": 0.05}
    delta = attacks.graffiti(model, images, TARGET, mask=mask, steps=sizes["steps"], **shared, **ink)
    sign = images.mean(0, keepdim=True)
    return torch.where(mask > 0, attacks.printed_in(sign + delta, attacks.STICKERS) - sign, 0.0)


def measure(run: Profile, folder: Path) -> dict:
    """Both attacks, and what the net reads, as plain values."""
    model, card = zoo.load(NET, folder=folder, device=run.device), zoo.card(NET, folder=folder)
    sizes, shares = run["graffiti.recorded"], {}
    face = faces(FACE)[0].to(run.device)
    sign, region = face[None, :3], (face[3] > 0.99).float()

    order = torch.Generator().manual_seed(run.seed)
    real = photographs().to(run.device)
    real = real[torch.randperm(len(real), generator=order).to(run.device)]
    seen, held = real.split([len(real) - len(real) // 2, len(real) // 2])
    delta = attack(model, seen, region, AGAIN, sizes, run.seed)
    repeated = held.repeat_interleave(sizes["views"], 0)
    shots = AGAIN.draw(len(repeated), order)
    for name, paint in (("as they are", torch.zeros_like(delta)), ("with stickers", delta)):
        painted = attacks.paint(held, paint)
        shares[f"photographs {name}"] = _shares(model, torch.nn.functional.avg_pool2d(painted, FACE // 32))
        views = AGAIN.take(attacks.paint(repeated, paint), shots)
        shares[f"photographs {name}, {sizes['views']} views of each"] = _shares(model, views)

    camera = replace(Snapshots(), cover=face[3])
    drawn = attacks.paint(sign, attack(model, sign, region, camera, sizes, run.seed))
    rows = papers.table(TABLE).rows
    places = [roadside.place_of(row) for row in rows]
    drive = {"snapshots": camera, "count": sizes["pictures"]}
    readings = {
        name: roadside.read_from(model, each, places, **drive, generator=torch.Generator().manual_seed(run.seed + 1))
        for name, each in (("drawn sign as it is", sign), (DRAWN, drawn))
    }
    for name, each in readings.items():
        shares[f"{name}, Table 5's places"] = {
            GTSRB_CLASSES[label]: asdict(roadside.overall(each, label)) for label in (STOP, TARGET)
        }
    found = [_place(row, after, before) for row, before, after in zip(rows, *readings.values(), strict=True)]
    counts = {"made": len(seen), "tested": len(held), "accuracy": card.value, "tests": card.n}
    counts["trained"] = f"{card.steps} steps, {card.seconds:.0f} s, {card.device}, {card.precision}, {card.date}"
    return {**counts, "shares": shares, "places": [asdict(place) for place in found]}


def train(run: Profile, folder: Path) -> None:
    """Attack and measure, into ``folder``, unless that was done."""
    path = folder / f"{NAME}.json"
    if not path.exists():
        write_whole(path, json.dumps(measure(run, folder), ensure_ascii=False).encode())


def record(run: Profile, folder: Path, *, into: Path = store.FOLDER) -> Path:
    """Record what is in ``folder``; of a full run, the drawn sign also beside the paper's Table 5.

    Raises:
        ValueError: nothing there.
    """
    path = folder / f"{NAME}.json"
    if not path.exists():
        raise ValueError(f"no results in {folder}; run the same without --record first")
    content = json.loads(path.read_text(encoding="utf-8"))
    line = f"{content['made'] + content['tested']} photographs of stop signs; the drawn stop sign"
    origin = store.Origin.here(run, line)
    written = store.write(NAME, origin, content, folder=into)
    if run.name == "full":
        kept = load(folder=into)
        hits = 100 * kept.shares[f"{DRAWN}, Table 5's places"][GTSRB_CLASSES[TARGET]].value
        cells = {
            SUCCESS: {next(iter(papers.table(SUCCESS).rows)): {"targeted success": hits}},
            TABLE: {
                place.row: {
                    "top class": place.first,
                    "confidence": place.confidence,
                    "second class": place.second,
                    "second confidence": place.second_confidence,
                }
                for place in kept.places
            },
        }
        data = "the drawn stop sign with stickers before the course's camera, our GTSRB-CNN"
        for table, found in cells.items():
            papers.record(table, found, run=run, data=data, device=origin.device, commit=origin.commit)
    return written


def load(*, folder: Path = store.FOLDER) -> Graffiti:
    """The recorded run; see :func:`lecture13.papers.runs.store.read` for what may be wrong with it."""
    origin, content = store.read(NAME, folder=folder)
    shares = {
        name: {label: Estimate(**value) for label, value in each.items()} for name, each in content["shares"].items()
    }
    places = [
        Place(**each | {name: Estimate(**each[name]) for name in ("success", "clean")}) for each in content["places"]
    ]
    return Graffiti(**{**content, "origin": origin, "shares": shares, "places": places})


def _shares(model: Model, images: Tensor) -> dict[str, dict]:
    found, _ = evaluation.predict(model, images)
    return {
        GTSRB_CLASSES[label]: asdict(estimates.share(int((found == label).sum()), len(found)))
        for label in (STOP, TARGET)
    }


def _place(row: str, reading: roadside.Reading, clean: roadside.Reading) -> Place:
    first, second = reading.ranking[:2]
    sure, less = (float(reading.confidence[label]) for label in (first, second))
    success, right = reading.success(TARGET), clean.success(STOP)
    return Place(row, GTSRB_CLASSES[first], sure, GTSRB_CLASSES[second], less, success, right)


if __name__ == "__main__":
    sys.exit(parts.command_line(__doc__.split("\n\n")[0], train, record))
