"""The small convolutional net that certificates are computed for."""

from collections import OrderedDict

from torch import nn

from lecture13.models.normalize import Normalize


def small_convnet(
    *, classes: int = 10, in_channels: int = 1, size: int = 28, mean: float = 0.0, std: float = 1.0
) -> nn.Sequential:
    """Two strided 4×4 convolutions and two linear layers: the MNIST net of Wong & Kolter 2018.

    Convolution by stride and no pooling, so that linear bounds pass through every layer but the ReLUs exactly.

    Args:
        classes: K, the number of logits.
        in_channels: 1 for digits, 3 for colour images.
        size: height and width of the images in pixels, a multiple of 4.
        mean, std: of the pixels; the paper's net takes [0, 1] as it is.

    Shapes:
        ``(N, in_channels, size, size)`` in [0, 1] → logits ``(N, classes)``. 166 406 parameters as built by default.

    Raises:
        ValueError: a size that two strides of 2 do not divide.
    """
    if size < 4 or size % 4:
        raise ValueError(f"size is {size}; expected a multiple of 4, which two convolutions of stride 2 divide evenly")
    return nn.Sequential(
        OrderedDict(
            normalize=Normalize([mean], [std]),
            conv1=nn.Conv2d(in_channels, 16, 4, stride=2, padding=1),
            relu1=nn.ReLU(),
            conv2=nn.Conv2d(16, 32, 4, stride=2, padding=1),
            relu2=nn.ReLU(),
            flatten=nn.Flatten(),
            fc1=nn.Linear(32 * (size // 4) ** 2, 100),
            relu3=nn.ReLU(),
            fc2=nn.Linear(100, classes),
        )
    )
