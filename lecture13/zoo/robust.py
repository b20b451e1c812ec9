"""The recipe of a classifier that is trained against a ball of ε around every image, or plainly beside it."""

import contextlib
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from lecture13 import data, models
from lecture13.defenses import polytope, robust_training
from lecture13.defenses.separated import fully_connected
from lecture13.evaluation import predict
from lecture13.training import History
from lecture13.zoo.base import Measurement
from lecture13.zoo.cards import read_card, read_weights, unpack


@dataclass(frozen=True)
class Robust:
    """A net of the layers that :mod:`lecture13.defenses.polytope` reads, trained by one of the three ways there.

    Args:
        defence, epsilon, first_epsilon, warmup, mixed, attack_steps, learning_rate, batch_size, falling: of
            :func:`lecture13.defenses.robust_training.train`.
        model, options: of :func:`lecture13.models.build`.
        widths: of a fully connected net in its place.
        data, size: what it learns, and the images' side; None where they are no images.
        start: the net whose weights the training starts from, in the same folder or shipped; None draws them.
        every: the robust bound is measured on each ``every``-th test image, since that of a plain net is dear.
    """

    name: str
    about: str
    data: str
    defence: str
    epsilon: float
    steps: int
    batch_size: int
    learning_rate: float
    first_epsilon: float | None = None
    warmup: int = 0
    mixed: int = 0
    attack_steps: int = 20
    falling: bool = False
    model: str = "small_convnet"
    options: dict[str, Any] = field(default_factory=dict)
    widths: tuple[int, ...] | None = None
    size: int | None = 28
    start: str | None = None
    every: int = 1

    @property
    def trained_on(self) -> str:
        """The data, in a line."""
        return self._data("train")

    def settings(self) -> dict[str, Any]:
        """Every field but the name, the line about it, and the steps, which a run may change."""
        said = ("name", "about", "steps")
        return {key: value for key, value in asdict(self).items() if key not in said and value is not None}

    def build(self) -> nn.Module:
        """The untrained net, from torch's global generator."""
        if self.widths is not None:
            return fully_connected(*self.widths, seed=torch.initial_seed())
        return models.build(self.model, **self.options)

    def train(
        self, fabric, *, steps: int, seed: int, checkpoint: Path, examples: int | None
    ) -> tuple[nn.Module, History]:
        """Train on the train split; see :class:`~lecture13.zoo.base.Recipe`."""
        with torch.random.fork_rng([]):
            torch.manual_seed(seed)
            net = self.build().to(fabric.device)
        if self.start is not None:
            self._start_from(net, checkpoint.parent)
        images, labels = (each.to(fabric.device) for each in self._load("train", examples))
        history = robust_training.train(
            net,
            images,
            labels,
            defence=self.defence,
            epsilon=self.epsilon,
            first_epsilon=self.first_epsilon,
            # a trial of fewer steps keeps the schedule's shape
            warmup=self.warmup * steps // self.steps,
            mixed=self.mixed * steps // self.steps,
            attack_steps=self.attack_steps,
            falling=self.falling,
            steps=steps,
            batch_size=min(self.batch_size, len(images)),
            learning_rate=self.learning_rate,
            seed=seed,
            checkpoint=checkpoint,
            checkpoint_every=100,
            fabric=fabric,
        )
        return net, history

    def _start_from(self, net: nn.Module, folder: Path) -> None:
        for place in (folder, None):
            with contextlib.suppress(FileNotFoundError):
                unpack(net, read_weights(read_card(self.start, place), place))
                return
        raise FileNotFoundError(f"{self.name} starts from {self.start}: `python -m lecture13 train {self.start}` first")

    def measure(self, net: nn.Module) -> Measurement:
        """Accuracy on the test split, and beside it the exact robust bound at ``epsilon`` (no box)."""
        images, labels = self._load("test", None)
        device = next(net.parameters()).device
        found = predict(net, images)[0]
        bound = polytope.robust_error(
            net,
            images[:: self.every],
            labels[:: self.every],
            self.epsilon,
            batch_size=20 if device.type == "cpu" else 256,
        )
        count = len(images[:: self.every])
        also = {f"robust bound at ε = {self.epsilon:g}, {count} images": bound}
        accuracy = float((found == labels).double().mean())
        return Measurement("accuracy", accuracy, len(images), self._data("test"), also)

    def _load(self, split: str, count: int | None) -> tuple[Tensor, Tensor]:
        where = {} if self.size is None else {"size": self.size}
        found = data.load(self.data, split, count=count, **where)
        return found.images, found.labels

    def _data(self, split: str) -> str:
        where = "" if self.size is None else f" at {self.size}×{self.size}"
        return f"{self.data}{where}, {split} split"
