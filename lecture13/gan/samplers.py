"""Where a game's real samples come from: minibatches of a data set or of a density."""

from collections.abc import Callable

import torch
from torch import Tensor

from lecture13.gan.densities import Mixture
from lecture13.gan.images import to_signed
from lecture13.training import batch_indices

#: (number, count, generator) → minibatch ``number`` of ``count`` samples: (x,), or (x, y) with labels.
Sampler = Callable[[int, int, torch.Generator | None], tuple[Tensor, ...]]


def from_mixture(target: Mixture) -> Sampler:
    """Minibatches of fresh draws from a density."""
    return lambda number, count, generator=None: (target.sample(count, generator),)


def from_tensors(samples: Tensor, labels: Tensor | None = None, *, seed: int = 0) -> Sampler:
    """Minibatches of a data set, one permutation of it after the other, so that a pass shows each sample once.

    Args:
        samples: (N, ...), as the critic takes them, on the device where they are wanted.
        labels: (N,), or None.
        seed: of the permutations.

    Raises:
        ValueError: no samples, or not as many labels as samples.
    """
    if len(samples) == 0 or (labels is not None and len(labels) != len(samples)):
        raise ValueError(f"{len(samples)} samples, {None if labels is None else len(labels)} labels; expected one each")

    def draw(number: int, count: int, generator: torch.Generator | None = None) -> tuple[Tensor, ...]:
        index = batch_indices(len(samples), count, number, seed).to(samples.device, non_blocking=True)
        return (samples[index],) if labels is None else (samples[index], labels[index])

    return draw


def from_bytes(images: Tensor, labels: Tensor | None = None, *, mirror: bool = False, seed: int = 0) -> Sampler:
    """As :func:`from_tensors`, of images (N, C, H, W) kept as bytes, which the critic gets as floats in [−1, 1].

    ``mirror`` turns half of them left to right, each time anew.

    Raises:
        ValueError: as :func:`from_tensors`; TypeError: images that are not uint8.
    """
    if images.dtype != torch.uint8:
        raise TypeError(f"images of {images.dtype}; expected uint8 (from_tensors takes floats)")
    pick = from_tensors(images, labels, seed=seed)

    def draw(number: int, count: int, generator: torch.Generator | None = None) -> tuple[Tensor, ...]:
        picked, *y = pick(number, count, generator)
        x = to_signed(picked)
        if mirror:
            turned = torch.rand(count, generator=generator, device=generator and generator.device) < 0.5
            x = torch.where(turned.to(x.device)[:, None, None, None], x.flip(-1), x)
        return (x, *y)

    return draw
