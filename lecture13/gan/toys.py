"""The toys of Gulrajani et al. 2017, Figure 1: three densities in the plane, and a generator that is held still.

With the generator held at the data plus unit noise, a critic can be trained to its end, and one sees what clipping or a
gradient penalty makes of it. The numbers are those of the authors' ``gan_toy.py``.
"""

import math
from collections.abc import Callable

import torch
from torch import Tensor, nn

from lecture13.gan import densities
from lecture13.gan.objectives import wasserstein
from lecture13.gan.samplers import Sampler, from_mixture

#: Eight Gaussians on a circle of radius √2, and 25 on a lattice of side 4/√2 (scaled to about unit variance).
EIGHT = densities.ring(8, radius=2 / 2**0.5, std=0.02 / 2**0.5)
TWENTY_FIVE = densities.grid(5, spacing=2 / 8**0.5, std=0.05 / 8**0.5)


def swiss_roll(number: int, count: int, generator: torch.Generator | None = None) -> tuple[Tensor]:
    """A spiral, t·(cos t, sin t) for t ~ U[1.5π, 4.5π] with noise of 0.25, divided by 7.5; scikit-learn's, from above.

    A :data:`~lecture13.gan.samplers.Sampler` of fresh draws (count, 2).
    """
    t = 1.5 * math.pi * (1 + 2 * torch.rand(count, generator=generator))
    spiral = torch.stack([t * t.cos(), t * t.sin()], dim=1)
    return ((spiral + 0.25 * torch.randn(count, 2, generator=generator)) / 7.5,)


#: The three toys, as samplers of fresh draws.
TOYS: dict[str, Sampler] = {
    "8 Gaussians": from_mixture(EIGHT),
    "25 Gaussians": from_mixture(TWENTY_FIVE),
    "Swiss roll": swiss_roll,
}


def noisy(data: Sampler, std: float = 1.0) -> Callable[[int, torch.Generator | None], Tensor]:
    """Data plus normal noise of standard deviation ``std``, to be handed on by a generator that is :class:`Held`."""

    def draw(count: int, generator: torch.Generator | None = None) -> Tensor:
        (x,) = data(0, count, generator)
        return x + std * torch.randn(x.shape, generator=generator)

    return draw


class Held(nn.Module):
    """A generator that gives what it gets and cannot learn, so that only the critic moves."""

    def __init__(self):
        super().__init__()
        self.nothing = nn.Parameter(torch.zeros(()))

    def forward(self, z: Tensor) -> Tensor:
        """``z`` as it is; its one parameter has no say, so its gradient is 0."""
        return z + 0 * self.nothing


def gradients_by_layer(critic: nn.Sequential, real: Tensor, fake: Tensor) -> list[float]:
    """How the gradient of the critic's Wasserstein loss fades or grows on its way back (Figure 1b).

    Args:
        critic: linear layers with activations between, the last of them giving (N, 1).
        real, fake: (N, d), (M, d).

    Returns:
        For each linear layer, input side first, the norm of the loss's gradient by what comes out of it.
    """
    outputs = []
    logits = []
    for batch in (real, fake):
        for layer in critic:
            batch = layer(batch)
            if isinstance(layer, nn.Linear):
                outputs.append(batch)
        logits.append(batch[:, 0])
    gradients = torch.autograd.grad(wasserstein.critic(*logits), outputs)
    half = len(outputs) // 2
    return [torch.cat(pair).double().norm().item() for pair in zip(gradients[:half], gradients[half:], strict=True)]
