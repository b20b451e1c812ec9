"""The net of Gopalakrishnan et al. 2018 for two classes: 784-10-1, one score."""

import torch
from torch import nn


def binary_mlp(*, in_channels: int = 1, size: int = 28, hidden: int = 10) -> nn.Sequential:
    """One hidden layer of ReLUs and one score s; the logits are (0, s), so that the softmax is the sigmoid of s.

    The last layer, which makes two logits of the score, is fixed: every attack and bound that takes a classifier takes
    this net, and z₁ − z₀ = s.

    Args:
        in_channels, size: the images are ``(N, in_channels, size, size)``.
        hidden: units.

    Shapes:
        ``(N, in_channels, size, size)`` in [0, 1] → logits ``(N, 2)``. 7861 trainable parameters as built by default.
    """
    logits = nn.Linear(1, 2, bias=False)
    logits.weight = nn.Parameter(torch.tensor([[0.0], [1.0]]), requires_grad=False)
    features = in_channels * size * size
    return nn.Sequential(nn.Flatten(), nn.Linear(features, hidden), nn.ReLU(), nn.Linear(hidden, 1), logits)
