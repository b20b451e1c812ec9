"""A small net of VGG's kind: stages of two 3×3 convolutions, then fully connected layers, no normalisation."""

from collections import OrderedDict

from torch import nn

from lecture13.models.normalize import Normalize

#: Channels of the three stages, and units of the hidden layer.
WIDTHS, HIDDEN = (16, 32, 64), 96


def small_vgg(*, classes: int = 10, in_channels: int = 3, size: int = 32) -> nn.Sequential:
    """Three stages of two 3×3 convolutions and 2×2 max pooling, and two linear layers.

    VGG-16 (Simonyan & Zisserman 2015) with six of its thirteen convolutions, and like it without batch normalisation;
    so the weights start as He et al. 2015 say, since deep plain nets learn from little else. Layers are ``conv1_1``,
    ``relu1_1``, ``conv1_2``, ``relu1_2``, ``pool1`` … ``pool3``, ``fc1``, ``fc2``.

    Args:
        classes: K, the number of logits.
        in_channels: 3 for colour images.
        size: height and width of the images in pixels, a multiple of 8.

    Shapes:
        ``(N, in_channels, size, size)`` in [0, 1] → logits ``(N, classes)``. 171 450 parameters as built by default.

    Raises:
        ValueError: a size that three halvings do not divide.
    """
    if size < 8 or size % 8:
        raise ValueError(f"size is {size}; expected a multiple of 8, which three poolings halve evenly")
    layers: OrderedDict[str, nn.Module] = OrderedDict(normalize=Normalize([0.5] * in_channels, [0.25] * in_channels))
    channels = in_channels
    for stage, width in enumerate(WIDTHS, start=1):
        for place in (f"{stage}_1", f"{stage}_2"):
            layers[f"conv{place}"] = _he(nn.Conv2d(channels, width, 3, padding=1))
            layers[f"relu{place}"] = nn.ReLU()
            channels = width
        layers[f"pool{stage}"] = nn.MaxPool2d(2)
    layers["flatten"] = nn.Flatten()
    layers["fc1"] = _he(nn.Linear(channels * (size // 8) ** 2, HIDDEN))
    layers["relu4"] = nn.ReLU()
    layers["fc2"] = nn.Linear(HIDDEN, classes)
    return nn.Sequential(layers)


def _he(layer: nn.Conv2d | nn.Linear) -> nn.Conv2d | nn.Linear:
    """Weights of variance 2/fan-in, which a ReLU behind them keeps (He et al. 2015, eq. 10); no bias."""
    nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
    nn.init.zeros_(layer.bias)
    return layer
