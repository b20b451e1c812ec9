"""Several attacks as one: an image is lost if any of them breaks it."""

from collections.abc import Mapping

import torch
from torch import Tensor

from lecture13 import guard
from lecture13.attacks.calling import Attack, call
from lecture13.attacks.locally_linear import lead
from lecture13.guard import Model


@torch.inference_mode(False)
def strongest(
    model: Model, images: Tensor, labels: Tensor, attacks: Mapping[str, Attack]
) -> tuple[Tensor, dict[str, Tensor]]:
    """For each image, the worst of what several attacks find: the accuracy that is left is no attack's alone.

    A defence has to be judged so. Each attack may differentiate what it likes (another gradient of the same model,
    another model altogether); all are judged by ``model``.

    Args:
        model: gives logits ``(N, K)``; judges.
        images, labels: float ``(N, C, H, W)``, int64 ``(N,)``.
        attacks: name → ``attack(model, images, labels) → images``. None is held to an ε here: that is in each of them.

    Returns:
        The images of largest lead ``max_{k≠y} z_k − z_y``, those that came in among them, ``(N, C, H, W)``; and by name
        which images each attack broke, bool ``(N,)``.

    Raises:
        ValueError: no attacks; whatever an attack raises.
    """
    if not attacks:
        raise ValueError("no attacks; expected name → attack, one or more")
    images = guard.check_images(images, None)
    labels = guard.check_labels(labels, images)
    best, ahead = images.clone(), _lead(model, images, labels)
    broken = {}
    for name, attack in attacks.items():
        points = call(attack, model, images, labels, name=name)
        found = _lead(model, points, labels)
        broken[name] = found >= 0  # a tie is no right answer that one may count on
        better = found > ahead
        best = torch.where(better.view(-1, *[1] * (images.ndim - 1)), points, best)
        ahead = torch.maximum(ahead, found)
    return best, broken


def _lead(model: Model, images: Tensor, labels: Tensor) -> Tensor:
    with guard.frozen(model, images.device), torch.no_grad():
        parts = [lead(guard.logits(model, images[part]), labels[part]) for part in guard.chunks(images, None)]
    return torch.cat(parts) if parts else images.new_empty(0)
