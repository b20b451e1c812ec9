"""Normalisation as a layer, so that ε is always in pixel units."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn


class Normalize(nn.Module):
    """``(images − mean) / std``, channel by channel.

    As the first layer of a network it lets an attack work on pixels in [0, 1]: the gradient, ε and the box are all in
    pixel units, whatever the network was trained on.

    Args:
        mean, std: one number per channel, in the units of the images.

    Shapes:
        images ``(N, C, H, W)`` → ``(N, C, H, W)``; ``C`` is ``len(mean)``, or anything where that is 1.

    Raises:
        ValueError: mean and std of different lengths, or a std that is not above 0.
    """

    def __init__(self, mean: Sequence[float], std: Sequence[float]):
        super().__init__()
        if len(mean) != len(std) or not len(mean):
            raise ValueError(
                f"mean has {len(mean)} channels and std has {len(std)}; expected the same number, 1 or more"
            )
        if not all(value > 0 for value in std):
            raise ValueError(f"std is {tuple(std)}; expected numbers above 0")
        # Buffers, so that they move with the model; not in its state, since they are settings and not learned.
        self.register_buffer("mean", torch.tensor(mean, dtype=torch.float32).view(-1, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(std, dtype=torch.float32).view(-1, 1, 1), persistent=False)

    def forward(self, images: Tensor) -> Tensor:
        """Images ``(N, C, H, W)`` in [0, 1] → the same shape, normalised."""
        return (images - self.mean) / self.std

    def extra_repr(self) -> str:
        """Mean and std, for ``print(model)``."""
        return f"mean={self.mean.flatten().tolist()}, std={self.std.flatten().tolist()}"
