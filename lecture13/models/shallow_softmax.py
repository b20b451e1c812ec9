"""Softmax regression: the linear classifier, one layer."""

from collections import OrderedDict

from torch import nn

from lecture13.models.normalize import Normalize


def shallow_softmax(*, classes: int = 10, in_channels: int = 1, size: int = 28) -> nn.Sequential:
    """The shallow softmax of Goodfellow, Shlens and Szegedy 2015: logits that are linear in the pixels.

    Args:
        classes: K, the number of logits.
        in_channels, size: the images are ``(N, in_channels, size, size)``.

    Shapes:
        ``(N, in_channels, size, size)`` in [0, 1] → logits ``(N, classes)``. 7850 parameters as built by default.
    """
    return nn.Sequential(
        OrderedDict(
            normalize=Normalize([0.0], [1.0]),  # it takes [0, 1] as it is
            flatten=nn.Flatten(),
            fc=nn.Linear(in_channels * size * size, classes),
        )
    )
