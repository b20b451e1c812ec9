"""The fully connected net of DeepFool's Table 1."""

from collections import OrderedDict

from torch import nn

from lecture13.models.normalize import Normalize


def fc500_150_10(
    *, classes: int = 10, in_channels: int = 1, size: int = 28, mean: float = 0.0, std: float = 1.0
) -> nn.Sequential:
    """FC500-150-10: two hidden layers of 500 and 150 ReLUs (Moosavi-Dezfooli et al. 2016, Table 1).

    Args:
        classes: K, the number of logits.
        in_channels, size: the images are ``(N, in_channels, size, size)``.
        mean, std: of the pixels; the paper's net takes [0, 1] as it is.

    Shapes:
        ``(N, in_channels, size, size)`` in [0, 1] → logits ``(N, classes)``. 469 160 parameters as built by default.
    """
    return nn.Sequential(
        OrderedDict(
            normalize=Normalize([mean], [std]),
            flatten=nn.Flatten(),
            fc1=nn.Linear(in_channels * size * size, 500),
            relu1=nn.ReLU(),
            fc2=nn.Linear(500, 150),
            relu2=nn.ReLU(),
            fc3=nn.Linear(150, classes),
        )
    )
