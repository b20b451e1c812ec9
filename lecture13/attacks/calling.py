"""Attacks as arguments of other functions: called in one way, whatever they take and return."""

import inspect
from collections.abc import Callable

from torch import Tensor

from lecture13.guard import Model

#: ``attack(model, images, labels)`` or ``attack(model, images)``, such as ``functools.partial(attacks.fgsm,
#: epsilon=8 / 255)``; it gives images, or a result whose ``.images`` they are.
Attack = Callable[..., Tensor]


def call(attack: Attack, model: Model, images: Tensor, labels: Tensor, *, name: str = "the attack") -> Tensor:
    """The images that ``attack`` makes of ``images``; one that takes no labels, as DeepFool, is not given any.

    ``name`` is what an error calls it.

    Raises:
        ValueError: anything but images of the same number comes back.
    """
    try:
        inspect.signature(attack).bind(model, images, labels)
    except TypeError:
        given = (model, images)
    else:
        given = (model, images, labels)
    found = attack(*given)
    found = getattr(found, "images", found)
    if not isinstance(found, Tensor) or len(found) != len(images):
        kind = f"shape {tuple(found.shape)}" if isinstance(found, Tensor) else type(found).__name__
        raise ValueError(f"{name} returned {kind} for images {tuple(images.shape)}; expected as many images")
    return found
