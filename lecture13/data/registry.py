"""The one door to all data: ``load(name, split)``."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import torch
from torchvision import datasets

from lecture13.data import embedded, folders, har, large, small
from lecture13.data.dataset import Dataset
from lecture13.data.files import MissingData, Source, fetch
from lecture13.profile import data_folder

LARGE_COUNT = 1000  # images of a large set where no count is given: nobody wants a hundred gigabytes by accident


@dataclass(frozen=True)
class Real:
    """A real set: what it is, how it is read, where below the data folder it lies, and how it comes there."""

    line: str
    read: Callable[[Path, str, int | None], Source]
    place: str
    download: Callable[[Path], object] | None = None
    by_hand: str = ""
    splits: tuple[str, ...] = ("train", "test")
    instead: str | None = None  # another place, read where the first is not there
    large: bool = False
    resizable: bool = True

    def found(self, root: Path) -> bool:
        """Whether something lies at its place."""
        return any((root / place).is_dir() for place in (self.place, self.instead) if place)


def _both(
    dataset: type, below: str = "", key: str = "split", values: tuple = ("train", "test")
) -> Callable[[Path], None]:
    """Download two splits of a torchvision set; torchvision checks the MD5 of each archive."""

    def download(folder: Path) -> None:
        for value in values:
            dataset(folder / below, **{key: value}, download=True)

    return download


_EMBEDDED = {
    "digits": "scikit-learn's 1797 handwritten digits, 8×8, or 28×28 laid out as MNIST (embedded)",
    "scenes": "outdoor scenes drawn by program, with exact masks (embedded)",
    "signs": "road signs drawn by program (embedded)",
    "solids": "textured 3-D solids in any pose, drawn by program (embedded)",
}
_REAL = {
    "mnist": Real(
        "MNIST, 70 000 handwritten digits, 28×28",
        partial(small.idx, "MNIST"),
        "MNIST",
        _both(datasets.MNIST, key="train", values=(True, False)),
    ),
    "fashion-mnist": Real(
        "Fashion-MNIST, 70 000 pieces of clothing, 28×28",
        partial(small.idx, "FashionMNIST"),
        "FashionMNIST",
        _both(datasets.FashionMNIST, key="train", values=(True, False)),
    ),
    "cifar10": Real(
        "CIFAR-10, 60 000 photographs in ten classes, 32×32",
        small.cifar10,
        datasets.CIFAR10.base_folder,
        _both(datasets.CIFAR10, key="train", values=(True,)),
        instead="cifar10-jpeg",
    ),
    "svhn": Real("SVHN, 99 289 house-number digits, 32×32", small.svhn, "svhn", _both(datasets.SVHN, "svhn")),
    "gtsrb": Real(
        "GTSRB, German traffic signs in 43 classes, scaled to 32×32", small.gtsrb, "gtsrb", _both(datasets.GTSRB)
    ),
    "lsun": Real(
        "LSUN, photographs of rooms and buildings, 64×64 by default",
        large.lsun,
        "lsun",
        by_hand="get CATEGORY_train_lmdb.zip (LSUN's own download script does) and unpack it there",
        splits=tuple(large.LSUN_SPLITS),
        large=True,
    ),
    "celeba": Real(
        "CelebA, 202 599 faces, 64×64 by default",
        large.celeba,
        "celeba",
        _both(datasets.CelebA, values=("all",)),
        splits=tuple(large.CELEBA_SPLITS),
        large=True,
    ),
    "imagenet": Real(
        "ImageNet (ILSVRC 2012), 1000 classes, 224×224",
        large.imagenet,
        "imagenet",
        by_hand="unpack the class folders to train/ and val/ there, and put ILSVRC2012_devkit_t12.tar.gz beside them",
        splits=tuple(large.IMAGENET_SPLITS),
        large=True,
    ),
    "har": Real("UCI HAR, 561 features, six activities", har.source, har.PLACE, har.download, resizable=False),
}


def names() -> tuple[str, ...]:
    """The names that :func:`load` knows; besides, ``folder:PATH`` is any folder of images by class."""
    return (*_EMBEDDED, *_REAL)


def describe(name: str) -> str:
    """One line on a data set, without loading it: what it is, and whether it is at hand.

    Raises:
        ValueError: an unknown name.
    """
    _check_name(name)
    if name in _EMBEDDED:
        return f"{name}: {_EMBEDDED[name]}"
    if name.startswith("folder:"):
        return f"{name}: images by class"
    return f"{name}: {_REAL[name].line} ({'found' if available(name) else 'not here'})"


def available(name: str, *, root: Path | str | None = None) -> bool:
    """Whether it can be loaded without a download: it is embedded, or its files are there.

    Raises:
        ValueError: an unknown name.
    """
    _check_name(name)
    if name.startswith("folder:"):
        return _own_folder(name).is_dir()
    return name in _EMBEDDED or _REAL[name].found(_root(root))


def load(
    name: str,
    split: str = "train",
    *,
    size: int | None = None,
    count: int | None = None,
    seed: int = 0,
    download: bool = False,
    root: Path | str | None = None,
) -> Dataset:
    """Load a split of a data set.

    Args:
        name: one of :func:`names`, or ``"folder:PATH"`` for images in ``PATH/split/CLASS/``.
        split: ``"train"``, ``"validation"`` or ``"test"``, as far as the set has it (a folder: its subfolders' names).
        size: side of the images in pixels; None is the set's own (scenes and signs 32, solids 64, digits 8).
        count: how many. None is all of a real set (of LSUN, CelebA and ImageNet 1000), all digits of the split, and of
            drawn sets as many as :data:`lecture13.data.embedded.COUNTS` says. Of a real set, ``count`` are drawn
            by ``seed`` without repetition, in the set's order.
        seed: which scenes, signs and solids are drawn, and which ``count`` of a real set; in [0, 2³²).
        download: fetch a real set that is not there.
        root: where real data lies; None is :func:`lecture13.profile.data_folder`.

    Raises:
        ValueError: an unknown name, split or size, or a count that is negative or more than there are.
        MissingData: a real set is not there; the message says how to get it.
        CorruptData: one of its files is damaged; the message names it.
        PermissionError, ConnectionError: a download cannot be written, or failed.
    """
    _check_name(name)
    _check_number("size", size, 1)
    _check_number("count", count, 0)
    _check_number("seed", seed, 0)
    if seed >= 2**32:
        raise ValueError(f"seed={seed}: expected a whole number from 0 to 2**32 - 1")
    if name in _EMBEDDED:
        _check_split(name, split, embedded.SPLITS)
        return (
            embedded.digits(split, size, count) if name == "digits" else embedded.drawn(name, split, size, count, seed)
        )
    if name.startswith("folder:"):
        folder = _own_folder(name)
        _check_split(name, split, folders.splits(folder))
        return _choose(folders.source(folder, split, size, f"images in {folder}"), name, split, count, seed)
    return _load_real(name, split, size, count, seed, download, _root(root))


def _load_real(
    name: str, split: str, size: int | None, count: int | None, seed: int, download: bool, root: Path
) -> Dataset:
    real = _REAL[name]
    _check_split(name, split, real.splits)
    if size is not None and not real.resizable:
        raise ValueError(f"size={size}: {name!r} has no images to scale; leave size out")
    if not real.found(root):
        if not (download and real.download):
            raise MissingData(f"{name!r} ({real.line}) is not in {root}: {_way_out(name, real, root)}")
        fetch(name, root, real.place, real.download)
    if real.large and count is None:
        count = LARGE_COUNT
        source = real.read(root, split, size)
        return _choose(source, name, split, min(count, len(source.labels)), seed)
    return _choose(real.read(root, split, size), name, split, count, seed)


def _way_out(name: str, real: Real, root: Path) -> str:
    by_hand = real.by_hand or f"put its files to {root / real.place}, as torchvision.datasets reads them"
    if name == "har":
        by_hand = f"unpack the archive from {har.URL} so that {root / real.place}/train/X_train.txt is there"
    fetched = f"load({name!r}, download=True) fetches it, or " if real.download else f"it goes to {root / real.place}: "
    return f"{fetched}{by_hand}. Where it already lies elsewhere, set LECTURE13_DATA to that folder, or give root="


def _choose(source: Source, name: str, split: str, count: int | None, seed: int) -> Dataset:
    """Decode ``count`` of a source's images."""
    there = len(source.labels)
    indices = torch.arange(there)
    if count is not None:
        if count > there:
            raise ValueError(f"count={count}: the {split} split of {name!r} has {there}")
        generator = torch.Generator().manual_seed(seed)
        indices = torch.randperm(there, generator=generator)[:count].sort().values
    images = source.read(indices)
    shape = "×".join(str(side) for side in images.shape[2:])
    line = f"{source.line}, {shape + ', ' if shape else ''}{split}, {len(images)} of {there}"
    return Dataset(images, source.labels[indices], source.classes, name, split, line)


def _check_name(name: str) -> None:
    if name not in names() and not name.startswith("folder:"):
        raise ValueError(f"unknown data set {name!r}; known: {', '.join(names())}, and folder:PATH for images by class")


def _check_split(name: str, split: str, known: tuple[str, ...]) -> None:
    if split not in known:
        raise ValueError(f"unknown split {split!r} of {name!r}; it has {', '.join(known)}")


def _check_number(what: str, value: int | None, least: int) -> None:
    if value is not None and (isinstance(value, bool) or not isinstance(value, int) or value < least):
        raise ValueError(f"{what}={value!r}: expected a whole number, {least} or more")


def _own_folder(name: str) -> Path:
    return Path(name.removeprefix("folder:")).expanduser()


def _root(root: Path | str | None) -> Path:
    return data_folder() if root is None else Path(root).expanduser()
