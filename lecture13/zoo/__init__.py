"""The zoo: nets with names, the recipes that train them, and the weights that ship.

>>> from lecture13 import zoo
>>> model = zoo.load("lenet-digits")  # float32, eval mode
>>> zoo.card("lenet-digits").metric
'accuracy'
"""

import datetime
import hashlib
from pathlib import Path

import torch
from torch import nn

from lecture13 import processes
from lecture13.profile import data_folder
from lecture13.zoo.base import Recipe
from lecture13.zoo.cards import (
    Card,
    describe_device,
    pack,
    read_card,
    read_weights,
    unpack,
    write_card,
    write_weights,
)
from lecture13.zoo.recipes import RECIPES

__all__ = ["Card", "card", "checkpoint_path", "load", "names", "recipe", "train"]


def names() -> tuple[str, ...]:
    """The nets that the zoo has a recipe for."""
    return tuple(RECIPES)


def recipe(name: str) -> Recipe:
    """All that decides the net ``name``; ValueError lists the known ones."""
    if name not in RECIPES:
        raise ValueError(f"no net {name!r} in the zoo; known: {', '.join(names())}")
    return RECIPES[name]


def card(name: str, *, folder: Path | None = None) -> Card:
    """How the net ``name`` was made and how good it is: of the one that ships, or of one trained into ``folder``."""
    recipe(name)
    return read_card(name, folder)


def load(name: str, *, device: str | torch.device = "cpu", folder: Path | None = None) -> nn.Module:
    """The trained net ``name``: float32, in eval mode, on ``device``.

    Args:
        name: one of :func:`names`.
        device: any torch device.
        folder: where :func:`train` put it; None takes the one that ships.

    Raises:
        ValueError: an unknown name, or a file that is not the one its card was written for.
        FileNotFoundError: no such net there; says how to train it.
    """
    content = read_weights(card(name, folder=folder), folder)
    with torch.random.fork_rng([]):  # building draws weights that are replaced at once
        net = recipe(name).build()
    try:
        unpack(net, content)
    except RuntimeError as error:
        raise ValueError(
            f"these weights of {name!r} are of another recipe than today's; train it again: {error}"
        ) from error
    return net.to(device).eval()


def checkpoint_path(name: str, folder: Path | None = None) -> Path:
    """Where :func:`train` keeps the checkpoint of a net."""
    recipe(name)
    return (folder or data_folder() / "zoo") / f"{name}.ckpt"


def train(
    name: str,
    *,
    folder: Path | str | None = None,
    device: str | torch.device = "cpu",
    precision: str = "32-true",
    seed: int = 0,
    steps: int | None = None,
    examples: int | None = None,
    resume: bool = True,
) -> Card:
    """Train the net ``name`` by its recipe, and write its weights and card to ``folder``.

    A killed training goes on from its checkpoint (``folder/NAME.ckpt``) when it is called again, and ends at the same
    weights. Under ``torchrun`` or ``srun`` the processes share the batches.

    Args:
        name: one of :func:`names`.
        folder: None is ``zoo`` in :func:`lecture13.profile.data_folder`.
        device, precision: see :func:`lecture13.processes.start`.
        seed: of the weights, the batches, the augmentation.
        steps, examples: None takes the recipe's; fewer make a trial, and the card says so.
        resume: False refuses to touch a checkpoint that is there.

    Raises:
        ValueError: an unknown name.
        FileExistsError: a checkpoint is there, and ``resume`` is False.
        CheckpointError, FloatingPointError: see :func:`lecture13.training.fit`.
    """
    plan = recipe(name)
    folder = Path(folder) if folder else None
    checkpoint = checkpoint_path(name, folder)
    if checkpoint.exists() and not resume:
        raise FileExistsError(f"{checkpoint} holds an earlier training: resume it, choose another folder, or delete it")
    steps = steps or plan.steps
    fabric = processes.start(device, precision)
    net, history = plan.train(fabric, steps=steps, seed=seed, checkpoint=checkpoint, examples=examples)
    content = pack(net)
    shipped = plan.build().to(fabric.device)
    unpack(shipped, content)  # measured as it ships: rounded to half precision
    measured = plan.measure(shipped.eval())
    made = Card(
        name=name,
        about=plan.about,
        data=plan.trained_on,
        seed=seed,
        steps=steps,
        examples=examples,
        seconds=round(history.seconds, 3),
        device=describe_device(fabric.device),
        precision=precision,
        torch=torch.__version__,
        date=datetime.datetime.now(datetime.UTC).date().isoformat(),
        parameters=sum(p.numel() for p in net.parameters()),
        metric=measured.metric,
        value=measured.value,
        n=measured.n,
        measured_on=measured.data,
        also=measured.also,
        settings=plan.settings(),
        bytes=len(content),
        sha256=hashlib.sha256(content).hexdigest(),
    )
    if fabric.is_global_zero:
        write_weights(name, content, checkpoint.parent)
        write_card(made, checkpoint.parent)
    fabric.barrier()
    return made
