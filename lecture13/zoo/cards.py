"""A card says how a net of the zoo was made and how good it is; a safetensors file beside it holds the weights."""

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import safetensors.torch
import torch
from torch import nn

from lecture13.checkpoints import write_whole

#: Where the nets that ship lie.
SHIPPED = Path(__file__).parent


@dataclass(frozen=True)
class Card:
    """How a net was made, and its metric, measured from the very file that ships.

    ``metric`` is the name and ``value`` the number, on the ``n`` examples of ``measured_on``; ``also`` holds others.
    """

    name: str
    about: str
    data: str
    seed: int
    steps: int
    examples: int | None
    seconds: float
    device: str
    precision: str
    torch: str
    date: str
    parameters: int
    metric: str
    value: float
    n: int
    measured_on: str
    also: dict[str, float]
    settings: dict[str, Any]
    bytes: int
    sha256: str

    @property
    def shown(self) -> str:
        """The value as one writes it: a distance as it is, a share in percent."""
        return f"{self.value:.3f}" if "distance" in self.metric else f"{100 * self.value:.1f} %"


def paths(name: str, folder: Path | None = None) -> tuple[Path, Path]:
    """Where the weights and the card of a net lie: in ``folder``, or with the package."""
    weights, cards = (folder, folder) if folder else (SHIPPED / "weights", SHIPPED / "cards")
    return weights / f"{name}.safetensors", cards / f"{name}.json"


def read_card(name: str, folder: Path | None = None) -> Card:
    """The card of a net.

    Raises:
        FileNotFoundError: the net was not trained yet; says how to.
        ValueError: the file is no card.
    """
    path = paths(name, folder)[1]
    if not path.exists():
        raise FileNotFoundError(f"no card {path}: train the net with `python -m lecture13 train {name}`")
    try:
        return Card(**json.loads(path.read_text(encoding="utf-8")))
    except (ValueError, TypeError) as error:
        raise ValueError(f"{path} is not the card of a net: {error}. {_way_out(name)}") from error


def write_card(card: Card, folder: Path) -> Path:
    """Write the card to ``folder``, whole or not at all."""
    path = paths(card.name, folder)[1]
    text = json.dumps(asdict(card), indent=2, ensure_ascii=False, sort_keys=False)
    write_whole(path, (text + "\n").encode())
    return path


def pack(net: nn.Module) -> bytes:
    """A net's state as safetensors, floats in half precision.

    Raises:
        ValueError: a value too large for half precision, or not a number.
    """
    halves = {}
    for name, values in net.state_dict().items():
        halves[name] = values.detach().cpu().contiguous()
        if values.is_floating_point():
            halves[name] = halves[name].half()
        if not halves[name].isfinite().all():
            raise ValueError(f"{name} holds values beyond half precision (65504), or NaN: {values.abs().max():g}")
    return safetensors.torch.save(halves)


def unpack(net: nn.Module, content: bytes) -> None:
    """Load a state packed by :func:`pack` into a net, in the net's own precision."""
    state = safetensors.torch.load(content)
    net.load_state_dict({k: v.float() if v.is_floating_point() else v for k, v in state.items()})


def read_weights(card: Card, folder: Path | None = None) -> bytes:
    """The bytes of a net's weights, once they are known to be those of its card.

    Raises:
        FileNotFoundError: no such file.
        ValueError: the file is not the one that the card was written for.
    """
    path = paths(card.name, folder)[0]
    if not path.exists():
        raise FileNotFoundError(f"no weights {path}. {_way_out(card.name)}")
    content = path.read_bytes()
    found = hashlib.sha256(content).hexdigest()
    if found != card.sha256:
        raise ValueError(
            f"{path} is damaged or another net's: its SHA-256 is {found[:12]}…, its card says {card.sha256[:12]}…. "
            f"{_way_out(card.name)}"
        )
    return content


def write_weights(name: str, content: bytes, folder: Path) -> Path:
    """Write packed weights to ``folder``, whole or not at all."""
    path = paths(name, folder)[0]
    write_whole(path, content)
    return path


def describe_device(device: torch.device) -> str:
    """What a card calls the device: the GPU's name, or the CPU with its number of threads."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return f"cpu, threads: {torch.get_num_threads()}" if device.type == "cpu" else device.type


def _way_out(name: str) -> str:
    return f"Install the package again, or train the net with `python -m lecture13 train {name}`"
