"""A small U-Net that names every pixel of a scene."""

from collections import OrderedDict
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lecture13.models.normalize import Normalize


class Segmenter(nn.Module):
    """A U-Net (Ronneberger et al. 2015): halve the image three times, double it back, and join equal sizes on the way.

    Stages are ``encode1`` … ``encode3``, ``middle``, ``decode3`` … ``decode1``, each of ``conv1``, ``bn1``, ``relu1``,
    ``conv2``, ``bn2``, ``relu2``; ``classify`` is a 1×1 convolution. It stands where UPerNet stands in Bau et al. 2020.

    Shapes:
        images ``(N, in_channels, H, W)`` in [0, 1], H and W multiples of 8 → logits ``(N, classes, H, W)``.
    """

    def __init__(self, classes: int, in_channels: int, widths: Sequence[int]):
        super().__init__()
        first, second, third, deepest = widths
        self.normalize = Normalize([0.5] * in_channels, [0.25] * in_channels)
        self.encode1 = _stage(in_channels, first)
        self.encode2 = _stage(first, second)
        self.encode3 = _stage(second, third)
        self.middle = _stage(third, deepest)
        self.decode3 = _stage(deepest + third, third)
        self.decode2 = _stage(third + second, second)
        self.decode1 = _stage(second + first, first)
        self.classify = nn.Conv2d(first, classes, 1)

    def forward(self, images: Tensor) -> Tensor:
        """Images ``(N, C, H, W)`` in [0, 1] → logits ``(N, K, H, W)``; ValueError unless 8 divides H and W."""
        if images.shape[-2] % 8 or images.shape[-1] % 8:
            height, width = images.shape[-2:]
            raise ValueError(f"images are {height}×{width}; the segmenter halves them three times: use multiples of 8")
        level1 = self.encode1(self.normalize(images))
        level2 = self.encode2(F.max_pool2d(level1, 2))
        level3 = self.encode3(F.max_pool2d(level2, 2))
        deepest = self.middle(F.max_pool2d(level3, 2))
        level3 = self.decode3(_join(deepest, level3))
        level2 = self.decode2(_join(level3, level2))
        level1 = self.decode1(_join(level2, level1))
        return self.classify(level1)


def segmenter(*, classes: int = 11, in_channels: int = 3, widths: Sequence[int] = (16, 32, 48, 64)) -> Segmenter:
    """A :class:`Segmenter` whose three levels and middle have ``widths`` channels.

    Raises:
        ValueError: other than four widths.
    """
    if len(widths) != 4:
        raise ValueError(f"widths is {tuple(widths)}; expected the channels of three levels and of the middle")
    return Segmenter(classes, in_channels, widths)


def _stage(channels: int, width: int) -> nn.Sequential:
    return nn.Sequential(
        OrderedDict(
            conv1=nn.Conv2d(channels, width, 3, padding=1, bias=False),  # batch norm has the bias
            bn1=nn.BatchNorm2d(width),
            relu1=nn.ReLU(),
            conv2=nn.Conv2d(width, width, 3, padding=1, bias=False),
            bn2=nn.BatchNorm2d(width),
            relu2=nn.ReLU(),
        )
    )


def _join(coarse: Tensor, fine: Tensor) -> Tensor:
    return torch.cat([F.interpolate(coarse, scale_factor=2, mode="nearest"), fine], dim=1)
