"""The sets that need no download: scikit-learn's handwritten digits, and the three drawn worlds.

Splits are disjoint by construction: the digits are divided once for all; a drawn set's splits are images of different
numbers, and so of different keys, whatever the seeds.
"""

from functools import cache

import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import Tensor

from lecture13.data.dataset import Dataset
from lecture13.render import scenes, signs, solids

SPLITS = ("train", "validation", "test")

#: How many are drawn where no ``count`` is given: (train, validation, test).
COUNTS = {"scenes": (4000, 1000, 1000), "signs": (4000, 1000, 1000), "solids": (4000, 1000, 1000)}

#: The drawn worlds, and the size of their images where none is given.
_WORLDS = {"scenes": (scenes, 32), "signs": (signs, 32), "solids": (solids, 64)}

#: The first image's number in each split of a drawn set: 2³⁰ apart, more than anyone draws.
FIRST = {split: number * 2**30 for number, split in enumerate(SPLITS)}


@cache
def _digits() -> tuple[Tensor, Tensor, dict[str, Tensor]]:
    """All digits (1797, 1, 8, 8) in [0, 1], their labels, and each split's indices (60, 20 and 20 % of every class)."""
    bunch = load_digits()
    images = torch.from_numpy(bunch.images).float()[:, None] / 16
    labels = torch.from_numpy(bunch.target).long()
    train, rest = train_test_split(range(len(labels)), test_size=0.4, random_state=0, stratify=labels)
    validation, test = train_test_split(rest, test_size=0.5, random_state=0, stratify=labels[rest])
    return images, labels, {s: torch.tensor(i) for s, i in zip(SPLITS, (train, validation, test), strict=True)}


def as_mnist(images: Tensor) -> Tensor:
    """Digits (N, 1, 8, 8) laid out as MNIST's are, (N, 1, 28, 28).

    LeCun et al. 1998: scaled to fit 20×20 pixels, then set in 28×28 with the centre of mass in the middle. Here the
    8×8 frame is scaled (bilinearly) to 20×20 and shifted by whole pixels.
    """
    n = len(images)
    large = F.interpolate(images, size=(20, 20), mode="bilinear", align_corners=False)
    mass = large.sum((1, 2, 3)).clamp(min=1e-6)
    steps = torch.arange(20) + 0.5
    row = (large.sum((1, 3)) * steps).sum(1) / mass
    column = (large.sum((1, 2)) * steps).sum(1) / mass
    top, left = (14 - row).round().long().clamp(0, 8), (14 - column).round().long().clamp(0, 8)
    out = torch.zeros(n, 1, 28, 28)
    rows, columns = top[:, None] + torch.arange(20), left[:, None] + torch.arange(20)
    out[torch.arange(n)[:, None, None], 0, rows[:, :, None], columns[:, None, :]] = large[:, 0]
    return out


def digits(split: str, size: int | None, count: int | None) -> Dataset:
    """scikit-learn's 1797 handwritten digits of 43 people (Kaynak 1995), 8×8, or laid out as MNIST at 28×28.

    Raises:
        ValueError: another size, or more than the split has.
    """
    if size not in (None, 8, 28):
        raise ValueError(f"size={size}: the digits come at 8 (their own) or 28 (laid out as MNIST)")
    images, labels, splits = _digits()
    indices = splits[split]
    if count is not None and count > len(indices):
        raise ValueError(f"count={count}: the {split} split of 'digits' has {len(indices)}")
    indices = indices[:count]  # in shuffled order, so the first are as good as any
    images = as_mnist(images[indices]) if size == 28 else images[indices]
    source = f"scikit-learn digits (embedded), {size or 8}×{size or 8}, {split}, {len(images)} images"
    return Dataset(images, labels[indices], tuple("0123456789"), "digits", split, source)


def drawn(name: str, split: str, size: int | None, count: int | None, seed: int) -> Dataset:
    """``scenes``, ``signs`` or ``solids``, drawn now."""
    count = COUNTS[name][SPLITS.index(split)] if count is None else count
    world, own = _WORLDS[name]
    size = size or own
    picture = world.draw(count, size=size, seed=seed, first=FIRST[split], progress=True)
    source = f"{name} (embedded, drawn), {size}×{size}, {split}, seed {seed}, {count} images"
    return Dataset(picture.images, picture.labels, world.CLASSES, name, split, source, getattr(picture, "maps", None))
