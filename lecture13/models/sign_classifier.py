"""A small convolutional classifier of road signs."""

from collections import OrderedDict
from collections.abc import Sequence

from torch import nn

from lecture13.models.normalize import Normalize


def sign_classifier(
    *, classes: int = 17, in_channels: int = 3, widths: Sequence[int] = (16, 32, 64, 96)
) -> nn.Sequential:
    """Four 3×3 convolutions with batch normalisation and max pooling between them, average pooling, one linear layer.

    A small net of the kind that GTSRB is classified with (the GTSRB-CNN of Eykholt et al. 2018 has seven convolutions).
    Layers are ``conv1``, ``bn1``, ``relu1``, ``pool1`` … ``relu4``, ``pool``, ``fc``. The last pooling keeps 2×2
    places: which way an arrow points, or where a bar lies, can be the whole difference between two signs.

    Args:
        classes: K, the number of logits.
        in_channels: 3 for colour images.
        widths: channels of the convolutions.

    Shapes:
        ``(N, in_channels, H, W)`` in [0, 1], H and W at least 16 → logits ``(N, classes)``.

    Raises:
        ValueError: no widths.
    """
    if not widths:
        raise ValueError("widths is empty; expected the channels of one convolution or more")
    layers: OrderedDict[str, nn.Module] = OrderedDict(normalize=Normalize([0.5] * in_channels, [0.25] * in_channels))
    channels = in_channels
    for number, width in enumerate(widths, start=1):
        layers[f"conv{number}"] = nn.Conv2d(channels, width, 3, padding=1, bias=False)  # batch norm has the bias
        layers[f"bn{number}"] = nn.BatchNorm2d(width)
        layers[f"relu{number}"] = nn.ReLU()
        if number < len(widths):
            layers[f"pool{number}"] = nn.MaxPool2d(2)
        channels = width
    layers["pool"] = nn.AdaptiveAvgPool2d(2)
    layers["flatten"] = nn.Flatten()
    layers["fc"] = nn.Linear(channels * 4, classes)
    return nn.Sequential(layers)
