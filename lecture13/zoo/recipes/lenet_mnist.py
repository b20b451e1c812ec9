"""LeNet on MNIST: the first net of DeepFool's Table 1. No augmentation, as Caffe trains it.

How far the boundaries lie from the images is decided by the training more than by the error: with a weight decay of
.01, .1 and .5 the test error is .76, .76 and .86 %, and DeepFool's ρ̂ on test images 0 to 99 is .164, .171 and .187.
(The authors' code found .205 on a LeNet of .85 %.)
"""

from lecture13.zoo.supervised import Supervised

RECIPE = Supervised(
    name="lenet-mnist",
    about="LeNet (20C5-P2-50C5-P2-500-10) on MNIST",
    model="lenet",
    data="mnist",
    size=28,
    steps=4000,
    batch_size=64,
    learning_rate=1e-3,
    weight_decay=0.5,
    augment=(),
)
