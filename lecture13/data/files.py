"""Reading image files, and downloads of which only the whole ever counts."""

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from tqdm import tqdm

ARCHIVES = (".gz", ".tgz", ".zip", ".mat")  # what a download is checked against; everything else is made from them


class MissingData(FileNotFoundError):
    """A data set is not there; the message says how to get it."""

    def __str__(self) -> str:
        return self.args[0]


class CorruptData(ValueError):
    """A file of a data set is damaged or incomplete; the message names it."""


@dataclass(frozen=True)
class Source:
    """A split before anything is decoded: ``read(indices)`` gives some of its N images, (n, C, H, W) in [0, 1]."""

    labels: Tensor
    classes: tuple[str, ...]
    read: Callable[[Tensor], Tensor]
    line: str


def read_image(path: Path, mode: str = "RGB") -> Image.Image:
    """A decoded image.

    Raises:
        CorruptData: the file cannot be decoded to its end.
    """
    try:
        with Image.open(path) as image:
            return image.convert(mode)
    except (OSError, SyntaxError, ValueError) as error:
        raise CorruptData(f"{path} cannot be read as an image ({error}): delete it and get it again") from error


def fit(image: Image.Image, size: int | None, *, crop: bool = True, margin: float = 1.0) -> Image.Image:
    """An image as size × size pixels, bilinear with antialiasing.

    ``crop``: the shorter side becomes ``margin`` · size, and the middle is cut out; else both sides are scaled to fit.
    """
    if size is None or image.size == (size, size):
        return image
    if not crop:
        return image.resize((size, size), Image.Resampling.BILINEAR)
    target = round(size * margin)
    short = min(image.size)
    wide, high = (int(target * side / short) for side in image.size)
    left, top = round((wide - size) / 2), round((high - size) / 2)
    return image.resize((wide, high), Image.Resampling.BILINEAR).crop((left, top, left + size, top + size))


def decode(
    images: Sequence[Callable[[], Image.Image]], size: int | None, *, crop: bool = True, margin: float = 1.0
) -> Tensor:
    """Open and fit images: (n, 3, size, size) in [0, 1].

    Raises:
        ValueError: no ``size`` is given and they differ in size.
    """
    pixels = None
    for number, read in enumerate(tqdm(images, desc="reading images", unit="image", delay=2)):
        array = torch.from_numpy(np.array(fit(read(), size, crop=crop, margin=margin))).permute(2, 0, 1)
        if pixels is None:
            pixels = torch.empty(len(images), *array.shape, dtype=torch.uint8)
        if array.shape != pixels.shape[1:]:
            raise ValueError(
                f"image {number} has {array.shape[2]}×{array.shape[1]} pixels, the first "
                f"{pixels.shape[3]}×{pixels.shape[2]}: give a size=, to which all are scaled"
            )
        pixels[number] = array
    return torch.empty(0, 3, size or 1, size or 1) if pixels is None else pixels.float().div_(255)


def fetch(name: str, root: Path, place: str, download: Callable[[Path], None]) -> None:
    """Download a set beside its place, and move it there in one step once it is whole.

    Args:
        name: of the set, for messages.
        root: the data folder.
        place: the folder, relative to root, that ``download(folder)`` makes below ``folder``.
        download: fetches and unpacks; it must check the hash of every archive that it finds or fetches.

    Raises:
        PermissionError: the data folder cannot be written to.
        ConnectionError: the download failed; archives that came whole are kept for the next time.
        CorruptData: there already is something at its place.
    """
    partial, target = root / ".partial" / name, root / place
    if target.exists():
        raise CorruptData(f"{target} is there but not whole: move it away, then load {name!r} with download=True")
    try:
        partial.mkdir(parents=True, exist_ok=True)
        # What a killed run unpacked is worth nothing; the archives are, since their hashes are checked again.
        for file in partial.rglob("*"):
            if file.is_file() and file.suffix not in ARCHIVES:
                file.unlink()
        (partial / ".writable").touch()
    except OSError as error:
        raise PermissionError(
            f"cannot write to the data folder {root} ({error.strerror}): "
            "set LECTURE13_DATA to a folder that can be written"
        ) from error
    try:
        download(partial)
    except (OSError, RuntimeError, ValueError) as error:
        raise ConnectionError(
            f"downloading {name!r} failed: {error}. Nothing was changed in {root}; "
            "try again, or put the files there by hand"
        ) from error
    target.parent.mkdir(parents=True, exist_ok=True)
    (partial / place).replace(target)
    shutil.rmtree(partial)
