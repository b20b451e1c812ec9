"""What the runs share: a trained cell in a file of its own, and the command line."""

import argparse
import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import safetensors
import safetensors.torch
from torch import Tensor

from lecture13 import zoo
from lecture13.checkpoints import write_whole
from lecture13.gan.cells import Cell
from lecture13.profile import Profile, use


def path(folder: Path, architecture: str, method: str) -> Path:
    """Where the cell of this architecture and method lies in ``folder``."""
    return folder / f"{architecture}--{method}.safetensors"


def write_cell(cell: Cell, samples: Tensor, folder: Path) -> Path:
    """Keep a trained cell and its samples, whole or not at all."""
    file = path(folder, cell.architecture, cell.method)
    content = safetensors.torch.save({"samples": samples.contiguous()}, metadata={"cell": json.dumps(asdict(cell))})
    write_whole(file, content)
    return file


def read_cell(file: Path) -> tuple[Cell, Tensor]:
    """What :func:`write_cell` kept."""
    with safetensors.safe_open(file, "pt") as opened:
        return as_cell(json.loads(opened.metadata()["cell"])), opened.get_tensor("samples")


def as_cell(plain: dict[str, Any]) -> Cell:
    """A cell from the lists that JSON makes of it."""
    curves = {name: [tuple(point) for point in plain[name]] for name in ("critic", "generator", "scores")}
    return Cell(**{**plain, **curves, "parameters": tuple(plain["parameters"])})


def command_line(
    about: str,
    train: Callable[[Profile, Path], Any],
    record: Callable[[Profile, Path], Any],
    arguments: list[str] | None = None,
) -> int:
    """``FOLDER [--profile --device --seed] [--record]``: train what is missing in FOLDER, or record what is there."""
    parser = argparse.ArgumentParser(description=about)
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="where the trained cells go, one file each")
    parser.add_argument("--profile", help="smoke, laptop or full ($LECTURE13_PROFILE, else laptop)")
    parser.add_argument("--device", help="cpu, cuda, … (the best there is)")
    parser.add_argument("--seed", type=int, default=0, help="of everything random (0)")
    parser.add_argument("--record", action="store_true", help="record what is there in the package")
    options = parser.parse_args(arguments)
    run = use(options.profile, device=options.device, seed=options.seed)
    (record if options.record else train)(run, options.folder)
    return 0


def has_net(name: str, folder: Path | None) -> bool:
    """Whether ``folder`` (None: what ships) holds a trained net of that name."""
    try:
        zoo.card(name, folder=folder)
    except FileNotFoundError:
        return False
    return True
