"""Keys: what an executed copy was made from, so that only what changed is executed again."""

import hashlib
import json
import os
import platform
from pathlib import Path

import nbformat

from . import settings


def file_hash(*paths: Path) -> str:
    """SHA-256 of the contents of the files, in order."""
    digest = hashlib.sha256()
    for path in paths:
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def tree_hash(folder: Path) -> str:
    """SHA-256 of the names and contents of every file below ``folder``, caches left out."""
    digest = hashlib.sha256()
    for path in sorted(path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts):
        digest.update(path.relative_to(folder).as_posix().encode() + b"\0")
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def notebook_hash(path: Path) -> str:
    """SHA-256 of what a notebook says: types, sources and metadata of its cells; outputs do not count."""
    cells = [
        (cell.cell_type, cell.source, cell.metadata)
        for cell in nbformat.read(path, as_version=nbformat.NO_CONVERT).cells
    ]
    return hashlib.sha256(json.dumps(cells, sort_keys=True).encode()).hexdigest()


def listing_hash(folder: Path) -> str:
    """SHA-256 of the names and sizes two levels deep: which real data are there (contents are checked on loading).

    Checkpoints do not count: runs write them, and only a run that was killed reads them back.
    """
    digest = hashlib.sha256()
    files = [path for path in folder.glob("*") if path.is_file()]
    for path in sorted([*files, *folder.glob("*/*")]):
        if path.suffix != ".ckpt":
            size = path.stat().st_size if path.is_file() else 0
            digest.update(f"{path.relative_to(folder).as_posix()}\0{size}\n".encode())
    return digest.hexdigest()


def parts(notebook: Path, profile: str, parameters: dict, *, root: Path = settings.ROOT) -> dict[str, str]:
    """What an execution of ``notebook`` depends on, each part by name, so that a change can be named."""
    from lecture13.profile import data_folder  # imports torch: not for every command

    return {
        "notebook": notebook_hash(notebook),
        "package": tree_hash(root / "lecture13"),
        "lock file": file_hash(root / "requirements.txt"),
        "data": listing_hash(data_folder()),
        "profile": profile,
        "parameters": json.dumps(parameters, sort_keys=True),
        "Python": platform.python_version(),
        "device": os.environ.get("LECTURE13_DEVICE", ""),
        "executor": file_hash(Path(__file__).with_name("worker.py"), Path(__file__).with_name("execute.py")),
    }


def changed(old: dict | None, new: dict[str, str]) -> list[str]:
    """The names of the parts that differ; ``["never executed"]`` without an old key."""
    if old is None:
        return ["never executed"]
    return [name for name in new if old.get(name) != new[name]]


def read(path: Path) -> dict | None:
    """A key file; None where there is none that reads (a build was killed while it wrote: execute again)."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, json.JSONDecodeError):
        return None


def write(path: Path, content: dict) -> None:
    """Write beside, then rename: a key is whole or not there."""
    beside = path.with_suffix(".part")
    beside.write_text(json.dumps(content, indent=1), encoding="utf-8")
    beside.replace(path)
