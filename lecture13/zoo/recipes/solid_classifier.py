"""The classifier of rendered solids that the adversarial turtle is aimed at."""

from lecture13.render import solids
from lecture13.zoo.augment import Affine, Flip, Jitter
from lecture13.zoo.supervised import Supervised

RECIPE = Supervised(
    name="solid-classifier",
    about="small convolutional classifier of solids in any pose",
    model="sign_classifier",
    options={"classes": len(solids.CLASSES), "widths": (16, 32, 48, 64, 96)},
    data="solids",
    size=64,
    examples=8_000,
    test_examples=1000,
    steps=2000,
    batch_size=64,
    learning_rate=2e-3,
    weight_decay=1e-2,
    augment=(Flip(), Affine(degrees=180, scale=0.1, shift=0.05, padding="border"), Jitter(0.1, noise=0.02)),
)
