"""The LeNet of DeepFool's CIFAR-10 row, from CIFAR-10 or its JPEG copy, whose line then says so.

Flips and shifts of up to three pixels. A step of 64 images takes .03 s of one core.
"""

from lecture13.zoo.augment import Affine, Flip
from lecture13.zoo.supervised import Supervised

RECIPE = Supervised(
    name="lenet-cifar10",
    about="LeNet (cuda-convnet's quick net) on CIFAR-10",
    model="lenet_cifar10",
    data="cifar10",
    size=32,
    steps=6000,
    batch_size=64,
    learning_rate=2e-3,
    weight_decay=2e-2,
    augment=(Flip(), Affine(degrees=0, scale=0, shift=0.1, padding="border")),
)
