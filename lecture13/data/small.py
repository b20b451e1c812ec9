"""The small real sets, through torchvision: MNIST, FashionMNIST, CIFAR-10, SVHN, GTSRB; files are checked first."""

import csv
import gzip
import math
from functools import partial
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor
from torchvision import datasets
from torchvision.datasets.utils import check_integrity

from lecture13.data import folders
from lecture13.data.files import CorruptData, Source, decode, read_image

# The German signs' official names (Stallkamp et al. 2012).
GTSRB_CLASSES = (
    "speed limit 20", "speed limit 30", "speed limit 50", "speed limit 60", "speed limit 70", "speed limit 80",
    "end of speed limit 80", "speed limit 100", "speed limit 120", "no passing", "no passing for lorries",
    "right of way", "priority road", "yield", "stop", "no vehicles", "no lorries", "no entry", "caution",
    "curve left", "curve right", "double curve", "bumpy road", "slippery road", "road narrows", "road works",
    "traffic signals", "pedestrians", "children", "bicycles", "ice or snow", "wild animals", "end of all limits",
    "turn right", "turn left", "ahead only", "straight or right", "straight or left", "keep right", "keep left",
    "roundabout", "end of no passing", "end of no passing for lorries",
)  # fmt: skip


def resize(images: Tensor, size: int | None) -> Tensor:
    """Images (N, C, H, W) as size × size, bilinear with antialiasing."""
    if size is None or images.shape[-2:] == (size, size):
        return images
    return F.interpolate(images, (size, size), mode="bilinear", antialias=True, align_corners=False).clamp(0, 1)


def _from_array(pixels: Tensor, labels: Tensor, classes: tuple[str, ...], size: int | None, line: str) -> Source:
    """Bytes (N, C, H, W), converted only where they are read."""
    return Source(labels, classes, lambda indices: resize(pixels[indices].float().div_(255), size), line)


def idx(kind: str, root: Path, split: str, size: int | None) -> Source:
    """``kind``: torchvision's class, MNIST or FashionMNIST."""
    prefix = "train" if split == "train" else "t10k"
    for part in ("images-idx3-ubyte", "labels-idx1-ubyte"):
        _check_idx(root / kind / "raw" / f"{prefix}-{part}")
    found = getattr(datasets, kind)(root, train=split == "train")
    classes = tuple(str(digit) for digit in range(10)) if kind == "MNIST" else tuple(found.classes)
    return _from_array(
        found.data[:, None], found.targets, classes, size, {"MNIST": "MNIST", "FashionMNIST": "Fashion-MNIST"}[kind]
    )


def _check_idx(file: Path) -> None:
    """The header of an idx file gives its length: LeCun's format, big-endian.

    Raises:
        CorruptData: the file (or the archive that it would be read from) is not of that length.
    """
    zipped = file.with_name(file.name + ".gz")
    if not file.exists() and not zipped.exists():
        raise CorruptData(f"{file} is missing, though others of its set are there: get the set again")
    if not file.exists():  # unpack it beside, then rename
        beside = file.with_name(file.name + ".part")
        try:
            beside.write_bytes(gzip.decompress(zipped.read_bytes()))
        except (EOFError, OSError) as error:
            beside.unlink(missing_ok=True)
            raise CorruptData(f"{zipped} is damaged ({error}): get it again") from error
        beside.replace(file)
    with file.open("rb") as opened:
        head = opened.read(4)
        is_idx = len(head) == 4 and head[:3] == b"\0\0\x08"  # 8: of bytes; then the number of dimensions
        sizes = opened.read(4 * head[3]) if is_idx else b""
    if not is_idx or len(sizes) != 4 * head[3]:
        raise CorruptData(f"{file} is no idx file of bytes: get it again")
    expected = 4 + len(sizes) + math.prod(np.frombuffer(sizes, ">u4").tolist())
    if file.stat().st_size != expected:
        raise CorruptData(f"{file} has {file.stat().st_size} bytes of {expected}: get it again")


