"""FC500-150-10 on real handwritten digits laid out as MNIST: the second net of DeepFool's Table 1, offline."""

from lecture13.zoo.augment import Affine
from lecture13.zoo.supervised import Supervised

RECIPE = Supervised(
    name="fc-digits",
    about="FC500-150-10 on scikit-learn's handwritten digits at 28×28",
    model="fc500_150_10",
    data="digits",
    size=28,
    steps=2500,
    batch_size=64,
    learning_rate=1e-3,
    weight_decay=1e-2,
    augment=(Affine(degrees=10, scale=0.1, shift=0.07),),
)
