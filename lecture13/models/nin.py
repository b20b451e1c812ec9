"""Network In Network."""

from collections import OrderedDict

from torch import nn

from lecture13.models.normalize import Normalize

#: Channels of the three blocks' convolutions; the last are the logits.
WIDTHS = ((192, 160, 96), (192, 192, 192), (192, 192))


def nin(*, classes: int = 10, thin: int = 1, batch_norm: bool = False) -> nn.Sequential:
    """Three blocks of a convolution and two 1×1 convolutions, and a mean over places (Lin et al. 2014, Figure 2).

    The net that the authors trained on CIFAR-10: 5×5, 5×5 and 3×3 convolutions, 3×3 poolings of stride 2 between the
    blocks, by maximum and by mean, each with dropout of one half behind it; no fully connected layer. Layers are
    ``conv1``, ``relu1``, ``cccp1``, ``relu1_1``, ``cccp2``, ``relu1_2``, ``pool1``, ``drop1``, ``conv2`` …
    ``pool3``, ``flatten``; "cccp" is the authors' word for a 1×1 convolution.

    Args:
        classes: K, the number of logits.
        thin: every inner layer has ``1/thin`` of the paper's channels.
        batch_norm: batch normalisation before every ReLU, which the paper's net does not have (layers ``bn1``, …).

    Shapes:
        ``(N, 3, H, W)`` in [0, 1], H and W at least 8 → logits ``(N, classes)``. 966 986 parameters as built by
        default.

    Raises:
        ValueError: a ``thin`` that does not divide the paper's channels.
    """
    if thin < 1 or any(width % thin for block in WIDTHS for width in block):
        raise ValueError(f"thin is {thin}; expected a divisor of the paper's channels, {WIDTHS}")
    layers: OrderedDict[str, nn.Module] = OrderedDict(normalize=Normalize([0.5] * 3, [0.25] * 3))
    channels = 3

    def add(name: str, width: int, side: int, place: str) -> None:
        nonlocal channels
        layers[name] = nn.Conv2d(channels, width, side, padding=side // 2, bias=not batch_norm)
        if batch_norm:
            layers[f"bn{place}"] = nn.BatchNorm2d(width)
        layers[f"relu{place}"] = nn.ReLU()
        channels = width

    for block, (side, widths) in enumerate(zip((5, 5, 3), WIDTHS, strict=True), start=1):
        for number, width in enumerate(widths):
            name = f"cccp{2 * block - 2 + number}" if number else f"conv{block}"
            add(name, width // thin, side if not number else 1, f"{block}_{number}" if number else f"{block}")
        if block < 3:
            pooling = nn.MaxPool2d if block == 1 else nn.AvgPool2d
            layers[f"pool{block}"] = pooling(3, 2, ceil_mode=True)
            layers[f"drop{block}"] = nn.Dropout(0.5)
    layers["cccp6"] = nn.Conv2d(channels, classes, 1)
    layers |= OrderedDict(pool3=nn.AdaptiveAvgPool2d(1), flatten=nn.Flatten())
    return nn.Sequential(layers)
