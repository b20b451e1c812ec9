"""The recipes: a file for each net that ships. ``RECIPES[name]`` finds one.

A new net: write its file, list it below, ``python -m lecture13 train NAME --folder DIR``, then move its
``.safetensors`` to ``zoo/weights`` and its ``.json`` to ``zoo/cards``. The tests measure it again.
"""

from lecture13.zoo.base import Recipe
from lecture13.zoo.recipes import (
    cifar10_classifier,
    dcgan_digits,
    dcgan_scenes,
    dcgan_scenes_32,
    families,
    fc_digits,
    fc_mnist,
    gtsrb_cnn,
    lenet_cifar10,
    lenet_digits,
    lenet_mnist,
    nin_cifar10,
    progressive_scenes,
    provable,
    scene_classifier,
    scene_segmenter,
    second_segmenter,
    sign_classifier,
    sign_poses,
    solid_classifier,
)

_ALL: tuple[Recipe, ...] = (
    lenet_digits.RECIPE,
    fc_digits.RECIPE,
    lenet_mnist.RECIPE,
    fc_mnist.RECIPE,
    cifar10_classifier.RECIPE,
    lenet_cifar10.RECIPE,
    nin_cifar10.RECIPE,
    sign_classifier.RECIPE,
    *sign_poses.RECIPES,
    gtsrb_cnn.RECIPE,
    solid_classifier.RECIPE,
    scene_classifier.RECIPE,
    scene_segmenter.RECIPE,
    second_segmenter.RECIPE,
    *families.RECIPES,
    *provable.RECIPES,
    dcgan_digits.RECIPE,
    dcgan_scenes.PASS_1,
    dcgan_scenes.PASS_5,
    dcgan_scenes.RECIPE,
    *dcgan_scenes_32.RECIPES,
    *progressive_scenes.SNAPSHOTS,
)
RECIPES: dict[str, Recipe] = {recipe.name: recipe for recipe in _ALL}
