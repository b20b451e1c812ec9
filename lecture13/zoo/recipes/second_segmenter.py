"""A second opinion on scenes that have no ground truth: a smaller segmenter, trained apart from the first.

``python -m lecture13 train scene-segmenter-second --seed 1``: other first weights, other batches, other widths, and
stronger augmentation, so that the two err at different pixels where they can.
"""

from dataclasses import replace

from lecture13.zoo.augment import Flip, Jitter
from lecture13.zoo.recipes import scene_segmenter

RECIPE = replace(
    scene_segmenter.RECIPE,
    name="scene-segmenter-second",
    about="a second, smaller segmenter of scenes: another seed, other widths, stronger jitter",
    options=scene_segmenter.RECIPE.options | {"widths": [16, 24, 32, 48]},
    steps=3000,
    augment=(Flip(), Jitter(0.3, noise=0.06)),
)
