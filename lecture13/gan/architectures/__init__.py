"""The seven architectures of Gulrajani et al. 2017, Figure 2: a generator and a critic each, at 64×64 or scaled down.

>>> G, D = architectures.build("tanh", norm="layer")  # as in the figure, for a gradient penalty
>>> G, D = architectures.build("resnet", norm="batch", size=16, width=32, depth=2)

``build`` at its defaults is the authors' 64×64 code. At another ``size`` the nets lose or gain the stages with the most
maps; ``width`` scales every layer; ``depth`` shortens the residual net.
Images are in [−1, 1]. Weights start as in the authors' code: N(0, .02) in the rows that are made from DCGAN ("dcgan",
"no-norm", "tanh", and every critic of theirs), uniform by fan-in and fan-out in the others.
"""

from collections.abc import Callable
from dataclasses import dataclass

from torch import nn

from lecture13.gan import dcgan
from lecture13.gan.architectures import convolutional, resnet
from lecture13.gan.architectures.perceptron import Perceptron
from lecture13.gan.dcgan import Norm

__all__ = ["ARCHITECTURES", "Architecture", "build", "names"]

NOISE = 128  # z ~ N(0, I_128)
_Build = Callable[..., nn.Module]


@dataclass(frozen=True)
class Architecture:
    """One row of the figure.

    Args:
        name: short, for arguments and files.
        row: its name in ``papers.table("wgan-gp-figure-2")``.
        generator: (size, width, depth) → G.
        critic: (size, width, depth, norm) → D.
        normalised: whether the critic has normalisation at all; "no-norm" has none under any method.
    """

    name: str
    row: str
    generator: _Build
    critic: _Build
    normalised: bool = True


def _baseline(size: int, width: int, depth: int) -> nn.Module:
    return dcgan.Generator(size, dcgan.widths(size, width), noise=NOISE)


def _critic(size: int, width: int, depth: int, norm: Norm) -> nn.Module:
    return dcgan.Critic(size, dcgan.widths(size, width), norm=norm)


def _plain(size: int, width: int, depth: int) -> nn.Module:
    maps = [width] * len(dcgan.widths(size))
    return convolutional.Generator(size, maps, noise=NOISE, norm=False, start="fan")


def _perceptron(size: int, width: int, depth: int) -> nn.Module:
    return Perceptron((3, size, size), hidden=[8 * width] * 4, noise=NOISE)


def _no_norm(size: int, width: int, depth: int) -> nn.Module:
    return convolutional.Generator(size, dcgan.widths(size, width), noise=NOISE, norm=False)


def _tanh(size: int, width: int, depth: int) -> nn.Module:
    return convolutional.Generator(size, dcgan.widths(size, width), noise=NOISE, activation=nn.Tanh)


def _tanh_critic(size: int, width: int, depth: int, norm: Norm) -> nn.Module:
    return convolutional.Critic(size, dcgan.widths(size, width), norm=norm, activation=nn.Tanh)


def _gated(size: int, width: int, depth: int) -> nn.Module:
    maps = dcgan.widths(size, width)
    return convolutional.Generator(size, maps, noise=NOISE, activation=convolutional.Gate, start="fan")


def _gated_critic(size: int, width: int, depth: int, norm: Norm) -> nn.Module:
    maps = dcgan.widths(size, width)
    return convolutional.Critic(size, maps, norm=norm, activation=convolutional.Gate, start="fan")


def _resnet(size: int, width: int, depth: int) -> nn.Module:
    return resnet.Generator(size, width, depth, noise=NOISE)


ARCHITECTURES: dict[str, Architecture] = {
    each.name: each
    for each in (
        Architecture("dcgan", "DCGAN baseline", _baseline, _critic),
        Architecture("constant", "G without batch norm, constant number of filters", _plain, _critic),
        Architecture("mlp", "G a 4-layer 512-dimensional ReLU MLP", _perceptron, _critic),
        Architecture("no-norm", "no normalisation in G or D", _no_norm, _critic, normalised=False),
        Architecture("gated", "gated multiplicative nonlinearities in G and D", _gated, _gated_critic),
        Architecture("tanh", "tanh nonlinearities in G and D", _tanh, _tanh_critic),
        Architecture("resnet", "101-layer ResNet G and D", _resnet, resnet.Critic),
    )
}


def names() -> tuple[str, ...]:
    """The seven short names, in the figure's order."""
    return tuple(ARCHITECTURES)


def build(name: str, *, norm: Norm, size: int = 64, width: int = 64, depth: int = 6) -> tuple[nn.Module, nn.Module]:
    """Generator z (N, 128) → (N, 3, size, size) in [−1, 1] and critic (N, 3, size, size) → logits (N,).

    Args:
        name: one of :func:`names`.
        norm: the critic's normalisation, which the method decides: "batch", or "layer" under a gradient penalty.
        size: side of the images, 4, 5, 6 or 7 times a power of two, 8 or more.
        width: feature maps of the largest hidden layer, 64 in the paper; doubled at each halving of the side. The
            perceptron's layers have 8 · width units.
        depth: of "resnet": residual blocks at each side, one fewer at the largest; 6 makes 101 layers at 64×64.

    Raises:
        ValueError: an unknown name, or sizes that do not fit.
    """
    if name not in ARCHITECTURES:
        raise ValueError(f"unknown architecture {name!r}; known: {', '.join(names())}")
    if width < 4 or width % 4 or depth < 1:
        raise ValueError(f"width={width}, depth={depth}; expected a width that 4 divides, and a depth of 1 or more")
    chosen = ARCHITECTURES[name]
    G = chosen.generator(size, width, depth)
    return G, chosen.critic(size, width, depth, norm if chosen.normalised else None)
