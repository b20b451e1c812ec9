"""DCGAN's generator and critic with another nonlinearity, or without normalisation: four rows of Figure 2."""

from collections.abc import Callable, Sequence
from typing import Literal

from torch import Tensor, nn

from lecture13.gan.architectures.start import by_fans_, dcgan_
from lecture13.gan.dcgan import Norm

Start = Literal["dcgan", "fan"]


class Gate(nn.Module):
    """σ(a)·tanh(b), a and b the two halves of the channels: (N, 2C, H, W) → (N, C, H, W). van den Oord et al. 2016.

    (The authors' code takes the even channels for a and the odd ones for b: the same up to the order of the weights.)
    """

    def forward(self, x: Tensor) -> Tensor:
        """The gated half."""
        a, b = x.chunk(2, dim=1)
        return a.sigmoid() * b.tanh()


class Generator(nn.Module):
    """z (N, noise) → images (N, 3, size, size) in [−1, 1]: a linear layer to 4×4, then transposed 5×5 convolutions.

    Args:
        size: side of the images, the first maps' side times 2 for each entry of ``maps``.
        maps: feature maps of each block, smallest side first.
        noise: dimensions of z.
        norm: batch norm before each nonlinearity.
        activation: makes the nonlinearity; with :class:`Gate` the layer before it has twice the maps.
        start: how weights start: "dcgan" is N(0, .02), "fan" the authors' rule by fan-in and fan-out.
    """

    def __init__(
        self,
        size: int,
        maps: Sequence[int],
        *,
        noise: int = 128,
        norm: bool = True,
        activation: Callable[[], nn.Module] = nn.ReLU,
        start: Start = "dcgan",
    ):
        super().__init__()
        self.noise, self.classes, self.side, twice = noise, None, size >> len(maps), _twice(activation)
        self.project = nn.Linear(noise, maps[0] * twice * self.side**2)
        self.blocks = nn.Sequential()
        for number, outputs in enumerate(maps):
            layers: list[nn.Module] = [_up(maps[number - 1], outputs * twice)] if number else []
            layers += [nn.BatchNorm2d(outputs * twice)] if norm else []
            self.blocks.add_module(f"block{self.side << number}", nn.Sequential(*layers, activation()))
        self.blocks.add_module("image", nn.Sequential(_up(maps[-1], 3), nn.Tanh()))
        self.apply(dcgan_ if start == "dcgan" else by_fans_)

    def forward(self, z: Tensor) -> Tensor:
        """Images (N, 3, size, size) of z (N, noise)."""
        if z.ndim != 2 or z.shape[1] != self.noise:
            raise ValueError(f"z of shape {tuple(z.shape)}; expected (N, {self.noise})")
        return self.blocks(self.project(z).view(len(z), -1, self.side, self.side))


class Critic(nn.Module):
    """Images (N, 3, size, size) in [−1, 1] → logits (N,): 5×5 convolutions of stride 2, then a linear layer.

    Args:
        size, maps, activation, start: as the generator's; ``maps`` is the generator's too, smallest side first.
        norm: "batch" or "layer" before each nonlinearity but the first; None has none.
    """

    def __init__(
        self,
        size: int,
        maps: Sequence[int],
        *,
        norm: Norm,
        activation: Callable[[], nn.Module] = nn.ReLU,
        start: Start = "dcgan",
    ):
        super().__init__()
        twice, side, inputs = _twice(activation), size, 3
        self.blocks = nn.Sequential()
        for number, outputs in enumerate(reversed(maps)):
            side //= 2
            layers = [nn.Conv2d(inputs, outputs * twice, 5, stride=2, padding=2)]
            layers += normalisation(norm, outputs * twice) if number else []
            self.blocks.add_module(f"block{side}", nn.Sequential(*layers, activation()))
            inputs = outputs
        self.decide = nn.Linear(inputs * side**2, 1)
        self.apply(dcgan_ if start == "dcgan" else by_fans_)

    def forward(self, x: Tensor) -> Tensor:
        """Logits (N,) of images (N, 3, size, size)."""
        return self.decide(self.blocks(x).flatten(1))[:, 0]


def normalisation(norm: Norm, maps: int) -> list[nn.Module]:
    """Batch norm; layer norm over all of a sample's maps and places, with a gain for each map; or nothing."""
    known = {"batch": lambda: [nn.BatchNorm2d(maps)], "layer": lambda: [nn.GroupNorm(1, maps)], None: list}
    if norm not in known:
        raise ValueError(f"norm={norm!r}; known: 'batch', 'layer', None")
    return known[norm]()


def _twice(activation: Callable[[], nn.Module]) -> int:
    return 2 if isinstance(activation(), Gate) else 1


def _up(inputs: int, outputs: int) -> nn.Module:
    return nn.ConvTranspose2d(inputs, outputs, 5, stride=2, padding=2, output_padding=1)
