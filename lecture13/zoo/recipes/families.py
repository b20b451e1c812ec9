"""Five nets of five families, trained alike on the same scenes: offline stand-ins for ImageNet's classifiers.

What fools one of them is shown to the others (chapters 12 and 13). They see no augmentation, since nobody means them to
be robust: with noise in the training images, perturbations that fool a net on all images are harder to find.
"""

from typing import Any

from lecture13.render import scenes
from lecture13.zoo.supervised import Supervised


def _family(name: str, about: str, model: str, **options: Any) -> Supervised:
    return Supervised(
        name=name,
        about=f"{about} of scenes",
        model=model,
        options={"classes": len(scenes.CLASSES), **options},
        data="scenes",
        size=32,
        examples=12_000,
        test_examples=1000,
        steps=2000,
        batch_size=64,
        learning_rate=2e-3,
        weight_decay=1e-2,
        augment=(),
    )


RECIPES = (
    _family("plain-scenes", "AlexNet-style classifier", "small_alexnet"),
    _family("vgg-scenes", "VGG-style classifier", "small_vgg"),
    _family("inception-scenes", "GoogLeNet-style classifier", "small_inception"),
    _family("resnet-scenes", "residual classifier", "small_resnet"),
    _family("mlp-scenes", "multilayer perceptron as classifier", "small_mlp"),
)

#: The five nets' names.
FAMILIES = tuple(recipe.name for recipe in RECIPES)
