"""The recipe of a classifier that is trained against rotations and translations, or set on a black canvas."""

from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from lecture13 import attacks
from lecture13.zoo.base import Measurement
from lecture13.zoo.supervised import Supervised


@dataclass(frozen=True)
class Spatial(Supervised):
    """A :class:`Supervised` net that is shown each image in the worst of ``tries`` random poses.

    With ``tries=1`` that is augmentation by random poses, with more it is robust optimisation over them, "worst-of-k"
    (Engstrom et al. 2018): the pose that the net, as it stands, does worst on. The other augmentations come first, so
    that what moves in from outside stays black.

    Args:
        tries: poses drawn for each image at each step; 0 moves no image.
        max_rotation, max_translation: of :func:`lecture13.attacks.spatial`.
        canvas: set every image on the black canvas on which no such pose loses a part of it.
    """

    tries: int = 0
    max_rotation: float = 30.0
    max_translation: float = 0.1
    canvas: bool = False

    @property
    def trained_on(self) -> str:
        """The data, in a line."""
        return super().trained_on + self._where()

    def augmented(
        self, net: nn.Module, images: Tensor, labels: Tensor, generator: torch.Generator
    ) -> tuple[Tensor, Tensor]:
        """A batch as the net is shown it: every augmentation in turn, then the pose."""
        images, labels = super().augmented(net, images, labels, generator)
        if not self.tries:
            return images, labels
        limits = {"max_rotation": self.max_rotation, "max_translation": self.max_translation}
        moved = attacks.spatial(
            net, images, labels, method="worst-of-k", tries=self.tries, generator=generator, **limits
        )
        return moved.images, labels

    def measure(self, net: nn.Module) -> Measurement:
        """Accuracy on the test split, no image moved."""
        measured = super().measure(net)
        return replace(measured, data=measured.data + self._where())

    def _load(self, split: str, count: int | None, size: int) -> tuple[Tensor, Tensor]:
        images, labels = super()._load(split, count, size)
        if self.canvas:
            images = attacks.black_canvas(images, self.max_rotation, (self.max_translation * size,) * 2)
        return images, labels

    def _where(self) -> str:
        return ", on a black canvas" if self.canvas else ""
