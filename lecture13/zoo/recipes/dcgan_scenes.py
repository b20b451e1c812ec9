"""DCGAN on scenes at 64×64, after one pass over 50 000 of them, after five, and at the end."""

from dataclasses import replace

from lecture13.zoo import quality
from lecture13.zoo.adversarial import Adversarial

PASS = 50_000

RECIPE = Adversarial(
    name="dcgan-scenes",
    about="DCGAN that draws scenes at 64×64, after six passes over the training scenes",
    data="scenes",
    size=64,
    images=PASS,
    steps=6 * PASS // 32,
    maps=(128, 96, 64, 32),
    measured=quality.scenes,
    continues="dcgan-scenes-pass-5",
)
PASS_5 = replace(
    RECIPE,
    name="dcgan-scenes-pass-5",
    about="DCGAN that draws scenes at 64×64, after five passes over the training scenes",
    steps=-(-5 * PASS // 32),
    continues="dcgan-scenes-pass-1",
)
PASS_1 = replace(
    RECIPE,
    name="dcgan-scenes-pass-1",
    about="DCGAN that draws scenes at 64×64, after one pass over the training scenes",
    steps=-(-PASS // 32),
    continues=None,
)
