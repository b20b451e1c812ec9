"""The deep convolutional generator and critic of Radford et al. 2016 (DCGAN), at any resolution and width.

``Generator()`` is the paper's Figure 1: z of 100 dimensions, projected to 4×4×1024, then fractionally strided 5×5
convolutions of stride 2 to 8×8×512, 16×16×256, 32×32×128 and 64×64×3; batch norm and ReLU after all but the last, which
ends in tanh. ``Critic()`` is its mirror: strided convolutions, LeakyReLU of slope .2, batch norm in all but the first.
Images are in [−1, 1] (:mod:`lecture13.gan.images`). Weights start at N(0, .02), batch norm's gains at N(1, .02).

Batch norm makes a batch's samples depend on each other. With several processes its statistics are each process's own,
of its share of the batch, so that two processes train other nets than one.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

from lecture13.gan.layers import MinibatchStd, ResizeConv
from lecture13.gan.nets import one_hot_labels

Norm = Literal["batch", "layer"] | None


def widths(size: int, last: int = 128) -> tuple[int, ...]:
    """Maps at 4×4 (5, 6 or 7 to a side where ``size`` has such a factor), 8×8, … size/2: halved at each doubling.

    ``widths(64)`` is the paper's (1024, 512, 256, 128).
    """
    return tuple(last * 2**stage for stage in reversed(range(_doublings(size))))


class Generator(nn.Module):
    """G(z), or G(z, y) with labels: z (N, noise) → images (N, channels, size, size) in [−1, 1].

    Its blocks carry the side of their maps: ``block4``, ``block8``, …, and last ``image``.

    Args:
        size: side of the images: 4, 5, 6 or 7 times a power of two (64, or MNIST's 28).
        maps: feature maps of each block, smallest maps first; None is the paper's, :func:`widths`.
        channels: of the images.
        noise: dimensions of z.
        kernel: side of the convolutions' kernels, 2 or more; 5 in the paper. Where it is no multiple of the stride, the
            pixels of a stride get different numbers of contributions: checkerboards (Odena et al. 2016).
        resize: nearest upsampling and a convolution of an odd kernel in place of each strided one, which has none.
        classes: number of labels; None has none.

    Raises:
        ValueError: a size, number of maps or kernel that does not fit, with those that do.
    """

    def __init__(
        self,
        size: int = 64,
        maps: Sequence[int] | None = None,
        *,
        channels: int = 3,
        noise: int = 100,
        kernel: int = 5,
        resize: bool = False,
        classes: int | None = None,
    ):
        super().__init__()
        maps = _maps(size, maps)
        self.size, self.noise, self.classes, self.start = size, noise, classes, size >> len(maps)
        side = self.start
        self.project = nn.Linear(noise + (classes or 0), maps[0] * side**2, bias=False)
        self.blocks = nn.Sequential()
        self.blocks.add_module(f"block{side}", nn.Sequential(nn.BatchNorm2d(maps[0]), nn.ReLU()))
        for inputs, outputs in pairwise(maps):
            side *= 2
            layers = [_upsampling(inputs, outputs, kernel, resize, bias=False), nn.BatchNorm2d(outputs), nn.ReLU()]
            self.blocks.add_module(f"block{side}", nn.Sequential(*layers))
        self.blocks.add_module(
            "image", nn.Sequential(_upsampling(maps[-1], channels, kernel, resize, bias=True), nn.Tanh())
        )
        self.apply(_initialise)

    def forward(self, z: Tensor, y: Tensor | None = None) -> Tensor:
        """Images (N, C, size, size) of z (N, noise) and, if there are classes, y (N,) int64."""
        if z.ndim != 2 or z.shape[1] != self.noise:
            raise ValueError(f"z of shape {tuple(z.shape)}; expected (N, {self.noise})")
        if self.classes is not None:
            z = torch.cat([z, one_hot_labels(y, len(z), self.classes).to(z)], dim=1)
        elif y is not None:
            raise ValueError("labels for a generator without classes; build it with classes=K")
        return self.blocks(self.project(z).view(len(z), -1, self.start, self.start))


class Critic(nn.Module):
    """D(x), or D(x, y) with labels: images (N, channels, size, size) in [−1, 1] → logits (N,).

    Labels stand beside the image as planes, one for each class, all 1 for the image's own.

    Args:
        size, channels, kernel, classes: as the generator's.
        maps: feature maps of each block, largest maps (smallest side) first, as the generator's.
        norm: "batch", as in the paper; "layer" or None under a gradient penalty, which needs each sample on its own.
        spectral: spectral normalisation of every layer (Miyato et al. 2018), usually with ``norm=None``.
        minibatch_std: see :class:`~lecture13.gan.layers.MinibatchStd`, before the last layer.

    Raises:
        ValueError: as the generator, or an unknown norm.
    """

    def __init__(
        self,
        size: int = 64,
        maps: Sequence[int] | None = None,
        *,
        channels: int = 3,
        kernel: int = 5,
        classes: int | None = None,
        norm: Norm = "batch",
        spectral: bool = False,
        minibatch_std: bool = False,
    ):
        super().__init__()
        maps = _maps(size, maps)[::-1]
        self.size, self.channels, self.classes = size, channels, classes
        side, inputs = size, channels + (classes or 0)
        self.blocks = nn.Sequential()
        for number, outputs in enumerate(maps):
            side //= 2
            layers: list[nn.Module] = [_downsampling(inputs, outputs, kernel, bias=number == 0 or norm is None)]
            if number > 0:
                layers += _normalisation(norm, outputs, side)
            self.blocks.add_module(f"block{side}", nn.Sequential(*layers, nn.LeakyReLU(0.2)))
            inputs = outputs
        if minibatch_std:
            self.blocks.add_module("minibatch_std", MinibatchStd())
        self.decide = nn.Linear((maps[-1] + minibatch_std) * side**2, 1)
        self.apply(_initialise)
        if spectral:
            for layer in [m for m in self.modules() if isinstance(m, nn.Conv2d | nn.Linear)]:
                spectral_norm(layer)

    def forward(self, x: Tensor, y: Tensor | None = None) -> Tensor:
        """Logits (N,) of images (N, C, size, size) and, if there are classes, y (N,) int64."""
        if x.shape[1:] != (self.channels, self.size, self.size):
            expected = (self.channels, self.size, self.size)
            raise ValueError(f"images of shape {tuple(x.shape)}; expected (N, {', '.join(map(str, expected))})")
        if self.classes is not None:
            rows = one_hot_labels(y, len(x), self.classes).to(x)
            x = torch.cat([x, rows[:, :, None, None].expand(-1, -1, self.size, self.size)], dim=1)
        elif y is not None:
            raise ValueError("labels for a critic without classes; build it with classes=K")
        return self.decide(self.blocks(x).flatten(1))[:, 0]


def _doublings(size: int) -> int:
    doublings = max(0, size.bit_length() - 3) if isinstance(size, int) else 0
    if doublings < 1 or size % 2**doublings:
        near = sorted({base << n for base in (4, 5, 6, 7) for n in range(1, 9)}, key=lambda s: abs(s - size))[:3]
        raise ValueError(
            f"size={size}: a side must be 4, 5, 6 or 7 times a power of two, 8 or more, to be reached by doubling; "
            f"near it are {', '.join(map(str, sorted(near)))}"
        )
    return doublings


def _maps(size: int, maps: Sequence[int] | None) -> tuple[int, ...]:
    chosen = widths(size) if maps is None else tuple(maps)
    if len(chosen) != _doublings(size) or min(chosen) < 1:
        raise ValueError(f"maps={chosen}: size={size} takes {_doublings(size)} positive numbers, smallest maps first")
    return chosen


def _upsampling(inputs: int, outputs: int, kernel: int, resize: bool, *, bias: bool) -> nn.Module:
    """From side s to side 2s."""
    if kernel < 2 or (resize and kernel % 2 == 0):
        raise ValueError(f"kernel={kernel}; expected 2 or more, and an odd number with resize=True")
    if resize:
        return ResizeConv(inputs, outputs, kernel, bias=bias)
    padding = (kernel - 1) // 2  # 2s = 2(s − 1) − 2·padding + kernel + output_padding
    return nn.ConvTranspose2d(
        inputs, outputs, kernel, stride=2, padding=padding, output_padding=2 * padding + 2 - kernel, bias=bias
    )


def _downsampling(inputs: int, outputs: int, kernel: int, *, bias: bool) -> nn.Module:
    """From side 2s to side s."""
    if kernel < 2:
        raise ValueError(f"kernel={kernel}; expected 2 or more")
    return nn.Conv2d(inputs, outputs, kernel, stride=2, padding=(kernel - 1) // 2, bias=bias)


def _normalisation(norm: Norm, maps: int, side: int) -> list[nn.Module]:
    if norm == "batch":
        return [nn.BatchNorm2d(maps)]
    if norm == "layer":
        return [nn.GroupNorm(1, maps)]  # one group: mean and variance over all of a sample's maps and places
    if norm is None:
        return []
    raise ValueError(f"norm={norm!r}; known: 'batch', 'layer', None")


def _initialise(layer: nn.Module) -> None:
    if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d | nn.Linear):
        nn.init.normal_(layer.weight, 0.0, 0.02)
        if layer.bias is not None:
            nn.init.zeros_(layer.bias)
    elif isinstance(layer, nn.BatchNorm2d):
        nn.init.normal_(layer.weight, 1.0, 0.02)
