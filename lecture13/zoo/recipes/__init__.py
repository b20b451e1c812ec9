"""The recipes: a file for each net that ships. ``RECIPES[name]`` finds one.

A new net: write its file, list it below, ``python -m lecture13 train NAME --folder DIR``, then move its
``.safetensors`` to ``zoo/weights`` and its ``.json`` to ``zoo/cards``. The tests measure it again.
"""

from lecture13.zoo.base import Recipe
from lecture13.zoo.recipes import (
    cifar10_classifier,
    dcgan_digits,
    fc_digits,
    lenet_digits,
    scene_classifier,
    scene_segmenter,
    sign_classifier,
)

RECIPES: dict[str, Recipe] = {
    file.RECIPE.name: file.RECIPE
    for file in (
        lenet_digits,
        fc_digits,
        cifar10_classifier,
        sign_classifier,
        scene_classifier,
        scene_segmenter,
        dcgan_digits,
    )
}
