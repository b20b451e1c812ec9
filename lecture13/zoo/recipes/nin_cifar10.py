"""The NIN of DeepFool's CIFAR-10 row, thinned so that a core without a GPU can train it.

Half the paper's channels, a quarter of its parameters, and batch normalisation, which the paper's net does not have. A
step of 64 images takes .17 s of one core, so this is a training of a quarter of an hour and more.
"""

from lecture13.zoo.augment import Affine, Flip
from lecture13.zoo.supervised import Supervised

RECIPE = Supervised(
    name="nin-cifar10",
    about="NIN of half the paper's channels, with batch normalisation, on CIFAR-10",
    model="nin",
    options={"thin": 2, "batch_norm": True},
    data="cifar10",
    size=32,
    steps=6000,
    batch_size=64,
    learning_rate=3e-3,
    weight_decay=2e-2,
    augment=(Flip(), Affine(degrees=0, scale=0, shift=0.1, padding="border")),
)
