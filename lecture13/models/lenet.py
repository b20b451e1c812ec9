"""LeNet, as Caffe ships it and DeepFool attacks it."""

from collections import OrderedDict

from torch import nn

from lecture13.models.normalize import Normalize


def lenet(
    *, classes: int = 10, in_channels: int = 1, size: int = 28, mean: float = 0.0, std: float = 1.0
) -> nn.Sequential:
    """20C5-P2-50C5-P2-500-10: the LeNet (MNIST and CIFAR-10) of Moosavi-Dezfooli et al. 2016, Table 1.

    Caffe's variant of LeCun et al. 1998: max pooling, and one ReLU, after the 500 hidden units.

    Args:
        classes: K, the number of logits.
        in_channels: 1 for digits, 3 for colour images.
        size: height and width of the images in pixels, at least 16: 28 for MNIST, 32 for CIFAR-10.
        mean, std: of the pixels; the papers' nets take [0, 1] as it is.

    Shapes:
        ``(N, in_channels, size, size)`` in [0, 1] → logits ``(N, classes)``. 431 080 parameters as built by default.

    Raises:
        ValueError: a size too small for two 5×5 convolutions.
    """
    if size < 16:
        raise ValueError(f"size is {size}; LeNet's two 5×5 convolutions and poolings need images of 16 pixels or more")
    side = ((size - 4) // 2 - 4) // 2  # what two unpadded 5×5 convolutions and 2×2 poolings leave
    return nn.Sequential(
        OrderedDict(
            normalize=Normalize([mean], [std]),
            conv1=nn.Conv2d(in_channels, 20, 5),
            pool1=nn.MaxPool2d(2),
            conv2=nn.Conv2d(20, 50, 5),
            pool2=nn.MaxPool2d(2),
            flatten=nn.Flatten(),
            fc1=nn.Linear(50 * side * side, 500),
            relu=nn.ReLU(),
            fc2=nn.Linear(500, classes),
        )
    )
