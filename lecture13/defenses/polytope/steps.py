"""The affine steps of a network: each applied, applied with absolute weights, and transposed.

A step maps tensors ``(N, *taken)`` to ``(N, *given)`` by ``x ↦ Wx + b`` without ever building W. Its transpose carries
rows of an inequality backwards, ``(R, *given)`` to ``(R, *taken)``: a convolution's is a transposed convolution.
"""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lecture13.defenses.polytope.transposed import conv_transpose
from lecture13.models.normalize import Normalize

Shape = tuple[int, ...]


class Step:
    """One affine layer on inputs of the shape ``taken``."""

    #: whether an output depends on more than one input
    mixes = True
    #: how many terms the sums of Wx + b and of Wᵀν have at most
    terms, terms_back = 1, 1

    def __init__(self, taken: Shape, like: Tensor):
        self.taken = taken
        self.given: Shape = tuple(self.apply(like.new_zeros(1, *taken)).shape[1:])

    def apply(self, x: Tensor) -> Tensor:
        """``Wx + b``."""
        raise NotImplementedError

    def spread(self, x: Tensor) -> Tensor:
        """``|W|x``: how far changes of size ``x ≥ 0`` can spread."""
        raise NotImplementedError

    def transpose(self, rows: Tensor) -> Tensor:
        """``Wᵀν`` for each of the rows."""
        raise NotImplementedError

    def offset(self) -> Tensor | float:
        """``|b|``, to go with an output."""
        return 0.0


class Dense(Step):
    """``nn.Linear``: acts on the last dimension."""

    def __init__(self, layer: nn.Linear, taken: Shape, like: Tensor):
        self.weight, self.bias = layer.weight, layer.bias
        self.absolute = self.weight.abs()
        self.terms, self.terms_back = layer.in_features + 1, layer.out_features
        super().__init__(taken, like)

    def apply(self, x: Tensor) -> Tensor:  # noqa: D102
        return F.linear(x, self.weight, self.bias)

    def spread(self, x: Tensor) -> Tensor:  # noqa: D102
        return F.linear(x, self.absolute)

    def transpose(self, rows: Tensor) -> Tensor:  # noqa: D102
        return rows @ self.weight

    def offset(self) -> Tensor | float:  # noqa: D102
        return 0.0 if self.bias is None else self.bias.abs()


