"""One step or many along the gradient of the loss with respect to the image: FGSM and PGD.

The loss is the cross-entropy J(x, y) = −log softmax(z)_y of the logits z = model(x). It can be written as
J = log(1 + eᵐ) with m(x, y) = log Σ_{k≠y} exp z_k − z_y, so that ∇J = σ(m)·∇m with a factor σ(m) in (0, 1). Both
attacks use the direction of ∇J alone, so they take ∇m instead: the same direction, and one that survives where the
classifier is so sure (m < −17 in float32) that rounding spoils the gradient of J, and an attack on J fails for no good
reason.
"""

import torch
from torch import Tensor

from lecture13 import guard
from lecture13.attacks.balls import BALLS
from lecture13.guard import Bounds, Model


def margin_loss(logits: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    """The loss ``m = log Σ_{k≠y} exp z_k − z_y`` and its gradient with respect to the logits.

    Args:
        logits: ``(N, K)``, floating.
        labels: int64 ``(N,)``.

    Returns:
        ``m (N,)``, which grows with the cross-entropy J = log(1 + eᵐ), and ``∂m/∂z (N, K)``: the softmax over the other
        classes, and −1 at y. Both in float32 at least, also for half-precision logits.
    """
    logits = logits if logits.dtype == torch.float64 else logits.float()
    labels = labels[:, None]
    others = logits.scatter(1, labels, -torch.inf)
    loss = others.logsumexp(1) - logits.gather(1, labels)[:, 0]
    return loss, others.softmax(1).scatter_(1, labels, -1.0)


@torch.inference_mode(False)
def loss_gradient(model: Model, images: Tensor, labels: Tensor, *, chunk_size: int | None = None) -> Tensor:
    """The gradient of the loss ``m`` with respect to the images: the direction of ∇ₓJ(x, y), without its tiny factor.

    Args:
        model: gives logits ``(N, K)``; runs in eval mode.
        images: float ``(N, C, H, W)``; any range.
        labels: int64 ``(N,)``.
        chunk_size: images in one pass; None: as :func:`fgsm`.

    Returns:
        ``(N, C, H, W)``, dtype and device of ``images``.

    Raises:
        TypeError, ValueError: as :func:`fgsm`.
    """
    images = guard.check_images(images, None)
    labels = guard.check_labels(labels, images)
    gradient = torch.empty_like(images)
    with guard.frozen(model, images.device):
        for part in guard.chunks(images, chunk_size):
            gradient[part] = _gradient(model, images[part], labels[part])[0]
    return gradient


@torch.inference_mode(False)
def fgsm(
    model: Model,
    images: Tensor,
    labels: Tensor,
    epsilon: float,
    *,
    targeted: bool = False,
    bounds: Bounds = (0.0, 1.0),
    chunk_size: int | None = None,
) -> Tensor:
    """The fast gradient sign method: ``x' = x + ε·sign(∇ₓJ(x, y))`` (Goodfellow et al. 2015, section 4).

    It maximises the loss's linear approximation over ‖x' − x‖∞ ≤ ε: for a linear classifier of two classes, the loss.

    Args:
        model: gives logits ``(N, K)``; runs in eval mode.
        images: float ``(N, C, H, W)``, in ``bounds``; rounding errors of a few units in the last place are moved into
            the box first, anything further outside is an error.
        labels: int64 ``(N,)``: the true classes, or with ``targeted`` the classes wanted. Images that are misclassified
            already are moved further, like all others.
        epsilon: largest change of a pixel, in the images' units, ≥ 0. A pixel moves by ε exactly, up to the rounding
            of ``x + ε`` in the images' dtype, or less where the box stops it.
        targeted: descend the loss of ``labels`` instead of ascending it.
        bounds: the box ``(low, high)`` that the result stays in; None: no box.
        chunk_size: images in one pass; None: as many as hold about 2 million values, at most 256.

    Returns:
        The adversarial images, ``(N, C, H, W)``, dtype, device and memory format of ``images``.

    Raises:
        TypeError: images that are not floating, labels that are not int64, an epsilon that is not a number.
        ValueError: NaN images, images outside the box, labels out of range, an epsilon that is negative, NaN or wider
            than the box, or a model that does not return (N, K).
    """
    bounds = guard.check_bounds(bounds)
    epsilon = guard.check_epsilon(epsilon, bounds)
    images = guard.check_images(images, bounds)
    labels = guard.check_labels(labels, images)
    sign = -1.0 if targeted else 1.0
    with guard.frozen(model, images.device):
        for part in guard.chunks(images, chunk_size):
            gradient, _ = _gradient(model, images[part], labels[part])
            images[part].add_(gradient.sign_(), alpha=sign * epsilon)  # x' = x + ε·sign(∇ₓJ)
    return images if bounds is None else images.clamp_(*bounds)


@torch.inference_mode(False)
def pgd(
    model: Model,
    images: Tensor,
    labels: Tensor,
    epsilon: float,
    *,
    norm: str = "linf",
    steps: int = 40,
    step_size: float | None = None,
    random_start: bool = True,
    restarts: int = 1,
    targeted: bool = False,
    bounds: Bounds = (0.0, 1.0),
    generator: torch.Generator | None = None,
    chunk_size: int | None = None,
) -> Tensor:
    """Projected gradient descent: many small steps up the loss, each projected back (Madry et al. 2018, section 2.1).

    ``x ← Π(x + α·sign(∇ₓJ))`` for ``"linf"``, ``x ← Π(x + α·∇ₓJ/‖∇ₓJ‖₂)`` for ``"l2"``, with Π the projection onto the
    ball of radius ε around the image and then onto the box, which keeps the ball. Of all points reached, each example
    keeps its best: a misclassified one (with ``targeted``: one classified as the target) before any other, then the one
    of highest loss (lowest). So more steps of the same size, or more restarts, never give a weaker result.

    Args:
        model, images, labels, targeted, bounds, chunk_size: as in :func:`fgsm`.
        epsilon: radius of the ball, in the images' units, ≥ 0.
        norm: ``"linf"`` or ``"l2"``.
        steps: gradient steps, ≥ 1. One step without a random start is FGSM.
        step_size: α; None: 2.5·ε/steps, so that every point of the ball is within reach.
        random_start: start from a uniformly drawn point of the ball instead of from the image.
        restarts: independent starts, ≥ 1; each example keeps its best.
        generator: source of the random starts; None: one seeded as ``torch.manual_seed`` was, the same at every call.

    Returns:
        The adversarial images, ``(N, C, H, W)``, dtype, device and memory format of ``images``.

    Raises:
        TypeError, ValueError: as :func:`fgsm`; an unknown norm; steps or restarts below 1; restarts that would all be
            the same, for want of a random start.
    """
    if norm not in BALLS:
        raise ValueError(f"unknown norm {norm!r}; choose one of {', '.join(map(repr, BALLS))}")
    steps, restarts = guard.check_count("steps", steps), guard.check_count("restarts", restarts)
    if restarts > 1 and not random_start:
        raise ValueError(f"restarts={restarts} without a random start would all be the same; say random_start=True")
    bounds = guard.check_bounds(bounds)
    epsilon = guard.check_epsilon(epsilon, bounds if norm == "linf" else None)
    step_size = 2.5 * epsilon / steps if step_size is None else guard.check_size("step_size", step_size)
    images = guard.check_images(images, bounds)
    labels = guard.check_labels(labels, images)
    generator = guard.random_source(generator, images.device)

    best = _Best(images, labels, targeted)
    with guard.frozen(model, images.device):
        for _ in range(restarts):
            # drawn for the whole batch at once, so that the result does not depend on chunk_size
            starts = BALLS[norm].draw(images, epsilon, generator) if random_start else images.clone()
            for part in guard.chunks(images, chunk_size):
                ball = BALLS[norm](images[part], epsilon, bounds)
                points = ball.project(starts[part])
                for step in range(steps):
                    gradient, logits = _gradient(model, points, labels[part])
                    if step:
                        best.offer(part, points, logits)
                    alpha = -step_size if targeted else step_size
                    points = ball.project(points.add_(ball.direction(gradient), alpha=alpha))  # x ← Π(x + α·g/‖g‖)
                with torch.no_grad():
                    best.offer(part, points, guard.logits(model, points))
    return best.found()


class _Best:
    """The best point seen for each example: misclassified before not, then by the loss."""

    def __init__(self, images: Tensor, labels: Tensor, targeted: bool):
        self.images, self.labels, self.targeted = images.clone(), labels, targeted
        self.fooled = torch.zeros_like(labels, dtype=torch.bool)
        exact = torch.promote_types(images.dtype, torch.float32)
        self.loss = torch.full(labels.shape, -torch.inf, dtype=exact, device=images.device)

    def offer(self, part: slice, points: Tensor, logits: Tensor) -> None:
        """Take each of ``points`` that is better than what ``part`` of the batch has."""
        images, labels = self.images[part], self.labels[part]
        fooled = (logits.argmax(1) == labels) == self.targeted
        loss, _ = margin_loss(logits, labels)
        loss = (-loss if self.targeted else loss).to(self.loss)
        ahead = torch.where(fooled == self.fooled[part], loss > self.loss[part], fooled)
        torch.where(ahead.view(-1, *[1] * (images.ndim - 1)), points, images, out=images)
        self.fooled[part], self.loss[part] = (
            torch.where(ahead, fooled, self.fooled[part]),
            torch.where(ahead, loss, self.loss[part]),
        )

    def found(self) -> Tensor:
        """The images. Raises ValueError where no loss was a number."""
        if bool(self.loss.isneginf().any()):
            raise ValueError("the loss is NaN at every step: the model's logits or weights are not finite")
        return self.images


def _gradient(model: Model, images: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    """``∂m/∂x`` for each image, and the logits there."""
    images = images.detach().requires_grad_()
    logits = guard.logits_with_graph(model, images, labels)
    _, towards = margin_loss(logits.detach(), labels)
    (gradient,) = torch.autograd.grad(logits, images, towards.to(logits))
    if bool(gradient.sum().isnan()):  # sign(NaN) is 0: it would pass for an image that nothing moves
        raise ValueError("the gradient of the loss is NaN: the model's logits or weights are not finite")
    return gradient, logits.detach()
