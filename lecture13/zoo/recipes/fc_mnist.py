"""FC500-150-10 on MNIST: the second net of DeepFool's Table 1. No augmentation; weight decay as LeNet's."""

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
    weight_decay=0.5,
    augment=(),
)
