"""The classifier of road signs that the attacks on signs are aimed at."""

from lecture13.render import signs
from lecture13.zoo.augment import Affine, Jitter
from lecture13.zoo.supervised import Supervised

RECIPE = Supervised(
    name="sign-classifier",
    about="small convolutional classifier of road signs",
    model="sign_classifier",
    options={"classes": len(signs.CLASSES)},
    data="signs",
    size=32,
    examples=12_000,
    test_examples=1000,
    steps=2000,
    batch_size=64,
    learning_rate=2e-3,
    weight_decay=1e-2,
    augment=(Affine(degrees=5, scale=0.05, shift=0.05, padding="border"), Jitter(0.15, noise=0.03)),
)
