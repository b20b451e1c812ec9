"""The locally linear attack: one step towards each other class, and the worst of them kept."""

import torch
from torch import Tensor

from lecture13 import guard
from lecture13.guard import Bounds, Model


@torch.inference_mode(False)
def locally_linear(
    model: Model,
    images: Tensor,
    labels: Tensor,
    epsilon: float,
    *,
    bounds: Bounds = (0.0, 1.0),
    chunk_size: int | None = None,
) -> Tensor:
    """For each class t ≠ y take ``x_t = x + ε·sign(∇z_t − ∇z_y)``; keep the worst (Gopalakrishnan et al. 2018).

    A network of ReLUs is linear around x, with the gradient ∇z_t for class t; where it is linear in the whole cube,
    x_t is the point that brings t furthest ahead of y, and the worst of them the optimum. FGSM follows the gradient of
    a loss that mixes the classes, and is the same for two classes alone.

    Args:
        model, images, labels, epsilon, bounds, chunk_size: as in :func:`lecture13.attacks.fgsm`. K − 1 backward passes
            for each image.

    Returns:
        The adversarial images, ``(N, C, H, W)``: of the x_t the one with the largest ``max_{k≠y} z_k − z_y``; dtype,
        device and memory format of ``images``.

    Raises:
        TypeError, ValueError: as :func:`lecture13.attacks.fgsm`.
    """
    bounds = guard.check_bounds(bounds)
    epsilon = guard.check_epsilon(epsilon, bounds)
    images = guard.check_images(images, bounds)
    labels = guard.check_labels(labels, images)
    with guard.frozen(model, images.device):
        for part in guard.chunks(images, chunk_size):
            images[part] = _worst(model, images[part], labels[part], epsilon, bounds)
    return images


def lead(logits: Tensor, labels: Tensor) -> Tensor:
    """How far the best other class is ahead: ``max_{k≠y} z_k − z_y``, ``(N,)``; above 0 where misclassified."""
    others = logits.scatter(1, labels[:, None], -torch.inf)
    return others.amax(1) - logits.gather(1, labels[:, None])[:, 0]


def _worst(model: Model, images: Tensor, labels: Tensor, epsilon: float, bounds: Bounds) -> Tensor:
    centres = images.detach().clone().requires_grad_()
    logits = guard.logits_with_graph(model, centres, labels)
    own = logits.gather(1, labels[:, None])[:, 0]
    best, ahead = images.clone(), torch.full_like(own, -torch.inf).detach()
    classes = logits.shape[1]
    for shift in range(1, classes):  # each image's own row of other classes, so that none takes its label
        target = (labels + shift) % classes
        difference = logits.gather(1, target[:, None])[:, 0] - own
        (gradient,) = torch.autograd.grad(difference.sum(), centres, retain_graph=shift + 1 < classes)
        if bool(gradient.sum().isnan()):
            raise ValueError("the gradient of the logits is NaN: the model's logits or weights are not finite")
        points = images + epsilon * gradient.sign()
        points = points if bounds is None else points.clamp(*bounds)
        with torch.no_grad():
            found = lead(guard.logits(model, points), labels)
        better = found > ahead
        best = torch.where(better.view(-1, *[1] * (images.ndim - 1)), points, best)
        ahead = torch.where(better, found, ahead)
    return best
