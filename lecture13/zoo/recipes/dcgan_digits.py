"""Conditional DCGAN on real handwritten digits laid out as MNIST: the lecture's objective, with labels."""

from lecture13.zoo import quality
from lecture13.zoo.adversarial import Adversarial

RECIPE = Adversarial(
    name="dcgan-digits",
    about="conditional DCGAN that draws a digit of the label it is asked for, at 28×28",
    data="digits",
    size=28,
    images=1078,
    steps=4000,
    maps=(64, 32),
    channels=1,
    classes=10,
    noise=64,
    batch_size=32,
    mirror=False,
    measured=quality.digits,
)
