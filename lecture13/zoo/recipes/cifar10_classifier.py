"""The classifier that scores generators of CIFAR-10 where Inception's weights cannot be had (Figure 3 of chapter 04).

Its weights do not ship: it is trained on images that the course may not pass on. ``python -m lecture13 train
cifar10-classifier`` makes it from CIFAR-10, or from the JPEG copy, whose line then says so.
"""

from lecture13.zoo.augment import Affine, Flip
from lecture13.zoo.supervised import Supervised

RECIPE = Supervised(
    name="cifar10-classifier",
    about="small convolutional classifier of CIFAR-10, for scores of generators",
    model="sign_classifier",
    options={"classes": 10},
    data="cifar10",
    size=32,
    steps=3000,
    batch_size=64,
    learning_rate=3e-3,
    weight_decay=1e-2,
    augment=(Flip(), Affine(degrees=0, scale=0, shift=0.1, padding="border")),
)
