"""The transposed convolution, by the faster of two ways."""

import torch.nn.functional as F
from torch import Tensor

#: up to how many channels (times the stride's square) the convolution by sub-pixels is the faster way
SUB_PIXELS = 16


def conv_transpose(
    rows: Tensor,
    weight: Tensor,
    stride: tuple[int, int],
    padding: tuple[int, int],
    dilation: tuple[int, int],
    groups: int,
    size: tuple[int, int],
) -> Tensor:
    """The transpose of ``conv2d(·, weight, None, stride, padding, dilation, groups)`` on maps of ``size``.

    A transposed convolution of stride s is a convolution of stride 1 that gives, for each place, the s × s pixels that
    belong to it as channels of their own (Shi et al. 2016). With few channels that is several times as fast on a CPU.

    Args:
        rows: ``(R, C_out, h, w)``.
        weight: of the convolution, ``(C_out, C_in/groups, k, k')``.
        stride, padding, dilation, groups: of the convolution.
        size: height and width of the maps that it took.

    Returns:
        ``(R, C_in, *size)``.
    """
    plain = groups == 1 and dilation == (1, 1) and stride[0] == stride[1]
    if plain and weight.shape[1] * stride[0] ** 2 <= SUB_PIXELS:
        return _by_sub_pixels(rows, weight, stride[0], padding, size)
    left_over = [
        size[axis] - ((rows.shape[2 + axis] - 1) * stride[axis] - 2 * padding[axis])
        - (dilation[axis] * (weight.shape[2 + axis] - 1) + 1)
        for axis in (0, 1)
    ]  # fmt: skip
    return F.conv_transpose2d(rows, weight, None, stride, padding, left_over, groups, dilation)


def _by_sub_pixels(
    rows: Tensor, weight: Tensor, stride: int, padding: tuple[int, int], size: tuple[int, int]
) -> Tensor:
    """Output ``stride·q + φ`` is ``Σ_a weight[stride·a + φ]·rows[q − a]``: a channel for each φ."""
    given, taken, *kernel = weight.shape
    high, wide = (-(-length // stride) for length in kernel)
    weight = F.pad(weight, (0, wide * stride - kernel[1], 0, high * stride - kernel[0]))
    weight = weight.reshape(given, taken, high, stride, wide, stride).flip(2, 4)
    weight = weight.permute(1, 3, 5, 0, 2, 4).reshape(taken * stride**2, given, high, wide)
    found = F.pixel_shuffle(F.conv2d(rows, weight, padding=(high - 1, wide - 1)), stride)
    (top, left), (height, width) = padding, size
    below, right = top + height - found.shape[2], left + width - found.shape[3]  # what no window reached
    return F.pad(found, (-left, right, -top, below)) if (top or left or below or right) else found
