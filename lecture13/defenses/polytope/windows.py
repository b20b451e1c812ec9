"""Rows of convolutional layers as windows: what a unit depends on is a small part of the map.

A row that starts at one unit of a convolutional layer is zero outside a window that grows by a kernel with each layer
that it goes back through. So the rows of such a layer are kept as windows ``(R, C·h·w)`` around their units' places:
for the second layer of the paper's MNIST net 256 numbers instead of 3136, and 100 pixels instead of 784.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from lecture13.defenses.polytope.layers import Affine
from lecture13.defenses.polytope.steps import Convolution, Scaling

#: a matrix product does about so many times the operations of a small transposed convolution in the same time
DENSE = 12
#: windows are worth while where they hold less than this share of the map
SHARE = 0.5


@dataclass(frozen=True)
class Level:
    """The windows of one layer's rows on one earlier map ``(C, H, W)``, and the way to the next earlier map."""

    #: (C, h, w) of a window
    size: tuple[int, int, int]
    #: the window of the unit at (y, x) begins at (y·stride − offset, x·stride − offset), for both axes
    stride: tuple[int, int]
    offset: tuple[int, int]
    #: what lies before this map, or None for the input
    before: Affine | None

    def cut(self, maps: Tensor, places: tuple[int, int]) -> Tensor:
        """The windows of ``maps (N, C, H, W)`` at all places: ``(N, places, C·h·w)``, zero outside the map."""
        (channels, *window), pads = self.size, []
        for axis in (1, 0):  # as F.pad wants it: the last axis first
            last = (places[axis] - 1) * self.stride[axis] - self.offset[axis] + window[axis]
            pads += [self.offset[axis], last - maps.shape[2 + axis]]
        maps = F.pad(maps, pads)
        cut = maps.unfold(2, window[0], self.stride[0]).unfold(3, window[1], self.stride[1])  # N, C, y, x, h, w
        return cut.permute(0, 2, 3, 1, 4, 5).reshape(len(maps), places[0] * places[1], channels * window[0] * window[1])

    def back(self, rows: Tensor) -> Tensor:
        """Rows ``(R, C·h·w)`` on this map → ``(R, C'·h'·w')`` on the map before it."""
        return _back(self.before, rows.view(len(rows), *self.size)).flatten(1)

    def back_as_matrix(self, like: Tensor) -> Tensor | None:
        """``back`` as a matrix where that is the faster way; None where it is not."""
        step = _convolution(self.before)
        cells = step.weight.shape[2] * step.weight.shape[3]
        before = [(size - 1) * stride + reach for size, stride, reach in
                  zip(self.size[1:], step.stride, step.reach, strict=True)]  # fmt: skip
        if before[0] * before[1] * step.groups > DENSE * cells:
            return None
        return self.back(torch.eye(self.size[0] * self.size[1] * self.size[2]).to(like))


class Windows:
    """The rows of all units of a convolutional layer, as windows on the maps before it."""

    def __init__(self, affines: list[Affine], like: Tensor):
        """For the units after the last of ``affines``; check :func:`worth_while` first."""
        *_, height, width = affines[-1].given
        self.places = (height, width)
        channels = affines[-1].given[0]
        top = torch.eye(channels).to(like).view(channels, channels, 1, 1)
        #: what one unit of each channel has in its window on the map before: (C, C'·h'·w')
        self.template = _back(affines[-1], top).flatten(1)
        self.levels = _levels(affines)
        self.matrices = [level.back_as_matrix(like) if level.before else None for level in self.levels]

    def split(self, units: Tensor) -> tuple[Tensor, Tensor]:
        """Channel and place of each of ``units``, counted along the flattened ``(C, H, W)``."""
        count = self.places[0] * self.places[1]
        return units // count, units % count

    def back(self, level: int, rows: Tensor) -> Tensor:
        """Rows on the map of ``level`` → rows on the map before it."""
        matrix = self.matrices[level]
        return self.levels[level].back(rows) if matrix is None else rows @ matrix


def worth_while(affines: list[Affine]) -> bool:
    """Whether windows can be used for the units after the last of ``affines``, and are small beside the maps."""
    if len(affines) < 2 or not all(_single(affine) for affine in affines):
        return False
    windows = sum(level.size[0] * level.size[1] * level.size[2] for level in _levels(affines))
    maps = sum(affine.taken[0] * affine.taken[1] * affine.taken[2] for affine in affines)
    return windows < SHARE * maps


def _single(affine: Affine) -> bool:
    """One convolution, and beside it scalings at most."""
    mixing = [step for step in affine.steps if step.mixes]
    if len(mixing) != 1 or not isinstance(mixing[0], Convolution):
        return False
    alike = (step for step in affine.steps if isinstance(step, Scaling))
    return all(isinstance(step, Convolution | Scaling) for step in affine.steps) and all(
        step.taken == step.given for step in alike
    )


def _convolution(affine: Affine) -> Convolution:
    return next(step for step in affine.steps if isinstance(step, Convolution))


def _back(affine: Affine, rows: Tensor) -> Tensor:
    for step in reversed(affine.steps):
        rows = step.transpose_windows(rows) if isinstance(step, Convolution) else step.transpose(rows)
    return rows


def _levels(affines: list[Affine]) -> list[Level]:
    """From the map just before the top layer to the input."""
    levels, size, stride, offset = [], (1, 1), (1, 1), (0, 0)
    for number in range(len(affines) - 1, -1, -1):
        step = _convolution(affines[number])
        # a window that begins at y·S − P and is h high begins at (y·S − P)·s − p one layer earlier
        size = tuple((h - 1) * s + reach for h, s, reach in zip(size, step.stride, step.reach, strict=True))
        offset = tuple(o * s + p for o, s, p in zip(offset, step.stride, step.padding, strict=True))
        stride = tuple(a * s for a, s in zip(stride, step.stride, strict=True))
        before = affines[number - 1] if number else None
        levels.append(Level((step.taken[0], *size), stride, offset, before))
    return levels
