"""Recorded runs on disk: one JSON file with origin, settings and results, and one picture where there are images."""

import datetime
import io
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from lecture13.checkpoints import write_whole
from lecture13.papers.records import FOLDER as RECORDED
from lecture13.papers.records import describe_commit, short
from lecture13.profile import Profile
from lecture13.zoo.cards import describe_device

FOLDER = RECORDED / "runs"


@dataclass(frozen=True)
class Origin:
    """Where a recorded run comes from: what stands beside every number of it."""

    profile: str
    device: str
    date: str  # ISO: 2026-11-22
    commit: str
    seed: int
    data: str

    @classmethod
    def here(cls, run: Profile, data: str) -> "Origin":
        """Of a run on this machine, today, with the code of this commit."""
        today = datetime.datetime.now(datetime.UTC).date().isoformat()
        return cls(run.name, describe_device(run.device), today, describe_commit(), run.seed, data)

    @property
    def short(self) -> str:
        """For the title of a figure."""
        return f"recorded run: {self.profile} profile, {self.device}, {self.date}, commit {short(self.commit)}"

    @property
    def label(self) -> str:
        """In one line."""
        return (
            f"recorded run: {self.profile} profile, {self.device}, {self.data}, {self.date}, "
            f"commit {short(self.commit)}, seed {self.seed}"
        )


def write(name: str, origin: Origin, content: dict[str, Any], *, folder: Path = FOLDER) -> Path:
    """Write ``content`` (plain values) with its origin to ``folder/name.json``, whole or not at all."""
    path = folder / f"{name}.json"
    text = json.dumps({"origin": asdict(origin), **content}, ensure_ascii=False, allow_nan=False)
    write_whole(path, (text + "\n").encode())
    return path


def read(name: str, *, folder: Path = FOLDER) -> tuple[Origin, dict[str, Any]]:
    """Origin and content of a recorded run.

    Raises:
        FileNotFoundError: none is recorded.
        ValueError: a file that :func:`write` did not write.
    """
    path = folder / f"{name}.json"
    if not path.exists():
        raise FileNotFoundError(f"no recorded run {path}: python -m lecture13.papers.runs.{name} FOLDER makes one")
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        return Origin(**content.pop("origin")), content
    except (ValueError, TypeError, KeyError) as error:
        raise ValueError(f"{path} is not a recorded run: {error}. Restore it, or make it anew") from error


def write_picture(name: str, images: Tensor, *, folder: Path = FOLDER) -> Path:
    """Write images (R, K, 3, S, S) uint8 as one picture without loss: R rows of K images each."""
    if images.dtype != torch.uint8 or images.ndim != 5 or images.shape[2] != 3:
        raise ValueError(f"images {tuple(images.shape)} of {images.dtype}; expected uint8 (R, K, 3, S, S)")
    rows, count, _, side, _ = images.shape
    pixels = images.permute(0, 3, 1, 4, 2).reshape(rows * side, count * side, 3)
    written = io.BytesIO()
    Image.fromarray(pixels.numpy()).save(written, "WEBP", lossless=True, quality=100, method=6)
    path = folder / f"{name}.webp"
    write_whole(path, written.getvalue())
    return path


def read_picture(name: str, size: int, *, folder: Path = FOLDER) -> Tensor:
    """The images of :func:`write_picture`, each ``size`` to a side: uint8 (R, K, 3, size, size).

    Raises:
        FileNotFoundError: no picture.
        ValueError: a picture that does not divide into images of that size.
    """
    with Image.open(folder / f"{name}.webp") as picture:
        pixels = torch.from_numpy(np.array(picture.convert("RGB")))
    height, width, _ = pixels.shape
    if height % size or width % size:
        raise ValueError(f"{name}.webp is {width}×{height}; expected multiples of size={size}")
    return pixels.view(height // size, size, width // size, size, 3).permute(0, 2, 4, 1, 3)
