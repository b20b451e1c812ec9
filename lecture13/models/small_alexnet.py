"""A small net of AlexNet's kind: large filters, overlapping pooling, fully connected layers, no normalisation."""

from collections import OrderedDict

from torch import nn

from lecture13.models.normalize import Normalize

#: Channels of the three convolutions, and units of the hidden layer.
WIDTHS, HIDDEN = (24, 48, 64), 96


def small_alexnet(*, classes: int = 10, in_channels: int = 3, size: int = 32) -> nn.Sequential:
    """Two 5×5 convolutions, a 3×3 one, each pooled, and two linear layers.

    After AlexNet (Krizhevsky et al. 2012), with its overlapping pooling, 3×3 at stride 2. Plain: no batch
    normalisation, no shortcut, no branches. Layers are ``conv1``, ``relu1``, ``pool1`` … ``pool3``, ``fc1``, ``fc2``.

    Args:
        classes: K, the number of logits.
        in_channels: 3 for colour images.
        size: height and width of the images in pixels, a multiple of 8.

    Shapes:
        ``(N, in_channels, size, size)`` in [0, 1] → logits ``(N, classes)``. 157 754 parameters as built by default.

    Raises:
        ValueError: a size that three halvings do not divide.
    """
    if size < 8 or size % 8:
        raise ValueError(f"size is {size}; expected a multiple of 8, which three poolings halve evenly")
    layers: OrderedDict[str, nn.Module] = OrderedDict(normalize=Normalize([0.5] * in_channels, [0.25] * in_channels))
    channels = in_channels
    for number, (width, side) in enumerate(zip(WIDTHS, (5, 5, 3), strict=True), start=1):
        layers[f"conv{number}"] = nn.Conv2d(channels, width, side, padding=side // 2)
        layers[f"relu{number}"] = nn.ReLU()
        layers[f"pool{number}"] = nn.MaxPool2d(3, stride=2, padding=1)
        channels = width
    layers["flatten"] = nn.Flatten()
    layers["fc1"] = nn.Linear(channels * (size // 8) ** 2, HIDDEN)
    layers["relu4"] = nn.ReLU()
    layers["fc2"] = nn.Linear(HIDDEN, classes)
    return nn.Sequential(layers)
