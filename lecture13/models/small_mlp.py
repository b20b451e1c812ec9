"""A small multilayer perceptron on colour images."""

from collections import OrderedDict
from collections.abc import Sequence

from torch import nn

from lecture13.models.normalize import Normalize


def small_mlp(
    *, classes: int = 10, in_channels: int = 3, size: int = 32, widths: Sequence[int] = (80, 80)
) -> nn.Sequential:
    """Hidden layers of ReLUs on the pixels as they come: no convolution knows that neighbours belong together.

    Args:
        classes: K, the number of logits.
        in_channels, size: the images are ``(N, in_channels, size, size)``.
        widths: of the hidden layers.

    Shapes:
        ``(N, in_channels, size, size)`` in [0, 1] → logits ``(N, classes)``. 253 130 parameters as built by default.

    Raises:
        ValueError: no widths.
    """
    if not widths:
        raise ValueError("widths is empty; expected the width of one hidden layer or more")
    layers: OrderedDict[str, nn.Module] = OrderedDict(
        normalize=Normalize([0.5] * in_channels, [0.25] * in_channels), flatten=nn.Flatten()
    )
    inputs = in_channels * size * size
    for number, width in enumerate(widths, start=1):
        layers[f"fc{number}"] = nn.Linear(inputs, width)
        layers[f"relu{number}"] = nn.ReLU()
        inputs = width
    layers[f"fc{len(widths) + 1}"] = nn.Linear(inputs, classes)
    return nn.Sequential(layers)
