"""Networks by the names of the papers: images in [0, 1] in, logits out, normalisation as the first layer.

All take float images ``(N, C, H, W)`` in [0, 1] and give logits ``(N, K)`` (the segmenter: ``(N, K, H, W)``), in
float32, bfloat16 or half, contiguous or channels-last. Layers have names, so that ``"conv4_2"`` or ``"decode1.conv2"``
says which activations are meant.
"""

import inspect
from collections.abc import Callable

from torch import nn

from lecture13.models.fc500_150_10 import fc500_150_10
from lecture13.models.gtsrb_cnn import GtsrbCnn, gtsrb_cnn
from lecture13.models.lenet import lenet
from lecture13.models.lenet_cifar10 import lenet_cifar10
from lecture13.models.maxout import Maxout, maxout
from lecture13.models.nin import nin
from lecture13.models.normalize import Normalize
from lecture13.models.scene_classifier import scene_classifier
from lecture13.models.segmenter import Segmenter, segmenter
from lecture13.models.shallow_softmax import shallow_softmax
from lecture13.models.sign_classifier import sign_classifier
from lecture13.models.small_alexnet import small_alexnet
from lecture13.models.small_convnet import small_convnet
from lecture13.models.small_inception import small_inception
from lecture13.models.small_mlp import small_mlp
from lecture13.models.small_resnet import small_resnet
from lecture13.models.small_vgg import small_vgg

__all__ = [
    "GtsrbCnn",
    "Maxout",
    "Normalize",
    "Segmenter",
    "build",
    "fc500_150_10",
    "gtsrb_cnn",
    "lenet",
    "lenet_cifar10",
    "maxout",
    "names",
    "nin",
    "scene_classifier",
    "segmenter",
    "shallow_softmax",
    "sign_classifier",
    "small_alexnet",
    "small_convnet",
    "small_inception",
    "small_mlp",
    "small_resnet",
    "small_vgg",
]

_BUILDERS: dict[str, Callable[..., nn.Module]] = {
    builder.__name__: builder
    for builder in (
        lenet,
        fc500_150_10,
        lenet_cifar10,
        nin,
        small_convnet,
        scene_classifier,
        segmenter,
        sign_classifier,
        gtsrb_cnn,
        small_alexnet,
        small_vgg,
        small_resnet,
        small_inception,
        small_mlp,
        maxout,
        shallow_softmax,
    )
}


def names() -> tuple[str, ...]:
    """The names that :func:`build` knows."""
    return tuple(_BUILDERS)


def build(name: str, **options) -> nn.Module:
    """The untrained network ``name``, weights drawn from torch's global generator.

    Args:
        name: one of :func:`names`.
        options: what the builder of that name takes, ``classes=10`` for one.

    Raises:
        ValueError: an unknown name, or an option that this network does not have; both list the known ones.
    """
    if name not in _BUILDERS:
        raise ValueError(f"unknown model {name!r}; known: {', '.join(names())}")
    known = inspect.signature(_BUILDERS[name]).parameters
    for option in options:
        if option not in known:
            raise ValueError(f"model {name!r} has no option {option!r}; it has {', '.join(known)}")
    return _BUILDERS[name](**options)
