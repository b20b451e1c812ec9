"""The baseline of every attack: a perturbation of the same size that knows nothing of the model."""

import torch
from torch import Tensor

from lecture13 import guard
from lecture13.guard import Bounds, Model


def random_signs(
    model: Model,
    images: Tensor,
    labels: Tensor,
    epsilon: float,
    *,
    bounds: Bounds = (0.0, 1.0),
    generator: torch.Generator | None = None,
) -> Tensor:
    """``x + ε·s`` with s = ±1 drawn for every value: as large as FGSM's step in every norm, in a random direction.

    Args:
        model, labels: not looked at; they are here so that noise stands where an attack does.
        images, epsilon, bounds: as in :func:`lecture13.attacks.fgsm`.
        generator: source of the signs; None: one seeded as ``torch.manual_seed`` was, the same at every call.

    Returns:
        ``(N, C, H, W)``, dtype, device and memory format of ``images``.

    Raises:
        TypeError, ValueError: images or epsilon as in :func:`lecture13.attacks.fgsm`.
    """
    bounds = guard.check_bounds(bounds)
    epsilon = guard.check_epsilon(epsilon, bounds)
    images = guard.check_images(images, bounds)
    generator = guard.random_source(generator, images.device)
    signs = torch.randint(0, 2, images.shape, generator=generator, device=generator.device).mul_(2).sub_(1)
    images.add_(signs.to(images), alpha=epsilon)
    return images if bounds is None else images.clamp_(*bounds)
