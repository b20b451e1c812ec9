"""Where an ascent on the loss landscape of poses ends: on a map already drawn, and by gradients, path by path."""

import torch
from torch import Tensor
from torch.nn.functional import softplus, unfold

from lecture13 import guard
from lecture13.attacks.gradient import margin_loss
from lecture13.attacks.rigid import check_pictures, rotate_and_translate
from lecture13.guard import Model


def summits(landscape: Tensor) -> Tensor:
    """The local maximum that steepest ascent from each cell ends on: always to the highest of the eight neighbours.

    It is what gradient ascent with steps as small as a cell does at best. The cells that name themselves are the local
    maxima; the others that name one are its basin. Of equal cells none moves to the other.

    Args:
        landscape: ``(N, A, S)``, from :func:`lecture13.attacks.loss_landscape`.

    Returns:
        int64 ``(N, A, S)``: row · S + column of the summit.

    Raises:
        ValueError: another shape, or values that are not finite.
    """
    if landscape.ndim != 3 or not landscape.numel() or not bool(landscape.isfinite().all()):
        raise ValueError(f"the landscape has the shape {tuple(landscape.shape)}; expected finite values (N, A, S)")
    count, rows, columns = landscape.shape
    device = landscape.device
    outside = torch.full((count, 1, rows + 2, columns + 2), -torch.inf, dtype=landscape.dtype, device=device)
    outside[:, 0, 1:-1, 1:-1] = landscape
    around = unfold(outside, 3).transpose(1, 2)  # (N, A·S, 9), a cell itself in the middle
    around[..., 4] = torch.nextafter(around[..., 4], torch.full_like(around[..., 4], torch.inf))  # a tie stays
    choice = around.argmax(2)
    cell = torch.arange(rows * columns, device=device)
    found = cell + (choice // 3 - 1) * columns + choice % 3 - 1
    for _ in range((rows * columns).bit_length()):  # 1, 2, 4, … steps
        found = found.gather(1, found)
    return found.view(count, rows, columns)


@torch.inference_mode(False)
def paths(
    model: Model, image: Tensor, label: int, starts: Tensor, limits: tuple[float, float], *, steps: int = 50
) -> tuple[Tensor, Tensor]:
    """The ways of the first-order attack up the loss of one image, on its rotation and left-right translation alone.

    As :func:`lecture13.attacks.spatial` does it with three parameters: ``p ← clip(p + α·sign(∇_p m))``, α the
    2.5/steps-th part of the limits.

    Args:
        model: gives logits ``(N, K)``; runs in eval mode.
        image: float ``(C, H, W)``.
        label: its class.
        starts: ``(S, 2)``: degrees clockwise and pixels to the right, within the limits.
        limits: of both, either way.
        steps: T.

    Returns:
        The poses ``(T + 1, S, 2)`` and the cross-entropy at each, ``(T + 1, S)`` in nats, float32 at least.

    Raises:
        TypeError, ValueError: as :func:`lecture13.attacks.spatial`; starts of another shape or beyond the limits.
    """
    images = check_pictures(image[None])
    exact = torch.promote_types(images.dtype, torch.float32)
    bounds = torch.tensor(limits, dtype=exact, device=images.device)
    poses = torch.as_tensor(starts).to(images.device, exact)
    if poses.ndim != 2 or poses.shape[1] != 2 or bool((poses.abs() > bounds * (1 + 1e-6)).any()):
        raise ValueError(f"starts={starts!r}; expected (S, 2) within ±{limits[0]:g}° and ±{limits[1]:g} pixels")
    steps = guard.check_count("steps", steps)
    images = images.expand(len(poses), -1, -1, -1)
    labels = guard.check_labels(torch.full((len(poses),), int(label), device=images.device), images)
    way, losses = [], []
    with guard.frozen(model, images.device):
        for step in range(steps + 1):
            poses = poses.detach().requires_grad_()
            with torch.enable_grad():
                moved = rotate_and_translate(images, poses[:, 0], torch.stack([poses[:, 1], 0 * poses[:, 1]], 1))
                logits = guard.logits_with_graph(model, moved, labels)
            margin, towards = margin_loss(logits.detach(), labels)
            way.append(poses.detach())
            losses.append(softplus(margin.to(exact)))  # J = log(1 + eᵐ)
            if step < steps:
                (gradient,) = torch.autograd.grad(logits, poses, towards.to(logits))
                poses = (poses.detach() + 2.5 / steps * bounds * gradient.sign()).clamp(-bounds, bounds)
    return torch.stack(way), torch.stack(losses)