def cifar10(root: Path, split: str, size: int | None) -> Source:
    """The original batches, or else the JPEG copy in ``cifar10-jpeg``, which says so in its line."""
    original = datasets.CIFAR10
    if not (root / original.base_folder).is_dir():
        line = "CIFAR-10 (JPEG copy; a net trained on the original loses points on it)"
        found = folders.source(root / "cifar10-jpeg", split, size, line)
        return folders.complete(found, root / "cifar10-jpeg" / split, 5000 if split == "train" else 1000)
    batches = original.train_list if split == "train" else original.test_list
    for name, md5 in [*batches, (original.meta["filename"], original.meta["md5"])]:
        _check_md5(root / original.base_folder / name, md5)
    found = original(root, train=split == "train")
    pixels = torch.from_numpy(found.data).permute(0, 3, 1, 2)
    return _from_array(pixels, torch.tensor(found.targets), tuple(found.classes), size, "CIFAR-10")


def svhn(root: Path, split: str, size: int | None) -> Source:
    """House numbers, cropped digits."""
    _, name, md5 = datasets.SVHN.split_list[split]
    _check_md5(root / "svhn" / name, md5)
    found = datasets.SVHN(root / "svhn", split=split)
    labels = torch.from_numpy(np.asarray(found.labels, np.int64))
    return _from_array(torch.from_numpy(found.data), labels, tuple("0123456789"), size, "SVHN")


def _check_md5(file: Path, md5: str) -> None:
    if not check_integrity(file, md5):
        state = (
            "is not as published (its MD5 differs)"
            if file.exists()
            else "is missing, though others of its set are there"
        )
        raise CorruptData(f"{file} {state}: get the set again")


def gtsrb(root: Path, split: str, size: int | None) -> Source:
    """German traffic signs, scaled to size × size (32 by default).

    A part of the training set is read as what it is: the line says how many of its images there are.
    """
    folder = root / "gtsrb" / "GTSRB" / ("Training" if split == "train" else "Final_Test/Images")
    if not folder.is_dir():
        raise CorruptData(f"{folder} is missing, though others of its set are there: get the set again")
    if split == "test":
        files = [(folder / name, label) for name, label in _read_table(root / "gtsrb" / "GT-final_test.csv")]
    else:  # numbered by its folder's name: torchvision's GTSRB counts the folders, and is off where one is missing
        numbers = {part.name: int(part.name) for part in folder.iterdir() if part.is_dir() and part.name.isdigit()}
        files = datasets.folder.make_dataset(folder, numbers, extensions=(".ppm",), allow_empty=True)
    for file, label in files:
        if label >= len(GTSRB_CLASSES):
            raise CorruptData(f"{file} has class {label}, expected 0 … {len(GTSRB_CLASSES) - 1}: get the set again")

    def read(indices: Tensor) -> Tensor:
        return decode([partial(read_image, Path(files[i][0])) for i in indices.tolist()], size or 32, crop=False)

    whole = {"train": 26640, "test": 12630}[split]
    line = "GTSRB" if len(files) == whole else f"GTSRB ({len(files)} of {whole} images)"
    return Source(torch.tensor([label for _, label in files]), GTSRB_CLASSES, read, line)


def _read_table(file: Path) -> list[tuple[str, int]]:
    """Image and class in every line of GTSRB's table of the test set."""
    if not file.exists():
        raise CorruptData(f"{file} is missing, though the images are there: get the set again")
    rows = []
    with file.open() as opened:
        for number, row in enumerate(csv.DictReader(opened, delimiter=";"), 2):
            name, label = row.get("Filename") or "", row.get("ClassId") or ""
            if not name.endswith(".ppm") or not label.isdigit():
                raise CorruptData(f"{file} is damaged in line {number}: get it again")
            rows.append((name, int(label)))
    return rows
