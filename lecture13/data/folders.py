"""Images in folders named after their classes: any folder of one's own, and the JPEG copy of CIFAR-10."""

from functools import partial
from pathlib import Path

import torch

from lecture13.data.files import CorruptData, MissingData, Source, decode, read_image

EXTENSIONS = (".jpg", ".jpeg", ".png", ".ppm", ".bmp", ".gif", ".webp", ".tif", ".tiff")


def splits(folder: Path) -> tuple[str, ...]:
    """The splits that a folder holds: its subfolders.

    Raises:
        MissingData: there is no such folder, or nothing in it.
    """
    found = tuple(sorted(part.name for part in folder.iterdir() if part.is_dir())) if folder.is_dir() else ()
    if not found:
        raise MissingData(f"no images at {folder}: expected {folder}/train/CLASS/IMAGE.jpg, and test likewise")
    return found


def source(folder: Path, split: str, size: int | None, line: str) -> Source:
    """``folder/split/CLASS/*``: classes in alphabetic order, each one's images in the order of their names.

    Raises:
        MissingData: the split has no class with an image in it.
    """
    classes = sorted(part.name for part in (folder / split).iterdir() if part.is_dir())
    files, labels = [], []
    for label, name in enumerate(classes):
        found = sorted(file for file in (folder / split / name).iterdir() if file.suffix.lower() in EXTENSIONS)
        files += found
        labels += [label] * len(found)
    if not files:
        raise MissingData(f"no images in {folder / split}: expected {folder / split}/CLASS/IMAGE.jpg")

    def read(indices: torch.Tensor) -> torch.Tensor:
        return decode([partial(read_image, files[i]) for i in indices.tolist()], size)

    return Source(torch.tensor(labels), tuple(classes), read, line)


def complete(found: Source, folder: Path, each: int) -> Source:
    """The same source, if every class has ``each`` images: an interrupted copy is not taken for the whole.

    Raises:
        CorruptData: a class has another number of them.
    """
    counts = found.labels.bincount(minlength=len(found.classes)).tolist()
    for name, count in zip(found.classes, counts, strict=True):
        if count != each:
            raise CorruptData(f"{folder / name} holds {count} images of {each}: unpack it again")
    return found
