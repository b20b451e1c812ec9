"""Many scenes as bytes, drawn once and kept on disk: what a generator learns from for hours.

A training of a generator reads 50 000 scenes, "one pass", again and again. As float32 with their maps they would fill
gigabytes and take minutes to draw at every start; as bytes they take 614 MB at 64×64 and are read in a second.
"""

import contextlib
import io
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from lecture13.checkpoints import write_whole
from lecture13.data.embedded import FIRST
from lecture13.profile import data_folder
from lecture13.render import scenes
from lecture13.render.series import check

PART = 1000  # scenes in a file: at 64×64, twelve megabytes and a quarter of a minute's drawing


def scene_bytes(
    count: int, *, size: int = 64, seed: int = 0, split: str = "train", folder: Path | None = None
) -> Tensor:
    """The first ``count`` scenes of a split, rounded to bytes: uint8 ``(count, 3, size, size)``, 255 is 1.0.

    Drawn where they are not on disk yet, a file for every thousand, so that a stop loses little. A file is checked
    before it is used, its first scene against the painter of today; one of an older painter is drawn anew.

    Args:
        count: how many, 1 or more.
        size, seed: as :func:`lecture13.render.scenes.draw` takes them.
        split: "train", "validation" or "test", disjoint.
        folder: None is ``scenes`` in :func:`lecture13.profile.data_folder`.

    Raises:
        ValueError: an unknown split, or numbers out of range.
        OSError: the folder cannot be written.
    """
    if split not in FIRST:
        raise ValueError(f"split={split!r}; known: {', '.join(FIRST)}")
    check(count, size, seed, FIRST[split])
    if count < 1:
        raise ValueError(f"count={count}; expected 1 or more")
    folder = (folder or data_folder() / "scenes") / f"{split}-{size}-seed{seed}"
    images = torch.empty(count, 3, size, size, dtype=torch.uint8)
    with tqdm(total=count, desc="drawing scenes", unit="scene", delay=2) as bar:
        for start in range(0, count, PART):
            wanted = images[start : start + PART]
            wanted.copy_(_part(folder / f"{start:08}.npy", start, FIRST[split], size, seed)[: len(wanted)])
            bar.update(len(wanted))
    return images


def _part(path: Path, start: int, first: int, size: int, seed: int) -> Tensor:
    with contextlib.suppress(OSError, ValueError):  # not there, or damaged
        kept = torch.from_numpy(np.load(path))
        if len(kept) == PART and torch.equal(kept[:1], _draw(first + start, 1, size, seed)):
            return kept
    drawn = _draw(first + start, PART, size, seed)
    memory = io.BytesIO()
    np.save(memory, drawn.numpy())
    write_whole(path, memory.getbuffer())
    return drawn


def _draw(first: int, count: int, size: int, seed: int) -> Tensor:
    return scenes.draw(count, size=size, seed=seed, first=first).images.mul(255).round().byte()
