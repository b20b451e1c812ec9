"""A random search that sees logits only: what a defence that merely breaks gradients does not stop."""

import torch
from torch import Tensor

from lecture13 import guard
from lecture13.attacks.locally_linear import lead
from lecture13.guard import Bounds, Model


@torch.inference_mode(False)
def square(
    model: Model,
    images: Tensor,
    labels: Tensor,
    epsilon: float,
    *,
    queries: int = 500,
    share: float = 0.3,
    bounds: Bounds = (0.0, 1.0),
    generator: torch.Generator | None = None,
    chunk_size: int | None = None,
) -> Tensor:
    """The Square Attack for ℓ∞ (Andriushchenko et al. 2020, Algorithms 1 and 2): no gradient, no weights.

    Start from vertical stripes of ±ε. At each query a square at a random place gets one random sign for each channel;
    where the lead of the best other class grows, it is kept. The squares shrink as the queries are spent. All points
    are corners of the cube, cut by the box.

    Args:
        model, labels, epsilon, bounds, chunk_size: as in :func:`lecture13.attacks.fgsm`.
        images: float ``(N, C, H, W)``, in ``bounds``.
        queries: calls of the model for each image, ≥ 1, the first point's among them.
        share: of the image that the first squares cover, in (0, 1].
        generator: source of the squares; None: one seeded as ``torch.manual_seed`` was, the same at every call.

    Returns:
        The images with the largest lead found, ``(N, C, H, W)``.

    Raises:
        TypeError, ValueError: as :func:`lecture13.attacks.fgsm`; another shape; queries or share out of range.
    """
    queries = guard.check_count("queries", queries)
    if not 0 < share <= 1:
        raise ValueError(f"share={share}; expected a number in (0, 1]")
    bounds = guard.check_bounds(bounds)
    epsilon = guard.check_epsilon(epsilon, bounds)
    images = guard.check_images(images, bounds)
    if images.ndim != 4:
        raise ValueError(f"images have shape {tuple(images.shape)}; expected (N, C, H, W): squares need a place")
    labels = guard.check_labels(labels, images)
    generator = guard.random_source(generator, images.device)
    with guard.frozen(model, images.device), torch.no_grad():
        for part in guard.chunks(images, chunk_size):
            images[part] = _search(model, images[part], labels[part], epsilon, queries, share, bounds, generator)
    return images


def _search(
    model: Model,
    images: Tensor,
    labels: Tensor,
    epsilon: float,
    queries: int,
    share: float,
    bounds: Bounds,
    generator: torch.Generator,
) -> Tensor:
    count, channels, height, width = images.shape

    def signs(*shape: int) -> Tensor:
        drawn = torch.randint(0, 2, shape, generator=generator, device=generator.device)
        return drawn.mul_(2).sub_(1).to(images)

    def at(change: Tensor) -> tuple[Tensor, Tensor]:
        points = images + epsilon * change
        points = points if bounds is None else points.clamp(*bounds)
        return points, lead(guard.logits(model, points, labels), labels)

    change = signs(count, channels, 1, width).expand_as(images).clone()
    best, ahead = at(change)
    rows, columns = (torch.arange(size, device=images.device) for size in (height, width))
    for query in range(1, queries):
        side = max(1, round((_schedule(share, query / queries) * height * width) ** 0.5))
        tall, wide = min(side, height), min(side, width)
        top = torch.randint(0, height - tall + 1, (count, 1), generator=generator, device=generator.device)
        left = torch.randint(0, width - wide + 1, (count, 1), generator=generator, device=generator.device)
        top, left = top.to(images.device), left.to(images.device)
        down, across = (rows >= top) & (rows < top + tall), (columns >= left) & (columns < left + wide)
        inside = (down[:, :, None] & across[:, None, :])[:, None]
        tried = torch.where(inside, signs(count, channels, 1, 1), change)
        points, found = at(tried)
        better = (found > ahead).view(-1, 1, 1, 1)
        change, best = torch.where(better, tried, change), torch.where(better, points, best)
        ahead = torch.maximum(ahead, found)
    return best


def _schedule(share: float, spent: float) -> float:
    """The paper's: the covered share is halved at fixed parts of the queries."""
    marks = (0.001, 0.005, 0.02, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8)
    return share / 2 ** sum(spent > mark for mark in marks)
