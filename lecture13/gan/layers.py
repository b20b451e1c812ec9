"""Layers that generators and critics share."""

import torch
from torch import Tensor, nn


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
