"""The recipe of every net that learns from labels."""

from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from sklearn.metrics import accuracy_score, jaccard_score
from torch import Tensor, nn

from lecture13 import data, models
from lecture13.render import scenes
from lecture13.supervised import cosine, supervised
from lecture13.training import History, fit, moving_average
from lecture13.zoo.augment import Augmentation
from lecture13.zoo.base import Measurement


@dataclass(frozen=True)
class Supervised:
    """A net that learns the labels of ``data``, or its map ``target``, by cross-entropy.

    AdamW, the learning rate rising over 100 steps and falling along half a cosine; the net is the exponential moving
    average (``decay``) of the weights and of batch norm's statistics. With ``also_size`` every other step sees images
    of that size, so few that a step has as many pixels, and the card says how good the net is on those too.
    """

    name: str
    about: str
    model: str
    data: str
    size: int
    steps: int
    batch_size: int
    learning_rate: float
    weight_decay: float
    augment: tuple[Augmentation, ...]
    options: dict[str, Any] = field(default_factory=dict)
    target: str = "labels"
    examples: int | None = None
    test_examples: int | None = None
    decay: float = 0.99
    also_size: int | None = None

    @property
    def trained_on(self) -> str:
        """The data, in a line."""
        return f"{self.data} at {self.size}×{self.size}, train split"

    def settings(self) -> dict[str, Any]:
        """Every field but the name and the line about it, and those that a run may change."""
        plain = asdict(self) | {"augment": [repr(each) for each in self.augment]}
        said = ("name", "about", "steps", "examples")
        return {key: value for key, value in plain.items() if key not in said and value is not None}

    def build(self) -> nn.Module:
        """The untrained net, from torch's global generator."""
        return models.build(self.model, **self.options)

    def train(
        self, fabric, *, steps: int, seed: int, checkpoint: Path, examples: int | None
    ) -> tuple[nn.Module, History]:
        """Train on the train split; see :class:`~lecture13.zoo.base.Recipe`."""
        with torch.random.fork_rng([]):
            torch.manual_seed(seed)
            net = self.build().to(memory_format=torch.channels_last)  # a tenth faster at these sizes
        optimizer = torch.optim.AdamW(net.parameters(), lr=self.learning_rate, weight_decay=self.weight_decay)
        wrapped, optimizer = fabric.setup(net, optimizer)
        average = moving_average(net, self.decay)

        rate, used, parts = cosine(self.learning_rate, steps, warmup=100), [], []
        for turn, size in enumerate(self._sizes()):
            images, labels = self._load("train", examples or self.examples, size)
            used.append(len(images))
            part = supervised(
                wrapped,
                optimizer,
                images.to(fabric.device, memory_format=torch.channels_last),
                labels.to(fabric.device),
                batch_size=self._fewer(self.batch_size, size),
                seed=seed,
                augment=partial(self.augmented, net),
                learning_rate=lambda index, turn=turn: rate(index * len(self._sizes()) + turn),
                average=average,
                fabric=fabric,
            )
            parts.append(part)

        def step(index: int, generator: torch.Generator) -> dict[str, Tensor]:
            return parts[index % len(parts)](index // len(parts), generator)

        history = fit(
            step,
            {"net": net, "optimizer": optimizer, "average": average},
            steps=steps,
            seed=seed,
            checkpoint=checkpoint,
            checkpoint_every=100,
            settings={**self.settings(), "name": self.name, "steps": steps, "examples": used},
            description=self.name,
            fabric=fabric,
        )
        return average.module, history

    def augmented(
        self, net: nn.Module, images: Tensor, labels: Tensor, generator: torch.Generator
    ) -> tuple[Tensor, Tensor]:
        """A batch as the net is shown it: every augmentation in turn, by chance from ``generator`` alone."""
        for each in self.augment:
            images, labels = each(images, labels, generator)
        return images, labels

    def measure(self, net: nn.Module) -> Measurement:
        """Accuracy on the test split; of pixels, with the mean IoU and each class's, where the target is a map."""
        (truth, found), *others = (self._predict(net, size) for size in self._sizes())
        where = f"{self.data} at {self.size}×{self.size}, test split"
        accuracy, also = _accuracy(truth, found), {}
        if self.target != "labels":
            names = scenes.CONCEPTS[self.target]
            each = jaccard_score(truth.ravel(), found.ravel(), average=None, labels=range(len(names)), zero_division=0)
            also = {"mean IoU": float(each.mean())} | {f"IoU {c}": float(v) for c, v in zip(names, each, strict=True)}
        for truth_there, found_there in others:
            also[f"at {self.also_size}×{self.also_size}, {len(truth_there)} images"] = _accuracy(
                truth_there, found_there
            )
        return Measurement(
            "accuracy" if self.target == "labels" else "pixel accuracy", accuracy, len(truth), where, also
        )

    def _predict(self, net: nn.Module, size: int) -> tuple[np.ndarray, np.ndarray]:
        images, labels = self._load("test", self.test_examples, size)
        device = next(net.parameters()).device
        with torch.no_grad():
            found = torch.cat([net(batch.to(device)).argmax(1).cpu() for batch in images.split(250)])
        return labels.numpy(), found.numpy()

    def _load(self, split: str, count: int | None, size: int) -> tuple[Tensor, Tensor]:
        found = data.load(self.data, split, size=size, count=count and self._fewer(count, size))
        return found.images, found.labels if self.target == "labels" else found.maps[self.target]

    def _sizes(self) -> tuple[int, ...]:
        return (self.size, self.also_size) if self.also_size else (self.size,)

    def _fewer(self, count: int, size: int) -> int:
        """How many images of ``size`` have the pixels of ``count`` images of the recipe's own."""
        return max(1, count * self.size**2 // size**2)


def _accuracy(truth: np.ndarray, found: np.ndarray) -> float:
    return float(accuracy_score(truth.ravel(), found.ravel()))
