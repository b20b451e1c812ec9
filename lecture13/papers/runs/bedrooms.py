"""Radford et al. 2016, Figures 2 and 3, in numbers: do the shipped nets draw as the data does, and do they copy it?

Against all training scenes, where chapter 02 takes a few of them; recorded beside the paper's figures::

    python -m lecture13.papers.runs.bedrooms --record
"""

import argparse
import sys
from collections.abc import Mapping

import torch
from torch import Tensor, nn

from lecture13 import papers, zoo
from lecture13.data.stock import scene_bytes
from lecture13.gan.nets import normal
from lecture13.gan.sampling import sample
from lecture13.gan.scores import frechet_distance, nearest, scene_features, suspicious
from lecture13.profile import Profile, use

TABLE = "dcgan-bedrooms"
NETS = {"Figure 2": ("dcgan-scenes-pass-1", 1), "Figure 3": ("dcgan-scenes-pass-5", 5)}  # row → net, passes


def measure(images: Mapping[str, Tensor], train: Tensor, real: Tensor, fresh: Tensor, net: nn.Module) -> dict:
    """Both measures of each row's generated images.

    Args:
        images: row → (N, 3, S, S) in [0, 1].
        train: the training images, floats or bytes; the mirrored ones count too.
        real, fresh: (N, 3, S, S) held-out images each.
        net: the segmenter.

    Returns:
        row → column of the table → value.
    """
    features, count = scene_features(net), len(fresh)
    asked = torch.cat([fresh, *images.values()])
    found = [nearest(asked, part).distance[:, 0] for part in (train, train.flip(-1))]
    distance = torch.minimum(*found).split(count)
    return {
        row: {
            "Fréchet distance on scene-segmenter features": frechet_distance(real, batch, features).value,
            "generated images nearer to a training image than 99 % of fresh ones are": 100
            * suspicious(near, distance[0]),
        }
        for (row, batch), near in zip(images.items(), distance[1:], strict=True)
    }


def full(run: Profile) -> tuple[dict, str]:
    """The measures of the shipped nets at the sizes of ``run``, and the line that names the data."""
    count, train = run["dcgan.scored_scenes"], scene_bytes(run["dcgan.train_scenes"])
    test = scene_bytes(2 * count, split="test").float() / 255
    images = {}
    for row, (name, _) in NETS.items():
        G = zoo.load(name)
        images[row] = sample(G, normal(G.noise)(count, torch.Generator().manual_seed(run.seed)))
    found = measure(images, train, test[:count], test[count:], zoo.load("scene-segmenter"))
    for row, (_, passes) in NETS.items():
        found[row]["passes over the data"] = passes
    return found, f"{count} generated scenes, {len(train)} training scenes, drawn, 64×64"


def main(arguments: list[str] | None = None) -> int:
    """Measure at full size, and record with ``--record``."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--record", action="store_true", help="record in the package")
    options = parser.parse_args(arguments)
    run = use("full", device="cpu")
    found, data = full(run)
    sys.stdout.write(f"{papers.compare(TABLE, found, run=run, data=data)}\n")
    if options.record:
        papers.record(TABLE, found, run=run, data=data)
    return 0


if __name__ == "__main__":
    sys.exit(main())
