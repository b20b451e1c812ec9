"""The LeNet of DeepFool's CIFAR-10 row."""

from collections import OrderedDict

from torch import nn

from lecture13.models.normalize import Normalize


def lenet_cifar10(*, classes: int = 10) -> nn.Sequential:
    """32C5-MP3-32C5-AP3-64C5-AP3-64-10: the "quick" net of cuda-convnet, which MatConvNet calls LeNet.

    Moosavi-Dezfooli et al. 2016 took the LeNet and the NIN of their CIFAR-10 rows from MatConvNet. Pooling is 3×3 at
    stride 2, the first by maximum and before its ReLU, the others by mean. Layers are ``conv1``, ``pool1``, ``relu1`` …
    ``relu3``, ``pool3``, ``flatten``, ``fc1``, ``relu4``, ``fc2``.

    Args:
        classes: K, the number of logits.

    Shapes:
        ``(N, 3, 32, 32)`` in [0, 1] → logits ``(N, classes)``. 145 578 parameters as built by default.
    """
    return nn.Sequential(
        OrderedDict(
            normalize=Normalize([0.5] * 3, [0.25] * 3),
            conv1=nn.Conv2d(3, 32, 5, padding=2),
            pool1=nn.MaxPool2d(3, 2, ceil_mode=True),  # a window that hangs over the edge counts, as in MatConvNet
            relu1=nn.ReLU(),
            conv2=nn.Conv2d(32, 32, 5, padding=2),
            relu2=nn.ReLU(),
            pool2=nn.AvgPool2d(3, 2, ceil_mode=True),
            conv3=nn.Conv2d(32, 64, 5, padding=2),
            relu3=nn.ReLU(),
            pool3=nn.AvgPool2d(3, 2, ceil_mode=True),
            flatten=nn.Flatten(),
            fc1=nn.Linear(64 * 4 * 4, 64),
            relu4=nn.ReLU(),
            fc2=nn.Linear(64, classes),
        )
    )
