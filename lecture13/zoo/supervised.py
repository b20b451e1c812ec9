"""The recipe of every net that learns from labels."""

from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from sklearn.metrics import accuracy_score, jaccard_score
from torch import Tensor, nn

from lecture13 import data, models
from lecture13.supervised import cosine, supervised
from lecture13.training import History, fit, moving_average
from lecture13.zoo.augment import Augmentation
from lecture13.zoo.base import Measurement


@dataclass(frozen=True)
class Supervised:
    """A net that learns the labels of ``data``, or its map ``target``, by cross-entropy.

    AdamW, the learning rate rising over 100 steps and falling along half a cosine; the net is the exponential moving
    average (``decay``) of the weights and of batch norm's statistics.
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

    @property
    def trained_on(self) -> str:
        """The data, in a line."""
        return f"{self.data} at {self.size}×{self.size}, train split"

    def settings(self) -> dict[str, Any]:
        """Every field but the name and the line about it, and those that a run may change."""
        plain = asdict(self) | {"augment": [repr(each) for each in self.augment]}
        return {key: plain[key] for key in plain if key not in ("name", "about", "steps", "examples")}

    def build(self) -> nn.Module:
        """The untrained net, from torch's global generator."""
        return models.build(self.model, **self.options)

    def train(
        self, fabric, *, steps: int, seed: int, checkpoint: Path, examples: int | None
    ) -> tuple[nn.Module, History]:
        """Train on the train split; see :class:`~lecture13.zoo.base.Recipe`."""
        images, labels = self._load("train", examples or self.examples)
        with torch.random.fork_rng([]):
            torch.manual_seed(seed)
            net = self.build().to(memory_format=torch.channels_last)  # a tenth faster at these sizes
        optimizer = torch.optim.AdamW(net.parameters(), lr=self.learning_rate, weight_decay=self.weight_decay)
        wrapped, optimizer = fabric.setup(net, optimizer)
        average = moving_average(net, self.decay)

        def augment(batch: Tensor, target: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
            for each in self.augment:
                batch, target = each(batch, target, generator)
            return batch, target

        step = supervised(
            wrapped,
            optimizer,
            images.to(fabric.device, memory_format=torch.channels_last),
            labels.to(fabric.device),
            batch_size=self.batch_size,
            seed=seed,
            augment=augment,
            learning_rate=cosine(self.learning_rate, steps, warmup=100),
            average=average,
            fabric=fabric,
        )
        history = fit(
            step,
            {"net": net, "optimizer": optimizer, "average": average},
            steps=steps,
            seed=seed,
            checkpoint=checkpoint,
            checkpoint_every=100,
            settings={**self.settings(), "name": self.name, "steps": steps, "examples": len(images)},
            description=self.name,
            fabric=fabric,
        )
        return average.module, history

    def measure(self, net: nn.Module) -> Measurement:
        """Accuracy on the test split; of pixels, with the mean IoU and each class's, where the target is a map."""
        images, labels = self._load("test", self.test_examples)
        device = next(net.parameters()).device
        with torch.no_grad():
            found = torch.cat([net(batch.to(device)).argmax(1).cpu() for batch in images.split(250)])
        where = f"{self.data} at {self.size}×{self.size}, test split"
        truth, found = labels.flatten().numpy(), found.flatten().numpy()
        accuracy = float(accuracy_score(truth, found))
        if self.target == "labels":
            return Measurement("accuracy", accuracy, len(images), where)
        concepts = self._concepts()
        each = jaccard_score(truth, found, average=None, labels=range(len(concepts)), zero_division=0)
        also = {"mean IoU": float(each.mean())} | {f"IoU {c}": float(v) for c, v in zip(concepts, each, strict=True)}
        return Measurement("pixel accuracy", accuracy, len(images), where, also)

    def _load(self, split: str, count: int | None) -> tuple[Tensor, Tensor]:
        found = data.load(self.data, split, size=self.size, count=count)
        return found.images, found.labels if self.target == "labels" else found.maps[self.target]

    def _concepts(self) -> tuple[str, ...]:
        from lecture13.render import scenes

        return scenes.CONCEPTS[self.target]
