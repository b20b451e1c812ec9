"""ImageNet classifiers through torchvision, normalisation inside, weights checked before use."""

import hashlib
from pathlib import Path

import torch
import torchvision
from torch import nn

from lecture13.models.normalize import Normalize


def imagenet(name: str = "googlenet", *, download: bool = False) -> tuple[nn.Sequential, tuple[str, ...]]:
    """A classifier trained on ImageNet, and the names of its 1000 classes.

    torchvision's nets are retrained ones, not the papers' own: its GoogLeNet, for one, has batch normalisation.

    Args:
        name: as torchvision calls it, ``"googlenet"`` or ``"resnet50"``.
        download: fetch the weights where they are not in torch's cache (GoogLeNet: 50 MB).

    Shapes:
        ``(N, 3, 224, 224)`` in [0, 1] → logits ``(N, 1000)``; in eval mode.

    Raises:
        ValueError: an unknown name, or a weight file whose SHA-256 is not the one in its name.
        FileNotFoundError: weights that are not there, and ``download`` is False; says how to get them.
    """
    if name not in torchvision.models.list_models(torchvision.models):
        known = ", ".join(torchvision.models.list_models(torchvision.models))
        raise ValueError(f"unknown ImageNet classifier {name!r}; torchvision has {known}")
    weights = torchvision.models.get_model_weights(name).DEFAULT
    path = Path(torch.hub.get_dir()) / "checkpoints" / Path(weights.url).name
    if path.exists():
        _check(path)
    elif not download:
        raise FileNotFoundError(
            f"the weights of {name} are not in torch's cache; with internet, imagenet({name!r}, download=True) fetches "
            'them, as the profile "full" does'
        )
    net = torchvision.models.get_model(name, weights=weights)  # a download is checked by torchvision
    settings = weights.transforms()
    return nn.Sequential(Normalize(settings.mean, settings.std), net).eval(), tuple(weights.meta["categories"])


def _check(path: Path) -> None:
    """Raise ValueError unless the file's SHA-256 starts with the hex after the last dash of its name."""
    wanted = path.stem.rpartition("-")[2]
    with path.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if not found.startswith(wanted):
        raise ValueError(f"{path} is damaged: its SHA-256 starts with {found[:8]}, expected {wanted}; delete it")
