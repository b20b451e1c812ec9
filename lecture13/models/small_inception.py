"""A small net of GoogLeNet's kind: modules whose branches look at several scales at once."""

from collections import OrderedDict

import torch
from torch import Tensor, nn

from lecture13.models.normalize import Normalize

#: Channels of the four modules' branches: 1×1, 3×3, 5×5, pooling.
MODULES = ((8, 16, 8, 8), (12, 24, 12, 8), (16, 32, 16, 8), (24, 40, 16, 16))
STEM = 16


class Inception(nn.Module):
    """Four branches side by side: 1×1, 3×3, 5×5, and 3×3 max pooling (Szegedy et al. 2015, Figure 2b).

    1×1 convolutions come before the two larger ones, with half as many channels as those have, and after the pooling.

    Shapes:
        ``(N, channels, H, W)`` → ``(N, sum(widths), H, W)``.
    """

    def __init__(self, channels: int, widths: tuple[int, int, int, int]):
        super().__init__()
        point, three, five, pool = widths
        self.point = _convolution(channels, point, 1)
        self.three = nn.Sequential(_convolution(channels, three // 2, 1), _convolution(three // 2, three, 3))
        self.five = nn.Sequential(_convolution(channels, five // 2, 1), _convolution(five // 2, five, 5))
        self.pool = nn.Sequential(nn.MaxPool2d(3, stride=1, padding=1), _convolution(channels, pool, 1))

    def forward(self, x: Tensor) -> Tensor:
        """The four branches' channels, one after the other."""
        return torch.cat([self.point(x), self.three(x), self.five(x), self.pool(x)], dim=1)


def small_inception(*, classes: int = 10, in_channels: int = 3) -> nn.Sequential:
    """A 3×3 convolution, two pairs of inception modules, each after a pooling, average pooling, one linear layer.

    After GoogLeNet (Szegedy et al. 2015); with batch normalisation, as its successors and torchvision's own have it.
    Layers are ``stem``, ``pool1``, ``inception1``, ``inception2``, ``pool2``, ``inception3``, ``inception4``, ``pool``,
    ``fc``.

    Args:
        classes: K, the number of logits.
        in_channels: 3 for colour images.

    Shapes:
        ``(N, in_channels, H, W)`` in [0, 1], H and W at least 4 → logits ``(N, classes)``. 36 230 parameters as built
        by default.
    """
    layers: OrderedDict[str, nn.Module] = OrderedDict(
        normalize=Normalize([0.5] * in_channels, [0.25] * in_channels),
        stem=_convolution(in_channels, STEM, 3),
    )
    channels = STEM
    for number, widths in enumerate(MODULES, start=1):
        if number % 2:
            layers[f"pool{number // 2 + 1}"] = nn.MaxPool2d(2)
        layers[f"inception{number}"] = Inception(channels, widths)
        channels = sum(widths)
    layers |= OrderedDict(pool=nn.AdaptiveAvgPool2d(1), flatten=nn.Flatten(), fc=nn.Linear(channels, classes))
    return nn.Sequential(layers)


def _convolution(channels: int, width: int, side: int) -> nn.Sequential:
    return nn.Sequential(
        OrderedDict(
            conv=nn.Conv2d(channels, width, side, padding=side // 2, bias=False),  # batch norm has the bias
            bn=nn.BatchNorm2d(width),
            relu=nn.ReLU(),
        )
    )
