"""Outdoor scenes, drawn by program with exact ground truth: an image, its class, and what can be seen at every pixel.

scenes = draw(1000, size=32, seed=0)
scenes.images           (1000, 3, 32, 32) float32 in [0, 1]
scenes.maps["surface"]  (1000, 32, 32) uint8, indices into CONCEPTS["surface"]
"""

from dataclasses import dataclass

import torch
from torch import Tensor
from tqdm.auto import tqdm

from lecture13.render.chance import Chance
from lecture13.render.composition import paint
from lecture13.render.concepts import CONCEPTS, maps
from lecture13.render.layouts import CLASSES

__all__ = ["CLASSES", "CONCEPTS", "Scenes", "draw"]

CHUNK = 512  # scenes painted at once: a compromise between the cache and the cost of a call


@dataclass(frozen=True)
class Scenes:
    """``images`` (N, 3, S, S) float32 in [0, 1]; ``labels`` (N,) int64 into CLASSES; ``maps`` {kind: (N, S, S) uint8}."""

    images: Tensor
    labels: Tensor
    maps: dict[str, Tensor]


def classes_in_turn(seed: int, first: int, count: int, classes: int) -> Tensor:
    """Labels (count,) such that every run of ``classes`` images from a multiple of it holds each class once, shuffled."""
    start = first // classes
    rounds = Chance.of_images(seed, start, (first + count - 1) // classes - start + 1).fork("class")
    order = rounds.uniform("order", shape=(classes,)).argsort(1)
    return order.reshape(-1)[first - start * classes :][:count]


def draw(count: int, *, size: int = 32, seed: int = 0, first: int = 0, progress: bool = False) -> Scenes:
    """Draw scenes first … first + count − 1 of a seed."""
    labels = classes_in_turn(seed, first, count, len(CLASSES))
    images = torch.empty(count, 3, size, size)
    regions = torch.empty(count, size, size, dtype=torch.uint8)
    bar = tqdm(total=count, desc="drawing scenes", unit="scene", disable=not progress)
    for low in range(0, count, CHUNK):
        part = slice(low, min(low + CHUNK, count))
        chance = Chance.of_images(seed, first + low, part.stop - low)
        canvas = paint(chance, labels[part], size)
        noise = chance.uniform("sensor", -0.02, 0.02, (3, size, size))
        images[part] = (canvas.images() + noise).clamp_(0, 1)
        regions[part] = canvas.majority()
        bar.update(part.stop - low)
    bar.close()
    return Scenes(images, labels, maps(regions, images))
