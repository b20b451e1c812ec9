"""Checkpoints: one file a run, always whole, never silently another run's.

A checkpoint is written beside and renamed, so that a kill or a full disk at any moment leaves the one before it whole.
"""

import contextlib
import errno
import io
import json
import os
import pickle
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

FORMAT = 1
_PICKLE_ERRORS = (pickle.UnpicklingError, zipfile.BadZipFile)


class CheckpointError(RuntimeError):
    """A checkpoint that cannot be written, read, or used by this run. The message says what to do."""


@dataclass(frozen=True)
class Checkpoint:
    """Where a run stands after ``step`` finished steps.

    ``settings`` decide the run's result; ``state`` holds a state dict for every name; ``metrics`` one value a step.
    """

    step: int
    settings: dict[str, Any]
    state: dict[str, Any]
    metrics: dict[str, torch.Tensor]
    seconds: float


def save(path: Path, checkpoint: Checkpoint) -> None:
    """Write ``checkpoint`` to ``path``, atomically.

    Raises:
        CheckpointError: the disk is full, the folder read-only, ...; what was saved before is untouched.
    """
    memory = io.BytesIO()  # torch's own file writer hides the reason of a failure
    torch.save({"format": FORMAT, **vars(checkpoint)}, memory)
    try:
        write_whole(path, memory.getbuffer())
    except OSError as error:
        stands = f"The one before it still is {path}." if path.exists() else "Nothing was saved before."
        raise CheckpointError(
            f"could not write the checkpoint of step {checkpoint.step} to {path}: {error.strerror or error}. {stands} "
            f"Free some space or choose another place, and run the same again to go on from what is saved"
        ) from error


def load(
    path: Path, settings: Mapping[str, Any] | None = None, device: torch.device | str = "cpu"
) -> Checkpoint | None:
    """The checkpoint at ``path``, its tensors on ``device``, or None where there is none.

    Raises:
        CheckpointError: the file is damaged, or was written by a run with other ``settings``.
    """
    if not path.exists():
        return None
    try:
        found = _read(path)
    except (OSError, RuntimeError, ValueError, KeyError, EOFError, TypeError, *_PICKLE_ERRORS) as error:
        raise CheckpointError(
            f"the checkpoint {path} is damaged ({_first_line(error)}). Restore a copy, or delete it to start again"
        ) from error
    if settings is not None:
        _same_settings(path, found.settings, plain(settings))
    return found


def plain(settings: Mapping[str, Any]) -> dict[str, Any]:
    """``settings`` as JSON would give them back, so that a tuple equals the list it was saved as.

    Raises:
        TypeError: a value that is no JSON: numbers, strings, booleans, None, and lists and dicts of them.
    """
    try:
        return json.loads(json.dumps(dict(settings)))
    except TypeError as error:
        raise TypeError(
            f"settings must be plain numbers, strings, lists and dicts: {error}; got {settings!r}"
        ) from None


def writable(folder: Path) -> None:
    """Create ``folder``, and write and delete a file there: before hours of work, not after.

    Raises:
        CheckpointError: it cannot be created or written.
    """
    probe = folder / f".probe.{os.getpid()}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise CheckpointError(
            f"cannot write to {folder}: {error.strerror or error}. Choose another folder, or set LECTURE13_DATA to one "
            f"that can be written"
        ) from error


def write_whole(path: Path, content: bytes | memoryview) -> None:
    """Write ``content`` beside, wait until the disk has it, and only then put it in the place of ``path``.

    Raises:
        OSError: as the system says; what was at ``path`` is untouched.
    """
    beside = path.with_name(f".{path.name}.partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with beside.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    except OSError:
        with contextlib.suppress(OSError):
            beside.unlink()
        raise


def _read(file: Path) -> Checkpoint:
    with zipfile.ZipFile(file) as archive:  # torch.load checks no checksums
        if (damaged := archive.testzip()) is not None:
            raise OSError(errno.EIO, f"the checksum of {damaged} is wrong")
    content = torch.load(file, map_location="cpu", weights_only=True)
    if content.pop("format") != FORMAT:
        raise ValueError("of another version of lecture13")
    return Checkpoint(**content)


def _same_settings(file: Path, theirs: dict[str, Any], ours: dict[str, Any]) -> None:
    names = [name for name in {**theirs, **ours} if theirs.get(name) != ours.get(name)]
    if names:
        changes = "; ".join(f"{name} was {theirs.get(name)!r} and is {ours.get(name)!r}" for name in names)
        raise CheckpointError(
            f"the checkpoint {file} belongs to a run with other settings: {changes}. Take the settings back, give this "
            f"run another checkpoint, or delete the file to start again"
        )


def _first_line(error: BaseException) -> str:
    return str(error).splitlines()[0] if str(error) else type(error).__name__
