"""DeepFool: walk to the nearest boundary of the linearised classifier, again and again, until one is crossed."""

import torch
from torch import Tensor

from lecture13 import guard
from lecture13.attacks.checks import check_choice, check_number
from lecture13.guard import Bounds, Model


@torch.inference_mode(False)
def deepfool(
    model: Model,
    images: Tensor,
    *,
    norm: str = "l2",
    candidates: int = 10,
    max_iterations: int = 50,
    overshoot: float = 0.02,
    bounds: Bounds = None,
    chunk_size: int | None = None,
) -> Tensor:
    """The smallest change that makes each image leave its predicted class (Moosavi-Dezfooli et al. 2016, Algorithm 2).

    With ``w'_k = ∇f_k(x_i) − ∇f_k̂(x_i)`` and ``f'_k = f_k(x_i) − f_k̂(x_i)`` for the predicted class k̂, each iteration
    goes to the nearest of the linearised boundaries, ``l = argmin_k |f'_k|/‖w'_k‖_q`` with q dual to the norm::

        r_i = |f'_l|/‖w'_l‖₂²·w'_l   ("l2", Algorithm 2)        r_i = |f'_l|/‖w'_l‖₁·sign(w'_l)   ("linf", eq. 11, 12)

    As in the authors' code, the classifier is looked at, and linearised, at ``x + (1 + η)·Σ r_i``: the overshoot η is
    on the total perturbation, and what comes back is a point at which the class was seen to change. No label is asked
    for: the class to leave is the predicted one, whether it is right or wrong.

    **With a box**, ``r_i`` is the smallest step *inside the box* to the linearised boundary and beyond it by η (as far
    beyond as the box allows). So it crosses wherever the box holds a point at which a candidate's linearised score
    passes that of k̂; on an affine classifier that is the smallest such perturbation. Where the box holds no such
    point, the step goes to the corner that comes closest, and the net is linearised anew there.

    **An image that does not leave its class** within ``max_iterations``, or has no finite gradient to follow, comes
    back at the last point reached, in its old class: ``model(result).argmax(1)`` says which. On an affine classifier
    that means that the box holds no crossing point towards a candidate.

    Args:
        model: gives logits ``(N, K)``; runs in eval mode.
        images: float ``(N, C, H, W)``; any range, or in ``bounds`` if there are any.
        norm: ``"l2"`` or ``"linf"``, the norm that is kept small.
        candidates: classes that are looked at, the predicted one among them: those of the highest logits at ``x``. ≥ 2;
            more than K means all.
        max_iterations: ≥ 1.
        overshoot: η ≥ 0, as a share of the perturbation.
        bounds: the box ``(low, high)`` that the result stays in; None, as in the paper: no box.
        chunk_size: images in one pass; None: as many as hold about 2 million values, at most 256. Images that are done
            leave it.

    Returns:
        The adversarial images, ``(N, C, H, W)``, dtype, device and memory format of ``images``.

    Raises:
        TypeError: images that are not floating, an overshoot that is not a number.
        ValueError: NaN images, images outside the box, an unknown norm, candidates below 2, max_iterations below 1, a
            negative overshoot, or a model that does not return (N, K), is detached inside, or has NaN gradients.
    """
    check_choice("norm", norm, ("l2", "linf"))
    if guard.check_count("candidates", candidates) < 2:
        raise ValueError("candidates=1 is the predicted class alone; expected 2 or more, the predicted one among them")
    max_iterations = guard.check_count("max_iterations", max_iterations)
    overshoot = check_number("overshoot", overshoot, unit="times the perturbation")
    bounds = guard.check_bounds(bounds)
    images = guard.check_images(images, bounds)
    with guard.frozen(model, images.device):
        for part in guard.chunks(images, chunk_size):
            images[part] = _cross(model, images[part], norm, candidates, max_iterations, overshoot, bounds)
    return images


def _cross(
    model: Model, images: Tensor, norm: str, candidates: int, max_iterations: int, overshoot: float, bounds: Bounds
) -> Tensor:
    """Algorithm 2 for a batch. Images that have crossed leave it, since what costs is a gradient for each candidate."""
    points = images.clone()
    exact = torch.promote_types(images.dtype, torch.float32)
    change = torch.zeros_like(images, dtype=exact)  # (1 + η)·Σ r_i: half precision would lose its small terms
    left = torch.arange(len(images), device=images.device)
    for iteration in range(max_iterations):
        inputs = points[left].requires_grad_()
        scores = guard.logits_with_graph(model, inputs)
        if iteration == 0:
            predicted = scores.detach().argmax(1, keepdim=True)  # k̂
            others = scores.detach().scatter(1, predicted, -torch.inf)
            others = others.topk(min(candidates, scores.shape[1]) - 1).indices
        step = _nearest(scores, inputs, predicted[left], others[left], norm, overshoot, bounds)
        change[left] += step
        points[left] = _inside(images[left] + change[left], bounds).to(images)
        with torch.no_grad():  # without a graph: those that are done need no gradients any more
            stays = guard.logits(model, points[left]).argmax(1, keepdim=True) == predicted[left]
        moves = step.flatten(1).any(1)
        left = left[stays[:, 0] & moves]
        if not len(left):
            break
    return points


