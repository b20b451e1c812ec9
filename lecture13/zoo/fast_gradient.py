"""The recipe of a classifier that is trained on FGSM's images beside the clean ones."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from lecture13 import attacks
from lecture13.zoo.supervised import Supervised


@dataclass(frozen=True)
class FastGradient(Supervised):
    """A :class:`Supervised` net that is shown each batch as it is and under FGSM, made on the net as it stands.

    The loss is ``αJ(θ, x, y) + (1 − α)J(θ, x + ε sign ∇ₓJ, y)`` with the paper's α = ½: the mean over both halves
    (Goodfellow, Shlens & Szegedy 2015, section 6).

    Args:
        epsilon: ε, in pixel units; 0 adds no images.
    """

    epsilon: float = 0.0

    def augmented(
        self, net: nn.Module, images: Tensor, labels: Tensor, generator: torch.Generator
    ) -> tuple[Tensor, Tensor]:
        """A batch as the net is shown it: every augmentation in turn, then the same images attacked."""
        images, labels = super().augmented(net, images, labels, generator)
        if not self.epsilon:
            return images, labels
        return torch.cat([images, attacks.fgsm(net, images, labels, self.epsilon)]), labels.repeat(2)
