"""DCGAN on scenes at 64×64, after one pass over 50 000 of them, after five, and at the end."""

from dataclasses import replace

from lecture13.zoo import quality
from lecture13.zoo.adversarial import Adversarial

PASS, BATCH = 50_000, 16

RECIPE = Adversarial(
    name="dcgan-scenes",
    about="DCGAN that draws scenes at 64×64, after eight passes over the training scenes",
    data="scenes",
    size=64,
    images=PASS,
    steps=8 * PASS // BATCH,
    maps=(128, 96, 64, 32),
    resize=True,
    r1=0.1,
    batch_size=BATCH,
    learning_rate=1e-3,
    measured=quality.scenes,
    continues="dcgan-scenes-pass-5",
)
PASS_5 = replace(
    RECIPE,
    name="dcgan-scenes-pass-5",
    about="DCGAN that draws scenes at 64×64, after five passes over the training scenes",
    steps=5 * PASS // BATCH,
    continues="dcgan-scenes-pass-1",
)
PASS_1 = replace(
    RECIPE,
    name="dcgan-scenes-pass-1",
    about="DCGAN that draws scenes at 64×64, after one pass over the training scenes",
    steps=PASS // BATCH,
    continues=None,
)
