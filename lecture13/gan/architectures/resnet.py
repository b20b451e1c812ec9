"""The 101-layer residual generator and critic, last row of Figure 2: bottleneck blocks, residuals added at .3."""

from functools import partial
from typing import Literal

from torch import Tensor, nn
from torch.nn.functional import relu

from lecture13.gan import dcgan
from lecture13.gan.architectures.convolutional import normalisation
from lecture13.gan.architectures.start import by_fans_
from lecture13.gan.dcgan import Norm

RESIDUAL = 0.3
SQUASH = 5.0  # image = tanh(x / 5), logit = x / 5


class EveryOther(nn.Module):
    """Every second row and column: (N, C, H, W) → (N, C, ⌈H/2⌉, ⌈W/2⌉).

    Before a 1×1 convolution it is that convolution's stride of 2. PyTorch 2.15 has the stride itself wrong on CPUs:
    with few maps, in channels-last, the gradient writes beyond its memory.
    """

    def forward(self, x: Tensor) -> Tensor:
        """The places kept."""
        return x[:, :, ::2, ::2]


class Bottleneck(nn.Module):
    """x + .3 · f(x), f: ReLU, 1×1 to half the maps, ReLU, 3×3, ReLU, 1×1, norm; (N, C, H, W) → (N, C′, H′, W′).

    Args:
        inputs, outputs: C and C′, even numbers; the same where nothing is resampled.
        resample: "up" doubles the side (a transposed 3×3; the shortcut is a 1×1 convolution and a pixel shuffle),
            "down" halves it (strides of 2), None keeps it.
        norm: of f's result.
    """

    def __init__(self, inputs: int, outputs: int, *, norm: Norm, resample: Literal["up", "down"] | None = None):
        super().__init__()
        self.shortcut: nn.Module = nn.Identity()
        middle = nn.Conv2d(inputs // 2, outputs // 2, 3, padding=1)
        if resample == "up":
            self.shortcut = nn.Sequential(nn.Conv2d(inputs, 4 * outputs, 1), nn.PixelShuffle(2))
            middle = nn.ConvTranspose2d(inputs // 2, outputs // 2, 3, stride=2, padding=1, output_padding=1)
        elif resample == "down":
            self.shortcut = nn.Sequential(EveryOther(), nn.Conv2d(inputs, outputs, 1))
            middle = nn.Conv2d(inputs // 2, outputs // 2, 3, stride=2, padding=1)
        self.narrow = nn.Conv2d(inputs, inputs // 2, 1)
        self.middle = middle
        self.widen = nn.Conv2d(outputs // 2, outputs, 1, bias=False)
        self.norm = nn.Sequential(*normalisation(norm, outputs))
        self.apply(by_fans_)
        self.shortcut.apply(partial(by_fans_, gain=1.0, skipped=4 if resample == "down" else 1))

    def forward(self, x: Tensor) -> Tensor:
        """The block's output."""
        residual = self.widen(relu(self.middle(relu(self.narrow(relu(x))))))
        return self.shortcut(x) + RESIDUAL * self.norm(residual)


class Generator(nn.Module):
    """z (N, noise) → images tanh(x/5), (N, 3, size, size).

    A linear layer to the smallest maps; ``depth`` blocks at each side and a block that doubles it; at the full side
    ``depth − 1`` blocks and a 1×1 convolution. At size 64, width 64, depth 6: 6 blocks at 4² (512 maps), 8² (256),
    16² (128), 32² (64) and 5 at 64² (32); with the four that double, 33 blocks of 3 layers, and 2 more: 101.
    """

    def __init__(self, size: int = 64, width: int = 64, depth: int = 6, *, noise: int = 128):
        super().__init__()
        maps = [*dcgan.widths(size, width), width // 2]
        self.noise, self.classes, self.side = noise, None, size >> (len(maps) - 1)
        self.project = nn.Linear(noise, maps[0] * self.side**2)
        self.blocks = nn.Sequential()
        for number, count in enumerate(maps):
            side = self.side << number
            if number:
                up = Bottleneck(maps[number - 1], count, norm="batch", resample="up")
                self.blocks.add_module(f"up{side}", up)
            same = [Bottleneck(count, count, norm="batch") for _ in range(depth - (side == size))]
            self.blocks.add_module(f"block{side}", nn.Sequential(*same))
        self.image = nn.Conv2d(maps[-1], 3, 1)
        by_fans_(self.project)
        by_fans_(self.image, gain=1.0)

    def forward(self, z: Tensor) -> Tensor:
        """Images (N, 3, size, size) in (−1, 1) of z (N, noise)."""
        x = self.blocks(self.project(z).view(len(z), -1, self.side, self.side))
        return (self.image(x) / SQUASH).tanh()


class Critic(nn.Module):
    """Images (N, 3, size, size) → logits x/5, (N,): the generator's stages in the opposite order."""

    def __init__(self, size: int = 64, width: int = 64, depth: int = 6, norm: Norm = "layer"):
        super().__init__()
        maps = [width // 2, *reversed(dcgan.widths(size, width))]
        self.image = nn.Conv2d(3, maps[0], 1)
        self.blocks = nn.Sequential()
        for number, count in enumerate(maps):
            side = size >> number
            if number:
                down = Bottleneck(maps[number - 1], count, norm=norm, resample="down")
                self.blocks.add_module(f"down{side}", down)
            same = [Bottleneck(count, count, norm=norm) for _ in range(depth - (side == size))]
            self.blocks.add_module(f"block{side}", nn.Sequential(*same))
        self.decide = nn.Linear(maps[-1] * side**2, 1)
        by_fans_(self.image, gain=1.0)
        by_fans_(self.decide)

    def forward(self, x: Tensor) -> Tensor:
        """Logits (N,) of images (N, 3, size, size)."""
        return self.decide(self.blocks(self.image(x)).flatten(1))[:, 0] / SQUASH
