"""UCI HAR: 561 features of smartphone sensors, six activities (Anguita et al. 2013), the papers' third data set."""

import zipfile
from pathlib import Path

import numpy as np
import pooch
import torch

from lecture13.data.files import CorruptData, Source

PLACE = "UCI HAR Dataset"
FEATURES = 561
URL = "https://archive.ics.uci.edu/static/public/240/human+activity+recognition+using+smartphones.zip"
SHA256 = "c00b803081a5c797cd5e4b83700a9810b38d53d9d84e01917e090e1fdbc81031"
ROWS = {"train": 7352, "test": 2947}


def download(folder: Path) -> None:
    """The archive, its SHA-256 checked, and the archive inside it, unpacked below the folder."""
    archive = pooch.retrieve(URL, f"sha256:{SHA256}", fname="har.zip", path=folder, progressbar=True)
    with zipfile.ZipFile(archive) as outer:
        outer.extract(f"{PLACE}.zip", folder)
    with zipfile.ZipFile(folder / f"{PLACE}.zip") as inner:
        inner.extractall(folder)


def source(root: Path, split: str, size: int | None) -> Source:
    """Features (N, 561) in [−1, 1] as published, so that the papers' ε needs no conversion; labels 0 … 5.

    Raises:
        CorruptData: a file is not as published; it is named.
    """
    folder = root / PLACE
    names = [line.split()[1].lower().replace("_", " ") for line in _lines(folder / "activity_labels.txt")]
    features = _table(folder / split / f"X_{split}.txt", np.float32)
    labels = _table(folder / split / f"y_{split}.txt", np.int64)[:, 0] - 1
    if features.shape != (ROWS[split], FEATURES):
        raise CorruptData(
            f"{folder / split / f'X_{split}.txt'} holds {features.shape[0]} rows of {features.shape[1]}, "
            f"not {ROWS[split]} of {FEATURES}: get it again"
        )
    if len(labels) != ROWS[split] or labels.min() < 0 or labels.max() >= len(names):
        raise CorruptData(f"{folder / split / f'y_{split}.txt'} holds no {ROWS[split]} labels")
    images = torch.from_numpy(features)
    return Source(
        torch.from_numpy(labels), tuple(names), lambda indices: images[indices], "UCI HAR, 561 features in [−1, 1]"
    )


def _lines(file: Path) -> list[str]:
    try:
        return file.read_text().splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise CorruptData(f"{file} cannot be read ({error}): get it again") from error


def _table(file: Path, dtype: type) -> np.ndarray:
    try:
        return np.loadtxt(file, dtype=dtype, ndmin=2)
    except (OSError, ValueError) as error:
        raise CorruptData(f"{file} cannot be read as a table of numbers ({error}): get it again") from error
