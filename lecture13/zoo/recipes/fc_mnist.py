"""FC500-150-10 on MNIST: the second net of DeepFool's Table 1. No augmentation.

With a weight decay of .01, .1 and .5 the test error is 1.65, 1.72 and 1.78 %, and DeepFool's ρ̂ on test images 0 to 99
is .087, .088 and .092.
"""

from lecture13.zoo.supervised import Supervised

RECIPE = Supervised(
    name="fc-mnist",
    about="FC500-150-10 on MNIST",
    model="fc500_150_10",
    data="mnist",
    size=28,
    steps=6000,
    batch_size=64,
    learning_rate=1e-3,
    weight_decay=1e-2,
    augment=(),
)
