"""Maxout: units that are the largest of a few linear functions."""

from collections import OrderedDict

from torch import Tensor, nn

from lecture13.models.normalize import Normalize


class Maxout(nn.Module):
    """A layer of maxout units, ``h_i(x) = max_j (x^T W_·ij + b_ij)`` (Goodfellow et al. 2013, section 3).

    Args:
        inputs: d, the numbers that come in.
        units: the numbers that go out.
        pieces: k, linear functions of each unit.

    Shapes:
        ``(N, inputs)`` → ``(N, units)``.
    """

    def __init__(self, inputs: int, units: int, pieces: int) -> None:
        super().__init__()
        self.units, self.pieces = units, pieces
        self.linear = nn.Linear(inputs, units * pieces)

    def forward(self, inputs: Tensor) -> Tensor:
        """The largest piece of each unit."""
        return self.linear(inputs).unflatten(1, (self.units, self.pieces)).amax(2)


def maxout(*, classes: int = 10, in_channels: int = 1, size: int = 28, units: int = 240, pieces: int = 5) -> nn.Module:
    """The fully connected maxout net for MNIST: two layers, dropout before each and before the logits.

    Goodfellow et al. 2013, *Maxout networks*, section 4.1; Goodfellow, Shlens and Szegedy 2015 attack it.

    Args:
        classes: K, the number of logits.
        in_channels, size: the images are ``(N, in_channels, size, size)``.
        units: of each layer: 240, or 1600 for adversarial training in the latter paper.
        pieces: linear functions of each unit.

    Shapes:
        ``(N, in_channels, size, size)`` in [0, 1] → logits ``(N, classes)``. 1 233 610 parameters as built by default.
    """
    return nn.Sequential(
        OrderedDict(
            normalize=Normalize([0.0], [1.0]),  # it takes [0, 1] as it is
            flatten=nn.Flatten(),
            dropout1=nn.Dropout(0.2),
            maxout1=Maxout(in_channels * size * size, units, pieces),
            dropout2=nn.Dropout(0.5),
            maxout2=Maxout(units, units, pieces),
            dropout3=nn.Dropout(0.5),
            fc3=nn.Linear(units, classes),
        )
    )
