"""How weights start in the authors' code: one rule for what is made from DCGAN, another for all else."""

import math

from torch import nn


def dcgan_(layer: nn.Module) -> None:
    """Weights N(0, .02), biases 0, batch norm as it is; for ``module.apply``."""
    if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d | nn.Linear):
        nn.init.normal_(layer.weight, 0.0, 0.02)
        if layer.bias is not None:
            nn.init.zeros_(layer.bias)


def by_fans_(layer: nn.Module, *, gain: float = 2.0, skipped: int = 1) -> None:
    """Uniform weights of variance gain · 2 / (fan-in + fan-out), of a linear layer 2 / (fan-in + fan-out); biases 0.

    The fans count what really flows: at stride s a convolution's output sees 1/s² of the places, a transposed
    convolution's input likewise. ``gain`` 2 is for convolutions before a rectifier (He et al. 2015), 1 for others
    (Glorot & Bengio 2010). ``skipped`` is the stride's s², where the stride is taken before the layer.
    """
    if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d):
        area, strided = math.prod(layer.kernel_size), math.prod(layer.kernel_size) / (skipped * math.prod(layer.stride))
        inwards, outwards = (strided, area) if isinstance(layer, nn.ConvTranspose2d) else (area, strided)
        variance = 2 * gain / (layer.in_channels * inwards + layer.out_channels * outwards)
    elif isinstance(layer, nn.Linear):
        variance = 2 / (layer.in_features + layer.out_features)
    else:
        return
    bound = math.sqrt(3 * variance)
    nn.init.uniform_(layer.weight, -bound, bound)
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)