class Convolution(Step):
    """``nn.Conv2d`` with zero padding, or average pooling written as one (each channel its own group)."""

    def __init__(
        self,
        weight: Tensor,
        bias: Tensor | None,
        taken: Shape,
        like: Tensor,
        *,
        stride: tuple[int, int],
        padding: tuple[int, int],
        extra: tuple[int, int] = (0, 0),
        dilation: tuple[int, int] = (1, 1),
        groups: int = 1,
    ):
        # channels-last: a row's channels lie side by side, and the transposed convolution takes a third of the time
        self.weight, self.bias = weight.contiguous(memory_format=torch.channels_last), bias
        self.absolute = self.weight.abs()
        self.stride, self.padding, self.extra, self.dilation, self.groups = stride, padding, extra, dilation, groups
        cells = weight.shape[2] * weight.shape[3]
        self.terms, self.terms_back = weight.shape[1] * cells + 1, weight.shape[0] // groups * cells
        super().__init__(taken, like)

    @property
    def reach(self) -> tuple[int, int]:
        """Height and width of what one output sees: the dilated kernel."""
        sizes = zip(self.weight.shape[2:], self.dilation, strict=True)
        return tuple((size - 1) * dilation + 1 for size, dilation in sizes)

    def apply(self, x: Tensor) -> Tensor:  # noqa: D102
        return self._convolve(x, self.weight, self.bias)

    def spread(self, x: Tensor) -> Tensor:  # noqa: D102
        return self._convolve(x, self.absolute, None)

    def transpose(self, rows: Tensor) -> Tensor:  # noqa: D102
        height, width = (size + extra for size, extra in zip(self.taken[1:], self.extra, strict=True))
        found = self._transpose(rows, self.padding, (height, width))
        return found[..., : self.taken[1], : self.taken[2]] if any(self.extra) else found

    def transpose_windows(self, rows: Tensor) -> Tensor:
        """The same for windows ``(R, C, h, w)`` that may stick out of the map: nothing is padded, nothing cut off."""
        steps = zip(rows.shape[2:], self.stride, self.reach, strict=True)
        return self._transpose(rows, (0, 0), tuple((size - 1) * stride + reach for size, stride, reach in steps))

    def offset(self) -> Tensor | float:  # noqa: D102
        return 0.0 if self.bias is None else self.bias.abs().view(-1, 1, 1)

    def _convolve(self, x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        if any(self.extra):
            x = F.pad(x, (0, self.extra[1], 0, self.extra[0]))
        return F.conv2d(x, weight, bias, self.stride, self.padding, self.dilation, self.groups)

    def _transpose(self, rows: Tensor, padding: tuple[int, int], size: tuple[int, int]) -> Tensor:
        rows = rows.contiguous(memory_format=torch.channels_last)
        return conv_transpose(rows, self.weight, self.stride, padding, self.dilation, self.groups, size)


class Pooling(Step):
    """Average pooling of any kind: one small matrix for the rows of the map, one for its columns."""

    def __init__(self, rows: Tensor, columns: Tensor, taken: Shape, like: Tensor):
        self.rows, self.columns = rows.to(like), columns.to(like)
        self.terms = int((rows != 0).sum(1).max()) * int((columns != 0).sum(1).max())
        self.terms_back = int((rows != 0).sum(0).max()) * int((columns != 0).sum(0).max())
        super().__init__(taken, like)

    def apply(self, x: Tensor) -> Tensor:  # noqa: D102
        return self.rows @ x @ self.columns.T

    spread = apply

    def transpose(self, rows: Tensor) -> Tensor:  # noqa: D102
        return self.rows.T @ rows @ self.columns


class Scaling(Step):
    """:class:`~lecture13.models.normalize.Normalize`: each channel by a number of its own."""

    mixes = False
    terms = 2

    def __init__(self, layer: Normalize, taken: Shape, like: Tensor):
        self.mean, self.std = layer.mean.to(like), layer.std.to(like)
        super().__init__(taken, like)
        self.terms_back = self.given[0] // taken[0] + 1  # more where one channel is broadcast to several

    def apply(self, x: Tensor) -> Tensor:  # noqa: D102
        return (x - self.mean) / self.std

    def spread(self, x: Tensor) -> Tensor:  # noqa: D102
        return x / self.std

    def transpose(self, rows: Tensor) -> Tensor:  # noqa: D102
        found = rows / self.std
        if found.shape[1] != self.taken[0]:  # one channel was broadcast to several
            found = found.sum(1, keepdim=True)
        return found

    def offset(self) -> Tensor | float:  # noqa: D102
        return (self.mean / self.std).abs()


class Reshape(Step):
    """``nn.Flatten``: another shape, the same numbers."""

    mixes = False

    def __init__(self, layer: nn.Flatten, taken: Shape, like: Tensor):
        self.start, self.end = layer.start_dim, layer.end_dim
        super().__init__(taken, like)

    def apply(self, x: Tensor) -> Tensor:  # noqa: D102
        return x.flatten(self.start, self.end)

    spread = apply

    def transpose(self, rows: Tensor) -> Tensor:  # noqa: D102
        found = rows.reshape(len(rows), *self.taken)
        return found.contiguous(memory_format=torch.channels_last) if found.ndim == 4 else found


def axis_matrix(windows: Sequence[tuple[int, int, float]], size: int) -> Tensor:
    """The matrix ``(outputs, size)`` that sums an axis over ``[begin, end)`` and multiplies by a factor, per output."""
    matrix = torch.zeros(len(windows), size, dtype=torch.float64)
    for row, (begin, end, factor) in zip(matrix, windows, strict=True):
        row[max(begin, 0) : min(end, size)] = factor
    return matrix
