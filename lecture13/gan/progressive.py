"""Nets that grow: the generator and the critic of Karras et al. 2018, from 4×4 upward.

A net holds the layers of every resolution from the start; ``set_stage(size, alpha)`` says which of them it uses. At
α = 0 the newest level adds nothing, at α = 1 it stands alone, and between the two it is faded in (Figure 2)::

    generator:  x = (1 − α) · up(toRGB_low(h)) + α · toRGB(block(h))
    critic:     h = (1 − α) · fromRGB_low(down(x)) + α · down(block(fromRGB(x)))

Two layers of 3×3 make a level; ``block8.0`` and ``block8.1`` address those at 8×8. Each of the paper's tricks can be
switched off: ``equalized``, ``pixel_norm``, ``minibatch_std`` here, growth and fade-in in the schedule
(:mod:`lecture13.gan.growing`).
"""

import math
from collections.abc import Sequence
from typing import Self

import torch
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d, conv2d, interpolate, leaky_relu, linear

from lecture13.gan.layers import MinibatchStd, up_conv

SMALLEST = 4  # the resolution at which growth begins
SLOPE = 0.2  # of every leaky ReLU
GROUP = 4  # images whose standard deviation is taken together; the authors' code


def resolutions(size: int) -> tuple[int, ...]:
    """4, 8, 16, … up to ``size``; a ValueError if that is no power of two from 4 on."""
    if isinstance(size, bool) or not isinstance(size, int) or size < SMALLEST or size & (size - 1):
        raise ValueError(f"resolution {size!r}; expected a power of two from {SMALLEST} on: 4, 8, 16, 32, 64, …")
    return tuple(SMALLEST << level for level in range((size // SMALLEST).bit_length()))


def paper_widths(size: int, base: int = 8192, most: int = 512) -> tuple[int, ...]:
    """Feature maps at 4×4, 8×8, … ``size``: min(``base`` / 2^stage, ``most``), where 4×4 is stage 1 (Table 2).

    512 up to 32×32, then 256, 128, 64, 32 and 16 at 1024×1024.
    """
    return tuple(max(1, min(base >> stage, most)) for stage, _ in enumerate(resolutions(size), start=1))


def upsample(x: Tensor) -> Tensor:
    """Nearest neighbour, (N, C, H, W) → (N, C, 2H, 2W)."""
    return interpolate(x, scale_factor=2, mode="nearest")


def downsample(x: Tensor) -> Tensor:
    """Box filter, (N, C, H, W) → (N, C, H/2, W/2)."""
    return avg_pool2d(x, 2)


class PixelNorm(nn.Module):
    """b = a / √(mean over maps of a² + ε) at every pixel, ε = 1e-8 (Section 4.2). (N, C, ...) → the same shape."""

    def forward(self, a: Tensor) -> Tensor:  # noqa: D102
        return a * (a.square().mean(1, keepdim=True) + 1e-8).rsqrt()


class _Equalized(nn.Module):
    """Weights ~ N(0, 1), multiplied by c = gain / √fan_in whenever they are used (Section 4.1): ŵ = w·c.

    Adam's step does not depend on the size of the gradient, so with the factor at run time every layer learns at the
    same rate. ``equalized=False`` puts the factor into the initial weights instead, which is He's initialiser.
    """

    def __init__(self, shape: tuple[int, ...], gain: float, equalized: bool):
        super().__init__()
        factor = gain / math.sqrt(math.prod(shape[1:]))
        self.factor = factor if equalized else 1.0
        self.weight = nn.Parameter(torch.randn(shape) * (1.0 if equalized else factor))
        self.bias = nn.Parameter(torch.zeros(shape[0]))


class Linear(_Equalized):
    """A linear layer, (N, inputs) → (N, outputs)."""

    def __init__(self, inputs: int, outputs: int, *, gain: float = math.sqrt(2), equalized: bool = True):
        super().__init__((outputs, inputs), gain, equalized)

    def forward(self, x: Tensor) -> Tensor:  # noqa: D102
        return linear(x, self.weight * self.factor, self.bias)


class Conv(_Equalized):
    """A convolution of an odd ``kernel``, (N, inputs, H, W) → (N, outputs, H, W), equalised."""

    def __init__(
        self, inputs: int, outputs: int, kernel: int = 3, *, gain: float = math.sqrt(2), equalized: bool = True
    ):
        super().__init__((outputs, inputs, kernel, kernel), gain, equalized)

    def forward(self, x: Tensor) -> Tensor:  # noqa: D102
        return conv2d(x, self.weight * self.factor, self.bias, padding=self.weight.shape[-1] // 2)


class UpConv(Conv):
    """:func:`upsample`, then the convolution, in one (:func:`~lecture13.gan.layers.up_conv`)."""

    def forward(self, x: Tensor) -> Tensor:  # noqa: D102
        return up_conv(x, self.weight * self.factor, self.bias)


class DownConv(Conv):
    """The convolution, then :func:`downsample`, in one: (N, inputs, H, W) → (N, outputs, H/2, W/2).

    The box filter is applied to the kernel, 3×3 to 4×4, and the stride is 2; as in the authors' code.
    """

    def forward(self, x: Tensor) -> Tensor:  # noqa: D102
        averaged = avg_pool2d(self.weight * self.factor, 2, stride=1, padding=1)
        return conv2d(x, averaged, self.bias, stride=2, padding=1)


class Seed(Linear):
    """The generator's first layer: z (N, noise) → maps (N, outputs, 4, 4)."""

    def __init__(self, noise: int, outputs: int, *, equalized: bool = True):
        # The authors' code: a quarter of the other layers' gain, for the 16 pixels that each weight vector serves.
        super().__init__(noise, outputs * SMALLEST**2, gain=math.sqrt(2) / SMALLEST, equalized=equalized)

    def forward(self, z: Tensor) -> Tensor:  # noqa: D102
        return super().forward(z).view(len(z), -1, SMALLEST, SMALLEST)


class Unit(nn.Module):
    """One row of the paper's table: weights, leaky ReLU, and pixel norm if wanted.

    The norm closes the layer. So a unit that is edited at the layer's output leaves the others as they are.
    """

    def __init__(self, weights: _Equalized, pixel_norm: bool = False):
        super().__init__()
        self.weights, self.norm = weights, PixelNorm() if pixel_norm else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:  # noqa: D102
        return self.norm(leaky_relu(self.weights(x), SLOPE))


class _Growing(nn.Module):
    """What both nets share: the levels, and the one at which they stand."""

    def __init__(self, size: int, widths: Sequence[int] | None):
        super().__init__()
        self.sizes = resolutions(size)
        self.widths = tuple(widths) if widths is not None else paper_widths(size)
        if len(self.widths) != len(self.sizes) or min(self.widths) < 1:
            raise ValueError(
                f"widths {self.widths}; expected {len(self.sizes)} numbers of feature maps, each 1 or more, for the "
                f"resolutions {', '.join(map(str, self.sizes))}"
            )
        self.size, self.alpha = self.sizes[-1], 1.0

    def set_stage(self, size: int, alpha: float = 1.0) -> Self:
        """Stand at ``size``×``size``, its level faded in by ``alpha`` in [0, 1]; at 4×4 there is nothing to fade.

        Raises:
            ValueError: a resolution that this net does not have, or an α out of range.
        """
        if size not in self.sizes:
            raise ValueError(f"resolution {size!r}; this net has {', '.join(map(str, self.sizes))}")
        if not 0.0 <= alpha <= 1.0:
            raise ValueError(f"α = {alpha!r}; expected a number from 0 to 1")
        self.size, self.alpha = size, float(alpha) if size > SMALLEST else 1.0
        return self


class Generator(_Growing):
    """z (N, noise) → images (N, channels, size, size), in [−1, 1] where it has learned to: the output is linear.

    Args:
        size: the highest resolution, a power of two from 4 on.
        widths: feature maps at 4×4, 8×8, …; None takes the paper's (:func:`paper_widths`).
        channels: of an image.
        noise: dimensions of z, which is normalised first; None takes as many as there are maps at 4×4.
        equalized, pixel_norm: False switches the trick off.
    """

    def __init__(
        self,
        size: int = 64,
        widths: Sequence[int] | None = None,
        *,
        channels: int = 3,
        noise: int | None = None,
        equalized: bool = True,
        pixel_norm: bool = True,
    ):
        super().__init__(size, widths)
        self.noise = noise or self.widths[0]
        self.options = {"channels": channels, "noise": self.noise, "equalized": equalized, "pixel_norm": pixel_norm}
        self.normalize = PixelNorm()

        inputs = self.noise
        for here, width in zip(self.sizes, self.widths, strict=True):
            first = Seed if here == SMALLEST else UpConv
            block = [first(inputs, width, equalized=equalized), Conv(width, width, equalized=equalized)]
            self.add_module(f"block{here}", nn.Sequential(*(Unit(weights, pixel_norm) for weights in block)))
            self.add_module(f"rgb{here}", Conv(width, channels, 1, gain=1.0, equalized=equalized))
            inputs = width

    def forward(self, z: Tensor) -> Tensor:
        """Images of noise (N, noise).

        Raises:
            ValueError: a z of another shape.
        """
        if z.ndim != 2 or z.shape[1] != self.noise:
            raise ValueError(f"z has the shape {tuple(z.shape)}; expected (N, {self.noise})")
        h = lower = self.normalize(z)
        for here in self.sizes[: self.sizes.index(self.size) + 1]:
            lower, h = h, self.get_submodule(f"block{here}")(h)
        x = self.get_submodule(f"rgb{self.size}")(h)
        if self.alpha == 1.0:
            return x
        return torch.lerp(upsample(self.get_submodule(f"rgb{self.size // 2}")(lower)), x, self.alpha)

    def up_to(self, size: int) -> "Generator":
        """A net of its own with the levels up to ``size``, weights copied: what stood when that level was the last."""
        level = self.sizes.index(self.set_stage(size).size) + 1
        small = Generator(size, self.widths[:level], **self.options)
        own = self.state_dict()
        small.load_state_dict({name: own[name].clone() for name in small.state_dict()})
        return small.to(next(self.parameters()).device)


class Critic(_Growing):
    """Images (N, channels, size, size) → logits (N,): the generator's mirror image.

    Args:
        size, widths, channels: as the generator's.
        equalized, minibatch_std: False switches the trick off.
    """

    def __init__(
        self,
        size: int = 64,
        widths: Sequence[int] | None = None,
        *,
        channels: int = 3,
        equalized: bool = True,
        minibatch_std: bool = True,
    ):
        super().__init__(size, widths)

        outputs = self.widths[0]
        for here, width in zip(self.sizes, self.widths, strict=True):
            self.add_module(f"rgb{here}", Unit(Conv(channels, width, 1, equalized=equalized)))
            if here > SMALLEST:
                block = [Conv(width, width, equalized=equalized), DownConv(width, outputs, equalized=equalized)]
                self.add_module(f"block{here}", nn.Sequential(*map(Unit, block)))
            else:
                self.block4 = nn.Sequential(
                    MinibatchStd(GROUP) if minibatch_std else nn.Identity(),
                    Unit(Conv(width + minibatch_std, width, equalized=equalized)),
                    nn.Flatten(),
                    Unit(Linear(width * SMALLEST**2, width, equalized=equalized)),
                    Linear(width, 1, gain=1.0, equalized=equalized),
                )
            outputs = width

    def forward(self, x: Tensor) -> Tensor:
        """Logits (N,) of images of the resolution at which the net stands.

        Raises:
            ValueError: images of another resolution.
        """
        if x.ndim != 4 or x.shape[-2:] != (self.size, self.size):
            raise ValueError(f"images {tuple(x.shape)}; expected (N, C, {self.size}, {self.size}) at this stage")
        h = self.get_submodule(f"rgb{self.size}")(x)
        for here in reversed(self.sizes[: self.sizes.index(self.size) + 1]):
            h = self.get_submodule(f"block{here}")(h)
            if here == self.size and self.alpha < 1.0:
                h = torch.lerp(self.get_submodule(f"rgb{here // 2}")(downsample(x)), h, self.alpha)
        return h[:, 0]
