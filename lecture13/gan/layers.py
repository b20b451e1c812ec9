"""Layers that generators and critics share."""

import torch
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d, conv_transpose2d


class MinibatchStd(nn.Module):
    """One more channel: how much the samples of a batch differ; Karras et al. 2018, Section 3.

    The standard deviation of every feature at every place over the batch, averaged to one number, as a constant plane.
    A critic that sees it notices a generator whose samples are all alike. (N, C, H, W) → (N, C + 1, H, W).

    Args:
        group: samples that are compared, each group on its own, where it divides N; None compares the whole batch.
    """

    def __init__(self, group: int | None = None):
        super().__init__()
        if group is not None and group < 1:
            raise ValueError(f"group={group}; expected a number of samples, 1 or more, or None for the whole batch")
        self.group = group

    def forward(self, x: Tensor) -> Tensor:
        """The batch with the plane beside it; 0 for a batch of one."""
        n, _, height, width = x.shape
        size = self.group if self.group and n % self.group == 0 else n
        groups = x.reshape(n // size, size, *x.shape[1:])
        spread = (groups.var(dim=1, unbiased=False) + 1e-8).sqrt()  # the root has no slope at 0
        plane = spread.mean((1, 2, 3)).repeat_interleave(size).view(n, 1, 1, 1).expand(n, 1, height, width)
        return torch.cat([x, plane], dim=1)


def up_conv(x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """Nearest upsampling, then a convolution, in one: (N, inputs, H, W) → (N, outputs, 2H, 2W).

    Of the pixels under a k×k kernel, two and two are copies of one. So a transposed convolution of stride 2, its kernel
    of k + 1 the sum of the k×k one over the four places within a copied pixel, gives the same with (k + 1)²/(2k)² of
    the work (4/9 for 3×3); as in the code of Karras et al. 2018.

    Args:
        weight: (outputs, inputs, k, k), k odd.
        bias: (outputs,).
    """
    summed = 4 * avg_pool2d(weight, 2, stride=1, padding=1)
    return conv_transpose2d(x, summed.flip(2, 3).transpose(0, 1), bias, stride=2, padding=weight.shape[-1] // 2)


class ResizeConv(nn.Conv2d):
    """A convolution of an odd ``kernel`` at twice the side, :func:`up_conv`: (N, inputs, H, W) → (N, outputs, 2H, 2W).

    Upsampled maps are smooth: it starts without the checkerboards of strided kernels (Odena et al. 2016).
    """

    def __init__(self, inputs: int, outputs: int, kernel: int, *, bias: bool = True):
        super().__init__(inputs, outputs, kernel, padding=kernel // 2, bias=bias)

    def forward(self, x: Tensor) -> Tensor:  # noqa: D102
        return up_conv(x, self.weight, self.bias)
