"""LeNet on real handwritten digits laid out as MNIST: the first net of DeepFool's Table 1, offline."""

from lecture13.zoo.augment import Affine
from lecture13.zoo.supervised import Supervised

RECIPE = Supervised(
    name="lenet-digits",
    about="LeNet (20C5-P2-50C5-P2-500-10) on scikit-learn's handwritten digits at 28×28",
    model="lenet",
    data="digits",
    size=28,
    steps=1500,
    batch_size=64,
    learning_rate=1e-3,
    weight_decay=1e-2,
    augment=(Affine(degrees=10, scale=0.1, shift=0.07),),
)
