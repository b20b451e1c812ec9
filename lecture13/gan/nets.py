"""Small generators and critics: multilayer perceptrons, with and without labels, and the noise that feeds them."""

import math
from collections.abc import Callable, Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn.functional import one_hot


def normal(dimensions: int) -> Callable[[int, torch.Generator | None], Tensor]:
    """The noise prior z ~ N(0, I): (count, generator) → (count, dimensions)."""

    def draw(count: int, generator: torch.Generator | None = None) -> Tensor:
        device = None if generator is None else generator.device
        return torch.randn(count, dimensions, generator=generator, device=device)

    return draw


def uniform(dimensions: int) -> Callable[[int, torch.Generator | None], Tensor]:
    """The noise prior z ~ U(−1, 1) in every dimension, of Radford et al. 2016: (count, generator) → (count, d)."""

    def draw(count: int, generator: torch.Generator | None = None) -> Tensor:
        device = None if generator is None else generator.device
        return torch.rand(count, dimensions, generator=generator, device=device) * 2 - 1

    return draw


def mlp(widths: Sequence[int], activation: Callable[[], nn.Module] = nn.ReLU) -> nn.Sequential:
    """Linear layers of the given widths, input first, output last, with an activation between each two."""
    layers: list[nn.Module] = []
    for inputs, outputs in pairwise(widths):
        layers += [nn.Linear(inputs, outputs), activation()]
    return nn.Sequential(*layers[:-1])


class Critic(nn.Module):
    """A perceptron that gives one logit a(x) for each sample: (N, d) → (N,). D(x) = σ(a(x))."""

    def __init__(self, inputs: int, hidden: Sequence[int] = (64, 64), activation: Callable[[], nn.Module] = nn.Tanh):
        super().__init__()
        self.layers = mlp([inputs, *hidden, 1], activation)

    def forward(self, x: Tensor) -> Tensor:
        """Logits (N,) of samples (N, d)."""
        return self.layers(x)[:, 0]


class ConditionalGenerator(nn.Module):
    """Images from noise and a label, G(z, y): z (N, noise), y (N,) int64 → (N, C, H, W) in (0, 1).

    Args:
        shape: (C, H, W) of an image.
        classes: number of labels.
        noise: dimensions of z.
        hidden: widths between.
    """

    def __init__(self, shape: tuple[int, int, int], classes: int, noise: int, hidden: Sequence[int] = (128, 128)):
        super().__init__()
        self.shape, self.classes = shape, classes
        self.layers = mlp([noise + classes, *hidden, math.prod(shape)], nn.ReLU)

    def forward(self, z: Tensor, y: Tensor) -> Tensor:
        """Images (N, C, H, W) of the labels y; a label out of range is a ValueError."""
        return self.layers(_beside(z, y, self.classes)).sigmoid().view(-1, *self.shape)


class ConditionalCritic(nn.Module):
    """One logit for each image and label, D(x, y): x (N, C, H, W) in [0, 1], y (N,) int64 → (N,)."""

    def __init__(self, shape: tuple[int, int, int], classes: int, hidden: Sequence[int] = (128, 128)):
        super().__init__()
        self.classes = classes
        self.layers = mlp([math.prod(shape) + classes, *hidden, 1], lambda: nn.LeakyReLU(0.2))

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        """Logits (N,): is x a real image of y? A label out of range is a ValueError."""
        return self.layers(_beside(2 * x.flatten(1) - 1, y, self.classes))[:, 0]


def one_hot_labels(labels: Tensor | None, count: int, classes: int) -> Tensor:
    """Labels (count,) as rows of one 1: int64 (count, classes); what a net with labels is given beside its input.

    Raises:
        ValueError: no labels, another number of them, or one out of range.
    """
    if labels is None:
        raise ValueError(f"no labels; this net has {classes} classes and takes one label for each of {count} samples")
    if labels.shape != (count,) or labels.min() < 0 or labels.max() >= classes:
        raise ValueError(
            f"labels {tuple(labels.shape)} from {labels.min()} to {labels.max()} for {count} samples; expected one "
            f"each, from 0 to {classes - 1}"
        )
    return one_hot(labels, classes)


def _beside(vectors: Tensor, labels: Tensor, classes: int) -> Tensor:
    """The vectors (N, d) with the labels, one-hot, beside them: (N, d + classes)."""
    return torch.cat([vectors, one_hot_labels(labels, len(vectors), classes).to(vectors)], dim=1)
