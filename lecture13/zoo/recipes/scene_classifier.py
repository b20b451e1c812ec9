"""The classifier whose units are dissected: five stages of convolutions that name the class of a scene."""

from lecture13.render import scenes
from lecture13.zoo.augment import Flip, Jitter
from lecture13.zoo.supervised import Supervised

RECIPE = Supervised(
    name="scene-classifier",
    about="VGG-style classifier of scenes, five stages of two convolutions",
    model="scene_classifier",
    options={"classes": len(scenes.CLASSES)},
    data="scenes",
    size=32,
    examples=12_000,
    test_examples=1000,
    steps=2500,
    batch_size=64,
    learning_rate=2e-3,
    weight_decay=2e-2,
    augment=(Flip(), Jitter(0.15, noise=0.03)),
)
