"""The segmenter that names every pixel of a scene, real or generated: it stands where UPerNet stands in Bau et al."""

from lecture13.render import scenes
from lecture13.zoo.augment import Flip, Jitter
from lecture13.zoo.supervised import Supervised

RECIPE = Supervised(
    name="scene-segmenter",
    about="U-Net that names the surface at every pixel of a scene",
    model="segmenter",
    options={"classes": len(scenes.CONCEPTS["surface"]), "widths": [24, 32, 48, 64]},
    data="scenes",
    size=32,
    also_size=64,
    target="surface",
    examples=12_000,
    test_examples=1000,
    steps=4000,
    batch_size=32,
    learning_rate=3e-3,
    weight_decay=1e-3,
    augment=(Flip(), Jitter(0.15, noise=0.03)),
)
