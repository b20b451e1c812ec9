"""The generator without convolutions, third row of Figure 2."""

import math
from collections.abc import Sequence
from itertools import pairwise

from torch import Tensor, nn

from lecture13.gan.architectures.start import by_fans_


class Perceptron(nn.Module):
    """z (N, noise) → images (N, C, H, W) in [−1, 1] by linear layers and ReLU: no place, no neighbours.

    Args:
        shape: (C, H, W) of an image.
        hidden: units of each hidden layer; four of 512 in the paper.
        noise: dimensions of z.
    """

    def __init__(self, shape: tuple[int, int, int], *, hidden: Sequence[int] = (512,) * 4, noise: int = 128):
        super().__init__()
        self.shape, self.noise, self.classes = shape, noise, None
        self.layers = nn.Sequential()
        for number, (inputs, outputs) in enumerate(pairwise([noise, *hidden]), 1):
            layer = nn.Linear(inputs, outputs)
            nn.init.kaiming_uniform_(layer.weight, nonlinearity="relu")
            nn.init.zeros_(layer.bias)
            self.layers.add_module(f"hidden{number}", nn.Sequential(layer, nn.ReLU()))
        image = nn.Linear(hidden[-1], math.prod(shape))
        by_fans_(image)
        self.layers.add_module("image", nn.Sequential(image, nn.Tanh()))

    def forward(self, z: Tensor) -> Tensor:
        """Images (N, C, H, W) of z (N, noise)."""
        return self.layers(z).view(-1, *self.shape)
