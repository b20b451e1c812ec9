"""GTSRB-CNN, the net of the graffiti's Table 5, on real German traffic signs.

Yadav's layers, with batch normalisation, without which as few steps do not suffice. Its weights do not ship: the
images may not be passed on.
"""

from lecture13.zoo.augment import Affine, Jitter
from lecture13.zoo.supervised import Supervised

RECIPE = Supervised(
    name="gtsrb-cnn",
    about="Yadav's GTSRB-CNN, with batch normalisation",
    model="gtsrb_cnn",
    options={"dropout": 0.3, "batch_norm": True},
    data="gtsrb",
    size=32,
    steps=2000,
    batch_size=128,
    learning_rate=1e-3,
    weight_decay=5e-2,
    augment=(Affine(degrees=15, scale=0.15, shift=0.1, padding="border"), Jitter(0.4, noise=0.05)),
)