def _nearest(
    scores: Tensor, inputs: Tensor, predicted: Tensor, others: Tensor, norm: str, overshoot: float, bounds: Bounds
) -> Tensor:
    """``(1 + η)·r_i`` for each of ``inputs``: the step beyond the nearest linearised boundary; 0 without gradients.

    ``predicted (N, 1)`` and ``others (N, candidates − 1)`` are classes. All gradients come from the one graph of
    ``scores``, one backward pass for each rank among the candidates; the best so far is all that is kept.
    """
    values = scores.detach().to(torch.promote_types(inputs.dtype, torch.float32))
    gaps = values.gather(1, predicted) - values.gather(1, others)  # |f'_k|: k̂ has the highest score
    # a logit is known up to rounding: where two seem equal, this is how far apart they may be
    gaps += 4 * torch.finfo(scores.dtype).eps * values.abs().amax(1, keepdim=True)
    best = torch.zeros_like(inputs, dtype=values.dtype)
    shortest = torch.full_like(gaps[:, 0], torch.inf)
    for rank, (gap, other) in enumerate(zip(gaps.T, others.T, strict=True), start=1):
        towards = torch.zeros_like(scores).scatter_(1, other[:, None], 1.0).scatter_(1, predicted, -1.0)
        (w,) = torch.autograd.grad(scores, inputs, towards, retain_graph=rank < others.shape[1])  # w'_k
        w = w.to(values)
        if bool(w.isnan().any()):
            raise ValueError("a gradient of the logits is NaN: the model's logits or weights are not finite")
        w = torch.where(_wide(w.flatten(1).isfinite().all(1), w), w, 0.0)  # an infinite one leads nowhere
        if bounds is None:
            step, length = _free_step(w, (1 + overshoot) * gap, norm)
        else:
            step, length = _boxed_step(w, gap, overshoot, norm, inputs.detach().to(values), bounds)
        nearer = length < shortest
        best = torch.where(_wide(nearer, best), step, best)
        shortest = torch.where(nearer, length, shortest)
    return best


def _free_step(w: Tensor, gap: Tensor, norm: str) -> tuple[Tensor, Tensor]:
    """The smallest ``r`` with ``wᵀr = gap``, and its norm; infinitely long where w = 0."""
    dual = torch.linalg.vector_norm(w, ord=2 if norm == "l2" else 1, dim=tuple(range(1, w.ndim)))  # ‖w‖_q
    length = gap / dual
    usable = torch.where(dual > 0, length, 0.0)
    if norm == "l2":
        return w * _wide(usable / dual.clamp(min=torch.finfo(w.dtype).tiny), w), length  # gap/‖w‖₂²·w
    return w.sign() * _wide(usable, w), length  # gap/‖w‖₁·sign(w)


def _boxed_step(
    w: Tensor, gap: Tensor, overshoot: float, norm: str, points: Tensor, bounds: tuple[float, float]
) -> tuple[Tensor, Tensor]:
    """The smallest ``r`` with ``wᵀr = (1 + η)·gap`` and ``points + r`` in the box, and a length to compare it by.

    By its optimality conditions it is ``r(t) = clip(t·d)`` onto the box, with ``d = w`` (ℓ2) or ``d = sign(w)`` (ℓ∞).
    ``wᵀr(t)`` rises with t, linearly between the times ``t_j`` at which a value meets its face, so sorting these times
    gives the exact t. Where the box stops short of ``(1 + η)·gap``, r goes to the corner that maximises ``wᵀr``. If
    that is short of ``gap`` too, the length is larger than any in the box, and the larger, the more is missing.
    """
    low, high = bounds
    shape, w = w.shape, w.flatten(1)
    room = torch.where(w > 0, high, low).sub_(points.flatten(1)).mul_(w != 0)  # r at the best corner: has the sign of w
    direction = w if norm == "l2" else w.sign()
    rates = w * direction
    times = torch.where(rates > 0, room / direction, 0.0)
    most, goal = (w * room).sum(1), (1 + overshoot) * gap

    times, order = times.sort(1)
    rates = rates.gather(1, order)
    stopped = (rates * times).cumsum(1) - rates * times  # wᵀr of the values that met their face before t_j
    moving = rates.flip(1).cumsum(1).flip(1)  # how fast the others still rise
    index = torch.searchsorted(stopped + times * moving, goal[:, None]).clamp_(max=w.shape[1] - 1)
    rate = moving.gather(1, index).clamp_(min=torch.finfo(w.dtype).tiny)
    time = (goal[:, None] - stopped.gather(1, index)) / rate
    step = direction * time
    step = torch.where((goal < most)[:, None], torch.where(w > 0, step.minimum(room), step.maximum(room)), room)

    length = torch.linalg.vector_norm(step, ord=2 if norm == "l2" else torch.inf, dim=1)
    longest = (high - low) * (w.shape[1] ** 0.5 if norm == "l2" else 1.0)
    blocked = torch.where(most > 0, longest + (gap - most), torch.inf)
    return step.view(shape), torch.where(most > gap, length, blocked)


def _inside(points: Tensor, bounds: Bounds) -> Tensor:
    return points if bounds is None else points.clamp(*bounds)


def _wide(values: Tensor, like: Tensor) -> Tensor:
    """``values (N,)`` as ``(N, 1, …)``, to go with ``like``."""
    return values.view(-1, *[1] * (like.ndim - 1))
