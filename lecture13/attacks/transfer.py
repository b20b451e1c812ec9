"""Images that fool several models at once, so that they fool one more that was not asked."""

import math
from collections.abc import Sequence
from contextlib import ExitStack

import torch
from torch import Tensor

from lecture13 import guard
from lecture13.attacks.balls import L2
from lecture13.attacks.checks import check_number
from lecture13.guard import Bounds, Model


@torch.inference_mode(False)
def ensemble(
    models: Sequence[Model],
    images: Tensor,
    labels: Tensor,
    *,
    weights: Sequence[float] | None = None,
    targeted: bool = False,
    distance_weight: float = 0.0,
    max_rmsd: float | None = None,
    steps: int = 100,
    learning_rate: float = 4 / 255,
    bounds: Bounds = (0.0, 1.0),
    chunk_size: int | None = None,
) -> Tensor:
    """Fool a weighted mean of models (Liu et al. 2017, section 5)::

        argmin_x*  −log(1 − (Σ_i α_i J_i(x*))·1_y) + λ·d(x, x*)      untargeted (section 5.2)
        argmin_x*  −log((Σ_i α_i J_i(x*))·1_target) + λ·d(x, x*)     targeted (eq. 5)

    with ``J_i`` the softmax probabilities of model i (the sum is inside the logarithm), and d the :func:`rmsd`. Adam,
    all images at once, each step cut to the box. The last point is the result: what carries over to another model is a
    point deep in the other class, not the first one beyond the boundary. With one model this is its own attack.

    Args:
        models: each gives logits ``(N, K)``, the same K classes in the same order; all run in eval mode.
        images: float ``(N, C, H, W)``, in ``bounds``.
        labels: int64 ``(N,)``: the classes to leave, or with ``targeted`` the classes wanted. Images that are
            misclassified already are moved further, like all others.
        weights: α, one for each model, ≥ 0, scaled to sum 1; None: equal ones.
        targeted: move towards ``labels`` instead of away from them.
        distance_weight: λ ≥ 0, in nats per level of RMSD (0–255).
        max_rmsd: keep each image within this RMSD, in levels of 0–255 (for images in [0, 1]), as (its own) ball.
        steps: of Adam, ≥ 1.
        learning_rate: of Adam, in the images' units: about what a pixel moves in a step.
        bounds: the box ``(low, high)`` that the result stays in; None: no box.
        chunk_size: images in one pass; None: as many as hold about 2 million values, at most 256.

    Returns:
        The adversarial images, ``(N, C, H, W)``, dtype, device and memory format of ``images``.

    Raises:
        TypeError: images that are not floating, labels that are not int64, a number that is none.
        ValueError: no models, models with other numbers of classes, weights that do not fit, numbers out of range, NaN
            images, images outside the box, labels out of range, or a model that does not return (N, K), is detached
            inside, or has NaN gradients.
    """
    models = check_models(models)
    log_weights = _check_weights(weights, len(models)).log()
    distance_weight = check_number("distance_weight", distance_weight, unit="nats per level of RMSD")
    if max_rmsd is not None:
        max_rmsd = check_number("max_rmsd", max_rmsd, high=255.0, open_low=True, unit="levels of 0–255")
    steps = guard.check_count("steps", steps)
    learning_rate = guard.check_size("learning_rate", learning_rate)
    bounds = guard.check_bounds(bounds)
    images = guard.check_images(images, bounds)
    labels = guard.check_labels(labels, images)
    with all_frozen(models, images.device):
        for part in guard.chunks(images, chunk_size):
            exact = torch.promote_types(images.dtype, torch.float32)
            centres, chosen = images[part].to(exact, copy=True), labels[part]
            points = centres.clone().requires_grad_()
            radius = math.inf if max_rmsd is None else max_rmsd / 255 * centres[:1].numel() ** 0.5  # RMSD as an ℓ2 norm
            ball = L2(centres, radius, bounds)
            adam = torch.optim.Adam([points], lr=learning_rate)
            for _ in range(steps):
                with torch.enable_grad():
                    logits = [guard.logits_with_graph(model, points.to(images.dtype), chosen) for model in models]
                    loss = _loss(logits, log_weights, chosen, targeted)
                    loss = loss + distance_weight * rmsd(centres, points)
                (points.grad,) = torch.autograd.grad(loss.sum(), points)
                if bool(points.grad.sum().isnan()):
                    raise ValueError("the gradient of the loss is NaN: a model's logits or weights are not finite")
                adam.step()
                with torch.no_grad():
                    ball.project(points)
            images[part] = points.detach().to(images.dtype)
    return images


def rmsd(images: Tensor, adversarial: Tensor) -> Tensor:
    """``√(mean d²)`` of each image's change, ``(N,)``, on the 0–255 scale for images in [0, 1] (Liu et al. 2017, 2.2).

    It has a gradient also where nothing has changed yet: 0, where that of the root alone would be infinite.

    Raises:
        ValueError: images of different shapes.
    """
    if images.shape != adversarial.shape:
        raise ValueError(f"shapes {tuple(images.shape)} and {tuple(adversarial.shape)}; expected the same (N, C, H, W)")
    exact = torch.promote_types(images.dtype, torch.float32)
    change = (adversarial.to(exact) - images.to(exact)).flatten(1)
    return torch.linalg.vector_norm(change, dim=1) * (255 / max(1, change.shape[1]) ** 0.5)


def _loss(logits: Sequence[Tensor], log_weights: Tensor, labels: Tensor, targeted: bool) -> Tensor:
    """``−log Σ_i α_i p_i`` for each image, with p_i the probability of the label, or untargeted of any other class.

    Since Σα = 1, ``1 − Σ α_i J_i·1_y = Σ α_i (1 − J_i·1_y)``. All in logarithms: where a model is sure, 1 − J rounds to
    0, and its logarithm's gradient is lost.
    """
    classes = {part.shape[1] for part in logits}
    if len(classes) > 1:
        raise ValueError(f"the models have {sorted(classes)} classes; expected the same classes for all")
    parts = []
    for part, log_weight in zip(logits, log_weights.tolist(), strict=True):
        log_p = part.to(torch.promote_types(part.dtype, torch.float32)).log_softmax(1)
        if targeted:
            chosen = log_p.gather(1, labels[:, None])[:, 0]
        else:
            chosen = log_p.scatter(1, labels[:, None], -torch.inf).logsumexp(1)
        parts.append(chosen + log_weight)
    return -torch.stack([part.to(parts[0]) for part in parts]).logsumexp(0)


def check_models(models: Sequence[Model]) -> list[Model]:
    """``models`` as a list. Raises ValueError for none, or for a model that is not in a list."""
    if callable(models) or not isinstance(models, Sequence) or not models:
        kind = f"a {type(models).__name__}" if callable(models) or not isinstance(models, Sequence) else "empty"
        raise ValueError(f"models is {kind}; expected a list of one model or more, also for one: [model]")
    return list(models)


def _check_weights(weights: Sequence[float] | None, count: int) -> Tensor:
    weights = [1.0] * count if weights is None else [check_number("weights", weight) for weight in weights]
    if len(weights) != count or sum(weights) == 0:
        raise ValueError(f"weights={weights}; expected {count} numbers ≥ 0, one for each model, not all 0")
    return torch.tensor(weights, dtype=torch.float64) / sum(weights)


def all_frozen(models: Sequence[Model], device: torch.device) -> ExitStack:
    """A context in which every model is :func:`lecture13.guard.frozen`."""
    stack = ExitStack()
    for model in models:
        stack.enter_context(guard.frozen(model, device))
    return stack
