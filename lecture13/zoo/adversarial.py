"""The recipe of a generator that learns from a critic: DCGAN, on scenes or on digits by label."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from lecture13 import data
from lecture13.data.stock import scene_bytes
from lecture13.gan import dcgan, nets, objectives
from lecture13.gan.sampling import recalibrate, sample
from lecture13.gan.training import Sampler, adam, algorithm_1, from_bytes
from lecture13.training import History
from lecture13.zoo.base import Measurement, go_on_from

SHEET = 36  # samples of fixed noise that the checkpoint keeps along the way


@dataclass(frozen=True)
class Adversarial:
    """A :class:`~lecture13.zoo.base.Recipe`: the non-saturating game between DCGAN's nets, images in [−1, 1].

    The net of the zoo is the moving average of the generator: ``net(z)``, z ~ N(0, I) in ``noise`` dimensions, or
    ``net(z, y)`` with labels, gives images in [−1, 1].

    Args:
        images: so many training images are a pass.
        maps, noise, minibatch_std: of the nets, see :mod:`lecture13.gan.dcgan`.
        kernel: of both nets; with ``resize`` of the critic alone, and the generator resizes and convolves by 3×3.
        r1: γ of :func:`~lecture13.gan.objectives.r1`, on the first eighth of each minibatch: the same on average, for
            an eighth of the price. The critic then has no batch norm. 0: no penalty, and batch norm, as in the paper.
        continues: the recipe of the same game with fewer steps whose checkpoint this one goes on from, if it is there.
        measured: net → Measurement.
    """

    name: str
    about: str
    data: str
    size: int
    images: int
    steps: int
    maps: tuple[int, ...]
    measured: Any
    channels: int = 3
    classes: int | None = None
    kernel: int = 4
    resize: bool = False
    noise: int = 100
    minibatch_std: bool = True
    r1: float = 0.0
    batch_size: int = 32
    learning_rate: float = 4e-4
    decay: float = 0.999
    mirror: bool = True
    continues: str | None = None

    @property
    def trained_on(self) -> str:
        """The data, in a line."""
        shown = self.steps * self.batch_size
        return f"{self.data} at {self.size}×{self.size}, train split, {self.images} images, {shown} shown"

    def settings(self) -> dict[str, Any]:
        """Plain values that decide the result, but for the seed and the steps."""
        names = (
            "data", "size", "images", "maps", "channels", "classes", "kernel", "resize", "noise", "minibatch_std", "r1",
            "batch_size", "learning_rate", "decay", "mirror",
        )  # fmt: skip
        return {name: getattr(self, name) for name in names}

    def build(self) -> nn.Module:
        """The untrained generator, from torch's global generator."""
        return dcgan.Generator(
            self.size, self.maps, channels=self.channels, noise=self.noise, kernel=3 if self.resize else self.kernel,
            resize=self.resize, classes=self.classes,
        )  # fmt: skip

    def train(
        self, fabric, *, steps: int, seed: int, checkpoint: Path, examples: int | None
    ) -> tuple[nn.Module, History]:
        """Play the game; see :class:`~lecture13.zoo.base.Recipe`."""
        with torch.random.fork_rng([]):
            torch.manual_seed(seed)
            G = self.build()
            D = dcgan.Critic(
                self.size, self.maps, channels=self.channels, kernel=self.kernel, classes=self.classes,
                minibatch_std=self.minibatch_std, norm=None if self.r1 else "batch",
            )  # fmt: skip
            z = torch.randn(SHEET, self.noise)
        y = None if self.classes is None else torch.arange(SHEET) % self.classes
        go_on_from(self.continues, checkpoint)
        images = min(examples or self.images, self.images)

        played = algorithm_1(
            G,
            D,
            self._sampler(images, fabric.device, seed),
            nets.normal(self.noise),
            steps=steps,
            batch=self.batch_size,
            objective=objectives.non_saturating,
            penalty=self._penalty if self.r1 else None,
            rule=partial(adam, lr=self.learning_rate, betas=(0.5, 0.999)),
            seed=seed,
            average=self.decay,
            checkpoint=checkpoint,
            checkpoint_every=1000,
            settings={**self.settings(), "images": images},
            record=lambda done: sample(G, z, y).mul(255).round().byte(),
            every=2500,
            fabric=fabric,
            description=self.name,
        )
        metrics = {name: values.tolist() for name, values in played.metrics.items()}
        return recalibrate(played.average), History(metrics, played.seconds)

    def measure(self, net: nn.Module) -> Measurement:
        """The card's metric."""
        return self.measured(net)

    def _penalty(self, D: Callable[[Tensor], Tensor], x: Tensor, fake: Tensor) -> Tensor:
        return self.r1 / 2 * objectives.r1(D, x[: max(1, len(x) // 8)])

    def _sampler(self, images: int, device: torch.device, seed: int) -> Sampler:
        if self.data == "scenes":
            return from_bytes(scene_bytes(images, size=self.size).to(device), mirror=self.mirror, seed=seed)
        found = data.load(self.data, "train", size=self.size, count=images)
        labels: Tensor | None = None if self.classes is None else found.labels.to(device)
        return from_bytes(found.images.mul(255).round().byte().to(device), labels, mirror=self.mirror, seed=seed)
