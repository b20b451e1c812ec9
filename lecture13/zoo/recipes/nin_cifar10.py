"""The NIN of DeepFool's CIFAR-10 row, as far as half an hour on one core goes.

The authors' net has 0.97 million parameters and saw the data for days on a GPU. This one has half its channels, and
batch normalisation, without which the first hour goes by in finding a direction.
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
